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
use crate::problem::Problem;

/// Rows of so many bytes in memory are few.
const LARGE: usize = 256 << 10;
const MADE_AT_ONCE: usize = 2;
const LONGEST_LINE: usize = 16;
/// The unit in which memory is counted.
const PERMIT_BYTES: usize = 1024;

/// Makes answers of many rows, within bounds.
pub(crate) struct Answers {
    places: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    permits: usize,
    patience: Duration,
    waiting: AtomicUsize,
}

impl Answers {
    pub(crate) fn new(options: &Options) -> Self {
        let bytes = usize::try_from(options.answer_memory.as_u64()).unwrap_or(usize::MAX);
        let permits = (bytes / PERMIT_BYTES).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self {
            places: Arc::new(Semaphore::new(MADE_AT_ONCE)),
            memory: Arc::new(Semaphore::new(permits)),
            permits,
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
        // The place goes with the work: it is taken until that has ended, also if nobody waits any more.
        let written = spawn_blocking(move || (write(), place)).await;
        let (written, _place) = written.expect("rendering rows does not panic");
        let written = written?;
        let permits = written.len().div_ceil(PERMIT_BYTES).clamp(1, self.permits);
        let permits = u32::try_from(permits).expect("as many as there are at most");
        let room = self.in_time(Arc::clone(&self.memory).acquire_many_owned(permits)).await?;
        Ok(Body::from(Bytes::from_owner(Held { bytes: written, _room: room })))
    }

    async fn in_time<E: std::fmt::Debug>(
        &self,
        permit: impl Future<Output = Result<OwnedSemaphorePermit, E>>,
    ) -> Result<OwnedSemaphorePermit, Problem> {
        match timeout(self.patience, permit).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(busy()),
        }
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
