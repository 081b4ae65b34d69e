//! Records read one by one and records walked at produce: the same as the batch decoded at once.

use bytes::{Bytes, BytesMut};
use factum_types::compression::DecompressError;
use factum_types::record::{self, MAX_RECORD_HEADERS, RecordReader};
use factum_types::{BatchBuilder, Compression, Header, Record, RecordBatch, Timestamp, batch};
use proptest::prelude::*;

/// A batch of `count` records whose record bytes are `body`, with a good checksum.
fn forged(codec: Compression, count: i32, body: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::NONE, None, None, &[]);
    let mut bytes = BytesMut::from(&builder.build().as_bytes()[..batch::HEADER_BYTES]);
    bytes.extend_from_slice(&codec.compress(body));
    let length = i32::try_from(bytes.len() - batch::LENGTH_OVERHEAD).expect("small");
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[21..23].copy_from_slice(&codec.code().to_be_bytes());
    bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    let crc = batch::crc(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.freeze()
}

fn batch_of(codec: Compression, values: &[Vec<u8>]) -> RecordBatch {
    let mut builder = BatchBuilder::new().compression(codec);
    for (value, millis) in values.iter().zip(0..) {
        builder.push(Timestamp::from_millis(millis), Some(b"key"), Some(value), &[Header::new("h", "x")]);
    }
    builder.build()
}

/// Every record before the first that is wrong.
fn read_through(batch: &Bytes) -> (Vec<Record>, Option<record::Error>) {
    let mut reader = match RecordReader::new(batch) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut records = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => records.push(record),
            Ok(None) => return (records, None),
            Err(error) => return (records, Some(error)),
        }
    }
}

fn validated(bytes: &Bytes) -> Option<Result<record::RecordSummary, record::Error>> {
    let batch = RecordBatch::new(BytesMut::from(&bytes[..])).ok()?;
    Some(record::validate(&batch, 1 << 20))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn records_read_one_by_one_are_those_decoded_at_once(
        values in proptest::collection::vec(proptest::collection::vec(0u8..4, 0..3_000), 1..40),
        codec in proptest::sample::select(&Compression::ALL[..]),
    ) {
        let batch = batch_of(codec, &values);
        let summary = record::validate(&batch, 1 << 20).expect("sound records");
        prop_assert_eq!(summary.max_timestamp, batch.header().max_timestamp);
        let bytes = batch.freeze();
        let (records, error) = read_through(&bytes);
        prop_assert_eq!(error, None);
        prop_assert_eq!(record::decode(&bytes, 1 << 20), Ok(records));
    }

    #[test]
    fn junk_at_any_byte_hides_no_record_before_it(
        count in 1usize..8,
        at: prop::sample::Index,
        junk: Vec<u8>,
        codec in proptest::sample::select(&Compression::ALL[..]),
    ) {
        let values: Vec<_> = (0..count).map(|n| vec![b'v'; n * 40]).collect();
        let sound = batch_of(Compression::None, &values).freeze();
        let mut body = sound[batch::HEADER_BYTES..].to_vec();
        let at = at.index(body.len());
        body.splice(at.., junk);
        let whole = record::decode(&sound, 0).expect("sound");
        let before = record_ends(&sound).into_iter().filter(|end| *end <= at).count();
        let count = i32::try_from(count).expect("small");
        let (records, _) = read_through(&forged(codec, count, &body));
        prop_assert!(records.len() >= before, "{} of {before}", records.len());
        for (found, sent) in records.iter().zip(&whole).take(before) {
            prop_assert_eq!((&found.value, found.offset), (&sent.value, sent.offset));
        }
    }

    #[test]
    fn records_that_produce_accepts_are_readable_and_others_are_not(
        body in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(12), Just(14), any::<u8>()], 1..60),
        count in 1i32..4,
        codec in proptest::sample::select(&Compression::ALL[..]),
    ) {
        let bytes = forged(codec, count, &body);
        if let Some(taken) = validated(&bytes) {
            let (_, error) = read_through(&bytes);
            prop_assert_eq!(taken.is_ok(), error.is_none(), "{:?} {:?}", taken, error);
        }
    }
}

/// Where each record of an uncompressed batch ends, counted from the first.
fn record_ends(batch: &Bytes) -> Vec<usize> {
    let body = &batch[batch::HEADER_BYTES..];
    let mut ends = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let (mut length, mut shift) = (0usize, 0);
        loop {
            let byte = body[at];
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        at += length >> 1;
        ends.push(at);
    }
    ends
}

#[test]
fn a_record_that_is_wrong_is_named_at_produce() {
    let sound = [12, 0, 0, 0, 1, 1, 0];
    let wrong_offset = [12, 0, 0, 4, 1, 1, 0];
    for codec in Compression::ALL {
        let bytes = forged(codec, 2, &[sound, wrong_offset].concat());
        let error = validated(&bytes).expect("a batch").expect_err("refused");
        assert_eq!(error.to_string(), "record 1 of 2 at byte 7: its offset is not the next one", "{codec}");
    }
    let junk = forged(Compression::None, 1, b"junk, and nothing else");
    let error = validated(&junk).expect("a batch").expect_err("refused");
    assert_eq!(error.to_string(), "record 0 of 1 at byte 0: its length passes the end of the batch");
}

#[test]
fn a_batch_that_unpacks_to_much_is_refused_at_produce() {
    for codec in &Compression::ALL[1..] {
        let batch = batch_of(*codec, &[vec![0; 4 << 20]]);
        let too_large = DecompressError::TooLarge { codec: *codec, limit: 1 << 20 };
        assert_eq!(record::validate(&batch, 1 << 20), Err(record::Error::Decompress(too_large)));
        record::validate(&batch, 8 << 20).expect("within the limit");
    }
}

#[test]
fn a_record_with_too_many_headers_is_refused_at_produce_and_counted_when_read() {
    let headers = vec![Header { key: String::new(), value: None }; MAX_RECORD_HEADERS + 1];
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::NONE, None, None, &headers);
    let batch = builder.build();
    let error = record::validate(&batch, 0).expect_err("refused");
    assert_eq!(error.to_string(), "record 0 of 1 at byte 0: it has more than 10000 headers");
    let (records, _) = read_through(&batch.freeze());
    assert!(records[0].size_in_memory() > 40 * MAX_RECORD_HEADERS, "{}", records[0].size_in_memory());
}

#[test]
fn a_header_that_lies_about_its_greatest_time_is_corrected() {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::from_millis(5_000), None, None, &[]);
    builder.push(Timestamp::from_millis(9_000), None, None, &[]);
    let mut batch = builder.build();
    batch.correct_max_timestamp(Timestamp::from_millis(5_000));
    let summary = record::validate(&batch, 0).expect("sound");
    assert_eq!(summary.max_timestamp, Timestamp::from_millis(9_000));
    batch.correct_max_timestamp(summary.max_timestamp);
    RecordBatch::new(BytesMut::from(batch.as_bytes())).expect("its checksum fits");
}
