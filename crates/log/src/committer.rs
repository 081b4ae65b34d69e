//! Group commit: threads that sync logs side by side, those of the smallest requests first.
//!
//! ```text
//!   appends ──► waiting, by place in line ──► sync thread ─ fdatasync ─► high watermark moves
//!                 │ 1-partition request   ──► sync thread ─ fdatasync ─►        "
//!                 │ 10-partition request  ──► sync thread …
//!                 │ 400-partition request          ▲
//!                 └── logs whose commit could not begin come back after a pause
//! ```
//!
//! Why threads: syncs of different files that are asked for at the same time share one commit of a journalling
//! file system (ext4, XFS), while one after another each pays for its own. Measured on ext4 with 400 dirty
//! files: 1,660 ms by one thread, 50 ms by four. `syncfs` was as fast, but writes out everything that anybody
//! left dirty on the file system, and an error that it reports belongs to no file.
//!
//! Invariants:
//! - A commit covers all that was appended to its log before it began; what comes meanwhile is for the next
//!   one, which starts at once. There is no timer: on an idle disk an append waits for one sync, on a busy one
//!   many appends share it.
//! - A log is synced by one thread at a time.
//! - A log of a request over `n` logs is overtaken by fewer than `4 n` logs that were enqueued later. So one
//!   client's request over hundreds of partitions does not hold up another's over one, and does not starve either.
//! - After [`Committer::stop`] all that was appended is committed before [`Committer::run`] returns.
//!
//! With nothing to sync the threads sleep, and an append makes a system call only to wake one of them.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::partition_log::LogInner as Log;
use crate::tail_cache::LogId;

/// How many logs enqueued later may go before each log of a request, for each log of that request.
const OVERTAKEN: u64 = 4;
/// A busy committer tries stalled logs again after so many commits.
const RETRY_COMMITS: u32 = 64;

/// Makes the appends of all logs durable. A clone shares it.
#[derive(Clone)]
pub struct Committer(Arc<CommitterInner>);

struct CommitterInner {
    /// How long an idle committer waits before it tries a stalled log again.
    retry_pause: Duration,
    queue: Mutex<Queue>,
    woken: Condvar,
    /// Commits that were begun.
    commits: AtomicU64,
}

/// Whether a log needs its committer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All that was appended before is durable, or the log has failed for good.
    Done,
    /// Something other than a sync failed: nothing is lost, and it is tried again.
    Stalled,
}

/// A log's place in line: the count of logs enqueued before it, plus [`OVERTAKEN`] times the size of its request;
/// then the count alone, which makes it unique.
type Place = (u64, u64);

#[derive(Default)]
struct Queue {
    /// Logs with batches that no commit has taken yet, each once.
    waiting: BTreeMap<Place, Arc<Log>>,
    places: HashMap<LogId, Place>,
    /// Logs that a thread is committing.
    syncing: Vec<LogId>,
    /// Logs to be tried again after a pause.
    stalled: Vec<Arc<Log>>,
    commits_since_retry: u32,
    enqueued: u64,
    is_stopping: bool,
}

impl Committer {
    /// A committer with nothing to do.
    pub(crate) fn new(retry_pause: Duration) -> Self {
        let (queue, woken, commits) = (Mutex::default(), Condvar::new(), AtomicU64::new(0));
        Self(Arc::new(CommitterInner { retry_pause, queue, woken, commits }))
    }

    /// Commits logs as they need it until [`Committer::stop`], and what is waiting then. Blocks: give it a thread;
    /// several may run it at once.
    pub fn run(&self) {
        while let Some(log) = self.next() {
            self.commit(&log);
        }
    }

    /// Ends [`Committer::run`], now or when it is called.
    pub fn stop(&self) {
        let mut queue = self.0.queue.lock();
        queue.is_stopping = true;
        queue.retry_stalled();
        drop(queue);
        self.0.woken.notify_all();
    }

    /// Commits, in the caller's thread, the logs that need it at this moment, stalled ones included; returns how
    /// many did.
    pub fn round(&self) -> usize {
        let count = {
            let mut queue = self.0.queue.lock();
            queue.retry_stalled();
            queue.waiting.len()
        };
        for _ in 0..count {
            let log = self.0.queue.lock().take();
            let Some(log) = log else { break };
            self.commit(&log);
        }
        count
    }

    /// How many commits there were, of all logs: each is one sync or tries to be.
    pub fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Relaxed)
    }

    /// How many logs wait for one.
    pub fn waiting(&self) -> usize {
        self.0.queue.lock().waiting.len()
    }

    /// Has a commit take `log`, which is part of a request over `request` logs. Moves it forward if it waits
    /// already as part of a larger one.
    pub(crate) fn enqueue(&self, log: &Arc<Log>, request: NonZeroUsize) {
        self.0.queue.lock().put(log, request.get() as u64);
        self.0.woken.notify_one();
    }

    /// Has `log` committed again after a pause: the disk refused it something.
    pub(crate) fn retry_later(&self, log: &Arc<Log>) {
        self.0.queue.lock().stall(log);
        self.0.woken.notify_one();
    }

    fn commit(&self, log: &Arc<Log>) {
        self.0.commits.fetch_add(1, Ordering::Relaxed);
        let progress = log.commit_waiting();
        let mut queue = self.0.queue.lock();
        queue.syncing.retain(|id| *id != log.id);
        queue.commits_since_retry += 1;
        match progress {
            Progress::Stalled => queue.stall(log),
            Progress::Done if queue.commits_since_retry >= RETRY_COMMITS => queue.retry_stalled(),
            Progress::Done => {}
        }
    }

    /// The next log to commit; `None` once all is done and the committer should stop.
    fn next(&self) -> Option<Arc<Log>> {
        let mut queue = self.0.queue.lock();
        loop {
            if let Some(log) = queue.take() {
                if !queue.waiting.is_empty() {
                    self.0.woken.notify_one();
                }
                return Some(log);
            }
            if queue.is_stopping {
                // What still waits is being synced by a thread that takes it again when it is done.
                return None;
            }
            if queue.stalled.is_empty() {
                self.0.woken.wait(&mut queue);
            } else if self.0.woken.wait_for(&mut queue, self.0.retry_pause).timed_out() {
                queue.retry_stalled();
            }
        }
    }
}

impl Queue {
    fn put(&mut self, log: &Arc<Log>, request: u64) {
        self.enqueued += 1;
        let place = (self.enqueued.saturating_add(request.saturating_mul(OVERTAKEN)), self.enqueued);
        match self.places.get(&log.id) {
            Some(before) if *before <= place => return,
            Some(before) => drop(self.waiting.remove(before)),
            None => {}
        }
        self.places.insert(log.id, place);
        self.waiting.insert(place, Arc::clone(log));
    }

    /// The first log that no thread is committing. Skips at most as many as there are threads.
    fn take(&mut self) -> Option<Arc<Log>> {
        let free = self.waiting.iter().find(|(_, log)| !self.syncing.contains(&log.id));
        let place = *free?.0;
        let log = self.waiting.remove(&place)?;
        self.places.remove(&log.id);
        self.syncing.push(log.id);
        Some(log)
    }

    fn stall(&mut self, log: &Arc<Log>) {
        if !self.stalled.iter().any(|stalled| stalled.id == log.id) {
            self.stalled.push(Arc::clone(log));
        }
    }

    fn retry_stalled(&mut self) {
        self.commits_since_retry = 0;
        for log in std::mem::take(&mut self.stalled) {
            self.put(&log, 1);
        }
    }
}
