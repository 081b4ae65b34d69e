//! A store with its threads, on a real disk or on one that crashes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_log::{Committer, Disk, Environment, EnvironmentOptions, LocalDisk};
use factum_state::{
    Changes, EmbeddedStore, Epoch, OpenError, Options, Owner, Service, StateStore, TableId, TaskId,
};
use factum_testkit::HeldClock;
use factum_types::{ByteSize, Timestamp};

/// A store with its threads; stopped in order, or dropped as a crash would.
pub(crate) struct Running {
    pub(crate) store: EmbeddedStore,
    committer: Committer,
    group: TaskGroup,
}

impl Running {
    pub(crate) fn on_files(directory: &Path, options: Options) -> Self {
        Self::open(Arc::new(LocalDisk), directory, options).expect("opened")
    }

    pub(crate) fn open(disk: Arc<dyn Disk>, directory: &Path, options: Options) -> Result<Self, OpenError> {
        // A log whose disk is down tells its waiters after twenty pauses.
        let options_of_log =
            EnvironmentOptions { retry_pause: Duration::from_millis(1), ..EnvironmentOptions::default() };
        let environment = Environment::new(Arc::clone(&disk), options_of_log);
        let committer = environment.committer().clone();
        let clock = Arc::new(HeldClock::at(Timestamp::from_millis(1_700_000_000_000)));
        let store = EmbeddedStore::open(&environment, disk, clock, directory, options)?;
        let group = TaskTree::new().child("state");
        let running = committer.clone();
        group.spawn_thread("committer", OnError::Log, move |_| {
            running.run();
            Ok(())
        });
        Ok(Self { store, committer, group })
    }

    /// Runs the housekeeping until it is told to stop.
    pub(crate) fn serve(&self) {
        self.group.spawn("state", OnError::StopServer, Service::new(&self.store).run(self.group.stop()));
    }

    /// Ends as after a stop, with the housekeeping run once, or as after a crash.
    pub(crate) async fn end(self, clean: bool) {
        if clean {
            let stop = self.group.stop().child();
            stop.request();
            Service::new(&self.store).run(stop).await.expect("never fails");
        }
        self.committer.stop();
        assert!(self.group.stop_within(Duration::from_secs(10)).await.is_empty());
    }
}

pub(crate) fn small() -> Options {
    Options {
        memory: ByteSize::mib(64),
        snapshot_after: ByteSize::kib(2),
        journal: ByteSize::kib(16),
        ..Options::default()
    }
}

pub(crate) const OWNER: Owner = Owner::from_static("tests");

pub(crate) fn id(task: u8) -> TaskId {
    TaskId::new(OWNER, format!("pipeline-{task}"), i32::from(task))
}

pub(crate) fn rows(keys: std::ops::Range<u16>, value: &[u8]) -> Epoch {
    rows_of(0, keys, value)
}

pub(crate) fn rows_of(table: TableId, keys: std::ops::Range<u16>, value: &[u8]) -> Epoch {
    let mut changes = Changes::new();
    keys.for_each(|key| changes.put(table, &key.to_be_bytes(), value));
    Epoch { changes, ..Epoch::default() }
}

pub(crate) async fn count(store: &EmbeddedStore, task: u8) -> usize {
    count_of(store, task, 0).await
}

pub(crate) async fn count_of(store: &EmbeddedStore, task: u8, table: TableId) -> usize {
    let mut rows = 0;
    store.scan(&id(task), table, &mut |_, _| rows += 1).await.expect("scanned");
    rows
}
