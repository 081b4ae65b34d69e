//! Threads that views compute on, so that nothing that serves waits for what a view makes of an event.
//!
//! ```text
//!   task of a view ─► a turn (its view's share, then one of few) ─► a thread of low priority ─► result
//!     │                └─ after a second: the turn goes to the next step, this one computes on beside the turns
//!     └── stopped: it waits no longer; what the step makes is dropped
//! ```
//!
//! Invariants:
//! - Steps begin in the order in which they are asked for. At most as many threads compute as there are turns, and
//!   [`BESIDE`] times as many whose steps take long.
//! - One view has at most as many steps under way as there are turns, long ones included: an event that is never done
//!   takes its view's threads, and leaves the other views theirs.
//! - Nothing waits for a thread at a stop: a step only computes and reads, and what it makes is committed by its task.
//!
//! Not here: what a single event may cost. A limit of time would refuse an event on a busy machine that the same log is read
//! with on another; functions have limits of work instead ([`crate::limited_functions`]).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::available_parallelism;
use std::time::Duration;

use factum_base::tasks::{Stop, TaskGroup};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::warn;

use crate::definitions::RelationName;
use crate::metrics;

/// After so long a step gives its turn to the next.
const LONG: Duration = Duration::from_secs(1);
/// After so long the log says that a step takes long.
const VERY_LONG: Duration = Duration::from_secs(10);
/// Long steps that compute beside the turns, for each turn.
const BESIDE: usize = 4;
/// How long a step waits if the machine has no thread left.
const NO_THREAD_REST: Duration = Duration::from_millis(200);

/// The threads of all views. Cloning gives another hand on them.
#[derive(Clone)]
pub(crate) struct ViewThreads(Arc<Pool>);

struct Pool {
    tasks: TaskGroup,
    count: usize,
    turns: Arc<Semaphore>,
    beside: Arc<Semaphore>,
    /// Threads that have nothing to do; as many as there are turns at most.
    idle: Mutex<Vec<Thread>>,
}

/// A way to hand a step to a thread, which gets it together with this way back among the idle.
type Thread = Sender<(Step, ThreadHandle)>;

struct ThreadHandle(Thread);

/// Computes, and gives what tells the result.
type Step = Box<dyn FnOnce(&Runtime) -> Report + Send>;
type Report = Box<dyn FnOnce() + Send>;

/// The threads as one view may use them.
#[derive(Clone)]
pub(crate) struct StepRunner {
    pool: Arc<Pool>,
    view: RelationName,
    share: Arc<Semaphore>,
}

/// The turn of a step, shared by the step and by the caller that waits for it.
type Turn = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

impl ViewThreads {
    /// `count` turns; 0 stands for one for each core, and two at least. The threads belong to `tasks`.
    pub(crate) fn new(tasks: TaskGroup, count: usize) -> Self {
        let cores = || available_parallelism().map_or(2, |cores| cores.get().max(2));
        let count = if count == 0 { cores() } else { count }.min(Semaphore::MAX_PERMITS / BESIDE);
        Self(Arc::new(Pool {
            tasks,
            count,
            turns: Arc::new(Semaphore::new(count)),
            beside: Arc::new(Semaphore::new(count * BESIDE)),
            idle: Mutex::default(),
        }))
    }

    /// What one part of `view` computes with.
    pub(crate) fn of_view(&self, view: &RelationName) -> StepRunner {
        let share = Arc::new(Semaphore::new(self.0.count));
        StepRunner { pool: Arc::clone(&self.0), view: view.clone(), share }
    }
}

impl StepRunner {
    /// What `work` gives, or `None` as soon as a stop is requested; then it computes on, and its result is dropped. A panic
    /// of `work` goes on in the caller.
    ///
    /// Dropping the future abandons the step in the same way.
    pub(crate) fn run<'s, T, F>(&'s self, stop: &'s Stop, work: F) -> BoxFuture<'s, Option<T>>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        // Boxed here: what an operator holds while it computes would make every future that waits for it large.
        let work = Box::pin(work);
        Box::pin(async move {
            tokio::select! {
                biased;
                () = stop.requested() => None,
                done = self.compute(work) => Some(done.unwrap_or_else(|payload| resume_unwind(payload))),
            }
        })
    }

    async fn compute<T, F>(&self, work: F) -> Result<T, Box<dyn Any + Send>>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let share = acquire(&self.share).await;
        let turn: Turn = Arc::new(Mutex::new(Some(acquire(&self.pool.turns).await)));
        let thread = self.thread().await;
        let (sender, mut result) = oneshot::channel();
        let held = (share, Arc::clone(&turn));
        let step: Step = Box::new(move |runtime| {
            let done = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
            Box::new(move || {
                let (share, turn) = held;
                drop((share, turn.lock().take()));
                sender.send(done).ok();
            })
        });
        hand_over(&thread, step);
        tokio::select! {
            biased;
            done = &mut result => done.expect("a step tells its result"),
            never = self.step_aside(&turn) => match never {},
        }
    }

    /// Gives the turn of a step that takes long to the next, once there is room beside the turns.
    async fn step_aside(&self, turn: &Turn) -> std::convert::Infallible {
        tokio::time::sleep(LONG).await;
        let _counted = metrics::LongStep::begin();
        let beside = async {
            let beside = acquire(&self.pool.beside).await;
            let mut turn = turn.lock();
            if turn.is_some() {
                *turn = Some(beside);
            }
        };
        let told = async {
            tokio::time::sleep(VERY_LONG - LONG).await;
            warn!(view = %self.view, "computes its events for longer than {} s at once", VERY_LONG.as_secs());
        };
        tokio::join!(beside, told);
        std::future::pending().await
    }

    /// A thread that has nothing to do, or a new one; where the machine has none left, as soon as it has.
    async fn thread(&self) -> Thread {
        loop {
            if let Some(thread) = self.pool.idle.lock().pop() {
                return thread;
            }
            let (thread, steps) = channel();
            let pool = Arc::downgrade(&self.pool);
            let body = move |_: Stop| serve(&pool, &steps);
            match self.pool.tasks.spawn_abandonable_thread("view", body) {
                Ok(()) => return thread,
                Err(error) => warn!(view = %self.view, %error, "no thread can be started to compute on"),
            }
            tokio::time::sleep(NO_THREAD_REST).await;
        }
    }
}

async fn acquire(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore).acquire_owned().await.expect("it is never closed")
}

fn hand_over(thread: &Thread, step: Step) {
    let back = ThreadHandle(thread.clone());
    thread.send((step, back)).expect("a thread that is idle or new waits for a step");
}

/// The life of a thread: it ends with the pool, or when enough others are idle.
fn serve(pool: &Weak<Pool>, steps: &Receiver<(Step, ThreadHandle)>) {
    // Of its own, so that whatever a step starts is on this thread too.
    let runtime =
        Builder::new_current_thread().enable_all().build().expect("a runtime for a thread that there is");
    while let Ok((step, ThreadHandle(thread))) = steps.recv() {
        let report = step(&runtime);
        let is_needed = pool.upgrade().is_some_and(|pool| pool.keep(thread));
        // Only now, so that the next step finds this thread.
        report();
        if !is_needed {
            break;
        }
    }
    runtime.shutdown_background();
}

impl Pool {
    /// Puts a thread among the idle ones; whether there was room.
    fn keep(&self, thread: Thread) -> bool {
        let mut idle = self.idle.lock();
        let has_room = idle.len() < self.count;
        if has_room {
            idle.push(thread);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use factum_base::tasks::TaskTree;
    use tokio::task::JoinSet;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn threads(count: usize) -> ViewThreads {
        ViewThreads::new(TaskTree::new().child("test"), count)
    }

    fn view(name: &str) -> RelationName {
        RelationName::new("store", name)
    }

    /// Begins steps of a view that compute until what this gives is dropped.
    async fn hold(runner: &StepRunner, steps: &mut JoinSet<Option<()>>) -> Sender<()> {
        let (let_go, holds) = channel::<()>();
        let (begun, begins) = oneshot::channel();
        let runner = runner.clone();
        steps.spawn(async move {
            let work = async move {
                begun.send(()).expect("the test listens");
                holds.recv().ok();
            };
            runner.run(&Stop::new(), work).await
        });
        begins.await.expect("it begins");
        let_go
    }

    async fn one_of(runner: &StepRunner) -> Option<i32> {
        tokio::time::timeout(PATIENCE, runner.run(&Stop::new(), async { 1 })).await.expect("in time")
    }

    #[tokio::test]
    async fn a_long_step_gives_its_turn_to_other_views() {
        let threads = threads(1);
        let mut steps = JoinSet::new();
        let held = hold(&threads.of_view(&view("slow")), &mut steps).await;
        let quick = threads.of_view(&view("quick"));
        assert_eq!(one_of(&quick).await, Some(1));
        drop(held);
        assert_eq!(steps.join_next().await.expect("a step").expect("no panic"), Some(()));
    }

    #[tokio::test]
    async fn a_view_has_no_more_steps_under_way_than_there_are_turns() {
        let threads = threads(1);
        let mut steps = JoinSet::new();
        let slow = threads.of_view(&view("slow"));
        let held = hold(&slow, &mut steps).await;
        assert_eq!(one_of(&threads.of_view(&view("quick"))).await, Some(1), "the step is beside the turns");
        let stop = Stop::new();
        let next = slow.run(&stop, async { 2 });
        tokio::pin!(next);
        let is_waiting = futures::poll!(next.as_mut()).is_pending() && slow.share.available_permits() == 0;
        assert!(is_waiting, "it waits for the first");
        drop(held);
        assert_eq!(tokio::time::timeout(PATIENCE, next).await.expect("in time"), Some(2));
    }

    #[tokio::test]
    async fn a_stop_waits_for_no_step() {
        let (threads, stop) = (threads(1), Stop::new());
        let (let_go, holds) = channel::<()>();
        let slow = threads.of_view(&view("slow"));
        let step = slow.run(&stop, async move { holds.recv().ok() });
        tokio::pin!(step);
        assert!(futures::poll!(step.as_mut()).is_pending());
        stop.request();
        assert_eq!(step.await, None);
        drop(let_go);
    }

    #[tokio::test]
    async fn threads_are_used_again() {
        let threads = threads(1);
        let runner = threads.of_view(&view("quick"));
        let name = async { std::thread::current().id() };
        let first = runner.run(&Stop::new(), name).await;
        let second = runner.run(&Stop::new(), async { std::thread::current().id() }).await;
        assert!(first.is_some() && first == second);
        assert_ne!(first, Some(std::thread::current().id()));
    }

    #[tokio::test]
    async fn a_panic_goes_on_in_the_caller_and_costs_no_thread() {
        let threads = threads(1);
        let runner = threads.of_view(&view("broken"));
        let stop = Stop::new();
        let step = AssertUnwindSafe(runner.run(&stop, async { panic!("planted") }));
        let caught: Result<Option<()>, _> = futures::FutureExt::catch_unwind(step).await;
        assert!(caught.is_err());
        assert_eq!(one_of(&runner).await, Some(1));
    }
}
