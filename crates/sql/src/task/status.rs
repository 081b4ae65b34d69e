//! Status of a task, for operators and readers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use factum_types::{Offset, PartitionId, Timestamp};
use parking_lot::Mutex;

use super::RejectedEvents;
use super::counts::Counts;
use crate::closings::Closings;
use crate::decode::spelling::OtherSpelling;

/// What one task shows of itself. Each value is right by itself; together they may be of different moments.
pub(crate) struct TaskStatus {
    /// Whether the task holds its state; before, nothing else here means anything.
    resumed: AtomicBool,
    /// Whether there is no task, and all here is of the state.
    is_without_task: AtomicBool,
    /// Shared with the closings that it goes by, which are kept for as long as it may need them.
    next: Arc<AtomicI64>,
    end: AtomicI64,
    epoch: AtomicU64,
    watermark: AtomicI64,
    events: AtomicU64,
    counts: Mutex<Counts>,
    /// What windows are closed, where they close.
    closings: Mutex<Option<Arc<Closings>>>,
    /// The time up to which the log was read, in milliseconds; the least there is while nothing was.
    read_to: AtomicI64,
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
    /// Dead letters that wait, and why.
    letters: u64,
    letters_problem: Option<String>,
    /// Events that went to dead letters, ever.
    rejected: Option<RejectedEvents>,
    /// Fields that events spelt otherwise since the start.
    spellings: BTreeSet<OtherSpelling>,
}

impl Default for TaskStatus {
    fn default() -> Self {
        Self {
            resumed: AtomicBool::new(false),
            is_without_task: AtomicBool::new(false),
            next: Arc::default(),
            end: AtomicI64::new(0),
            epoch: AtomicU64::new(0),
            watermark: AtomicI64::new(i64::MIN),
            events: AtomicU64::new(0),
            counts: Mutex::default(),
            closings: Mutex::default(),
            read_to: AtomicI64::new(i64::MIN),
            arrived: Mutex::new(None),
            trouble: Mutex::default(),
        }
    }
}

/// What an epoch added.
#[derive(Debug, Clone)]
pub(crate) struct CommittedEpoch {
    pub(crate) epoch: u64,
    pub(crate) next: Offset,
    pub(crate) watermark: Option<i64>,
    pub(crate) events: u64,
    /// The time up to which the log was read.
    pub(crate) read_to: Option<Timestamp>,
    /// Totals.
    pub(crate) counts: Counts,
    /// Events that went to dead letters, all of them.
    pub(crate) rejected: Option<RejectedEvents>,
}

impl TaskStatus {
    /// The task of a partition holds its state, which was left so, and goes by these closings.
    pub(crate) fn resume(&self, at: CommittedEpoch, partition: PartitionId, closings: Option<Arc<Closings>>) {
        self.events.fetch_add(at.events, Ordering::Relaxed);
        // The offset of one topic says nothing of what was closed for another of its name.
        let mut current = self.closings.lock();
        self.show(at);
        if let Some(closings) = &closings {
            closings.join(partition, &self.next);
        }
        *current = closings;
        drop(current);
        self.resumed.store(true, Ordering::Release);
    }

    /// What the task goes by, once it holds its state.
    pub(crate) fn closings(&self) -> Option<Arc<Closings>> {
        let is_known = self.is_resumed() || self.is_without_task.load(Ordering::Acquire);
        if is_known { self.closings.lock().clone() } else { None }
    }

    /// An epoch was committed.
    pub(crate) fn commit(&self, committed: CommittedEpoch) {
        self.events.fetch_add(committed.events, Ordering::Relaxed);
        self.show(committed);
        self.trouble.lock().current = None;
    }

    /// The state holds this, from any committer.
    pub(crate) fn show_committed(&self, committed: CommittedEpoch) {
        self.show(committed);
    }

    /// The state holds this, by these closings, and there is no task that could hold it.
    pub(crate) fn show_without_task(&self, committed: CommittedEpoch, closings: Option<Arc<Closings>>) {
        self.show(committed);
        *self.closings.lock() = closings;
        self.is_without_task.store(true, Ordering::Release);
    }

    fn show(&self, committed: CommittedEpoch) {
        self.watermark.store(committed.watermark.unwrap_or(i64::MIN), Ordering::Relaxed);
        *self.counts.lock() = committed.counts;
        self.trouble.lock().rejected = committed.rejected;
        self.reach(committed.read_to);
        self.next.store(committed.next.get(), Ordering::Relaxed);
        self.end.fetch_max(committed.next.get(), Ordering::Relaxed);
        self.epoch.store(committed.epoch, Ordering::Release);
    }

    /// There are no events from `from` to `next`; `false` if what is before them is not committed yet.
    pub(crate) fn skip(&self, from: Offset, next: Offset) -> bool {
        self.next.compare_exchange(from.get(), next.get(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The partition ends here now.
    pub(crate) fn see_end(&self, end: Offset) {
        self.end.fetch_max(end.get(), Ordering::Relaxed);
    }

    /// Events came whose times count.
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

    /// Events that went to dead letters, ever.
    pub(crate) fn rejected(&self) -> Option<RejectedEvents> {
        self.trouble.lock().rejected.clone()
    }

    /// Events spell a field otherwise.
    pub(crate) fn spell(&self, spelling: OtherSpelling) {
        self.trouble.lock().spellings.insert(spelling);
    }

    /// Fields that events spelt otherwise since the start: one spelling of each.
    pub(crate) fn spellings(&self) -> BTreeSet<OtherSpelling> {
        self.trouble.lock().spellings.clone()
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

    fn reach(&self, read_to: Option<Timestamp>) {
        self.read_to.fetch_max(read_to.map_or(i64::MIN, Timestamp::as_millis), Ordering::Relaxed);
    }

    /// There was nothing to read at `now` behind what was committed: whatever was wrong is over.
    pub(crate) fn is_at_end(&self, now: Timestamp) {
        self.reach(Some(now));
        self.trouble.lock().current = None;
    }

    /// The partition ends here, whatever another of its name did before.
    pub(crate) fn begin_before(&self, end: Offset) {
        self.end.store(end.get(), Ordering::Relaxed);
    }

    /// The time up to which the log was read: `now` while there is nothing behind it; none before anything is known.
    pub(crate) fn read_to(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_resumed() && self.lag() == 0 && self.trouble.lock().current.is_none() {
            return Some(now);
        }
        let read_to = self.read_to.load(Ordering::Relaxed);
        (read_to != i64::MIN).then(|| Timestamp::from_millis(read_to))
    }

    /// What was counted, ever.
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock()
    }

    /// So many dead letters wait for their topic, and why.
    pub(crate) fn letters(&self, waiting: u64, problem: Option<String>) {
        let mut trouble = self.trouble.lock();
        (trouble.letters, trouble.letters_problem) = (waiting, problem);
    }

    /// How many dead letters wait, and why they do.
    pub(crate) fn waiting_letters(&self) -> (u64, Option<String>) {
        let trouble = self.trouble.lock();
        (trouble.letters, trouble.letters_problem.clone())
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
