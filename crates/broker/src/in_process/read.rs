//! Records on their way out of the embedded log.

use std::time::Duration;

use bytes::Bytes;
use factum_eventlog::{Chunk, Position, ReadError};
use factum_log::Slice;
use factum_types::{Offset, Record, TopicPartition, batch, record};

use crate::broker::Broker;
use crate::fetch::{Fetch, FetchPartition};
use crate::partition;

/// The most that one compressed batch may grow to: the format has no bound of its own.
const MAX_DECOMPRESSED_BYTES: usize = 64 << 20;

pub(super) async fn read(
    broker: &Broker,
    partition: &TopicPartition,
    from: Offset,
    limit_bytes: usize,
    wait: Duration,
) -> Result<Chunk, ReadError> {
    let found = broker.find(partition).ok_or_else(|| unknown(partition))?;
    let asked = FetchPartition { partition: found, from: from.get(), limit_bytes };
    let fetch =
        Fetch { partitions: vec![asked], min_bytes: 1, max_bytes: limit_bytes.max(1), max_wait: wait };
    let fetched = broker.fetch(fetch).await.pop().expect("one answer for one partition");
    let slice = fetched.result.map_err(|error| unreadable(partition, error))?;
    decode(partition, from, &slice)
}

/// Opens the batches of `slice`, leaving out what the first has before `from`, and the last ones if all of them
/// would grow beyond bounds.
pub(super) fn decode(partition: &TopicPartition, from: Offset, slice: &Slice) -> Result<Chunk, ReadError> {
    let (log_start, high_watermark) = (slice.bounds.log_start, slice.bounds.high_watermark);
    let mut chunk = Chunk { records: Vec::new(), next: from, log_start, high_watermark };
    let mut grown = 0;
    for bytes in &slice.chunks {
        for found in batch::headers(bytes) {
            if grown > MAX_DECOMPRESSED_BYTES {
                return Ok(chunk);
            }
            let damaged = |at: i64, reason: String| ReadError::Damaged {
                partition: partition.clone(),
                at: Offset::new(at.max(0)),
                reason,
            };
            let (at, header) = found.map_err(|error| damaged(chunk.next.get(), error.to_string()))?;
            let one = bytes.slice(at..at + header.encoded_len());
            let records = record::decode(&one, MAX_DECOMPRESSED_BYTES)
                .map_err(|error| damaged(header.base_offset, error.to_string()))?;
            grown += records.iter().map(size).sum::<usize>();
            chunk.records.extend(records.into_iter().filter(|record| record.offset >= from));
            chunk.next = Offset::new(header.last_offset() + 1);
        }
    }
    Ok(chunk)
}

/// About the bytes that a decoded record holds.
fn size(record: &Record) -> usize {
    let of = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
    let headers = record.headers.iter().map(|header| header.key.len() + of(&header.value));
    of(&record.key) + of(&record.value) + headers.sum::<usize>() + size_of::<Record>()
}

pub(super) fn offset_of(
    broker: &Broker,
    partition: &TopicPartition,
    position: Position,
) -> Result<Offset, ReadError> {
    let found = broker.find(partition).ok_or_else(|| unknown(partition))?;
    let bounds = found.bounds();
    match position {
        Position::Earliest => Ok(bounds.log_start),
        Position::Latest => Ok(bounds.high_watermark),
        Position::Time(time) => {
            let first = found.offset_for_time(time).map_err(|error| unreadable(partition, error))?;
            Ok(first.map_or(bounds.high_watermark, |(offset, _)| offset))
        }
    }
}

pub(super) fn unknown(partition: &TopicPartition) -> ReadError {
    ReadError::UnknownPartition { partition: partition.clone() }
}

pub(super) fn unreadable(name: &TopicPartition, error: partition::ReadError) -> ReadError {
    let partition = name.clone();
    match error {
        partition::ReadError::Deleted => ReadError::UnknownPartition { partition },
        partition::ReadError::OutOfRange { asked, bounds } => ReadError::OutOfRange {
            partition,
            asked: Offset::new(asked.max(0)),
            log_start: bounds.log_start,
            high_watermark: bounds.high_watermark,
        },
        partition::ReadError::Damaged(damage) => {
            ReadError::Damaged { partition, at: damage.at, reason: super::reason(&damage) }
        }
        partition::ReadError::Log(error) => {
            ReadError::Unavailable { partition, reason: super::reason(&error) }
        }
    }
}
