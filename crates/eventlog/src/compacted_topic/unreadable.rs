//! The records of a compacted topic that its reader passed over.

use std::fmt;
use std::ops::Range;

use factum_types::Offset;

/// How many are put in words; the others are counted.
const MAX_LISTED: usize = 20;
/// How many ranges are kept.
const MAX_RANGES: usize = 1_000;

/// The records that were passed over in a reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreadableRecords {
    /// Their offsets, and why; nothing of a value.
    pub ranges: Vec<(Range<Offset>, String)>,
    /// How many more there are.
    pub more: usize,
}

impl UnreadableRecords {
    /// Whether nothing was passed over.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Adds the record at `offset`.
    pub fn add_record(&mut self, offset: Offset, reason: String) {
        self.add(offset..offset.next(), || reason);
    }

    pub(super) fn add(&mut self, offsets: Range<Offset>, reason: impl FnOnce() -> String) {
        match self.ranges.len() < MAX_RANGES {
            true => self.ranges.push((offsets, reason())),
            false => self.more += 1,
        }
    }
}

impl fmt::Display for UnreadableRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = self.ranges.iter().take(MAX_LISTED);
        let lines: Vec<_> = listed
            .map(|(Range { start, end }, reason)| match end.get() - start.get() {
                1 => format!("offset {start}: {reason}"),
                _ => format!("offsets {start} to {end}: {reason}"),
            })
            .collect();
        f.write_str(&lines.join("; "))?;
        match self.ranges.len().saturating_sub(MAX_LISTED) + self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
