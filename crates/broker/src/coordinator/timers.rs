//! The next deadline of each group, in one order.
//!
//! Invariants: a group with a deadline has one entry, at or before it, and a group that is gone has none, so that what
//! comes and goes leaves nothing here. A deadline that moves later leaves the entry where it is; the group is asked again
//! when the entry comes up.

use std::collections::BTreeSet;
use std::time::Instant;

use factum_types::GroupId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// When to look at which group.
#[derive(Default)]
pub(crate) struct Timers {
    entries: Mutex<BTreeSet<(Instant, GroupId)>>,
    sooner: Notify,
}

impl Timers {
    /// Adds a group's entry, in the place of the one that it has.
    pub(crate) fn schedule(&self, at: Instant, group: GroupId, replaced: Option<Instant>) {
        let mut entries = self.entries.lock();
        let group = match replaced {
            Some(replaced) => {
                let entry = (replaced, group);
                entries.remove(&entry);
                entry.1
            }
            None => group,
        };
        let is_first = entries.first().is_none_or(|(first, _)| at < *first);
        entries.insert((at, group));
        if is_first {
            self.sooner.notify_one();
        }
    }

    /// Takes out the entry of a group that is gone.
    pub(crate) fn remove(&self, at: Instant, group: GroupId) {
        self.entries.lock().remove(&(at, group));
    }

    /// Takes the earliest entry if its time has come.
    pub(crate) fn take_due(&self, now: Instant) -> Option<(Instant, GroupId)> {
        let mut entries = self.entries.lock();
        let is_due = entries.first().is_some_and(|(at, _)| *at <= now);
        if is_due { entries.pop_first() } else { None }
    }

    /// When the earliest entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.entries.lock().first().map(|(at, _)| *at)
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// Resolves when an entry came before all others.
    pub(crate) async fn sooner(&self) {
        self.sooner.notified().await;
    }
}
