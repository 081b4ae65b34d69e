//! Events that went to dead letters: how many, since when, and why the last one did.
//!
//! Invariant: they are committed with the epochs that met them, so that a restart forgets none.
//!
//! Not here: how many there were before this was kept, which only the count knows (`counts`).

use factum_types::{Timestamp, TopicName};
use serde_json::{Value, json};

/// A view that takes no event in is told of for as long as that lasts, one that takes others in for an hour.
const RECENT_MILLIS: i64 = 3_600_000;
/// They are told in the log again after so long.
const QUIET_MILLIS: i64 = 60_000;

/// Events that could not be taken in, ever.
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

    /// Where their task keeps them, beside its counts.
    pub(super) const KEY: &[u8] = b"rejected";

    /// All of them behind an epoch of so many events, of which `added` were rejected.
    pub(super) fn behind(before: Option<Self>, added: Option<Self>, events: u64) -> Option<Self> {
        let is_any_taken_in = added.as_ref().map_or(0, |added| added.count) < events;
        let all = match (before, added) {
            (Some(before), Some(added)) => before.plus(added),
            (before, added) => before.or(added)?,
        };
        let in_a_row = if is_any_taken_in { 0 } else { all.in_a_row };
        Some(Self { in_a_row, ..all })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Self { topic, count, in_a_row, first, last, reason } = self;
        let (first, last) = (first.as_millis(), last.as_millis());
        let value = json!({"topic": topic.as_str(), "count": count, "in_a_row": in_a_row, "first": first,
            "last": last, "reason": reason});
        value.to_string().into_bytes()
    }

    /// What [`Self::to_bytes`] gave; `None` for anything else.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let time = |name: &str| value.get(name).and_then(Value::as_i64).map(Timestamp::from_millis);
        let count = |name: &str| value.get(name).and_then(Value::as_u64);
        Some(Self {
            topic: TopicName::new(value.get("topic")?.as_str()?).ok()?,
            count: count("count")?,
            in_a_row: count("in_a_row")?,
            first: time("first")?,
            last: time("last")?,
            reason: value.get("reason")?.as_str()?.to_owned(),
        })
    }

    /// All of them, of any number of partitions.
    pub(crate) fn sum(before: Option<Self>, added: Self) -> Self {
        match before {
            Some(before) => before.plus(added),
            None => added,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_back_as_they_were_kept() {
        let rejected = RejectedEvents {
            topic: TopicName::new("store.top.dead-letter").expect("a name"),
            count: u64::MAX,
            in_a_row: 3,
            first: Timestamp::from_millis(-1),
            last: Timestamp::from_millis(i64::MAX),
            reason: "\"quoted\" and\nlong \u{e9}".to_owned(),
        };
        let bytes = rejected.to_bytes();
        assert_eq!(RejectedEvents::from_bytes(&bytes), Some(rejected));
        for end in 0..bytes.len() {
            assert_eq!(RejectedEvents::from_bytes(&bytes[..end]), None);
        }
        assert_eq!(RejectedEvents::from_bytes(br#"{"topic":"/","count":1}"#), None);
    }
}
