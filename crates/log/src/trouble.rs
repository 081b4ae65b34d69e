//! Passing trouble of a log that has not failed: a full disk, no free descriptor.
//!
//! Invariants: nothing here is final. A trouble ends when what failed succeeds, tried by the committer again and
//! again, or by the next append.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// Why a log does not work at the moment. It is tried again without anybody doing anything.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Trouble {
    /// The last append was refused by the disk; the next one is tried.
    #[error("the last append was refused")]
    Append(#[source] Arc<io::Error>),
    /// What was appended cannot be made durable yet; appends are refused until it is.
    #[error("what was appended cannot be made durable yet")]
    Commit(#[source] Arc<io::Error>),
}

/// An append that the disk refused, with what it takes to see whether the disk would take it now.
#[derive(Debug, Clone)]
pub(crate) struct RefusedAppend {
    pub(crate) error: Arc<io::Error>,
    /// Bytes of the batch.
    pub(crate) bytes: usize,
    /// Whether the next segment could not be made.
    pub(crate) at_roll: bool,
}

/// The troubles of one log.
#[derive(Default)]
pub(crate) struct Troubles {
    /// Whether there is any: appends look at this first.
    is_any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    append: Option<RefusedAppend>,
    commit: Option<Arc<io::Error>>,
    /// Commits that stalled since the last one that did not.
    stalls: u32,
}

impl Troubles {
    /// The one that matters most, if there is any.
    pub(crate) fn current(&self) -> Option<Trouble> {
        if !self.is_any.load(Ordering::Acquire) {
            return None;
        }
        let state = self.state.lock();
        let commit = state.commit.clone().map(Trouble::Commit);
        commit.or_else(|| state.append.as_ref().map(|refused| Trouble::Append(Arc::clone(&refused.error))))
    }

    /// Why commits stall, if they do.
    pub(crate) fn commit(&self) -> Option<Arc<io::Error>> {
        if self.is_any.load(Ordering::Acquire) { self.state.lock().commit.clone() } else { None }
    }

    /// The append that was refused last, if none succeeded since.
    pub(crate) fn append(&self) -> Option<RefusedAppend> {
        if self.is_any.load(Ordering::Acquire) { self.state.lock().append.clone() } else { None }
    }

    /// Takes note of a refused append; whether it is the first.
    pub(crate) fn append_refused(&self, refused: RefusedAppend) -> bool {
        self.change(|state| state.append.replace(refused).is_none())
    }

    /// Takes note that the disk takes appends; whether it did not before.
    pub(crate) fn append_worked(&self) -> bool {
        self.is_any.load(Ordering::Acquire) && self.change(|state| state.append.take().is_some())
    }

    /// Takes note of a commit that could not begin; how many there were in a row.
    pub(crate) fn commit_stalled(&self, error: Arc<io::Error>) -> u32 {
        self.change(|state| {
            state.commit = Some(error);
            state.stalls += 1;
            state.stalls
        })
    }

    /// Takes note of a commit that succeeded; whether the one before did not.
    pub(crate) fn commit_worked(&self) -> bool {
        self.is_any.load(Ordering::Acquire)
            && self.change(|state| {
                state.stalls = 0;
                state.commit.take().is_some()
            })
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let result = change(&mut state);
        self.is_any.store(state.append.is_some() || state.commit.is_some(), Ordering::Release);
        result
    }
}
