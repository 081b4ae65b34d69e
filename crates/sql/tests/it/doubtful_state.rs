//! A state that takes commits and does not say so, as on a disk that is full: what is committed shows, and no one may
//! take a task over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use factum_sql::ViewState;
use factum_state::{
    CommitError, EmbeddedStore, Epoch, Fence, FoundValues, KeptTask, KeyRange, Owner, Page, Progress,
    ReadError, StateStore, TableId, TakeOver, TaskId, Visit,
};
use parking_lot::{Condvar, Mutex};

use crate::world::{World, order, small};

/// The embedded state, in doubt from time to time.
#[derive(Clone)]
pub(crate) struct DoubtfulState {
    pub(crate) state: EmbeddedStore,
    pub(crate) is_in_doubt: Arc<AtomicBool>,
    /// Commits wait while this is set, as on a disk that syncs slowly.
    pub(crate) is_slow: Arc<AtomicBool>,
    pub(crate) held: Arc<HeldReads>,
}

/// Reads of the tasks of one view that hold their threads, as endless computing does.
#[derive(Default)]
pub(crate) struct HeldReads {
    view: Mutex<Option<String>>,
    changed: Condvar,
}

impl HeldReads {
    /// Holds the reads of `view` from now on, and lets go of those of any other.
    pub(crate) fn hold(&self, view: Option<&str>) {
        *self.view.lock() = view.map(str::to_owned);
        self.changed.notify_all();
    }

    fn wait(&self, task: &TaskId) {
        let is_held =
            |view: &mut Option<String>| view.as_ref().is_some_and(|view| task.name().starts_with(view));
        self.changed.wait_while(&mut self.view.lock(), is_held);
    }
}

impl DoubtfulState {
    fn is_in_doubt(&self) -> bool {
        self.is_in_doubt.load(Ordering::Relaxed)
    }
}

const FULL: &str = "no space is left on the disk";

#[async_trait]
impl StateStore for DoubtfulState {
    async fn take_over(&self, task: &TaskId) -> Result<TakeOver, ReadError> {
        if self.is_in_doubt() {
            return Err(ReadError::Unavailable { task: task.clone(), reason: FULL.to_owned() });
        }
        self.state.take_over(task).await
    }

    async fn acknowledge_loss(&self, task: &TaskId, fence: Fence) -> Result<(), CommitError> {
        self.state.acknowledge_loss(task, fence).await
    }

    async fn get_many(
        &self,
        task: &TaskId,
        table: TableId,
        keys: &[&[u8]],
    ) -> Result<FoundValues, ReadError> {
        self.held.wait(task);
        self.state.get_many(task, table, keys).await
    }

    async fn scan(
        &self,
        task: &TaskId,
        table: TableId,
        visit: &mut Visit<'_>,
    ) -> Result<Progress, ReadError> {
        self.state.scan(task, table, visit).await
    }

    async fn range(&self, task: &TaskId, table: TableId, range: &KeyRange) -> Result<Page, ReadError> {
        self.state.range(task, table, range).await
    }

    async fn commit(&self, task: &TaskId, fence: Fence, epoch: Epoch) -> Result<Progress, CommitError> {
        while self.is_slow.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let progress = self.state.commit(task, fence, epoch).await?;
        if self.is_in_doubt() {
            return Err(CommitError::Unavailable { task: task.clone(), reason: FULL.to_owned() });
        }
        Ok(progress)
    }

    async fn forget(&self, task: &TaskId) -> Result<(), CommitError> {
        self.state.forget(task).await
    }

    async fn tasks(&self, owner: &Owner) -> Result<Vec<KeptTask>, ReadError> {
        self.state.tasks(owner).await
    }
}

#[test]
fn lag_counts_rows_that_a_failed_commit_left_in_the_state_as_read() {
    let world = World::new(small()).with_orders(1);
    world.apply("CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM orders;");
    world.post("store.orders", &[order(1, "a", 0, 1)]);
    world.settle();
    world.set_in_doubt(true);
    world.post("store.orders", &[order(2, "a", 1, 1), order(3, "a", 2, 1)]);
    world.until("rows of the commit", |world| world.shown("store.counted") == [r#"{"n":3}"#]);
    world.until("the lag of these rows", |world| world.read("store.counted").freshness.lag == 0);
    let status = world.status("store.counted");
    assert_eq!((status.lag, status.partitions[0].next), (0, 3));
    assert!(
        matches!(&status.state, ViewState::Failed(reason) if reason.contains(FULL)),
        "{:?}",
        status.state
    );
    assert!(status.as_of < world.clock_now(), "it is not known what came since");
    world.set_in_doubt(false);
    world.post("store.orders", &[order(4, "a", 3, 1)]);
    world.settle();
    assert_eq!(world.shown("store.counted"), [r#"{"n":4}"#]);
}

/// The log is read on while a commit is under way, and is at its end there; the rows are not.
#[test]
fn a_view_lags_while_a_commit_is_under_way() {
    let world = World::new(small()).with_orders(1);
    world.apply("CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM orders;");
    world.settle();
    world.set_slow(true);
    world.post("store.orders", &[order(1, "a", 0, 1)]);
    world.until("the end of the log", |world| world.status("store.counted").partitions[0].end == 1);
    let seen_at = world.clock_now();
    // Longer than an idle read of the log takes.
    world.until("three idle reads", |world| {
        let status = world.status("store.counted");
        assert_eq!((status.lag, status.partitions[0].next), (1, 0));
        world.clock_now().as_millis() - seen_at.as_millis() > 3 * small().poll.as_millis() as i64
    });
    world.set_slow(false);
    world.settle();
    assert_eq!(world.shown("store.counted"), [r#"{"n":1}"#]);
}
