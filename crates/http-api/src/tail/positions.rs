//! Positions in all partitions of a topic, as one event id.

use std::collections::BTreeMap;
use std::fmt;

use factum_types::{Offset, PartitionId};

use crate::problem::Problem;

/// No topic has more partitions than this: an id from a stranger holds no more.
const MAX_PARTITIONS: usize = 100_000;

/// The offset to read next in each partition; a partition that is not named is read from its first record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Positions(BTreeMap<PartitionId, Offset>);

impl Positions {
    /// Reads `partition:offset` pairs with commas between them.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Problem> {
        let malformed = || {
            let shown = String::from_utf8_lossy(text);
            let detail = format!("Last-Event-ID {shown:?} is not one that was sent, such as 0:42,3:7");
            Problem::malformed(detail).with("header", "last-event-id")
        };
        let text = std::str::from_utf8(text).map_err(|_| malformed())?;
        let mut positions = Self::default();
        for pair in text.split(',').take(MAX_PARTITIONS) {
            let (partition, offset) = pair.split_once(':').ok_or_else(malformed)?;
            let partition = partition.parse::<PartitionId>().map_err(|_| malformed())?;
            // Half the range is more than any log holds, and leaves room to count on.
            let offset = offset.parse::<i64>().ok().filter(|offset| (0..i64::MAX / 2).contains(offset));
            positions.set(partition, Offset::new(offset.ok_or_else(malformed)?));
        }
        Ok(positions)
    }

    pub(super) fn get(&self, partition: PartitionId) -> Offset {
        self.0.get(&partition).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, partition: PartitionId, next: Offset) {
        self.0.insert(partition, next);
    }
}

/// Partitions at offset 0 are left out, unless all are: an empty id would mean "no id".
impl fmt::Display for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (partition, offset) in self.0.iter().filter(|(_, offset)| **offset > Offset::ZERO) {
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
        let mut positions = Positions::default();
        assert_eq!(positions.to_string(), "0:0");
        positions.set(1, Offset::ZERO);
        positions.set(3, Offset::new(7));
        positions.set(0, Offset::new(42));
        assert_eq!(positions.to_string(), "0:42,3:7");
        let read = Positions::parse(b"0:42,3:7").expect("valid");
        assert_eq!([0, 1, 3].map(|partition| read.get(partition)), [42, 0, 7].map(Offset::new));
    }

    #[test]
    fn what_was_never_sent_is_refused() {
        for id in [&b"x"[..], b"0", b"0:-1", b"0:9223372036854775807", b"0:1,,1:1", b"\xff"] {
            Positions::parse(id).expect_err("refused");
        }
    }
}
