//! Computing of events, beside the threads that serve.
//!
//! What a view computes of one event may take long: it calls whatever functions its statement calls, over values that
//! strangers send. The runtime's workers also answer clients, so none of them is held meanwhile: the rest of what it has
//! to do goes to another thread.
//!
//! Invariants: at most [`PER_CORE`] computations a core run at once; a further one waits for its turn, first come first
//! served, and holds no thread.
//!
//! Not here: how long one may take, which nothing bounds. Functions have limits of their own (`limited_functions`).

use std::num::NonZeroUsize;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// Computations of one core: one that takes long does not keep the other views from the core.
const PER_CORE: usize = 2;

/// Turns to compute.
pub(crate) struct ComputeTurns(Semaphore);

impl ComputeTurns {
    /// As many as this machine has cores for.
    pub(crate) fn of_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self(Semaphore::new(cores * PER_CORE))
    }

    /// Runs `work` to its end once it has a turn. Cancelling before that drops it; it cannot be cancelled once it computes.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T> + Send) -> T {
        let _turn = self.0.acquire().await.expect("turns are never closed");
        let runtime = Handle::current();
        match runtime.runtime_flavor() {
            // There is no other thread that could go on.
            RuntimeFlavor::CurrentThread => work.await,
            _ => tokio::task::block_in_place(|| runtime.block_on(work)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use factum_base::tasks::TaskTree;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_long_computation_does_not_keep_the_only_worker_from_others() {
        let tasks = TaskTree::new().child("test");
        let (answer, answered) = mpsc::channel();
        let (end, ended) = tokio::sync::oneshot::channel();
        tasks.spawn_quiet(async move {
            let turns = ComputeTurns::of_machine();
            let computed = turns.run(async move { answered.recv_timeout(PATIENCE) }).await;
            end.send(computed).expect("the test waits");
        });
        // Runs on the worker that the computation began on.
        tasks.spawn_quiet(async move { answer.send("served").expect("the computation listens") });
        assert_eq!(ended.await.expect("it ends"), Ok("served"));
    }
}
