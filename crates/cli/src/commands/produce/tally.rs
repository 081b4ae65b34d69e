//! Counts of acknowledged events.

use std::collections::BTreeMap;
use std::fmt;

use factum_api::Int64;
use serde::Serialize;

use crate::output;

/// Events acknowledged so far, by partition.
#[derive(Debug, Serialize)]
pub(super) struct Tally {
    topic: String,
    /// How many.
    pub(super) events: u64,
    /// The last line of the input that is stored.
    pub(super) last_line: u64,
    partitions: BTreeMap<i32, Range>,
}

#[derive(Debug, Serialize)]
struct Range {
    events: u64,
    first: Int64,
    last: Int64,
}

impl Tally {
    /// Nothing yet.
    pub(super) fn new(topic: String) -> Self {
        Self { topic, events: 0, last_line: 0, partitions: BTreeMap::new() }
    }

    /// One more.
    pub(super) fn add(&mut self, partition: i32, offset: Int64) {
        self.events += 1;
        let range = self.partitions.entry(partition).or_insert_with(|| Range {
            events: 0,
            first: offset,
            last: offset,
        });
        range.events += 1;
        range.last = offset;
    }

    /// Whether nothing was in the partitions before.
    pub(super) fn begins_a_topic(&self) -> bool {
        !self.partitions.is_empty() && self.partitions.values().all(|range| range.first == Int64(0))
    }

    /// What is safe, and where to go on.
    pub(super) fn stored(&self) -> String {
        match self.last_line {
            0 => "nothing is stored".to_owned(),
            1 => "line 1 is stored; go on with line 2".to_owned(),
            last => format!("lines 1 to {last} are stored; go on with line {}", last + 1),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "acknowledged {} in {}", output::count(self.events, "event"), self.topic)?;
        for (partition, range) in &self.partitions {
            let Range { events, first, last } = range;
            writeln!(f, "  partition {partition}  offsets {first} to {last}  ({events})")?;
        }
        Ok(())
    }
}
