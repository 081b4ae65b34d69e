//! A range of the keys of an ordered table: what is split, shared, and moved to disk.
//!
//! Invariants: a key in memory hides the same key in the run, whether it has a value or is deleted. A leaf's keys are
//! from its separator on, up to the next one's; no leaf is empty. `bytes_of_rows` is what the leaves hold.

use std::io;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use super::leaf::{LEAF_BYTES, Leaf, Row, SMALL_LEAF_BYTES};
use super::run_part::{OrderedRun, RunPart};
use crate::key_range::Span;
use crate::run::RunWriter;
use crate::spill::Spill;

/// A clone shares leaves and run.
#[derive(Debug, Default, Clone)]
pub(super) struct Slice {
    /// Its keys are from here on, up to the next slice's.
    pub(super) from: Arc<[u8]>,
    leaves: Vec<LeafPlace>,
    bytes_of_rows: usize,
    pub(super) run: Option<RunPart>,
}

/// A leaf and where its keys begin. To find a key, most leaves need not be touched: the first bytes decide.
#[derive(Debug, Clone)]
struct LeafPlace {
    head: u128,
    separator: Arc<[u8]>,
    leaf: Arc<Leaf>,
}

impl LeafPlace {
    fn new(separator: Arc<[u8]>, leaf: Leaf) -> Self {
        Self { head: head(&separator), separator, leaf: Arc::new(leaf) }
    }
}

/// The first bytes of a key: of two keys with different ones, the key with the lesser one is less.
fn head(key: &[u8]) -> u128 {
    let mut head = [0; 16];
    let length = key.len().min(head.len());
    head[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(head)
}

/// A place among the rows in memory: the leaf, and the row within it.
type Place = (usize, usize);

impl Slice {
    /// What memory has under `key`: a value or a deletion.
    pub(super) fn get_in_memory(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.leaves.get(self.leaf_of(key))?.leaf.get(key)
    }

    /// Writes or deletes one row.
    pub(super) fn apply(&mut self, key: &[u8], value: Option<&[u8]>) {
        let is_noted = value.is_some() || self.run.as_ref().is_some_and(|run| run.covers(key));
        let at = match self.leaves.len() {
            0 if !is_noted => return,
            0 => {
                self.leaves.push(LeafPlace::new(Arc::clone(&self.from), Leaf::default()));
                self.bytes_of_rows = self.leaves[0].leaf.bytes();
                0
            }
            _ => self.leaf_of(key),
        };
        let before = self.leaves[at].leaf.bytes();
        let leaf = Arc::make_mut(&mut self.leaves[at].leaf);
        if is_noted {
            leaf.put(key, value);
        } else {
            leaf.remove(key);
        }
        let (after, live, rows) = (leaf.bytes(), leaf.live_bytes(), leaf.len());
        self.bytes_of_rows = self.bytes_of_rows + after - before;
        if live > LEAF_BYTES && rows > 1 {
            self.split_leaf(at, key);
        } else if rows == 0 {
            self.remove_leaf(at);
        } else if live < SMALL_LEAF_BYTES {
            self.merge_leaf(at);
        }
    }

    /// Rows and deletions in memory, of `span` and in its direction.
    pub(super) fn rows_in_memory<'a>(&'a self, span: &Span<'_>) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
        let start = match span.from {
            Bound::Unbounded => (0, 0),
            Bound::Included(key) => self.place(key, false),
            Bound::Excluded(key) => self.place(key, true),
        };
        let end = match span.to {
            Bound::Unbounded => (self.leaves.len(), 0),
            Bound::Included(key) => self.place(key, true),
            Bound::Excluded(key) => self.place(key, false),
        };
        // Where the bounds cross there is nothing between them.
        let end = end.max(start);
        let rows = (start.0..=end.0).flat_map(move |at| {
            let leaf = self.leaves.get(at);
            let first = if at == start.0 { start.1 } else { 0 };
            let last = if at == end.0 { end.1 } else { leaf.map_or(0, |place| place.leaf.len()) };
            (first..last).filter_map(move |slot| leaf.map(|place| place.leaf.row(slot)))
        });
        if span.descending { Box::new(rows.rev()) } else { Box::new(rows) }
    }

    /// Two slices of about the same bytes in memory, which share the run; `None` if there is only one leaf.
    pub(super) fn split(&self) -> Option<(Self, Self)> {
        let at = self.leaves.len() / 2;
        if at == 0 {
            return None;
        }
        let key = Arc::clone(&self.leaves[at].separator);
        let (front, back) = match &self.run {
            Some(run) => run.split(&key),
            None => (None, None),
        };
        let part = |from: &Arc<[u8]>, leaves: &[LeafPlace], run| Self {
            from: Arc::clone(from),
            leaves: leaves.to_vec(),
            bytes_of_rows: leaves.iter().map(|place| place.leaf.bytes()).sum(),
            run,
        };
        Some((part(&self.from, &self.leaves[..at], front), part(&key, &self.leaves[at..], back)))
    }

    /// Takes in the slice behind this one; neither has a run.
    pub(super) fn absorb(&mut self, next: &Self) {
        self.leaves.extend_from_slice(&next.leaves);
        self.bytes_of_rows += next.bytes_of_rows;
    }

    /// The same rows in runs of about `run_bytes`, a slice for each.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(super) fn spilled(&self, spill: &Spill, run_bytes: u64) -> io::Result<Vec<Self>> {
        let mut slices = Vec::new();
        let mut from = Arc::clone(&self.from);
        let mut writer: Option<RunWriter<Box<[u8]>>> = None;
        let mut failed = None;
        let mut write = |key: &[u8], value: &[u8]| {
            if let Some(full) = writer.take_if(|writer| writer.len() >= run_bytes) {
                let from = std::mem::replace(&mut from, key.into());
                slices.push(Self::on_disk(from, full.finish()?));
            }
            let writer = match &mut writer {
                Some(writer) => writer,
                None => writer.insert(spill.create()?),
            };
            writer.push(|| key.into(), key, value)
        };
        let _broken_off = self.visit(&Span::ALL, &mut |(key, value)| match value
            .map_or(Ok(()), |value| write(key, value))
        {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        slices.push(match writer {
            Some(writer) => Self::on_disk(from, writer.finish()?),
            None => Self { from, ..Self::default() },
        });
        Ok(slices)
    }

    /// Bytes held in memory that spilling would free.
    pub(super) fn bytes_of_rows(&self) -> usize {
        self.bytes_of_rows
    }

    /// Bytes held in memory.
    pub(super) fn bytes(&self) -> usize {
        const COUNTED_POINTER: usize = 3 * size_of::<usize>();
        let places = self.leaves.capacity() * size_of::<LeafPlace>();
        let itself = size_of::<Self>() + COUNTED_POINTER + self.from.len();
        self.bytes_of_rows + places + itself + self.run.as_ref().map_or(0, RunPart::bytes)
    }

    /// Bytes of files of spilled rows.
    pub(super) fn file_bytes(&self) -> u64 {
        self.run.as_ref().map_or(0, RunPart::file_bytes)
    }

    /// Whether there is nothing, and nothing is hidden.
    pub(super) fn is_empty(&self) -> bool {
        self.leaves.is_empty() && self.run.is_none()
    }

    fn on_disk(from: Arc<[u8]>, run: OrderedRun) -> Self {
        let run = Some(RunPart::new(Arc::new(run), Arc::clone(&from)));
        Self { from, run, ..Self::default() }
    }

    /// The leaf that `key` is in, if it is in one.
    fn leaf_of(&self, key: &[u8]) -> usize {
        let head = head(key);
        let is_before =
            |place: &LeafPlace| place.head < head || (place.head == head && &*place.separator <= key);
        self.leaves.partition_point(is_before).saturating_sub(1)
    }

    /// Removes an empty leaf; its keys are the one's before it.
    fn remove_leaf(&mut self, at: usize) {
        let place = self.leaves.remove(at);
        self.bytes_of_rows -= place.leaf.bytes();
        if let Some(next) = self.leaves.get_mut(at).filter(|_| at == 0) {
            (next.head, next.separator) = (place.head, place.separator);
        }
    }

    /// The first place with a key from `key` on, or behind it.
    fn place(&self, key: &[u8], behind: bool) -> Place {
        let at = self.leaf_of(key);
        (at, self.leaves.get(at).map_or(0, |place| place.leaf.count_below(key, behind)))
    }

    /// Splits a leaf that is too large by the write of `key`.
    fn split_leaf(&mut self, at: usize, key: &[u8]) {
        let before = self.leaves[at].leaf.bytes();
        let leaf = Arc::make_mut(&mut self.leaves[at].leaf);
        let rest = leaf.split(leaf.count_below(key, false));
        self.bytes_of_rows = self.bytes_of_rows + leaf.bytes() + rest.bytes() - before;
        self.leaves.insert(at + 1, LeafPlace::new(rest.first_key().into(), rest));
    }

    /// Merges a small leaf with the one behind or before it, if one has room.
    fn merge_leaf(&mut self, at: usize) {
        let live = |at: usize| self.leaves.get(at).map_or(usize::MAX, |place| place.leaf.live_bytes());
        let has_room = |other: usize| live(other) < LEAF_BYTES - SMALL_LEAF_BYTES;
        let first = match at {
            _ if has_room(at + 1) => at,
            1.. if has_room(at - 1) => at - 1,
            _ => return,
        };
        let next = self.leaves.remove(first + 1).leaf;
        let before = self.leaves[first].leaf.bytes() + next.bytes();
        let leaf = Arc::make_mut(&mut self.leaves[first].leaf);
        leaf.absorb(&next);
        self.bytes_of_rows = self.bytes_of_rows + leaf.bytes() - before;
    }
}
