//! The task tree: who runs, what a failure means, and in which order things stop.
//!
//! ```text
//!   server ─┬─ edge    stop admitting, finish what was admitted
//!           ├─ broker  drain
//!           └─ log     last fsync
//! ```
//!
//! Invariants: a task is never dropped half-way. It receives a [`Stop`], finishes its unit of work and
//! returns; [`TaskGroup::stop_within`] waits for it and names the tasks that do not end.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error};

/// What a task may end with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Tells a task that its group is stopping.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// A stop that no one has requested; [`Stop::request`] does.
    pub fn new() -> Self {
        Self::default()
    }

    /// Resolves once a stop is requested.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// Whether a stop is requested.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Requests it.
    pub fn request(&self) {
        self.0.cancel();
    }

    /// A stop that follows this one and can also be requested alone.
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }
}

/// What the failure of a task means for the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnError {
    /// The server cannot do its work without it: stop in order.
    StopServer,
    /// Others are not concerned: say so and go on.
    Log,
}

/// The root: it learns of a wish to stop from a signal or from a failed task.
#[derive(Clone, Debug)]
pub struct TaskTree {
    reason: Arc<watch::Sender<Option<String>>>,
}

impl Default for TaskTree {
    fn default() -> Self {
        Self::new()
    }
}

impl TaskTree {
    /// A tree without tasks.
    pub fn new() -> Self {
        Self { reason: Arc::new(watch::Sender::new(None)) }
    }

    /// A named group of tasks that stop together.
    pub fn child(&self, name: &'static str) -> TaskGroup {
        TaskGroup {
            name,
            tree: self.clone(),
            stop: Stop::new(),
            tracker: TaskTracker::new(),
            running: Arc::new(Mutex::new(Vec::new())),
        }
    }

    /// Asks for an orderly stop; the first reason is kept.
    pub fn request_stop(&self, reason: impl Into<String>) {
        self.reason.send_if_modified(|kept| {
            let first = kept.is_none();
            if first {
                *kept = Some(reason.into());
            }
            first
        });
    }

    /// Resolves with the reason once a stop is asked for. Stopping the groups is the caller's work.
    pub async fn stop_requested(&self) -> String {
        let mut reason = self.reason.subscribe();
        let found = reason.wait_for(Option::is_some).await.map(|reason| reason.clone());
        found.ok().flatten().unwrap_or_default()
    }
}

/// Tasks that stop together. Cloning gives another hand on the same group.
#[derive(Clone, Debug)]
pub struct TaskGroup {
    name: &'static str,
    tree: TaskTree,
    stop: Stop,
    tracker: TaskTracker,
    running: Arc<Mutex<Vec<&'static str>>>,
}

impl TaskGroup {
    /// What the group's tasks wait on.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Runs a long-lived task until it returns.
    pub fn spawn<F>(&self, name: &'static str, on_error: OnError, task: F)
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let ending = self.begin(name, on_error);
        self.spawn_quiet(async move { ending.end(task.await) });
    }

    /// Runs a task that reports its own failures, such as one connection.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns; the tracker waits for it")]
    pub fn spawn_quiet<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(self.tracker.track_future(task));
    }

    /// Runs blocking work on a thread of its own until it returns.
    ///
    /// # Panics
    /// If the machine has no thread left: nothing could run then.
    pub fn spawn_thread<F>(&self, name: &'static str, on_error: OnError, work: F)
    where
        F: FnOnce(Stop) -> Result<(), BoxError> + Send + 'static,
    {
        let (ending, stop, token) = (self.begin(name, on_error), self.stop(), self.tracker.token());
        let body = move || {
            ending.end(work(stop));
            drop(token);
        };
        std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("a thread can be started");
    }

    /// Runs work on a thread of its own that a stop does not wait for; on Linux its priority is lower than that of
    /// everything else. The end of the process ends it wherever it is, so it must hold nothing that has to be
    /// finished: it is for computing that cannot be interrupted, such as one step of a query.
    ///
    /// # Errors
    /// If the machine has no thread left.
    pub fn spawn_abandonable_thread<F>(&self, name: &'static str, work: F) -> std::io::Result<()>
    where
        F: FnOnce(Stop) + Send + 'static,
    {
        let stop = self.stop();
        let body = move || {
            lower_priority();
            work(stop);
        };
        let builder = std::thread::Builder::new().name(name.to_owned()).stack_size(ABANDONABLE_STACK);
        builder.spawn(body).map(drop)
    }

    /// Requests a stop and waits until every task has returned.
    pub async fn stop_within(&self, limit: Duration) -> Stragglers {
        self.stop.request();
        self.tracker.close();
        let late = tokio::time::timeout(limit, self.tracker.wait()).await.is_err();
        let names = if late { self.running.lock().clone() } else { Vec::new() };
        Stragglers { group: self.name, unfinished: if late { self.tracker.len() } else { 0 }, names }
    }

    fn begin(&self, name: &'static str, on_error: OnError) -> Ending {
        self.running.lock().push(name);
        Ending { name, on_error, tree: self.tree.clone(), running: Arc::clone(&self.running) }
    }
}

/// Threads that compute what strangers wrote walk plans and expressions by recursion. Only what is used of it takes memory.
const ABANDONABLE_STACK: usize = 32 << 20;

/// Lets all other threads go first. On Linux the nice value is one thread's (`sched(7)`), elsewhere it is the whole
/// process's and stays as it is.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 5) {
        debug!(%error, "a thread keeps its priority");
    }
}

/// The last act of a task, whichever way it ends.
struct Ending {
    name: &'static str,
    on_error: OnError,
    tree: TaskTree,
    running: Arc<Mutex<Vec<&'static str>>>,
}

impl Ending {
    fn end(&self, result: Result<(), BoxError>) {
        match (result, self.on_error) {
            (Ok(()), _) => debug!(task = self.name, "task ended"),
            (Err(error), OnError::Log) => error!(task = self.name, error, "task failed"),
            (Err(error), OnError::StopServer) => {
                error!(task = self.name, error, "task failed, stopping the server");
                self.tree.request_stop(format!("{} failed: {error}", self.name));
            }
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() && self.on_error == OnError::StopServer {
            self.tree.request_stop(format!("{} broke an invariant", self.name));
        }
        let mut running = self.running.lock();
        if let Some(at) = running.iter().position(|name| *name == self.name) {
            running.swap_remove(at);
        }
    }
}

/// Who had not returned when the time was up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stragglers {
    group: &'static str,
    unfinished: usize,
    names: Vec<&'static str>,
}

impl Stragglers {
    /// Whether everyone came.
    pub fn is_empty(&self) -> bool {
        self.unfinished == 0
    }

    /// Logs those that did not come.
    pub fn log(&self) {
        if !self.is_empty() {
            error!(group = self.group, stragglers = %self, "tasks did not stop in time");
        }
    }
}

impl fmt::Display for Stragglers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tasks, among them {}", self.unfinished, self.names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_waits_for_the_unit_of_work() {
        let group = TaskTree::new().child("test");
        let (done, finished) = tokio::sync::oneshot::channel();
        let stop = group.stop();
        group.spawn("worker", OnError::Log, async move {
            stop.requested().await;
            tokio::task::yield_now().await;
            done.send(()).map_err(|()| "no one waits".into())
        });
        assert!(group.stop_within(Duration::from_secs(5)).await.is_empty());
        finished.await.expect("the worker reached its end");
    }

    #[tokio::test]
    async fn a_failure_stops_the_server_with_its_reason() {
        let tree = TaskTree::new();
        tree.child("test").spawn("flusher", OnError::StopServer, async { Err("disk is gone".into()) });
        assert_eq!(tree.stop_requested().await, "flusher failed: disk is gone");
    }

    #[tokio::test]
    async fn a_panic_stops_the_server_too() {
        let tree = TaskTree::new();
        tree.child("test").spawn("flusher", OnError::StopServer, async { panic!("planted") });
        assert_eq!(tree.stop_requested().await, "flusher broke an invariant");
    }

    #[tokio::test]
    async fn stragglers_are_named() {
        let group = TaskTree::new().child("test");
        group.spawn("sleeper", OnError::Log, std::future::pending());
        let late = group.stop_within(Duration::from_millis(5)).await;
        assert_eq!(late.to_string(), "1 tasks, among them sleeper");
    }

    #[tokio::test]
    async fn an_abandonable_thread_holds_no_stop_up() {
        let group = TaskTree::new().child("test");
        let (_kept, never) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let work = move |_: Stop| {
            begun.send(()).expect("someone listens");
            never.recv().ok();
        };
        group.spawn_abandonable_thread("computing", work).expect("a thread");
        begins.await.expect("it begins");
        assert!(group.stop_within(Duration::from_secs(5)).await.is_empty());
    }

    #[tokio::test]
    async fn threads_are_waited_for() {
        let group = TaskTree::new().child("test");
        let (sender, receiver) = std::sync::mpsc::channel();
        group.spawn_thread("blocker", OnError::Log, move |stop| {
            receiver.recv()?;
            assert!(stop.is_requested());
            Ok(())
        });
        group.stop().request();
        sender.send(()).expect("the thread listens");
        assert!(group.stop_within(Duration::from_secs(5)).await.is_empty());
    }
}
