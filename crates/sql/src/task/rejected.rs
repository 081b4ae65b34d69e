//! Events that went to dead letters since the start: how many, since when, and why.
//!
//! Not here: how many there were ever, which is committed with the state (`counts`).

use factum_types::{Timestamp, TopicName};

/// A view that takes no event in is told of for as long as that lasts, one that takes others in for an hour.
const RECENT_MILLIS: i64 = 3_600_000;
/// They are told in the log again after so long.
const QUIET_MILLIS: i64 = 60_000;

/// Events that could not be taken in since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedEvents {
    /// The topic of their dead letters.
    pub topic: TopicName,
    /// How many there were.
    pub count: u64,
    /// How many of them came last, with none between them that could be taken in.
    pub in_a_row: u64,
    /// When the first was found.
    pub first: Timestamp,
    /// When the last was.
    pub last: Timestamp,
    /// Why the last could not be taken in.
    pub reason: String,
}

impl RejectedEvents {
    /// These and those of another partition.
    pub(crate) fn plus(self, other: Self) -> Self {
        let reason = if other.last > self.last { other.reason } else { self.reason };
        Self {
            topic: self.topic,
            count: self.count + other.count,
            in_a_row: self.in_a_row + other.in_a_row,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            reason,
        }
    }

    /// Whether `later` ones are news, behind these.
    pub(crate) fn is_long_before(&self, later: &Self) -> bool {
        self.in_a_row == 0 && later.first.as_millis() - self.last.as_millis() >= QUIET_MILLIS
    }

    /// What an operator is to see to at `now`, if it is not long over.
    pub(crate) fn problem(&self, now: Timestamp) -> Option<String> {
        let is_recent = now.as_millis().saturating_sub(self.last.as_millis()) < RECENT_MILLIS;
        match self.in_a_row {
            0 => is_recent.then(|| self.to_string()),
            _ => Some(format!("takes no event in: {self}")),
        }
    }
}

impl std::fmt::Display for RejectedEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { topic, count, first, reason, .. } = self;
        match count {
            1 => write!(f, "1 event went to {topic} at {first}: {reason}"),
            _ => write!(f, "{count} events went to {topic} since {first}, the last because {reason}"),
        }
    }
}
