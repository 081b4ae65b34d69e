//! The next deadline of each group, in one heap.
//!
//! Invariants: a group with a deadline has an entry at or before it. A deadline that moves later leaves its entry
//! where it is; the group is asked again when the entry comes up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use factum_types::GroupId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// When to look at which group.
#[derive(Default)]
pub(crate) struct Timers {
    entries: Mutex<BinaryHeap<Reverse<(Instant, GroupId)>>>,
    sooner: Notify,
}

impl Timers {
    /// Adds an entry.
    pub(crate) fn schedule(&self, at: Instant, group: GroupId) {
        let mut entries = self.entries.lock();
        let is_first = entries.peek().is_none_or(|Reverse((first, _))| at < *first);
        entries.push(Reverse((at, group)));
        if is_first {
            self.sooner.notify_one();
        }
    }

    /// Takes the earliest entry if its time has come.
    pub(crate) fn take_due(&self, now: Instant) -> Option<(Instant, GroupId)> {
        let mut entries = self.entries.lock();
        let is_due = entries.peek().is_some_and(|Reverse((at, _))| *at <= now);
        if is_due { entries.pop().map(|Reverse(entry)| entry) } else { None }
    }

    /// When the earliest entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.entries.lock().peek().map(|Reverse((at, _))| *at)
    }

    /// Resolves when an entry came before all others.
    pub(crate) async fn sooner(&self) {
        self.sooner.notified().await;
    }
}
