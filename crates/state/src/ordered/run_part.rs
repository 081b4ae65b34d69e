//! The part of a run that a slice reads. Slices that were one when the run was written share it.
//!
//! Invariants: keys outside of the part's range are not seen, whatever the run has. The run's file is gone with the
//! last part of it.

use std::io;
use std::ops::{Bound, Range};
use std::sync::Arc;

use factum_log::DiskFile;

use crate::key_range::{Span, is_above, is_below};
use crate::run::{Block, ROW_HEADER, Run, rows};

/// A run in the order of its keys.
pub(super) type OrderedRun = Run<Box<[u8]>>;

#[derive(Debug, Clone)]
pub(super) struct RunPart {
    run: Arc<OrderedRun>,
    /// Keys from here on.
    from: Arc<[u8]>,
    /// Keys before this.
    to: Option<Arc<[u8]>>,
    /// Memory that its blocks take.
    bytes: usize,
}

impl RunPart {
    /// All of `run`, whose keys are from `from` on.
    pub(super) fn new(run: Arc<OrderedRun>, from: Arc<[u8]>) -> Self {
        Self { run, from, to: None, bytes: 0 }.measured()
    }

    /// The parts before `key` and from `key` on.
    pub(super) fn split(&self, key: &Arc<[u8]>) -> (Option<Self>, Option<Self>) {
        let before = self.to.as_ref().is_none_or(|to| key < to);
        let behind = *key > self.from;
        let front = Self { to: if before { Some(Arc::clone(key)) } else { self.to.clone() }, ..self.clone() };
        let back =
            Self { from: if behind { Arc::clone(key) } else { Arc::clone(&self.from) }, ..self.clone() };
        (behind.then(|| front.measured()), before.then(|| back.measured()))
    }

    /// Whether the run is asked for `key`.
    pub(super) fn covers(&self, key: &[u8]) -> bool {
        key >= &*self.from && self.to.as_ref().is_none_or(|to| key < &**to)
    }

    /// The value under `key`, which the part covers; the block is read from `file`, which [`RunPart::open`] gave.
    ///
    /// # Errors
    /// As [`Block::read`].
    pub(super) fn get(&self, file: &dyn DiskFile, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let blocks = self.run.blocks();
        let behind = blocks.partition_point(|block| &*block.first <= key);
        behind.checked_sub(1).map_or(Ok(None), |at| blocks[at].get(file, key))
    }

    /// Opens the run's file.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(super) fn open(&self) -> io::Result<Arc<dyn DiskFile>> {
        self.run.open()
    }

    /// The rows of `span` that the part covers, in its direction.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(super) fn cursor<'a>(&'a self, span: &Span<'a>) -> io::Result<Option<RunCursor<'a>>> {
        let from = if is_below(&self.from, span.from) { span.from } else { Bound::Included(&*self.from) };
        let to = match &self.to {
            Some(own) if !is_above(own, span.to) => Bound::Excluded(&**own),
            _ => span.to,
        };
        let span = Span { from, to, descending: span.descending };
        let blocks = self.blocks(span);
        if blocks.is_empty() {
            return Ok(None);
        }
        let file = self.open()?;
        let run = &*self.run;
        Ok(Some(RunCursor { run, file, span, blocks, bytes: Vec::new(), rows: Vec::new(), at: 0 }))
    }

    /// Bytes of memory that its blocks take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the file that are its blocks'.
    pub(super) fn file_bytes(&self) -> u64 {
        self.own_blocks().iter().map(|block| block.length as u64).sum()
    }

    fn own_blocks(&self) -> &[Block<Box<[u8]>>] {
        let to = self.to.as_ref().map_or(Bound::Unbounded, |to| Bound::Excluded(&**to));
        &self.run.blocks()[self.blocks(Span { from: Bound::Included(&self.from), to, descending: false })]
    }

    fn measured(mut self) -> Self {
        let blocks = self.own_blocks();
        self.bytes = blocks.iter().map(|block| block.first.len() + size_of::<Block<Box<[u8]>>>()).sum();
        self
    }

    /// The blocks that may have keys of `span`.
    fn blocks(&self, span: Span<'_>) -> Range<usize> {
        let blocks = self.run.blocks();
        let first = match span.from {
            Bound::Unbounded => 0,
            Bound::Included(key) | Bound::Excluded(key) => {
                blocks.partition_point(|block| &*block.first <= key).saturating_sub(1)
            }
        };
        let end = blocks.partition_point(|block| !is_above(&block.first, span.to));
        first..end.max(first)
    }
}

/// Goes through the rows of a run, a block at a time.
pub(super) struct RunCursor<'a> {
    run: &'a OrderedRun,
    file: Arc<dyn DiskFile>,
    span: Span<'a>,
    /// Blocks that were not read yet.
    blocks: Range<usize>,
    bytes: Vec<u8>,
    /// Where the rows of the block are that lie in the span, in the cursor's direction.
    rows: Vec<Place>,
    at: usize,
}

/// Where a row lies in its block.
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

impl RunCursor<'_> {
    /// The row that is next, until [`RunCursor::advance`].
    ///
    /// # Errors
    /// As [`Block::read`].
    pub(super) fn peek(&mut self) -> io::Result<Option<(&[u8], &[u8])>> {
        while self.at == self.rows.len() {
            let block = if self.span.descending { self.blocks.next_back() } else { self.blocks.next() };
            let Some(block) = block else { return Ok(None) };
            self.load(block)?;
        }
        let Place { key, value } = &self.rows[self.at];
        Ok(Some((&self.bytes[key.clone()], &self.bytes[value.clone()])))
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    fn load(&mut self, block: usize) -> io::Result<()> {
        let bytes = self.run.blocks()[block].read(&*self.file)?;
        (self.at, self.rows) = (0, Vec::new());
        let mut end = 0;
        for row in rows(&bytes) {
            let (key, value) = row?;
            let start = end + ROW_HEADER;
            let middle = start + key.len();
            end = middle + value.len();
            if self.span.contains(key) {
                self.rows.push(Place { key: start..middle, value: middle..end });
            }
        }
        if self.span.descending {
            self.rows.reverse();
        }
        self.bytes = bytes;
        Ok(())
    }
}
