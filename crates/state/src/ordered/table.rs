//! The slices of an ordered table.
//!
//! Invariants: slices are in the order of their first keys, and the first begins with the empty key, so that each key
//! is of one slice. A slice that memory fills is split, one that is emptied is given up, so their number goes with
//! the table's size.

use std::io;
use std::sync::Arc;

use factum_log::DiskFile;
use parking_lot::{Mutex, RwLock};

use super::slice::Slice;
use crate::spill::Spill;
use crate::store::FoundValues;

/// What of a table is moved at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// A slice with more in memory is split.
    pub(crate) slice: usize,
    /// A run is about so large.
    pub(crate) run: u64,
}

/// Rows of one operator of one task, in the order of their keys.
#[derive(Debug)]
pub(crate) struct OrderedTable {
    slices: RwLock<Arc<Vec<Arc<Slice>>>>,
    /// Held to apply a change, and by a spill while it writes; readers do not wait for that.
    changing: Mutex<()>,
    sizes: Sizes,
}

/// A table as it was at one moment.
pub(crate) struct OrderedCut(pub(super) Arc<Vec<Arc<Slice>>>);

impl OrderedTable {
    pub(crate) fn new(sizes: Sizes) -> Self {
        Self { slices: RwLock::new(Arc::new(vec![Arc::default()])), changing: Mutex::default(), sizes }
    }

    /// The rows under `keys`, in their order.
    ///
    /// # Errors
    /// As [`crate::run::Block::read`].
    pub(crate) fn get_many(&self, keys: &[&[u8]]) -> io::Result<FoundValues> {
        let cut = self.cut();
        let mut found = FoundValues::with_capacity(keys.len());
        // Keys mostly come in order; a file for each slice would be too many.
        let mut file: Option<(usize, Arc<dyn DiskFile>)> = None;
        for key in keys {
            let at = slice_of(&cut.0, key);
            let slice = &cut.0[at];
            match (slice.get_in_memory(key), &slice.run) {
                (Some(value), _) => found.push(value),
                (None, Some(run)) if run.covers(key) => {
                    let file = match &mut file {
                        Some((of, file)) if *of == at => file,
                        file => &mut file.insert((at, run.open()?)).1,
                    };
                    found.push(run.get(&**file, key)?.as_deref());
                }
                (None, _) => found.push(None),
            }
        }
        Ok(found)
    }

    /// Writes or deletes one row.
    pub(crate) fn apply(&self, key: &[u8], value: Option<&[u8]>) {
        let _changing = self.changing.lock();
        let mut slices = self.slices.write();
        let slices = Arc::make_mut(&mut slices);
        let at = slice_of(slices, key);
        let slice = Arc::make_mut(&mut slices[at]);
        slice.apply(key, value);
        if slice.bytes_of_rows() > self.sizes.slice {
            if let Some((front, back)) = slice.split() {
                slices[at] = Arc::new(front);
                slices.insert(at + 1, Arc::new(back));
            }
        } else if value.is_none() && slice.bytes_of_rows() < self.sizes.slice / 8 {
            self.merge(slices, at);
        }
    }

    /// The table as it is now.
    pub(crate) fn cut(&self) -> OrderedCut {
        OrderedCut(Arc::clone(&self.slices.read()))
    }

    /// Moves the slice with the most rows in memory out of it; the bytes freed. If that fails the rows stay.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(crate) fn spill_largest(&self, spill: &Spill) -> io::Result<usize> {
        let _changing = self.changing.lock();
        let (at, largest) = {
            let slices = self.slices.read();
            let largest = slices.iter().enumerate().max_by_key(|(_, slice)| slice.bytes_of_rows());
            let (at, largest) = largest.expect("a table has slices");
            (at, Arc::clone(largest))
        };
        if largest.bytes_of_rows() == 0 {
            return Ok(0);
        }
        let spilled = largest.spilled(spill, self.sizes.run)?;
        let bytes: usize = spilled.iter().map(Slice::bytes).sum();
        let mut slices = self.slices.write();
        let slices = Arc::make_mut(&mut slices);
        slices.splice(at..=at, spilled.into_iter().map(Arc::new));
        self.merge(slices, at);
        Ok(largest.bytes().saturating_sub(bytes))
    }

    /// Bytes held in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.slices.read().iter().map(|slice| slice.bytes()).sum()
    }

    /// Bytes held in memory that spilling would free.
    pub(crate) fn bytes_of_rows(&self) -> usize {
        self.slices.read().iter().map(|slice| slice.bytes_of_rows()).sum()
    }

    /// Bytes of files of spilled rows.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.slices.read().iter().map(|slice| slice.file_bytes()).sum()
    }

    /// Gives up a slice that is empty, and makes one of two that are small.
    fn merge(&self, slices: &mut Vec<Arc<Slice>>, at: usize) {
        if slices[at].is_empty() && slices.len() > 1 {
            slices.remove(at);
            if at == 0 {
                // Keys of the slice that is gone are the next one's.
                Arc::make_mut(&mut slices[0]).from = Arc::default();
            }
            return;
        }
        let small = |at: usize| {
            let slice = slices.get(at).filter(|slice| slice.run.is_none());
            slice.map_or(self.sizes.slice, |slice| slice.bytes_of_rows())
        };
        let fits = |first: usize| small(first) + small(first + 1) < self.sizes.slice / 2;
        let first = match at {
            _ if fits(at) => at,
            1.. if fits(at - 1) => at - 1,
            _ => return,
        };
        let next = slices.remove(first + 1);
        Arc::make_mut(&mut slices[first]).absorb(&next);
    }
}

/// The slice that `key` is of.
pub(super) fn slice_of(slices: &[Arc<Slice>], key: &[u8]) -> usize {
    slices.partition_point(|slice| &*slice.from <= key).saturating_sub(1)
}
