//! The times of a batch's records, one by one, without unpacking the batch whole.
//!
//! Invariants: memory is bounded whatever the batch claims: a buffer of 32 KiB, and what the codec needs (its
//! window, as far as data fills it, or one block). No more than the caller's limit is unpacked.

use std::io::{self, BufRead, BufReader, Read};

use crate::batch::{self, BatchHeader, HEADER_BYTES};
use crate::{Offset, Timestamp};

use super::Error;
use super::reader::delta_range;

/// What is read ahead of a record's fields.
const BUFFER_BYTES: usize = 32 << 10;
/// The most bytes that a variable-length integer takes.
const VARINT_BYTES: u32 = 10;

/// Walks the records of one batch. Ends behind the last one, or with an error at the first that is none.
pub struct RecordTimes<'a> {
    header: BatchHeader,
    body: BufReader<Box<dyn Read + Send + 'a>>,
    left: u64,
    at: u64,
    index: i32,
    /// The least that the next record's distance from the base offset may be.
    least_delta: i64,
    has_failed: bool,
}

/// The offset and the time of each record of one batch, which is whole and was checked where it entered.
///
/// Keys, values and headers are passed over unread. A control batch has no records. Stops with an error once
/// more than `limit_bytes` were unpacked.
///
/// # Errors
/// [`Error`] if the header or the codec is wrong; the items are errors as [`super::decode`] gives them.
pub fn times(batch: &[u8], limit_bytes: u64) -> Result<RecordTimes<'_>, Error> {
    let mut header = BatchHeader::parse(batch)?;
    if header.encoded_len() != batch.len() {
        return Err(batch::Error::Truncated { needed: header.encoded_len(), available: batch.len() }.into());
    }
    if header.is_control() {
        header.record_count = 0;
    }
    let codec = header.compression().map_err(batch::Error::from)?;
    let body = BufReader::with_capacity(BUFFER_BYTES, codec.reader(&batch[HEADER_BYTES..])?);
    Ok(RecordTimes { header, body, left: limit_bytes, at: 0, index: 0, least_delta: 0, has_failed: false })
}

impl Iterator for RecordTimes<'_> {
    type Item = Result<(Offset, Timestamp), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed || self.index >= self.header.record_count {
            return None;
        }
        let (index, at) = (self.index, usize::try_from(self.at).unwrap_or(usize::MAX));
        self.index += 1;
        let record = self.record(index);
        self.has_failed = record.is_err();
        let count = self.header.record_count;
        Some(record.map_err(|what| Error::Malformed { index, count, at, what }))
    }
}

impl RecordTimes<'_> {
    fn record(&mut self, index: i32) -> Result<(Offset, Timestamp), &'static str> {
        let length = self.varint()?;
        let length = u64::try_from(length).map_err(|_| "its length is negative")?;
        let end = self.at.checked_add(length).ok_or("its length is impossible")?;
        self.skip(1)?;
        let timestamp_delta = self.varint()?;
        let offset_delta = self.varint()?;
        if !delta_range(&self.header, index, self.least_delta).contains(&offset_delta) {
            return Err("its offset is not the next one");
        }
        self.least_delta = offset_delta + 1;
        let rest = end.checked_sub(self.at).ok_or("it is longer than it says")?;
        self.skip(rest)?;
        let offset = self.header.base_offset.checked_add(offset_delta).filter(|offset| *offset >= 0);
        let time = match self.header.is_log_append_time() {
            true => self.header.max_timestamp,
            false => {
                let base = self.header.base_timestamp.as_millis();
                Timestamp::from_millis(base.wrapping_add(timestamp_delta))
            }
        };
        Ok((Offset::new(offset.ok_or("its offset is impossible")?), time))
    }

    /// The bytes that can be had without unpacking more; never empty.
    fn fill(&mut self) -> Result<&[u8], &'static str> {
        if self.left == 0 {
            return Err("the batch is larger than may be unpacked");
        }
        loop {
            match self.body.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err("the batch cannot be unpacked"),
            }
        }
        let allowed = usize::try_from(self.left).unwrap_or(usize::MAX);
        let bytes = self.body.fill_buf().map_err(|_| "the batch cannot be unpacked")?;
        let bytes = &bytes[..bytes.len().min(allowed)];
        if bytes.is_empty() { Err("the batch ends within it") } else { Ok(bytes) }
    }

    fn consume(&mut self, bytes: usize) {
        self.body.consume(bytes);
        self.at += bytes as u64;
        self.left = self.left.saturating_sub(bytes as u64);
    }

    fn skip(&mut self, bytes: u64) -> Result<(), &'static str> {
        let mut left = bytes;
        while left > 0 {
            let here = self.fill()?.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(here);
            left -= here as u64;
        }
        Ok(())
    }

    /// Zig-zag, as `varint.rs` reads it from a slice.
    fn varint(&mut self) -> Result<i64, &'static str> {
        let mut value = 0u64;
        for at in 0..VARINT_BYTES {
            let byte = self.fill()?[0];
            self.consume(1);
            let low = u64::from(byte & 0x7f);
            if at == VARINT_BYTES - 1 && low > 1 {
                break;
            }
            value |= low << (7 * at);
            if byte < 0x80 {
                return Ok(((value >> 1) as i64) ^ -((value & 1) as i64));
            }
        }
        Err("it holds an integer that is none")
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::compression::Compression;
    use crate::record::{BatchBuilder, decode};

    fn found(batch: &[u8], limit: u64) -> Vec<(Offset, Timestamp)> {
        times(batch, limit).expect("a batch").map(|record| record.expect("a record")).collect()
    }

    proptest! {
        #[test]
        fn the_times_are_those_that_decoding_gives(
            records in prop::collection::vec((0..1_000_000i64, 0..3_000usize), 1..60),
            codec in prop::sample::select(Compression::ALL.to_vec()),
        ) {
            let mut builder = BatchBuilder::new().compression(codec);
            for (time, bytes) in &records {
                let value = "x".repeat(*bytes);
                builder.push(Timestamp::from_millis(*time), Some(b"key"), Some(value.as_bytes()), &[]);
            }
            let batch = builder.build().freeze();
            let decoded = decode(&batch, 1 << 20).expect("it was just built");
            let expected: Vec<_> = decoded.iter().map(|record| (record.offset, record.timestamp)).collect();
            prop_assert_eq!(found(&batch, 1 << 20), expected);
        }

        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>, codec in prop::sample::select(Compression::ALL.to_vec())) {
            let mut builder = BatchBuilder::new();
            builder.push(Timestamp::from_millis(1), None, None, &[]);
            let mut batch = builder.build().as_bytes()[..HEADER_BYTES].to_vec();
            batch.extend_from_slice(&body);
            let length = u32::try_from(batch.len() - 12).expect("small");
            batch[8..12].copy_from_slice(&length.to_be_bytes());
            batch[21..23].copy_from_slice(&codec.code().to_be_bytes());
            if let Ok(times) = times(&batch, 1 << 20) {
                prop_assert!(times.count() <= 1);
            }
        }
    }

    #[test]
    fn a_batch_that_unpacks_to_more_than_the_limit_ends_with_an_error() {
        for codec in Compression::ALL {
            let mut builder = BatchBuilder::new().compression(codec);
            for time in 0..100 {
                builder.push(Timestamp::from_millis(time), None, Some(&[0; 10_000]), &[]);
            }
            let batch: Bytes = builder.build().freeze();
            let seen: Vec<_> = times(&batch, 300_000).expect("a batch").collect();
            assert_eq!(seen.len(), 30, "{codec}");
            assert!(seen[29].is_err() && seen[..29].iter().all(Result::is_ok), "{codec}");
        }
    }
}
