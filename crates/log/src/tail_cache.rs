//! The batches appended last, in memory, shared by all logs: what a consumer that keeps up reads.
//!
//! Invariants: the cached bytes are what [`crate::PartitionLog::append`] wrote, so they need no checking;
//! their sum never exceeds the capacity; what came first goes first, whichever log it belongs to. The cache
//! knows nothing of the high watermark: the reader says up to where it may look.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use factum_types::{Offset, RecordBatch};
use parking_lot::Mutex;

/// A batch this small is copied: its buffer may be a slice of a far larger one, which it would keep alive.
const COPIED_BYTES: usize = 16 * 1024;

/// Tells the logs of one environment apart; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LogId(u64);

/// A bounded memory of recent batches. A clone shares it.
#[derive(Clone)]
pub(crate) struct TailCache(Arc<Inner>);

struct Inner {
    capacity: usize,
    next_log: AtomicU64,
    cached: Mutex<CacheState>,
}

#[derive(Default)]
struct CacheState {
    bytes: usize,
    /// The log of each batch, oldest first. A log that was forgotten leaves its entries behind.
    order: VecDeque<LogId>,
    logs: HashMap<LogId, VecDeque<CachedBatch>>,
}

/// One batch.
#[derive(Clone)]
pub(crate) struct CachedBatch {
    pub(crate) base: Offset,
    pub(crate) next: Offset,
    pub(crate) bytes: Bytes,
}

impl TailCache {
    /// A cache of at most `capacity` bytes of batches; 0 caches nothing.
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Arc::new(Inner { capacity, next_log: AtomicU64::new(0), cached: Mutex::default() }))
    }

    /// A key for a log that is being opened.
    pub(crate) fn register(&self) -> LogId {
        LogId(self.0.next_log.fetch_add(1, Ordering::Relaxed))
    }

    /// Takes over the batch that was appended last to `log`.
    pub(crate) fn insert(&self, log: LogId, batch: RecordBatch) {
        let base = Offset::new(batch.header().base_offset);
        let next = Offset::new(batch.header().last_offset()).next();
        if batch.encoded_len() > self.0.capacity {
            return;
        }
        let small = batch.encoded_len() <= COPIED_BYTES;
        let bytes = if small { Bytes::copy_from_slice(batch.as_bytes()) } else { batch.freeze() };
        let mut cached = self.0.cached.lock();
        cached.bytes += bytes.len();
        cached.order.push_back(log);
        cached.logs.entry(log).or_default().push_back(CachedBatch { base, next, bytes });
        while cached.bytes > self.0.capacity {
            cached.drop_oldest();
        }
    }

    /// The run of batches from the one that contains `from` on, below `until` and within `limit` bytes, but
    /// always one; empty if that one is not here.
    pub(crate) fn run(&self, log: LogId, from: Offset, until: Offset, limit: usize) -> Vec<CachedBatch> {
        let cached = self.0.cached.lock();
        let Some(batches) = cached.logs.get(&log) else { return Vec::new() };
        let first = batches.partition_point(|batch| batch.next <= from);
        let mut run = Vec::new();
        let (mut expected, mut bytes) = (from, 0);
        for batch in batches.range(first..) {
            let continues = if run.is_empty() { batch.base <= from } else { batch.base == expected };
            bytes += batch.bytes.len();
            if !continues || batch.base >= until || (bytes > limit && !run.is_empty()) {
                break;
            }
            expected = batch.next;
            run.push(batch.clone());
        }
        run
    }

    /// Whether the batch that contains `from` is here.
    pub(crate) fn holds(&self, log: LogId, from: Offset) -> bool {
        let cached = self.0.cached.lock();
        let Some(batches) = cached.logs.get(&log) else { return false };
        let first = batches.partition_point(|batch| batch.next <= from);
        batches.get(first).is_some_and(|batch| batch.base <= from)
    }

    /// Lets go of the batches of a log that begin below `offset`: the log holds others there by now.
    pub(crate) fn forget_below(&self, log: LogId, offset: Offset) {
        let mut cached = self.0.cached.lock();
        let Some(batches) = cached.logs.get_mut(&log) else { return };
        let count = batches.partition_point(|batch| batch.base < offset);
        let freed: usize = batches.drain(..count).map(|batch| batch.bytes.len()).sum();
        cached.bytes -= freed;
        let mut left = count;
        cached.order.retain(|of| {
            let is_gone = *of == log && left > 0;
            left -= usize::from(is_gone);
            !is_gone
        });
    }

    /// Lets go of all batches of a log that is closed.
    pub(crate) fn forget(&self, log: LogId) {
        let mut cached = self.0.cached.lock();
        let freed =
            cached.logs.remove(&log).into_iter().flatten().map(|batch| batch.bytes.len()).sum::<usize>();
        cached.bytes -= freed;
    }
}

impl CacheState {
    fn drop_oldest(&mut self) {
        let Some(log) = self.order.pop_front() else { return };
        let dropped = self.logs.get_mut(&log).and_then(VecDeque::pop_front);
        self.bytes -= dropped.map_or(0, |batch| batch.bytes.len());
    }
}
