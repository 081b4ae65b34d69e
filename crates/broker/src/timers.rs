//! The next deadline of each group, or of each transactional id, in one order.
//!
//! Invariants: what has a deadline has one entry, at or before it, and what is gone has none, so that what comes and goes
//! leaves nothing here. A deadline that moves later leaves the entry where it is; who it belongs to is asked again when the
//! entry comes up.

use std::collections::BTreeSet;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// When to look at which.
pub(crate) struct Timers<Id> {
    entries: Mutex<BTreeSet<(Instant, Id)>>,
    sooner: Notify,
}

impl<Id: Ord> Default for Timers<Id> {
    fn default() -> Self {
        Self { entries: Mutex::default(), sooner: Notify::new() }
    }
}

impl<Id: Ord> Timers<Id> {
    /// Adds an entry, in the place of the one that there is.
    pub(crate) fn schedule(&self, at: Instant, id: Id, replaced: Option<Instant>) {
        let mut entries = self.entries.lock();
        let id = match replaced {
            Some(replaced) => {
                let entry = (replaced, id);
                entries.remove(&entry);
                entry.1
            }
            None => id,
        };
        let is_first = entries.first().is_none_or(|(first, _)| at < *first);
        entries.insert((at, id));
        if is_first {
            self.sooner.notify_one();
        }
    }

    /// Takes out an entry.
    pub(crate) fn remove(&self, at: Instant, id: Id) {
        self.entries.lock().remove(&(at, id));
    }

    /// Takes the earliest entry if its time has come.
    pub(crate) fn take_due(&self, now: Instant) -> Option<(Instant, Id)> {
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
