//! Hostile bytes: they cause no panic, cannot lie about their size, and are not read in part.

use bytes::{Bytes, BytesMut};
use factum_types::compression::DecompressError;
use factum_types::{BatchBuilder, BatchHeader, Compression, Header, RecordBatch, Timestamp, batch, record};
use proptest::prelude::*;

/// A batch of `count` records whose record bytes are `body`, with a good checksum.
fn forged(attributes: i16, count: i32, body: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::NONE, None, None, &[]);
    let mut bytes = BytesMut::from(&builder.build().as_bytes()[..batch::HEADER_BYTES]);
    bytes.extend_from_slice(body);
    let length = i32::try_from(bytes.len() - batch::LENGTH_OVERHEAD).expect("small");
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    let crc = batch::crc(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.freeze()
}

fn malformed(count: i32, body: &[u8]) -> String {
    record::decode(&forged(0, count, body), 1 << 20).expect_err("refused").to_string()
}

#[test]
fn every_lie_of_a_record_is_named() {
    let at_0 = |what: &str| format!("record 0 of 1 at byte 0: {what}");
    let whole = [12, 0, 0, 0, 1, 1, 0];
    for (body, what) in [
        (&[0xff; 11][..], "its length is not a varint"),
        (&[1], "its length is negative"),
        (&[14, 0, 0, 0, 1, 1, 0], "its length passes the end of the batch"),
        (&[0], "it is empty"),
        (&[12, 0, 0xff, 0xff, 0xff, 0xff, 0xff], "its timestamp is not a varint"),
        (&[12, 0, 0, 2, 1, 1, 0], "its offset is not the next one"),
        (&[12, 0, 0, 0, 80, 1, 0], "a field passes the end of its record"),
        (&[12, 0, 0, 0, 1, 1, 1], "its header count is negative"),
        (&[14, 0, 0, 0, 1, 1, 0xfe, 0x7f], "it counts more headers than it has bytes for"),
        (&[16, 0, 0, 0, 1, 1, 2, 1, 1], "a header has no name"),
        (&[14, 0, 0, 0, 1, 1, 0, 9], "there are bytes behind its last header"),
    ] {
        assert_eq!(malformed(1, body), at_0(what), "{body:?}");
    }
    assert_eq!(malformed(2, &whole), "record 1 of 2 at byte 7: its length is not a varint");
    let trailing = [&whole[..], &[0]].concat();
    assert_eq!(malformed(1, &trailing), "record 1 of 1 at byte 7: there are bytes behind the last record");
}

#[test]
fn a_huge_count_is_refused_before_anything_is_allocated() {
    let forged = forged(0, i32::MAX, &[12, 0, 0, 0, 1, 1, 0]);
    let refused = RecordBatch::new(BytesMut::from(&forged[..])).expect_err("refused");
    assert!(matches!(refused, batch::Error::BadCount { records: i32::MAX, .. }), "{refused:?}");
    // A codec hides how many there can be: the count is not believed.
    let compressed = Compression::Gzip.compress(&[12, 0, 0, 0, 1, 1, 0]);
    let forged = self::forged(Compression::Gzip.code(), i32::MAX, &compressed);
    BatchHeader::check(&forged).expect("plausible from outside");
    record::decode(&forged, 1 << 20).expect_err("refused");
}

#[test]
fn a_bomb_in_a_batch_stops_at_the_limit() {
    // One record that says that it has 32 MiB, and has them.
    let mut body = vec![0; 32 << 20];
    body[..4].copy_from_slice(&[0x80, 0x80, 0x80, 0x20]);
    let bomb = Compression::Zstd.compress(&body);
    let refused = record::decode(&forged(Compression::Zstd.code(), 1, &bomb), 1 << 20);
    let expected = DecompressError::TooLarge { codec: Compression::Zstd, limit: 1 << 20 };
    assert_eq!(refused, Err(record::Error::Decompress(expected)));
}

#[test]
fn a_control_batch_has_no_records() {
    assert_eq!(record::decode(&forged(0b11_0000, 1, b"anything"), 0), Ok(Vec::new()));
}

#[test]
fn every_cut_and_every_flipped_bit_is_noticed() {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::from_millis(1), Some(b"key"), Some(b"value"), &[Header::new("h", "x")]);
    builder.push(Timestamp::from_millis(2), None, Some(b"more"), &[]);
    let whole = builder.build().freeze();
    for end in 0..whole.len() {
        assert!(matches!(BatchHeader::check(&whole[..end]), Err(batch::Error::Truncated { .. })), "{end}");
    }
    // Base offset and leader epoch are the log's own and lie outside the checksum.
    let covered = (8..12).chain(16..whole.len());
    for bit in covered.flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
        let mut flipped = BytesMut::from(&whole[..]);
        flipped[bit.0] ^= 1 << bit.1;
        RecordBatch::new(flipped).expect_err("a flipped bit is noticed");
    }
}

proptest! {
    #[test]
    fn garbage_records_never_panic(body: Vec<u8>, count in 1i32..10, attributes in 0i16..5) {
        drop(record::decode(&forged(attributes, count, &body), 1 << 16));
    }

    #[test]
    fn garbage_batches_never_panic(bytes: Vec<u8>) {
        BatchHeader::check(&bytes).expect_err("no checksum is right by chance");
        drop(record::decode(&Bytes::from(bytes), 1 << 16));
    }
}
