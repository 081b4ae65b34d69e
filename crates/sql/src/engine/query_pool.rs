//! Threads for queries that strangers wrote, so that nothing else waits for them.
//!
//! ```text
//!   caller ─► Slot (waits for one of few) ─► a thread of low priority with a runtime of its own ─► result
//!     └── gone, or its time is up: Interrupt ─► the next pause, the next batch of a join or a filter
//! ```
//!
//! Invariants:
//! - At most `running` queries are waited for, and at most `waiting` callers wait for a slot; a further one is refused
//!   at once.
//! - One client address has at most half of either (one at least). What it asks for beyond its slots waits in a line of its
//!   own: before another address are no more of its queries than it may have slots.
//! - A thread that does not heed its interrupt is abandoned: neither its client nor a stop of the server waits for it. Of
//!   such threads half as many as there are slots (at least one) run beside the slots, so that others still have one;
//!   those beyond keep theirs until they end. So there are never more threads than one and a half times the slots.
//!   A thread that was abandoned counts among those of its client until it ends.
//! - How many are abandoned and run is measured, and told to whom is refused.
//! - Nothing that others need is computed here: the rows of views are read elsewhere, as their own readers read them.
//!
//! Not here: how much memory a query may take ([`crate::session`]), and its time ([`super::query`]).

use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use factum_base::clients::{ClientAddress, ClientLimit, ClientShare};
use factum_base::tasks::{Stop, TaskGroup};
use futures::FutureExt;
use parking_lot::Mutex;
use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::QueryError;
use crate::interrupt::Interrupt;
use crate::metrics;

/// A bounded number of threads for one kind of query.
pub(super) struct QueryPool {
    tasks: TaskGroup,
    running: Arc<Semaphore>,
    running_of_client: Arc<ClientLimit>,
    abandoned: Arc<AbandonedThreads>,
    waiting: Semaphore,
    waiting_of_client: Arc<ClientLimit>,
    /// What a refused caller is told: which settings are the limits.
    limits: String,
}

impl QueryPool {
    /// A pool whose threads hear of the stop of `tasks`; `settings` names what bounds it.
    pub(super) fn new(tasks: TaskGroup, running: usize, waiting: usize, settings: &str) -> Self {
        let running = running.clamp(1, Semaphore::MAX_PERMITS);
        let waiting = waiting.min(Semaphore::MAX_PERMITS);
        Self {
            tasks,
            running: Arc::new(Semaphore::new(running)),
            running_of_client: ClientLimit::new((running / 2).max(1)),
            abandoned: Arc::new(AbandonedThreads::beside(running)),
            waiting: Semaphore::new(waiting),
            waiting_of_client: ClientLimit::new(waiting.div_ceil(2)),
            limits: format!("{running} run at once and {waiting} may wait ({settings})"),
        }
    }

    /// Waits, `limit` at most, for a slot to run a query of `client` in; of one address the first to come is the first to
    /// go. What the server itself has to do is done for no client, and has no limit but the pool's.
    ///
    /// # Errors
    /// [`QueryError::Busy`] if too many wait already, or the time is up.
    pub(super) async fn slot(
        &self,
        client: Option<ClientAddress>,
        limit: Duration,
    ) -> Result<Slot, QueryError> {
        if let Some(place) = self.free_place(client) {
            return Ok(self.slot_in(place));
        }
        let busy = |what: &str| QueryError::Busy { reason: self.refusal(what) };
        let _waiting_of_client = match client {
            Some(client) => {
                let place = self.waiting_of_client.take(client, 1);
                Some(place.ok_or_else(|| busy(&self.too_many_of_client()))?)
            }
            None => None,
        };
        let Ok(_waiting) = self.waiting.try_acquire() else { return Err(busy("too many queries")) };
        let place = tokio::time::timeout(limit, self.next_place(client)).await;
        let place = place
            .map_err(|_| busy(&format!("the query waited for {} s for others to end", limit.as_secs())))?;
        Ok(self.slot_in(place))
    }

    /// A place without waiting.
    fn free_place(&self, client: Option<ClientAddress>) -> Option<Arc<Place>> {
        let share = match client {
            Some(client) => Some(self.running_of_client.take(client, 1)?),
            None => None,
        };
        let permit = Arc::clone(&self.running).try_acquire_owned().ok()?;
        Some(Place::new(permit, share, &self.abandoned))
    }

    /// The next place: first among those of the client, then among those of all.
    async fn next_place(&self, client: Option<ClientAddress>) -> Arc<Place> {
        let share = match client {
            Some(client) => Some(self.running_of_client.wait(client, 1).await),
            None => None,
        };
        let permit = Arc::clone(&self.running).acquire_owned().await.expect("a pool is never closed");
        Place::new(permit, share, &self.abandoned)
    }

    fn too_many_of_client(&self) -> String {
        let (running, waiting) = (self.running_of_client.limit(), self.waiting_of_client.limit());
        format!(
            "too many queries from one client address, of which {running} run at once and {waiting} may wait; of all \
             clients"
        )
    }

    /// Why there is no slot, in words.
    fn refusal(&self, what: &str) -> String {
        let limits = &self.limits;
        match self.abandoned.count.load(Ordering::Relaxed) {
            0 => format!("{what}: {limits}"),
            1 => format!("{what}: {limits}; one that was ended has not stopped computing yet"),
            many => format!("{what}: {limits}; {many} that were ended have not stopped computing yet"),
        }
    }

    fn slot_in(&self, place: Arc<Place>) -> Slot {
        let interrupt = Interrupt::new(self.tasks.stop().child());
        Slot { place, interrupt, tasks: self.tasks.clone() }
    }
}

/// The threads of a pool whose queries were given up.
struct AbandonedThreads {
    /// Room for those that give their slots back.
    room: Arc<Semaphore>,
    /// All of them.
    count: AtomicUsize,
}

impl AbandonedThreads {
    fn beside(slots: usize) -> Self {
        Self { room: Arc::new(Semaphore::new((slots / 2).max(1))), count: AtomicUsize::new(0) }
    }
}

/// What a slot and the thread that computes for it take up together.
struct Place {
    state: Mutex<PlaceState>,
    abandoned: Arc<AbandonedThreads>,
}

struct PlaceState {
    /// Of the slots, or of the room beside them.
    permit: Option<OwnedSemaphorePermit>,
    /// Of the client's slots.
    share: Option<ClientShare>,
    is_running: bool,
    is_abandoned: bool,
}

impl Place {
    fn new(
        permit: OwnedSemaphorePermit,
        share: Option<ClientShare>,
        abandoned: &Arc<AbandonedThreads>,
    ) -> Arc<Self> {
        let state = PlaceState { permit: Some(permit), share, is_running: false, is_abandoned: false };
        Arc::new(Self { state: Mutex::new(state), abandoned: Arc::clone(abandoned) })
    }

    /// A thread begins to compute.
    fn begin(self: &Arc<Self>) -> Running {
        self.state.lock().is_running = true;
        Running(Arc::clone(self))
    }

    /// No one waits any more. If the thread has not ended, others may have its slot, as far as there is room beside.
    fn abandon(&self) {
        let mut state = self.state.lock();
        if !state.is_running {
            return;
        }
        state.is_abandoned = true;
        self.abandoned.count.fetch_add(1, Ordering::Relaxed);
        metrics::abandoned_queries(1.0);
        if let Ok(beside) = Arc::clone(&self.abandoned.room).try_acquire_owned() {
            state.permit = Some(beside);
        }
    }

    fn end(&self) {
        let mut state = self.state.lock();
        state.is_running = false;
        if std::mem::take(&mut state.is_abandoned) {
            (state.permit, state.share) = (None, None);
            self.abandoned.count.fetch_sub(1, Ordering::Relaxed);
            metrics::abandoned_queries(-1.0);
        }
    }
}

/// A thread that computes, however it ends.
struct Running(Arc<Place>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The right to compute. Dropping it interrupts what runs in it.
pub(super) struct Slot {
    place: Arc<Place>,
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
        let (running, interrupt) = (self.place.begin(), self.interrupt.clone());
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
                    done = AssertUnwindSafe(work).catch_unwind() => done.unwrap_or_else(after_panic),
                }
            });
            runtime.shutdown_background();
            drop(running);
            sender.send(done).ok();
        };
        if let Err(error) = self.tasks.spawn_abandonable_thread("query", body) {
            return Err(QueryError::Busy { reason: format!("a query cannot be run now: {error}") });
        }
        result.await.unwrap_or(Err(QueryError::Broken))
    }
}

/// The result of work that panicked with `payload`.
///
/// Arrow counts the bytes of a column of texts in 32 bits and panics beyond them; that is the query's doing. Any other
/// panic is our mistake and goes on.
fn after_panic<T>(payload: Box<dyn Any + Send>) -> Result<T, QueryError> {
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    match message {
        Some(message) if message.contains("offset overflow") => {
            let reason = "the query makes a column of more than 2 GiB: select fewer rows or shorter texts";
            Err(QueryError::TooLarge { reason: reason.to_owned() })
        }
        _ => resume_unwind(payload),
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.interrupt.request();
        self.place.abandon();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::mpsc;

    use factum_base::tasks::TaskTree;
    use tokio::task::JoinSet;

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
        let slot = pool.slot(None, PATIENCE).await.expect("free");
        let (held, ended) = oneshot::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let work = slot.run(async move {
            let _held = held;
            begun.send(()).expect("the test listens");
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

    fn client(last: u8) -> Option<ClientAddress> {
        Some(ClientAddress::from(IpAddr::from([10, 0, 0, last])))
    }

    /// Begins work that is deaf to its interrupt, as one step of an operator is, and abandons it; it ends once what this
    /// gives is dropped.
    async fn abandon(pool: &QueryPool, client: Option<ClientAddress>) -> mpsc::Sender<()> {
        let slot = pool.slot(client, PATIENCE).await.expect("free");
        let (let_go, holds) = mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let work = slot.run(async move {
            begun.send(()).expect("the test listens");
            holds.recv().ok();
            Ok(())
        });
        tokio::select! {
            _ = work => panic!("it does not end by itself"),
            begun = begins => begun.expect("it begins"),
        }
        let_go
    }

    #[tokio::test]
    async fn abandoned_threads_leave_half_the_slots_to_others() {
        let pool = pool(2, 0);
        let one = abandon(&pool, None).await;
        // It runs beside the slots, all of which are free.
        let (slot, _other) =
            (pool.slot(None, PATIENCE).await.expect("free"), pool.slot(None, PATIENCE).await.expect("free"));
        drop(slot);
        let two = abandon(&pool, None).await;
        // There is no room beside the slots for a second one.
        let refused = pool.slot(None, PATIENCE).await.err().expect("taken");
        assert_eq!(
            refused.to_string(),
            "too many queries: 2 run at once and 0 may wait (sql.queries, sql.waiting_queries); 2 that were ended have \
             not stopped computing yet"
        );
        drop((one, two));
        let waiting = Arc::clone(&pool.running).acquire_owned();
        let permit = tokio::time::timeout(PATIENCE, waiting).await.expect("free once the thread has ended");
        drop(permit.expect("open"));
    }

    #[tokio::test]
    async fn abandoned_threads_count_among_those_of_their_client() {
        let pool = pool(2, 4);
        let one = abandon(&pool, client(1)).await;
        let refused = pool.slot(client(1), Duration::ZERO).await.err().expect("its half is taken");
        assert!(matches!(refused, QueryError::Busy { .. }));
        let _other = pool.slot(client(2), Duration::ZERO).await.expect("another address has the other half");
        drop(one);
        pool.slot(client(1), PATIENCE).await.expect("free once the thread has ended");
    }

    #[tokio::test]
    async fn one_address_waits_in_no_other_ones_way() {
        let pool = Arc::new(pool(2, 4));
        let _one = pool.slot(client(1), PATIENCE).await.expect("free");
        let mut waiting = JoinSet::new();
        for _ in 0..2 {
            let pool = Arc::clone(&pool);
            waiting.spawn(async move { pool.slot(client(1), Duration::MAX).await.map(|_| ()) });
        }
        tokio::task::yield_now().await;
        let refused = pool.slot(client(1), Duration::MAX).await.err().expect("two of four may wait");
        assert_eq!(
            refused.to_string(),
            "too many queries from one client address, of which 1 run at once and 2 may wait; of all clients: 2 run at \
             once and 4 may wait (sql.queries, sql.waiting_queries)"
        );
        let _other = pool.slot(client(2), Duration::ZERO).await.expect("free");
        assert!(waiting.try_join_next().is_none(), "they wait");
    }

    #[tokio::test]
    async fn too_many_that_wait_are_refused_at_once() {
        let pool = pool(1, 0);
        let _taken = pool.slot(None, PATIENCE).await.expect("free");
        let refused = pool.slot(None, Duration::MAX).await.err().expect("none may wait");
        assert!(matches!(refused, QueryError::Busy { .. }));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_its_query_alone() {
        let pool = pool(1, 0);
        let slot = pool.slot(None, PATIENCE).await.expect("free");
        let broken = slot.run(async { planted() }).await;
        assert!(matches!(broken, Err(QueryError::Broken)));
        drop(slot);
        // Its thread may take a moment to end.
        let permit = Arc::clone(&pool.running).acquire_owned().await.expect("open");
        let slot = pool.slot_in(Place::new(permit, None, &pool.abandoned));
        assert_eq!(slot.run(async { Ok(1) }).await.expect("computed"), 1);
    }
}
