//! A table of either kind: hashed, or in the order of its keys.

use std::io;

use crate::hash_table::{HashCut, HashTable};
use crate::ordered::{OrderedCut, OrderedTable, Sizes};
use crate::spill::Spill;
use crate::store::FoundValues;
use crate::task::{TableId, is_ordered};

/// Rows of one operator of one task.
#[derive(Debug)]
pub(crate) enum Table {
    Hash(HashTable),
    Ordered(OrderedTable),
}

/// A table as it was at one moment.
pub(crate) enum Cut {
    Hash(HashCut),
    Ordered(OrderedCut),
}

impl Table {
    /// A table of the kind that its id says.
    pub(crate) fn new(id: TableId, sizes: Sizes) -> Self {
        if is_ordered(id) { Self::Ordered(OrderedTable::new(sizes)) } else { Self::Hash(HashTable::new()) }
    }

    /// The rows under `keys`, in their order.
    pub(crate) fn get_many(&self, keys: &[&[u8]]) -> io::Result<FoundValues> {
        match self {
            Self::Hash(table) => table.get_many(keys),
            Self::Ordered(table) => table.get_many(keys),
        }
    }

    /// Writes or deletes one row.
    pub(crate) fn apply(&self, key: &[u8], value: Option<&[u8]>) {
        match self {
            Self::Hash(table) => table.apply(key, value),
            Self::Ordered(table) => table.apply(key, value),
        }
    }

    /// The table as it is now.
    pub(crate) fn cut(&self) -> Cut {
        match self {
            Self::Hash(table) => Cut::Hash(table.cut()),
            Self::Ordered(table) => Cut::Ordered(table.cut()),
        }
    }

    /// Moves a part with many rows in memory out of it; the bytes freed. If that fails the rows stay.
    pub(crate) fn spill_largest(&self, spill: &Spill) -> io::Result<usize> {
        match self {
            Self::Hash(table) => table.spill_largest(spill),
            Self::Ordered(table) => table.spill_largest(spill),
        }
    }

    /// Bytes held in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Hash(table) => table.bytes(),
            Self::Ordered(table) => table.bytes(),
        }
    }

    /// Bytes held in memory that spilling would free.
    pub(crate) fn bytes_of_rows(&self) -> usize {
        match self {
            Self::Hash(table) => table.bytes_of_rows(),
            Self::Ordered(table) => table.bytes_of_rows(),
        }
    }

    /// Bytes of files of spilled rows.
    pub(crate) fn file_bytes(&self) -> u64 {
        match self {
            Self::Hash(table) => table.file_bytes(),
            Self::Ordered(table) => table.file_bytes(),
        }
    }

    /// Bytes of rows in memory of the fullest part that has a bound of its own.
    pub(crate) fn fullest_shard(&self) -> usize {
        match self {
            Self::Hash(table) => table.fullest_shard(),
            // Its slices are split long before.
            Self::Ordered(_) => 0,
        }
    }
}

impl Cut {
    /// Every row; in the order of keys if the table is ordered.
    pub(crate) fn scan(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<()> {
        match self {
            Self::Hash(cut) => cut.scan(visit),
            Self::Ordered(cut) => cut.scan(visit),
        }
    }
}
