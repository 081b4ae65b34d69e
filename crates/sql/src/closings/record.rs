//! One closing as it stands on the log.

use factum_types::{Offset, PartitionId};
use serde::{Deserialize, Serialize};

/// Windows that end at `closed_to` or before are closed for what lies at or behind `offsets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClosingRecord {
    /// The run of the server that decided it.
    pub(crate) run: u64,
    /// The end of the last window that is closed, in microseconds since 1970.
    pub(crate) closed_to: i64,
    /// By partition, the first offset that it holds for; a partition that is not among them is new, and it holds for all
    /// of it.
    pub(crate) offsets: Vec<i64>,
}

impl ClosingRecord {
    /// The first offset of a partition that it holds for.
    pub(crate) fn offset(&self, partition: PartitionId) -> Offset {
        let index = usize::try_from(partition).ok();
        Offset::new(index.and_then(|index| self.offsets.get(index)).copied().unwrap_or(0))
    }

    /// Raises its offsets to those of an earlier one.
    pub(crate) fn raise(&mut self, earlier: &Self) {
        if self.offsets.len() < earlier.offsets.len() {
            self.offsets.resize(earlier.offsets.len(), 0);
        }
        for (offset, earlier) in self.offsets.iter_mut().zip(&earlier.offsets) {
            *offset = (*offset).max(*earlier);
        }
    }

    /// Whether `next` is at or behind its offset in every partition.
    pub(crate) fn is_reached(&self, next: impl Fn(PartitionId) -> Offset) -> bool {
        (0..).zip(&self.offsets).all(|(partition, offset)| *offset == 0 || next(partition).get() >= *offset)
    }
}
