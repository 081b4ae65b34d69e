//! Batches that are built are the batches that are read.

use bytes::Bytes;
use factum_types::{BatchBuilder, BatchHeader, Compression, Header, Offset, Record, Timestamp, record};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

prop_compose! {
    fn header()(key in "[a-z-]{0,12}", value in option::of(vec(any::<u8>(), 0..20))) -> Header {
        Header { key, value: value.map(Bytes::from) }
    }
}

prop_compose! {
    fn any_record()(
        millis in -1i64..4_102_444_800_000,
        key in option::of(vec(any::<u8>(), 0..20)),
        value in option::of(vec(any::<u8>(), 0..300)),
        headers in vec(header(), 0..4),
    ) -> Record {
        let (key, value) = (key.map(Bytes::from), value.map(Bytes::from));
        Record { offset: Offset::ZERO, timestamp: Timestamp::from_millis(millis), key, value, headers }
    }
}

fn push(builder: &mut BatchBuilder, record: &Record) {
    builder.push(record.timestamp, record.key.as_deref(), record.value.as_deref(), &record.headers);
}

proptest! {
    #[test]
    fn pushed_records_are_decoded(
        mut records in vec(any_record(), 1..30),
        codec in proptest::sample::select(&Compression::ALL[..]),
        base in 0i64..1 << 50,
    ) {
        let mut builder = BatchBuilder::new().compression(codec).producer(7, 3, 11);
        records.iter().for_each(|record| push(&mut builder, record));
        prop_assert_eq!(builder.len(), records.len());
        let announced = builder.encoded_len();
        let mut batch = builder.build();
        batch.place(Offset::new(base), 5);
        if codec == Compression::None {
            prop_assert_eq!(batch.encoded_len(), announced);
        }
        let header = *batch.header();
        prop_assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (7, 3, 11));
        prop_assert_eq!(Some(header.max_timestamp), records.iter().map(|record| record.timestamp).max());
        for (record, offset) in records.iter_mut().zip(base..) {
            record.offset = Offset::new(offset);
        }
        prop_assert_eq!(record::decode(&batch.freeze(), 1 << 20), Ok(records));
    }
}

/// Written by hand from Kafka's description of the format.
#[test]
fn a_batch_has_kafkas_bytes() {
    let mut builder = BatchBuilder::new();
    let header = Header::new("h", "x");
    builder.push(Timestamp::from_millis(1_000), Some(b"k"), Some(b"v1"), &[header]);
    builder.push(Timestamp::from_millis(1_100), None, None, &[]);
    let batch = builder.build();
    #[rustfmt::skip]
    let golden: &[&[u8]] = &[
        &[0, 0, 0, 0, 0, 0, 0, 0],             // base offset
        &[0, 0, 0, 71],                        // batch length: 49 of the header behind it, 14 + 8 of records
        &[0xff, 0xff, 0xff, 0xff],             // leader epoch -1
        &[2],                                  // magic
        &batch.header().crc.to_be_bytes(),     // checked below, by an independent implementation
        &[0, 0],                               // attributes
        &[0, 0, 0, 1],                         // last offset delta
        &[0, 0, 0, 0, 0, 0, 0x03, 0xe8],       // base timestamp
        &[0, 0, 0, 0, 0, 0, 0x04, 0x4c],       // max timestamp
        &[0xff; 8], &[0xff; 2], &[0xff; 4],    // producer id, epoch, base sequence: none
        &[0, 0, 0, 2],                         // record count
        &[13 << 1, 0, 0, 0],                   // length 13, attributes, timestamp delta, offset delta
        &[2, b'k', 4, b'v', b'1'],             // key, value
        &[2, 2, b'h', 2, b'x'],                // one header
        &[7 << 1, 0, 0xc8, 0x01, 2, 1, 1, 0],  // length 7, timestamp delta 100 in two bytes, offset delta 1, nulls
    ];
    assert_eq!(batch.as_bytes(), golden.concat());
    assert_eq!(batch.header().crc, crc32c_bit_by_bit(&batch.as_bytes()[21..]));
}

/// CRC-32C as RFC 3720 appendix B.4 defines it: reflected polynomial 0x82f63b78.
fn crc32c_bit_by_bit(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[test]
fn a_stamped_batch_gives_the_time_of_its_append() {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::from_millis(5), None, Some(b"a"), &[]);
    let mut batch = builder.build();
    batch.stamp(Timestamp::from_millis(9_000));
    let bytes = batch.freeze();
    BatchHeader::check(&bytes).expect("the checksum is recomputed");
    let records = record::decode(&bytes, 0).expect("decodes");
    assert_eq!(records[0].timestamp, Timestamp::from_millis(9_000));
}

#[test]
fn uncompressed_fields_are_slices_of_the_batch() {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::NONE, Some(b"key"), Some(b"value"), &[]);
    let bytes = builder.build().freeze();
    let within = |field: &Bytes| bytes.as_ptr_range().contains(&field.as_ptr());
    let records = record::decode(&bytes, 0).expect("decodes");
    assert!(records[0].key.as_ref().is_some_and(within) && records[0].value.as_ref().is_some_and(within));
}
