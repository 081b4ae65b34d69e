//! Records on their way out of the embedded log.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_eventlog::{Chunk, Position, ReadError, Unreadable};
use factum_log::{Damage, Slice};
use factum_types::{Offset, Record, TopicPartition, batch, record};

use crate::broker::Broker;
use crate::fetch::{Fetch, FetchPartition};
use crate::partition::{self, Partition};

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
    let asked = FetchPartition { partition: Arc::clone(&found), from: from.get(), limit_bytes };
    let fetch =
        Fetch { partitions: vec![asked], min_bytes: 1, max_bytes: limit_bytes.max(1), max_wait: wait };
    let fetched = broker.fetch(fetch).await.pop().expect("one answer for one partition");
    match fetched.result {
        Ok(slice) => Ok(decode(from, &slice)),
        Err(partition::ReadError::Damaged(damage)) => Ok(damaged(&found, from, &damage)),
        Err(error) => Err(refused(partition, error)),
    }
}

/// Opens the batches of `slice`, leaving out what the first has before `from`, and the last ones if all of them
/// would grow beyond bounds. A batch that cannot be opened is one unreadable range.
pub(super) fn decode(from: Offset, slice: &Slice) -> Chunk {
    let (log_start, high_watermark) = (slice.bounds.log_start, slice.bounds.high_watermark);
    let mut chunk =
        Chunk { records: Vec::new(), unreadable: Vec::new(), next: from, log_start, high_watermark };
    let mut grown = 0;
    for bytes in &slice.chunks {
        for found in batch::headers(bytes) {
            if grown > MAX_DECOMPRESSED_BYTES {
                return chunk;
            }
            let (at, header) = found.expect("the log hands out whole batches");
            let one = bytes.slice(at..at + header.encoded_len());
            let next = Offset::new(header.last_offset() + 1);
            match record::decode(&one, MAX_DECOMPRESSED_BYTES) {
                Ok(records) => {
                    grown += records.iter().map(size).sum::<usize>();
                    chunk.records.extend(records.into_iter().filter(|record| record.offset >= from));
                }
                Err(error) => {
                    chunk.unreadable.push(Unreadable { from: chunk.next, next, reason: error.to_string() });
                }
            }
            chunk.next = next;
        }
    }
    chunk
}

/// The range that bytes damaged on disk take from a reader.
pub(super) fn damaged(partition: &Partition, from: Offset, damage: &Damage) -> Chunk {
    let bounds = partition.bounds();
    let unreadable = Unreadable { from, next: damage.next.max(from.next()), reason: damage.to_string() };
    let (log_start, high_watermark) = (bounds.log_start, bounds.high_watermark);
    let next = unreadable.next;
    Chunk { records: Vec::new(), unreadable: vec![unreadable], next, log_start, high_watermark }
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
            let first = found.offset_for_time(time).map_err(|error| refused(partition, error))?;
            Ok(first.map_or(bounds.high_watermark, |(offset, _)| offset))
        }
    }
}

pub(super) fn unknown(partition: &TopicPartition) -> ReadError {
    ReadError::UnknownPartition { partition: partition.clone() }
}

pub(super) fn refused(name: &TopicPartition, error: partition::ReadError) -> ReadError {
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
            ReadError::Unavailable { partition, reason: super::reason(&damage) }
        }
        partition::ReadError::Log(error) => {
            ReadError::Unavailable { partition, reason: super::reason(&error) }
        }
    }
}
