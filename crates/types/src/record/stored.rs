//! Records as they lie in a stored batch, so that compaction can remove some of them.
//!
//! Invariants: a batch that is written without some of its records keeps its offsets, producer, sequence numbers, codec
//! and the offsets of the records that stay. Its greatest timestamp is that of the records that stay.
//!
//! Not here: which records stay.

use std::borrow::Cow;
use std::ops::Range;

use super::reader::delta_range;
use super::{Error, MAX_UNPACKED_BYTES};
use crate::batch::{self, BatchHeader, DELETE_HORIZON_BIT, HEADER_BYTES};
use crate::compression::Compression;
use crate::{Offset, Timestamp, varint};

/// The records of one batch, unpacked.
#[derive(Debug)]
pub struct StoredRecords<'a> {
    header: BatchHeader,
    head: &'a [u8],
    body: Cow<'a, [u8]>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord<'a> {
    /// Its place in the partition.
    pub offset: Offset,
    /// When it was created, or appended where the topic says so.
    pub timestamp: Timestamp,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// Whether it has a value; one without is a tombstone, if it has a key.
    pub has_value: bool,
    /// All of it in the unpacked body, its length included.
    whole: Range<usize>,
    /// What follows its timestamp.
    rest: Range<usize>,
}

impl<'a> StoredRecords<'a> {
    /// Unpacks the records of exactly one stored batch, already checked ([`BatchHeader::check_stored`]); at most
    /// [`MAX_UNPACKED_BYTES`].
    ///
    /// # Errors
    /// [`Error`] if the header does not fit the bytes, or the records cannot be unpacked.
    pub fn unpack(batch: &'a [u8]) -> Result<Self, Error> {
        let header = BatchHeader::parse(batch)?;
        if header.encoded_len() != batch.len() {
            let (needed, available) = (header.encoded_len(), batch.len());
            return Err(batch::Error::Truncated { needed, available }.into());
        }
        let (head, body) = batch.split_at(HEADER_BYTES);
        let body = match header.compression().map_err(batch::Error::from)? {
            Compression::None => Cow::Borrowed(body),
            codec => Cow::Owned(codec.decompress(body, MAX_UNPACKED_BYTES)?),
        };
        Ok(Self { header, head, body })
    }

    /// The records in order, those of control batches too; ends with an error at the first that is none.
    pub fn iter(&self) -> impl Iterator<Item = Result<StoredRecord<'_>, Error>> {
        let count = self.header.record_count;
        let (mut at, mut index, mut least) = (0, 0, 0);
        std::iter::from_fn(move || {
            if index >= count {
                return None;
            }
            let begin = at;
            let read = self.read(&mut at, index, least);
            let found = read.map_err(|what| Error::Malformed { index, count, at: begin, what });
            match &found {
                Ok(record) => {
                    least = record.offset.get() - self.header.base_offset + 1;
                    index += 1;
                }
                Err(_) => index = count,
            }
            Some(found)
        })
    }

    /// The batch with those of its records for which `is_kept` says true, by their order; at least one. With `horizon`,
    /// it says from when on its tombstones, or its marker, may be removed.
    ///
    /// # Errors
    /// [`Error`] at the first record that is none.
    pub fn retain(&self, is_kept: &[bool], horizon: Option<Timestamp>) -> Result<Vec<u8>, Error> {
        let mut body = Vec::with_capacity(self.body.len());
        let (mut count, mut max_timestamp) = (0_i32, Timestamp::NONE);
        for (record, is_kept) in self.iter().zip(is_kept) {
            let record = record?;
            if !is_kept {
                continue;
            }
            count += 1;
            max_timestamp = max_timestamp.max(record.timestamp);
            match horizon {
                None => body.extend_from_slice(&self.body[record.whole]),
                Some(horizon) => self.write_from(horizon, &record, &mut body),
            }
        }
        let mut header = BatchHeader { record_count: count, ..self.header };
        if !header.is_log_append_time() {
            header.max_timestamp = max_timestamp;
        }
        if let Some(horizon) = horizon {
            header.attributes |= DELETE_HORIZON_BIT;
            header.base_timestamp = horizon;
        }
        Ok(match self.header.compression().map_err(batch::Error::from)? {
            Compression::None => self.encode(header, &body),
            codec => self.encode(header, &codec.compress(&body)),
        })
    }

    /// Writes a record whose timestamp counts from `base`.
    fn write_from(&self, base: Timestamp, record: &StoredRecord<'_>, out: &mut Vec<u8>) {
        let delta = record.timestamp.as_millis().wrapping_sub(base.as_millis());
        let rest = &self.body[record.rest.clone()];
        let length = 1 + varint::len(delta) + rest.len();
        varint::write(out, i64::try_from(length).expect("a record fits memory"));
        out.push(0);
        varint::write(out, delta);
        out.extend_from_slice(rest);
    }

    fn encode(&self, header: BatchHeader, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
        bytes.extend_from_slice(self.head);
        bytes.extend_from_slice(body);
        batch::rewrite_header(&mut bytes, &header);
        bytes
    }

    fn read(&self, at: &mut usize, index: i32, least: i64) -> Result<StoredRecord<'_>, &'static str> {
        let begin = *at;
        let mut rest = &self.body[begin..];
        let length = varint::read(&mut rest).ok_or("its length is not a varint")?;
        let length = usize::try_from(length).map_err(|_| "its length is negative")?;
        let mut fields = rest.get(..length).ok_or("its length passes the end of the batch")?;
        let end = self.body.len() - rest.len() + length;
        fields = fields.get(1..).ok_or("it is empty")?;
        let timestamp_delta = varint::read(&mut fields).ok_or("its timestamp is not a varint")?;
        let behind_timestamp = end - fields.len();
        let offset_delta = varint::read(&mut fields).ok_or("its offset is not a varint")?;
        if !delta_range(&self.header, index, least).contains(&offset_delta) {
            return Err("its offset is not the next one");
        }
        let key = take_field(&mut fields)?;
        let has_value = take_field(&mut fields)?.is_some();
        let timestamp = match self.header.is_log_append_time() {
            true => self.header.max_timestamp,
            false => {
                let base = self.header.base_timestamp.as_millis();
                Timestamp::from_millis(base.wrapping_add(timestamp_delta))
            }
        };
        let offset = self.header.base_offset.checked_add(offset_delta).filter(|offset| *offset >= 0);
        let offset = Offset::new(offset.ok_or("its offset is impossible")?);
        *at = end;
        if index + 1 == self.header.record_count && end != self.body.len() {
            return Err("there are bytes behind the last record");
        }
        Ok(StoredRecord { offset, timestamp, key, has_value, whole: begin..end, rest: behind_timestamp..end })
    }
}

/// A length and that many bytes; a negative length is null.
fn take_field<'a>(fields: &mut &'a [u8]) -> Result<Option<&'a [u8]>, &'static str> {
    let length = varint::read(fields).ok_or("a length is not a varint")?;
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    let (bytes, rest) = fields.split_at_checked(length).ok_or("a field passes the end of its record")?;
    *fields = rest;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{BatchBuilder, decode, times};

    fn built(records: &[(i64, usize)], codec: Compression) -> Vec<u8> {
        let mut builder = BatchBuilder::new().compression(codec).producer(7, 1, 40);
        for (time, bytes) in records {
            let value = "x".repeat(*bytes);
            builder.push(Timestamp::from_millis(*time), Some(b"key"), Some(value.as_bytes()), &[]);
        }
        let mut batch = builder.build();
        batch.place(Offset::new(100), 3);
        batch.as_bytes().to_vec()
    }

    proptest! {
        #[test]
        fn records_that_stay_keep_offset_time_and_value(
            records in prop::collection::vec((0..1_000_000i64, 0..300usize, any::<bool>()), 1..40),
            codec in prop::sample::select(Compression::ALL.to_vec()),
            horizon in prop::option::of(0..2_000_000i64),
        ) {
            let sent: Vec<_> = records.iter().map(|(time, bytes, _)| (*time, *bytes)).collect();
            let batch = built(&sent, codec);
            let is_kept: Vec<_> = records.iter().map(|(.., is_kept)| *is_kept).collect();
            prop_assume!(is_kept.contains(&true));
            let unpacked = StoredRecords::unpack(&batch).expect("it was just built");
            let horizon = horizon.map(Timestamp::from_millis);
            let rewritten = unpacked.retain(&is_kept, horizon).expect("it was just built");
            let header = BatchHeader::check_stored(&rewritten).expect("a stored batch");
            prop_assert_eq!(header.delete_horizon(), horizon);
            let all = decode(&batch.clone().into(), 1 << 20).expect("it was just built");
            let expected: Vec<_> =
                all.into_iter().zip(&is_kept).filter(|(_, is_kept)| **is_kept).map(|(record, _)| record).collect();
            prop_assert_eq!(header.max_timestamp, expected.iter().map(|record| record.timestamp).max().expect("one"));
            prop_assert_eq!((header.base_offset, header.last_offset()), (100, 99 + records.len() as i64));
            prop_assert_eq!((header.producer_id, header.base_sequence), (7, 40));
            let seen: Vec<_> = times(&rewritten, 1 << 20).expect("a batch").map(|time| time.expect("a record")).collect();
            let found = decode(&rewritten.into(), 1 << 20).expect("a batch");
            prop_assert_eq!(seen, found.iter().map(|record| (record.offset, record.timestamp)).collect::<Vec<_>>());
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>, codec in prop::sample::select(Compression::ALL.to_vec())) {
            let mut batch = built(&[(1, 1)], Compression::None)[..HEADER_BYTES].to_vec();
            batch.extend_from_slice(&body);
            let length = u32::try_from(batch.len() - 12).expect("small");
            batch[8..12].copy_from_slice(&length.to_be_bytes());
            batch[21..23].copy_from_slice(&codec.code().to_be_bytes());
            if let Ok(records) = StoredRecords::unpack(&batch) {
                prop_assert!(records.iter().count() <= 1);
            }
        }
    }

    #[test]
    fn a_batch_without_records_keeps_its_offsets_and_its_producer() {
        let batch = built(&[(1, 1), (2, 2), (3, 3)], Compression::Zstd);
        let emptied = batch::emptied(&batch).expect("a batch");
        let header = BatchHeader::check_stored(&emptied).expect("a stored batch");
        assert!(header.is_empty() && !header.is_gap());
        assert_eq!((header.base_offset, header.last_offset(), header.producer_id), (100, 102, 7));
        assert!(decode(&emptied.clone().into(), 1 << 20).expect("a batch").is_empty());
        assert!(BatchHeader::check(&emptied).is_err(), "no producer may send it");
    }

    #[test]
    fn a_gap_is_told_from_what_a_repair_gave_up() {
        let gap = BatchHeader::check_stored(&batch::gap(Offset::new(5), 7, 2)).expect("a stored batch");
        let empty = BatchHeader::check_stored(&batch::empty(Offset::new(5), 7, 2)).expect("a stored batch");
        assert_eq!((gap.is_gap(), empty.is_gap()), (true, false));
        assert_eq!((gap.base_offset, gap.last_offset(), gap.leader_epoch), (5, 11, 2));
    }
}
