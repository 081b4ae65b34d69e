//! Positions in all partitions of a topic, as one event id.
//!
//! ```text
//!   1c9f2a3b/0:42,3:7      the topic's identity, then partition:offset to read next
//!   1c9f2a3b/~VAYN…        the same of many partitions, in short
//! ```
//!
//! The identity is the first half of the topic's id's first group: enough to tell a topic from another one that was
//! created under its name after it was deleted, whose offsets mean other records.

mod compact;

use std::collections::BTreeMap;
use std::fmt;

use factum_types::{Offset, PartitionId, TopicId};

use crate::http::problem::Problem;

/// Half the range is more than any log holds, and leaves room to count on.
const LARGEST_OFFSET: i64 = i64::MAX / 2;
/// No topic has more partitions than this: an id from a stranger holds no more.
const MAX_PARTITIONS: usize = 100_000;

/// Positions in more partitions than these are written in short.
const MOST_WRITTEN_OUT: usize = 16;
/// What the short form begins with.
const SHORT: char = '~';

/// Which topic positions belong to, of all that ever had its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TopicIdentity(u32);

impl From<TopicId> for TopicIdentity {
    fn from(id: TopicId) -> Self {
        let [a, b, c, d, ..] = *id.as_bytes();
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

/// The offset to read next in each partition; a partition that is not named is read from its first record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Positions {
    topic: TopicIdentity,
    next: BTreeMap<PartitionId, Offset>,
}

impl Positions {
    /// The beginning of every partition of `topic`.
    pub(super) fn new(topic: TopicIdentity) -> Self {
        Self { topic, next: BTreeMap::new() }
    }

    /// Reads an id that was sent.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Problem> {
        Self::read(text).ok_or_else(|| {
            let shown = String::from_utf8_lossy(text);
            let detail =
                format!("Last-Event-ID {shown:?} is not one that was sent, such as 1c9f2a3b/0:42,3:7");
            Problem::malformed(detail).with("header", "last-event-id")
        })
    }

    fn read(text: &[u8]) -> Option<Self> {
        let (topic, next) = std::str::from_utf8(text).ok()?.split_once('/')?;
        let is_identity = topic.len() == 8 && topic.bytes().all(|byte| byte.is_ascii_hexdigit());
        let topic = is_identity.then(|| u32::from_str_radix(topic, 16).ok()).flatten()?;
        let mut positions = Self::new(TopicIdentity(topic));
        if let Some(short) = next.strip_prefix(SHORT) {
            let offsets = compact::decode(short, MAX_PARTITIONS)?;
            let is_offset = |offset: &i64| (0..LARGEST_OFFSET).contains(offset);
            let offsets = offsets.iter().all(is_offset).then_some(offsets)?;
            positions.next = (0..).zip(offsets.into_iter().map(Offset::new)).collect();
            return Some(positions);
        }
        for (count, pair) in next.split(',').enumerate() {
            let (partition, offset) = pair.split_once(':')?;
            let partition = partition.parse::<PartitionId>().ok().filter(|partition| *partition >= 0)?;
            let offset = offset.parse::<i64>().ok().filter(|offset| (0..LARGEST_OFFSET).contains(offset))?;
            let is_new = positions.next.insert(partition, Offset::new(offset)).is_none();
            if !is_new || count == MAX_PARTITIONS {
                return None;
            }
        }
        Some(positions)
    }

    /// The topic that the offsets belong to.
    pub(super) fn topic(&self) -> TopicIdentity {
        self.topic
    }

    /// The partitions that are named.
    pub(super) fn partitions(&self) -> impl Iterator<Item = PartitionId> {
        self.next.keys().copied()
    }

    pub(super) fn get(&self, partition: PartitionId) -> Offset {
        self.next.get(&partition).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, partition: PartitionId, next: Offset) {
        self.next.insert(partition, next);
    }
}

/// Partitions at offset 0 are left out, unless all are.
impl fmt::Display for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}/", self.topic.0)?;
        let last = self.next.last_key_value().filter(|_| self.next.len() > MOST_WRITTEN_OUT);
        if let Some((last, _)) = last {
            let offsets = (0..=*last).map(|partition| self.get(partition).get());
            return write!(f, "{SHORT}{}", compact::encode(offsets));
        }
        let mut comma = "";
        for (partition, offset) in self.next.iter().filter(|(_, offset)| **offset > Offset::ZERO) {
            write!(f, "{comma}{partition}:{offset}")?;
            comma = ",";
        }
        if comma.is_empty() {
            f.write_str("0:0")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written() {
        let mut positions = Positions::new(TopicIdentity(0x1c9f_2a3b));
        assert_eq!(positions.to_string(), "1c9f2a3b/0:0");
        positions.set(1, Offset::ZERO);
        positions.set(3, Offset::new(7));
        positions.set(0, Offset::new(42));
        assert_eq!(positions.to_string(), "1c9f2a3b/0:42,3:7");
        let read = Positions::parse(b"1c9f2a3b/0:42,3:7").expect("valid");
        assert_eq!([0, 1, 3].map(|partition| read.get(partition)), [42, 0, 7].map(Offset::new));
        assert_eq!(read.topic(), positions.topic());
    }

    #[test]
    fn an_id_of_many_partitions_is_short_and_read_as_it_was_written() {
        let mut positions = Positions::new(TopicIdentity(0x1c9f_2a3b));
        (0..1_000).for_each(|partition| {
            positions.set(partition, Offset::new(2_000_000 + i64::from(partition % 90)));
        });
        let id = positions.to_string();
        assert!(id.starts_with("1c9f2a3b/~") && id.len() < 2_000, "{} bytes", id.len());
        assert_eq!(Positions::parse(id.as_bytes()).expect("valid"), positions);
    }

    #[test]
    fn an_id_that_was_never_sent_is_refused() {
        let ids = [
            "x",
            "0:1",
            "1c9f2a3b/",
            "1c9f2a3b/0",
            "1c9f2a3b/0:-1",
            "1c9f2a3b/-1:1",
            "1c9f2a3b/0:9223372036854775807",
            "1c9f2a3b/0:1,,1:1",
            "1c9f2a3b/0:1,0:2",
            "1c9f2a3/0:1",
            "+c9f2a3b/0:1",
            "1c9f2a3b/~",
            "1c9f2a3b/~A",
            "1c9f2a3b/~gA",
            "1c9f2a3b/~AQ",
            "1c9f2a3b/~AA=",
            "1c9f2a3b/~/w",
        ];
        for id in ids {
            Positions::parse(id.as_bytes()).expect_err(id);
        }
        Positions::parse(b"\xff").expect_err("not UTF-8");
    }
}
