//! Ends of partitions at past readings of `/metrics`, which tell for how long a group is behind.
//!
//! ```text
//!   readings      (t0, end 100)   (t1, end 160)   (t2, end 190)   now
//!   offset 130  ──────────┴ half-way: it was the end at (t0 + t1) / 2, and the group has been behind since then
//! ```
//!
//! No record is read for it, and no client's clock is asked. It is as exact as readings are frequent; an offset older than
//! all readings has been behind for at least as long as the oldest.
//!
//! Invariant: at most [`MOST_PARTITIONS`] partitions have [`MOST_READINGS`] readings; a partition that is not asked about
//! has none.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use factum_types::TopicPartition;

/// Partitions that have readings.
pub(crate) const MOST_PARTITIONS: usize = 1_000;
/// Readings of one partition.
const MOST_READINGS: usize = 120;
/// Readings that come sooner after the last one are not kept.
const SPACING: Duration = Duration::from_secs(5);

/// Where a partition ended, and when.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    end: i64,
}

/// The readings of partitions that groups are behind in.
#[derive(Debug, Default)]
pub(crate) struct PartitionEnds(Mutex<HashMap<TopicPartition, VecDeque<Reading>>>);

impl PartitionEnds {
    /// Takes in where partitions end now, and gives for each `(partition, offset, end)` since how long its offset is not
    /// the end.
    pub(crate) fn seconds(&self, asked: &[(&TopicPartition, i64, i64)], now: Instant) -> Vec<f64> {
        let mut history = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = HashMap::with_capacity(asked.len().min(MOST_PARTITIONS));
        for (partition, _, end) in asked {
            if kept.len() < MOST_PARTITIONS && !kept.contains_key(*partition) {
                let mut readings = history.remove(*partition).unwrap_or_default();
                keep(&mut readings, Reading { at: now, end: *end });
                kept.insert((*partition).clone(), readings);
            }
        }
        *history = kept;
        let behind = asked.iter().map(|(partition, offset, end)| {
            let readings = history.get(*partition).into_iter().flatten().copied();
            since(readings.chain([Reading { at: now, end: *end }]), *offset, now)
        });
        behind.collect()
    }
}

fn keep(readings: &mut VecDeque<Reading>, reading: Reading) {
    // A partition that ends earlier than it did is another one of the same name.
    if readings.back().is_some_and(|last| last.end > reading.end) {
        readings.clear();
    }
    if readings.back().is_none_or(|last| reading.at.saturating_duration_since(last.at) >= SPACING) {
        readings.push_back(reading);
    }
    if readings.len() > MOST_READINGS {
        readings.pop_front();
    }
}

/// Seconds since `offset` was the end, by readings of which the last is of now.
fn since(readings: impl Iterator<Item = Reading>, offset: i64, now: Instant) -> f64 {
    let mut before: Option<Reading> = None;
    for reading in readings {
        if reading.end > offset {
            let at = before.map_or(reading.at, |before| {
                let part = (offset - before.end) as f64 / (reading.end - before.end) as f64;
                before.at + reading.at.saturating_duration_since(before.at).mul_f64(part.clamp(0.0, 1.0))
            });
            return now.saturating_duration_since(at).as_secs_f64();
        }
        before = Some(reading);
    }
    0.0
}

#[cfg(test)]
mod tests {
    use factum_base::clock::{Clock, SystemClock};
    use factum_types::TopicName;

    use super::*;

    #[test]
    fn a_group_is_behind_since_its_offset_was_the_end() {
        let ends = PartitionEnds::default();
        let orders = TopicPartition::new(TopicName::new("store.orders").expect("valid"), 0);
        let start = SystemClock.monotonic();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let ask = |offset, end, now| ends.seconds(&[(&orders, offset, end)], now)[0];
        assert_eq!(ask(100, 100, at(0)), 0.0, "it is not behind");
        assert_eq!(ask(100, 160, at(10)), 10.0);
        assert_eq!(ask(130, 160, at(10)), 5.0, "half of what came in ten seconds");
        assert_eq!(ask(130, 190, at(20)), 15.0, "and ten seconds more");
        assert_eq!(ask(190, 190, at(30)), 0.0);
        assert_eq!(ask(50, 190, at(30)), 30.0, "older than all readings: at least so long");
        assert_eq!(ask(5, 9, at(40)), 0.0, "another partition of the name");
    }

    #[test]
    fn readings_are_bounded() {
        let ends = PartitionEnds::default();
        let partition = |n: i32| TopicPartition::new(TopicName::new("t").expect("valid"), n);
        let start = SystemClock.monotonic();
        let all: Vec<_> = (0..2_000).map(partition).collect();
        for round in 0..300_u32 {
            let asked: Vec<_> = all.iter().map(|partition| (partition, 0, i64::from(round))).collect();
            ends.seconds(&asked, start + SPACING * round);
        }
        let kept = ends.0.lock().expect("no panic");
        assert_eq!(
            (kept.len(), kept.values().map(VecDeque::len).max()),
            (MOST_PARTITIONS, Some(MOST_READINGS))
        );
        drop(kept);
        ends.seconds(&[], start);
        assert!(ends.0.lock().expect("no panic").is_empty(), "what is not asked about is forgotten");
    }
}
