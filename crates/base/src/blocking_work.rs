//! Work that would hold up an async thread, and with it everybody else: on a thread for blocking work, so many at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::JoinSet;

/// Admits work, in the order in which it is asked for.
#[derive(Debug, Clone)]
pub struct BlockingWork(Arc<Semaphore>);

impl BlockingWork {
    /// Admits at most `count` at one time.
    pub fn at_most(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// Does `work` on a thread for blocking work. Dropping the future takes back what has not begun; what has begun goes
    /// on, and makes room for other work when it ends. A panic of `work` goes on in the caller.
    ///
    /// Where no turn is free it waits for one in a task of its own: a caller that is not polled for a while, such as a response that its
    /// client does not read, would else be given a turn that it does not use, and everyone else would wait for that.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let result = match Arc::clone(&self.0).try_acquire_owned() {
            Ok(permit) => {
                let mut works = JoinSet::new();
                works.spawn_blocking(in_turn(permit, work));
                works.join_next().await.expect("one work")
            }
            Err(_) => {
                let turn = Arc::clone(&self.0);
                let mut tasks = JoinSet::new();
                tasks.spawn(async move {
                    let permit = turn.acquire_owned().await.expect("the semaphore is never closed");
                    tokio::task::spawn_blocking(in_turn(permit, work)).await
                });
                tasks.join_next().await.expect("one task").flatten()
            }
        };
        match result {
            Ok(result) => result,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    /// Admits the caller to do its work itself.
    pub async fn admit(&self) -> SemaphorePermit<'_> {
        self.0.acquire().await.expect("the semaphore is never closed")
    }
}

/// `work`, which gives its turn back when it ends.
fn in_turn<T>(permit: OwnedSemaphorePermit, work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    move || {
        let _permit = permit;
        work()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn is_waiting(work: std::pin::Pin<&mut impl Future>) -> bool {
        work.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// A turn that is given to a caller which is not polled must not keep others from theirs.
    #[tokio::test]
    async fn a_caller_that_is_not_polled_is_in_no_ones_way() {
        let work = BlockingWork::at_most(1);
        let taken = work.admit().await;
        let mut paused = Box::pin(work.run(|| 1));
        assert!(is_waiting(paused.as_mut()), "it waits for its turn");
        drop(taken);
        assert_eq!(work.run(|| 2).await, 2);
        assert_eq!(paused.await, 1);
    }

    #[tokio::test]
    async fn work_that_need_not_wait_takes_no_task() {
        let work = BlockingWork::at_most(1);
        let runtime = tokio::runtime::Handle::current();
        let tasks = work.run(move || runtime.metrics().num_alive_tasks()).await;
        assert_eq!(tasks, 0);
    }

    #[tokio::test]
    async fn a_dropped_caller_takes_back_what_has_not_begun() {
        let work = BlockingWork::at_most(1);
        let taken = work.admit().await;
        let (begun, has_begun) = std::sync::mpsc::channel();
        let mut waiting = Box::pin(work.run(move || begun.send(()).ok()));
        assert!(is_waiting(waiting.as_mut()), "it waits for its turn");
        drop((waiting, taken));
        assert_eq!(work.run(|| 2).await, 2);
        assert!(has_begun.recv().is_err(), "its work was dropped");
    }
}
