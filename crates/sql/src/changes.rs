//! A view's changes, for those who follow it.
//!
//! ```text
//!   inputs advance ─► refresh ─► compare with the rows before ─► ring ─► any number of streams, each at its own pace
//! ```
//!
//! Invariants:
//! - A stream begins with a snapshot, or with what came after the change that it resumes behind; from there the
//!   snapshot with every later change applied is the view at that change.
//! - No queue grows with a slow reader: one who falls behind the ring begins again with a snapshot.
//! - While a view has no follower nothing is computed for it.
//! - A computation that panics is reported to all who follow; the next follower starts it again.

mod diff;
mod refresh;

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::RecordBatch;
use factum_types::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::definitions::RelationName;
use crate::error::ReadError;
use crate::metrics;
use crate::row_errors::RowError;
use crate::view::Rows;
use diff::RowSet;
pub(crate) use refresh::{RowSource, any_moved, follow};

/// Most bytes of changes that are kept of one view.
const RING_BYTES: usize = 16 << 20;

/// Names a change of a view: `<run>-<number>`. Numbers rise by one within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId {
    run: u64,
    number: u64,
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.run, self.number)
    }
}

/// The text is no [`ChangeId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid change id {0:?}")]
pub struct ChangeIdError(String);

impl FromStr for ChangeId {
    type Err = ChangeIdError;

    fn from_str(text: &str) -> Result<Self, ChangeIdError> {
        let parsed = text.split_once('-').and_then(|(run, number)| {
            Some(Self { run: u64::from_str_radix(run, 16).ok()?, number: number.parse().ok()? })
        });
        parsed.ok_or_else(|| ChangeIdError(text.to_owned()))
    }
}

/// What a follower is told.
#[derive(Debug, Clone)]
pub enum Change {
    /// The whole view; what was known before is void.
    Snapshot {
        /// Where to resume behind it.
        id: ChangeId,
        /// All rows, in the view's order.
        rows: Rows,
    },
    /// Rows that went and rows that came.
    Changed {
        /// Where to resume behind it.
        id: ChangeId,
        /// The time up to which the log was read for it.
        as_of: Timestamp,
        /// Rows that the view no longer has.
        removed: RecordBatch,
        /// Rows that it did not have before, in the view's order.
        added: RecordBatch,
        /// All values of the view that cannot be computed after this change; a hundred at most.
        errors: Arc<[RowError]>,
    },
}

impl Change {
    /// Where to resume behind this change.
    pub fn id(&self) -> ChangeId {
        match self {
            Self::Snapshot { id, .. } | Self::Changed { id, .. } => *id,
        }
    }
}

/// The latest changes of one view.
pub(crate) struct ChangeLog {
    view: RelationName,
    most: usize,
    kept: Mutex<ChangeLogState>,
    /// Rises with each change, failure and end.
    moved: watch::Sender<u64>,
    /// How many streams there are.
    followers: watch::Sender<usize>,
}

struct ChangeLogState {
    run: u64,
    /// The number of the newest change.
    number: u64,
    ring: VecDeque<Change>,
    ring_bytes: usize,
    current: Option<CurrentRows>,
    failure: Option<Failure>,
    is_dropped: bool,
    is_refreshing: bool,
    /// There was no follower for a while: what is kept may be behind.
    is_stale: bool,
}

struct CurrentRows {
    rows: Rows,
    set: Option<RowSet>,
}

/// Why there is nothing to begin with.
#[derive(Clone)]
enum Failure {
    Unreadable(String),
    Broken,
}

/// What a stream is to be told next.
enum Next {
    Change(Change),
    Failed(Failure),
    Dropped,
    Nothing,
}

impl ChangeLog {
    pub(crate) fn new(view: RelationName, run: u64, most: usize) -> Arc<Self> {
        let kept = ChangeLogState {
            run,
            number: 0,
            ring: VecDeque::new(),
            ring_bytes: 0,
            current: None,
            failure: None,
            is_dropped: false,
            is_refreshing: false,
            is_stale: false,
        };
        let (moved, followers) = (watch::Sender::new(0), watch::Sender::new(0));
        Arc::new(Self { view, most, kept: Mutex::new(kept), moved, followers })
    }

    /// The view is now `rows`.
    fn advance(&self, rows: Rows) {
        let mut kept = self.kept.lock();
        (kept.failure, kept.is_stale) = (None, false);
        kept.advance(rows, self.most);
        drop(kept);
        self.moved.send_modify(|count| *count += 1);
    }

    /// The view cannot be read; followers who have no snapshot yet are told.
    fn fail(&self, reason: String) {
        self.kept.lock().failure = Some(Failure::Unreadable(reason));
        self.moved.send_modify(|count| *count += 1);
    }

    /// The changes are not kept going any more; all followers are told.
    fn break_off(&self) {
        let mut kept = self.kept.lock();
        Self::clear(&mut kept);
        (kept.failure, kept.is_refreshing) = (Some(Failure::Broken), false);
        drop(kept);
        self.moved.send_modify(|count| *count += 1);
    }

    /// Whether the caller is to keep the changes going from now on.
    fn begin(&self) -> bool {
        let mut kept = self.kept.lock();
        if kept.is_refreshing {
            return false;
        }
        // What broke before is not told to those who come now.
        (kept.failure, kept.is_refreshing) = (None, true);
        true
    }

    /// The view is gone.
    pub(crate) fn end(&self) {
        self.kept.lock().is_dropped = true;
        self.moved.send_modify(|count| *count += 1);
    }

    /// Gives up what is kept, so that ids of before resume nothing.
    fn clear(kept: &mut ChangeLogState) {
        kept.run = kept.run.wrapping_add(1);
        kept.ring.clear();
        (kept.ring_bytes, kept.current) = (0, None);
    }

    fn next(&self, seen: Option<ChangeId>) -> Next {
        let kept = self.kept.lock();
        if kept.is_dropped {
            return Next::Dropped;
        }
        let Some(current) = kept.current.as_ref().filter(|_| !kept.is_stale) else {
            return kept.failure.clone().map_or(Next::Nothing, Next::Failed);
        };
        let newest = ChangeId { run: kept.run, number: kept.number };
        if let Some(seen) = seen.filter(|seen| seen.run == kept.run && seen.number <= kept.number) {
            if seen == newest {
                return Next::Nothing;
            }
            let following = kept.ring.iter().find(|change| change.id().number == seen.number + 1);
            if let Some(change) = following {
                return Next::Change(change.clone());
            }
        }
        Next::Change(Change::Snapshot { id: newest, rows: current.rows.clone() })
    }
}

impl ChangeLogState {
    fn advance(&mut self, rows: Rows, most: usize) {
        if self.current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.rows.batches, &rows.batches)) {
            return;
        }
        let set = self.current.take().and_then(|current| current.set);
        let mut set = set.filter(|set| set.is_of(&rows.schema));
        if let Some(set) = &mut set
            && let Some((removed, added)) = set.replace(&rows.batches)
        {
            if removed.num_rows() > 0 || added.num_rows() > 0 {
                self.number += 1;
                let id = ChangeId { run: self.run, number: self.number };
                let (as_of, errors) = (rows.freshness.as_of, Arc::clone(&rows.errors));
                self.push(Change::Changed { id, as_of, removed, added, errors }, most);
            }
        } else {
            // The first rows, or other columns than before: followers begin again.
            set = RowSet::new(&rows.schema, &rows.batches);
            self.number += 1;
            self.ring.clear();
            self.ring_bytes = 0;
        }
        self.current = Some(CurrentRows { rows, set });
    }

    fn push(&mut self, change: Change, most: usize) {
        self.ring_bytes += bytes(&change);
        self.ring.push_back(change);
        while self.ring.len() > most || self.ring_bytes > RING_BYTES {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.ring_bytes -= bytes(&oldest);
        }
    }
}

fn bytes(change: &Change) -> usize {
    match change {
        Change::Snapshot { .. } => 0,
        Change::Changed { removed, added, .. } => {
            removed.get_array_memory_size() + added.get_array_memory_size()
        }
    }
}

/// One follower's place in a view's changes.
pub struct ChangeStream {
    log: Arc<ChangeLog>,
    seen: Option<ChangeId>,
    moved: watch::Receiver<u64>,
}

impl ChangeStream {
    pub(crate) fn new(log: &Arc<ChangeLog>, seen: Option<ChangeId>) -> Self {
        let mut kept = log.kept.lock();
        if *log.followers.borrow() == 0 {
            (kept.is_stale, kept.failure) = (true, None);
        }
        log.followers.send_modify(|count| *count += 1);
        drop(kept);
        metrics::subscribers(&log.view, *log.followers.borrow());
        Self { log: Arc::clone(log), seen, moved: log.moved.subscribe() }
    }

    /// The next change, waiting for it. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`ReadError`]: the view was dropped, could not be read even once, or its computation broke. Nothing comes
    /// after it.
    pub async fn next(&mut self) -> Result<Change, ReadError> {
        loop {
            self.moved.mark_unchanged();
            let view = self.log.view.clone();
            match self.log.next(self.seen) {
                Next::Change(change) => {
                    self.seen = Some(change.id());
                    return Ok(change);
                }
                Next::Dropped => return Err(ReadError::Dropped { view }),
                Next::Failed(Failure::Unreadable(reason)) => return Err(ReadError::Waiting { view, reason }),
                Next::Failed(Failure::Broken) => return Err(ReadError::Broken { view }),
                Next::Nothing => {}
            }
            if self.moved.changed().await.is_err() {
                return Err(ReadError::Dropped { view });
            }
        }
    }
}

impl Drop for ChangeStream {
    fn drop(&mut self) {
        self.log.followers.send_modify(|count| *count -= 1);
        metrics::subscribers(&self.log.view, *self.log.followers.borrow());
    }
}
