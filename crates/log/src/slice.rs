//! The result of a read: encoded batches, as few and as large pieces as copying little allows.

use bytes::{Bytes, BytesMut};

use crate::partition_log::Bounds;
use crate::transactions::AbortedTransaction;

/// Batches smaller than this are gathered into one piece; a piece costs its consumer more than the copy.
const GATHERED_BYTES: usize = 4096;

/// Whole batches in offset order.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The encoded batches, end to end; each piece holds one or more whole ones.
    pub chunks: Vec<Bytes>,
    /// Bytes of all chunks.
    pub bytes: usize,
    /// The log's bounds when the read began.
    pub bounds: Bounds,
    /// For a reader of committed records: the aborted transactions that these batches may hold records of, by their
    /// markers.
    pub aborted: Vec<AbortedTransaction>,
}

impl Slice {
    /// No batches of a log with these bounds.
    pub fn empty(bounds: Bounds) -> Self {
        Self { chunks: Vec::new(), bytes: 0, bounds, aborted: Vec::new() }
    }

    /// Whether the read came to the high watermark's edge and found nothing.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }
}

/// Collects the batches of one read.
pub(crate) struct Gather {
    limit: usize,
    bytes: usize,
    chunks: Vec<Bytes>,
    small: BytesMut,
}

impl Gather {
    /// Room for `limit` bytes, and for one batch whatever its size.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, bytes: 0, chunks: Vec::new(), small: BytesMut::new() }
    }

    /// Bytes that may still be added.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes)
    }

    /// Whether a batch of `length` bytes may be added.
    pub(crate) fn takes(&self, length: usize) -> bool {
        self.bytes == 0 || length <= self.room()
    }

    /// Whether nothing was added yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Adds one or more whole batches.
    pub(crate) fn push(&mut self, batches: Bytes) {
        self.bytes += batches.len();
        if batches.len() < GATHERED_BYTES {
            self.small.extend_from_slice(&batches);
            return;
        }
        self.flush();
        self.chunks.push(batches);
    }

    /// What was collected.
    pub(crate) fn finish(mut self, bounds: Bounds, aborted: Vec<AbortedTransaction>) -> Slice {
        self.flush();
        Slice { chunks: self.chunks, bytes: self.bytes, bounds, aborted }
    }

    fn flush(&mut self) {
        if !self.small.is_empty() {
            self.chunks.push(self.small.split().freeze());
        }
    }
}
