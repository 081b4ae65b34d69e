//! Threads for queries that strangers wrote, so that nothing else waits for them.
//!
//! ```text
//!   caller ─► Slot (waits for one of few) ─► a thread of low priority with a runtime of its own ─► result
//!     └── gone, or its time is up: Interrupt ─► the next pause, the next batch of a join or a filter
//! ```
//!
//! Invariants:
//! - At most `running` threads compute and at most `waiting` callers wait; a further one is refused at once.
//! - A thread that does not heed its interrupt is abandoned: nobody waits for it, a stop of the server least of all,
//!   but its slot stays taken until it ends.
//! - Nothing that others need is computed here: the rows of views are read elsewhere, as their own readers read them.
//!
//! Not here: how much memory a query may take ([`crate::session`]), and its time ([`super::query`]).

use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::{Stop, TaskGroup};
use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::QueryError;
use crate::interrupt::Interrupt;

/// A bounded number of threads for one kind of query.
pub(super) struct QueryPool {
    tasks: TaskGroup,
    running: Arc<Semaphore>,
    waiting: Semaphore,
    /// What a refused caller is told: which settings are the limits.
    limits: String,
}

impl QueryPool {
    /// A pool whose threads hear of the stop of `tasks`; `settings` names what bounds it.
    pub(super) fn new(tasks: TaskGroup, running: usize, waiting: usize, settings: &str) -> Self {
        let running = running.clamp(1, Semaphore::MAX_PERMITS);
        let waiting = waiting.min(Semaphore::MAX_PERMITS);
        let limits = format!("{running} run at once and {waiting} may wait ({settings})");
        let (running, waiting) = (Arc::new(Semaphore::new(running)), Semaphore::new(waiting));
        Self { tasks, running, waiting, limits }
    }

    /// Waits, `limit` at most, for a slot to run a query in; the first to come is the first to go.
    ///
    /// # Errors
    /// [`QueryError::Busy`] if too many wait already, or the time is up.
    pub(super) async fn slot(&self, limit: Duration) -> Result<Slot, QueryError> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(self.taken(permit));
        }
        let busy = |what: &str| QueryError::Busy { reason: format!("{what}: {}", self.limits) };
        let Ok(_waiting) = self.waiting.try_acquire() else { return Err(busy("too many queries")) };
        let permit = tokio::time::timeout(limit, Arc::clone(&self.running).acquire_owned()).await;
        let permit = permit
            .map_err(|_| busy(&format!("the query waited for {} s for others to end", limit.as_secs())))?;
        Ok(self.taken(permit.expect("a pool is never closed")))
    }

    fn taken(&self, permit: OwnedSemaphorePermit) -> Slot {
        let interrupt = Interrupt::new(self.tasks.stop().child());
        Slot { permit: Arc::new(permit), interrupt, tasks: self.tasks.clone() }
    }
}

/// The right to compute. Dropping it interrupts what runs in it.
pub(super) struct Slot {
    permit: Arc<OwnedSemaphorePermit>,
    interrupt: Interrupt,
    tasks: TaskGroup,
}

impl Slot {
    /// What ends the work of this slot; it is to be asked within whatever computes for long.
    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Runs `work` on a thread of its own. It ends where it next pauses once the slot is dropped.
    ///
    /// # Errors
    /// [`QueryError::Busy`] if the machine has no thread left; [`QueryError::Broken`] if the work panicked.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, QueryError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, QueryError>> + Send + 'static,
    {
        let (sender, result) = oneshot::channel();
        let (permit, interrupt) = (Arc::clone(&self.permit), self.interrupt.clone());
        let body = move |_: Stop| {
            // A runtime of its own, so that whatever the work starts is on this thread too.
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let reason = format!("a query cannot be run now: {error}");
                    sender.send(Err(QueryError::Busy { reason })).ok();
                    return;
                }
            };
            let done = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = interrupt.requested() => Err(QueryError::ended()),
                    done = work => done,
                }
            });
            sender.send(done).ok();
            runtime.shutdown_background();
            drop(permit);
        };
        if let Err(error) = self.tasks.spawn_abandonable_thread("query", body) {
            return Err(QueryError::Busy { reason: format!("a query cannot be run now: {error}") });
        }
        result.await.unwrap_or(Err(QueryError::Broken))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.interrupt.request();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use factum_base::tasks::TaskTree;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn pool(running: usize, waiting: usize) -> QueryPool {
        QueryPool::new(TaskTree::new().child("test"), running, waiting, "sql.queries, sql.waiting_queries")
    }

    fn planted() -> Result<(), QueryError> {
        panic!("planted")
    }

    #[tokio::test]
    async fn work_ends_when_nobody_waits_for_it() {
        let pool = pool(1, 0);
        let slot = pool.slot(PATIENCE).await.expect("free");
        let (held, ended) = oneshot::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let work = slot.run(async move {
            let _held = held;
            begun.send(()).expect("somebody listens");
            std::future::pending::<Result<(), QueryError>>().await
        });
        tokio::select! {
            _ = work => panic!("it never ends by itself"),
            begun = begins => begun.expect("it begins"),
        }
        drop(slot);
        let ended = tokio::time::timeout(PATIENCE, ended).await.expect("ended in time");
        ended.expect_err("it is dropped");
    }

    #[tokio::test]
    async fn the_slot_of_an_abandoned_thread_stays_taken() {
        let pool = pool(1, 1);
        let slot = pool.slot(PATIENCE).await.expect("free");
        let (let_go, holds) = mpsc::channel::<()>();
        let work = async move {
            // Deaf to its interrupt, as one step of an operator is.
            holds.recv().ok();
            Ok(())
        };
        assert!(tokio::time::timeout(Duration::from_millis(20), slot.run(work)).await.is_err());
        drop(slot);
        let refused = pool.slot(Duration::from_millis(20)).await.err().expect("taken");
        assert_eq!(
            refused.to_string(),
            "the query waited for 0 s for others to end: 1 run at once and 1 may wait (sql.queries, sql.waiting_queries)"
        );
        drop(let_go);
        pool.slot(PATIENCE).await.map(drop).expect("free once the thread has ended");
    }

    #[tokio::test]
    async fn too_many_that_wait_are_refused_at_once() {
        let pool = pool(1, 0);
        let _taken = pool.slot(PATIENCE).await.expect("free");
        let refused = pool.slot(Duration::MAX).await.err().expect("nobody may wait");
        assert!(matches!(refused, QueryError::Busy { .. }));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_its_query_alone() {
        let pool = pool(1, 0);
        let slot = pool.slot(PATIENCE).await.expect("free");
        let broken = slot.run(async { planted() }).await;
        assert!(matches!(broken, Err(QueryError::Broken)));
        drop(slot);
        // Its thread may take a moment to end.
        let permit = Arc::clone(&pool.running).acquire_owned().await.expect("open");
        let slot = pool.taken(permit);
        assert_eq!(slot.run(async { Ok(1) }).await.expect("computed"), 1);
    }
}
