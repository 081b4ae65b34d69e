//! Rows that a range was answered with, and of which moment they are.

use crate::KeyRange;

/// A moment of a task: what its rows are after one epoch.
///
/// Invariants: versions of one task are equal only if its rows are; that of a task that was forgotten or lost and
/// started over is none of its former self's. It means nothing after a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Version {
    incarnation: u64,
    epoch: u64,
}

impl Version {
    /// The version after `epoch` of a task whose life has this number.
    pub const fn new(incarnation: u64, epoch: u64) -> Self {
        Self { incarnation, epoch }
    }

    /// Which life of the task it is of.
    pub const fn incarnation(self) -> u64 {
        self.incarnation
    }

    /// The epoch.
    pub const fn epoch(self) -> u64 {
        self.epoch
    }
}

/// One answer to a range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Rows in the order of the range, all of one epoch. They may be fewer than were asked for, even none, although
    /// `next` says that there are more.
    pub rows: Rows,
    /// What of the range is behind these rows; `None` if nothing is.
    pub next: Option<KeyRange>,
    /// Which epoch. The next page may be of a later one.
    pub version: Version,
}

/// Keys and values in one buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    bytes: Vec<u8>,
    /// Where each key and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Rows {
    /// Adds a row behind the others.
    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((end, self.bytes.len()));
    }

    /// The row at `index`.
    pub fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let (middle, end) = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].1);
        Some((&self.bytes[start..middle], &self.bytes[middle..end]))
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of keys and values.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }
}
