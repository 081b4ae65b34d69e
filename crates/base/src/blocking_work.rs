//! Work that would hold up an async thread, and with it everybody else: on a thread for blocking work, so many at a time.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Admits work, in the order in which it is asked for.
#[derive(Debug, Clone)]
pub struct BlockingWork(Arc<Semaphore>);

impl BlockingWork {
    /// Admits at most `count` at one time.
    pub fn at_most(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// Does `work` on a thread for blocking work. Dropping the future does not stop what has begun, nor make room for
    /// other work before it ends. A panic of `work` goes on in the caller.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.0).acquire_owned().await.expect("the semaphore is never closed");
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        match done.await {
            Ok(result) => result,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    /// Admits the caller to do its work itself.
    pub async fn admit(&self) -> SemaphorePermit<'_> {
        self.0.acquire().await.expect("the semaphore is never closed")
    }
}
