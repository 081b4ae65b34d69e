//! Answers of many rows: how many are made at once, and the memory that they have until their clients have taken them.
//!
//! ```text
//!   rows ─┬─ few ──────────────────────────────────────────────► answer
//!         └─ many ─► in line ─► made, two at a time ─► memory ─► answer ─► the client has it: memory is free
//! ```
//!
//! Invariants: answers of more than [`LARGE`] hold [`Options::answer_memory`] together, beside the two that are being
//! made; one that is larger than that has the memory alone. [`LONGEST_LINE`] wait at most, each with its rows, and for
//! [`Options::snapshot_timeout`]; who finds no place is told to ask again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::Options;
use crate::memory_pool::MemoryPool;
use crate::problem::Problem;

/// Rows of so many bytes in memory are few.
const LARGE: usize = 256 << 10;
const MADE_AT_ONCE: usize = 2;
const LONGEST_LINE: usize = 16;

/// Makes answers of many rows, within bounds.
pub(crate) struct Answers {
    places: Arc<Semaphore>,
    memory: MemoryPool,
    patience: Duration,
    waiting: AtomicUsize,
}

impl Answers {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MADE_AT_ONCE)),
            memory: MemoryPool::new(options.answer_memory),
            patience: options.snapshot_timeout,
            waiting: AtomicUsize::new(0),
        }
    }

    /// The body that `write` makes of rows that take `bytes` in memory. Dropping the future gives its place up, once
    /// `write` has ended if it has begun.
    ///
    /// # Errors
    /// As `write`; 503 if others are in the way for too long.
    pub(crate) async fn make(
        &self,
        bytes: usize,
        write: impl FnOnce() -> Result<Vec<u8>, Problem> + Send + 'static,
    ) -> Result<Body, Problem> {
        if bytes <= LARGE {
            let written = spawn_blocking(write).await.expect("rendering rows does not panic")?;
            return Ok(Body::from(written));
        }
        let _waits = Waits::begin(&self.waiting)?;
        let place = self.in_time(Arc::clone(&self.places).acquire_owned()).await?;
        let place = place.expect("the semaphore is never closed");
        // The place goes with the work: it is taken until that has ended, also if the caller has gone.
        let written = spawn_blocking(move || (write(), place)).await;
        let (written, _place) = written.expect("rendering rows does not panic");
        let written = written?;
        let room = self.in_time(self.memory.room(written.len())).await?;
        Ok(Body::from(Bytes::from_owner(Held { bytes: written, _room: room })))
    }

    async fn in_time<T>(&self, wait: impl Future<Output = T>) -> Result<T, Problem> {
        timeout(self.patience, wait).await.map_err(|_| busy())
    }
}

fn busy() -> Problem {
    Problem::unavailable(
        "busy",
        "too many large answers are being sent (http.answer_memory); ask again, or for fewer rows",
    )
}

/// One of [`LONGEST_LINE`]; gives its place back when dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Result<Self, Problem> {
        let waits = Self(waiting);
        match waiting.fetch_add(1, Ordering::Relaxed) < LONGEST_LINE {
            true => Ok(waits),
            false => Err(busy()),
        }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes that a client is being sent, and their memory: free once the last of them is.
struct Held {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
