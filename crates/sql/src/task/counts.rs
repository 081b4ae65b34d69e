//! Counts of a task, ever: committed with its epochs, so that each event counts once.

use factum_state::{Changes, FoundValues, TableId};

/// The table of a task's own facts, beside the operator's.
pub(super) const TABLE: TableId = 1;

/// Totals of one task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Events that could not be decoded or computed.
    pub(crate) poisoned: u64,
    /// Rows that came after their window had closed.
    pub(crate) late: u64,
    /// Events whose time was too far ahead to move the watermark.
    pub(crate) ahead: u64,
    /// Offsets that could not be read from the log: damaged, or expired before they were read.
    pub(crate) unreadable: u64,
    /// Dead letters that could be kept no longer while their topic could not be written, or that it refused.
    pub(crate) letters_lost: u64,
}

impl Counts {
    pub(super) const KEYS: [&[u8]; 5] = [b"poisoned", b"late", b"ahead", b"unreadable", b"letters_lost"];

    fn values(self) -> [u64; 5] {
        [self.poisoned, self.late, self.ahead, self.unreadable, self.letters_lost]
    }

    /// Both together.
    pub(super) fn plus(self, added: Self) -> Self {
        Self {
            poisoned: self.poisoned + added.poisoned,
            late: self.late + added.late,
            ahead: self.ahead + added.ahead,
            unreadable: self.unreadable + added.unreadable,
            letters_lost: self.letters_lost + added.letters_lost,
        }
    }

    /// The values under [`Self::KEYS`], where `found` begins with them.
    pub(super) fn of(found: &FoundValues) -> Self {
        let count =
            |index| found.get(index).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
        Self {
            poisoned: count(0),
            late: count(1),
            ahead: count(2),
            unreadable: count(3),
            letters_lost: count(4),
        }
    }

    /// Puts what differs from `before` into an epoch's changes.
    pub(super) fn put(self, before: Self, changes: &mut Changes) {
        let values = self.values().into_iter().zip(before.values());
        for (key, (value, _)) in Self::KEYS.iter().zip(values).filter(|(_, (now, before))| now != before) {
            changes.put(TABLE, key, &value.to_le_bytes());
        }
    }
}
