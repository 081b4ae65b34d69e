//! How far a task is, for whoever asks.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use factum_types::Offset;
use parking_lot::Mutex;

/// What one task shows of itself. Each value is right by itself; together they may be of different moments.
#[derive(Debug)]
pub(crate) struct TaskStatus {
    /// Whether the task holds its state; before, nothing else here means anything.
    resumed: AtomicBool,
    next: AtomicI64,
    end: AtomicI64,
    epoch: AtomicU64,
    watermark: AtomicI64,
    events: AtomicU64,
    poisoned: AtomicU64,
    late: AtomicU64,
    /// When the last event came; none if the task began at the end of its partition.
    arrived: Mutex<Option<Instant>>,
    trouble: Mutex<Trouble>,
}

#[derive(Debug, Default)]
struct Trouble {
    /// What it is stuck with now.
    current: Option<String>,
    /// What went wrong last, however long ago.
    last: Option<String>,
}

impl Default for TaskStatus {
    fn default() -> Self {
        Self {
            resumed: AtomicBool::new(false),
            next: AtomicI64::new(0),
            end: AtomicI64::new(0),
            epoch: AtomicU64::new(0),
            watermark: AtomicI64::new(i64::MIN),
            events: AtomicU64::new(0),
            poisoned: AtomicU64::new(0),
            late: AtomicU64::new(0),
            arrived: Mutex::new(None),
            trouble: Mutex::default(),
        }
    }
}

/// What an epoch added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committed {
    pub(crate) epoch: u64,
    pub(crate) next: Offset,
    pub(crate) watermark: Option<i64>,
    pub(crate) events: u64,
    pub(crate) poisoned: u64,
    pub(crate) late: u64,
}

impl TaskStatus {
    /// The task holds its state, which was left so.
    pub(crate) fn resume(&self, at: Committed) {
        self.events.fetch_add(at.events, Ordering::Relaxed);
        self.show(at);
        self.resumed.store(true, Ordering::Release);
    }

    /// An epoch was committed; the counts of poisoned and late rows are totals.
    pub(crate) fn commit(&self, committed: Committed) {
        self.events.fetch_add(committed.events, Ordering::Relaxed);
        self.show(committed);
        self.trouble.lock().current = None;
    }

    fn show(&self, committed: Committed) {
        self.watermark.store(committed.watermark.unwrap_or(i64::MIN), Ordering::Relaxed);
        self.poisoned.store(committed.poisoned, Ordering::Relaxed);
        self.late.store(committed.late, Ordering::Relaxed);
        self.next.store(committed.next.get(), Ordering::Relaxed);
        self.end.fetch_max(committed.next.get(), Ordering::Relaxed);
        self.epoch.store(committed.epoch, Ordering::Release);
    }

    /// There are no events between what was committed and `next`.
    pub(crate) fn skip_to(&self, next: Offset) {
        self.next.store(next.get(), Ordering::Relaxed);
    }

    /// The partition ends here now.
    pub(crate) fn see_end(&self, end: Offset) {
        self.end.fetch_max(end.get(), Ordering::Relaxed);
    }

    /// Events came.
    pub(crate) fn arrive(&self, now: Instant) {
        *self.arrived.lock() = Some(now);
    }

    /// Something went wrong, and the task tries again.
    pub(crate) fn stuck(&self, reason: String) {
        let mut trouble = self.trouble.lock();
        trouble.current = Some(reason.clone());
        trouble.last = Some(reason);
    }

    /// Something went wrong that the task went past.
    pub(crate) fn note(&self, reason: String) {
        self.trouble.lock().last = Some(reason);
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed.load(Ordering::Acquire)
    }

    pub(crate) fn next(&self) -> i64 {
        self.next.load(Ordering::Relaxed)
    }

    pub(crate) fn end(&self) -> i64 {
        self.end.load(Ordering::Relaxed)
    }

    pub(crate) fn lag(&self) -> u64 {
        u64::try_from(self.end() - self.next()).unwrap_or(0)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn watermark(&self) -> Option<i64> {
        Some(self.watermark.load(Ordering::Relaxed)).filter(|watermark| *watermark != i64::MIN)
    }

    /// Events taken in since the engine was opened.
    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    pub(crate) fn poisoned(&self) -> u64 {
        self.poisoned.load(Ordering::Relaxed)
    }

    pub(crate) fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    pub(crate) fn arrived(&self) -> Option<Instant> {
        *self.arrived.lock()
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().current.clone()
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.trouble.lock().last.clone()
    }
}
