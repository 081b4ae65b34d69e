//! Work that keeps a processor busy for long: unpacking what a stranger compressed.
//!
//! Invariants: never on an async thread of its runtime; at most as many at once as there are processors less one, so
//! that everybody else keeps one; callers that cannot wait asynchronously are refused once too many of them wait,
//! because each holds a thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use factum_base::blocking_work::BlockingWork;
use tokio::runtime::{Handle, RuntimeFlavor};

/// Most callers of [`HeavyWork::run_in_place`] at one time, running or waiting.
const MAX_IN_PLACE: usize = 32;

/// Too much of it is under way: the same can be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server unpacks {MAX_IN_PLACE} other batches already; send it again")]
pub struct Busy;

/// Admits heavy work.
#[derive(Debug)]
pub(crate) struct HeavyWork {
    admitted: BlockingWork,
    in_place: AtomicUsize,
}

impl Default for HeavyWork {
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let admitted = BlockingWork::at_most(processors.saturating_sub(1).max(1));
        Self { admitted, in_place: AtomicUsize::new(0) }
    }
}

impl HeavyWork {
    /// Does it on a thread for blocking work. Dropping the future does not stop what has begun.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        self.admitted.run(work).await
    }

    /// Does it here, after the runtime has moved its other tasks to another thread.
    ///
    /// # Errors
    /// [`Busy`].
    pub(crate) fn run_in_place<T>(&self, work: impl FnOnce() -> T) -> Result<T, Busy> {
        let Ok(runtime) = Handle::try_current() else { return Ok(work()) };
        if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
            return Ok(work());
        }
        let _place = self.take_place()?;
        Ok(tokio::task::block_in_place(|| {
            let _permit = runtime.block_on(self.admitted.admit());
            work()
        }))
    }

    fn take_place(&self) -> Result<Place<'_>, Busy> {
        let place = Place(&self.in_place);
        match self.in_place.fetch_add(1, Ordering::Relaxed) < MAX_IN_PLACE {
            true => Ok(place),
            false => Err(Busy),
        }
    }
}

/// One of the [`MAX_IN_PLACE`] places; given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
