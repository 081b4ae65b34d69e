//! Group commit: one loop that syncs every log with unsynced batches, round after round.
//!
//! Always holds: a round takes what was appended before it began; what comes meanwhile is for the next one,
//! which starts at once. There is no timer: on an idle disk an append waits for one sync, on a busy one many
//! share it. With nothing to sync the loop sleeps, and an append makes a system call only to wake it from that.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::partition_log::Shared as Log;

/// Makes the appends of all logs durable. A clone shares it.
#[derive(Clone, Default)]
pub struct Committer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    woken: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Logs with batches that no round has taken yet, each once.
    dirty: Vec<Arc<Log>>,
    stopping: bool,
}

impl Committer {
    /// A committer with nothing to do.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs rounds back to back until [`Committer::stop`], and one last round then. Blocks: give it a thread.
    pub fn run(&self) {
        while let Some(dirty) = self.wait() {
            commit_each(&dirty);
        }
        self.round();
    }

    /// Ends [`Committer::run`], now or when it is called.
    pub fn stop(&self) {
        self.0.queue.lock().stopping = true;
        self.0.woken.notify_all();
    }

    /// Runs one round over the logs that need one, in the caller's thread; returns how many did.
    pub fn round(&self) -> usize {
        let dirty = std::mem::take(&mut self.0.queue.lock().dirty);
        commit_each(&dirty);
        dirty.len()
    }

    /// Has the next round take `log`, which is in no round's queue.
    pub(crate) fn enqueue(&self, log: Arc<Log>) {
        self.0.queue.lock().dirty.push(log);
        self.0.woken.notify_one();
    }

    /// The logs of the next round; `None` once it should stop.
    fn wait(&self) -> Option<Vec<Arc<Log>>> {
        let mut queue = self.0.queue.lock();
        while queue.dirty.is_empty() && !queue.stopping {
            self.0.woken.wait(&mut queue);
        }
        (!queue.stopping).then(|| std::mem::take(&mut queue.dirty))
    }
}

fn commit_each(dirty: &[Arc<Log>]) {
    for log in dirty {
        log.commit();
    }
}
