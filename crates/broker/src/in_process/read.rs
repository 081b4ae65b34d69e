//! Records on their way out of the embedded log: those below the stable offset, without those of aborted transactions.

use std::sync::Arc;
use std::time::Duration;

use factum_eventlog::{Chunk, Position, ReadError};
use factum_log::{Isolation, Waiter};
use factum_types::{Offset, TopicPartition};

use super::decode;
use crate::broker::Broker;
use crate::fetch::{Fetch, FetchPartition};
use crate::partition;

pub(super) async fn read(
    broker: &Broker,
    partition: &TopicPartition,
    from: Offset,
    limit_bytes: usize,
    wait: Duration,
) -> Result<Chunk, ReadError> {
    let found = broker.find(partition).ok_or_else(|| unknown(partition))?;
    let id = found.topic_id();
    let asked = FetchPartition { partition: Arc::clone(&found), from: from.get(), limit_bytes };
    let fetch = Fetch {
        partitions: vec![asked],
        min_bytes: 1,
        max_bytes: limit_bytes.max(1),
        max_wait: wait,
        isolation: Isolation::ReadCommitted,
    };
    let fetched = broker.fetch(fetch).await.pop().expect("one answer for one partition");
    match fetched.result {
        Ok(slice) if decode::takes_long(&slice) => {
            let heavy_work = &broker.shared().heavy_work;
            Ok(heavy_work.run(move || decode::decode(id, from, &slice, limit_bytes)).await)
        }
        Ok(slice) => Ok(decode::decode(id, from, &slice, limit_bytes)),
        Err(partition::ReadError::Damaged(damage)) => Ok(decode::damaged(&found, from, &damage)),
        Err(error) => Err(refused(partition, error)),
    }
}

pub(super) async fn wait_past(broker: &Broker, partition: &TopicPartition, from: Offset) {
    let Some(found) = broker.find(partition) else { return };
    loop {
        let (waiter, bounds) = (Waiter::new(), found.bounds());
        let is_outside = from < bounds.log_start || from > bounds.high_watermark;
        if is_outside || found.wait_past(from, Isolation::ReadCommitted, &waiter) {
            return;
        }
        waiter.woken().await;
    }
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
        Position::Latest => Ok(bounds.stable),
        Position::Time(time) => {
            let first = found.offset_for_time(time).map_err(|error| refused(partition, error))?;
            Ok(first.map_or(bounds.stable, |(offset, _)| offset.min(bounds.stable)))
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
