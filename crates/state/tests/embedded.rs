//! The embedded store: the common behaviours, then restarts, crashes and the spill against a model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_base::clock::SystemClock;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_log::{Committer, Disk, Environment, EnvironmentOptions, LocalDisk};
use factum_state::{Changes, Embedded, Epoch, Options, Owner, Service, StateStore, TaskId, conformance};
use factum_types::{ByteSize, Offset, TopicName, TopicPartition};
use proptest::prelude::*;
use tempfile::TempDir;

/// A store with its threads; stopped in order, or dropped as a crash would.
struct Opened {
    store: Embedded,
    committer: Committer,
    group: TaskGroup,
}

impl Opened {
    fn open(directory: &Path, options: Options) -> Self {
        let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
        let environment = Environment::new(Arc::clone(&disk), EnvironmentOptions::default());
        let committer = environment.committer().clone();
        let group = TaskTree::new().child("state");
        let running = committer.clone();
        group.spawn_thread("committer", OnError::Log, move |_| {
            running.run();
            Ok(())
        });
        let store = Embedded::open(&environment, disk, Arc::new(SystemClock), directory, options);
        let store = store.expect("opened");
        Self { store, committer, group }
    }

    /// Runs the housekeeping once, then ends as after a stop or as after a crash.
    async fn end(self, clean: bool) {
        if clean {
            let stop = self.group.stop().child();
            stop.request();
            Service::new(&self.store).run(stop).await.expect("tidied");
        }
        self.committer.stop();
        assert!(self.group.stop_within(std::time::Duration::from_secs(10)).await.is_empty());
    }
}

fn small() -> Options {
    Options { memory: ByteSize::mib(64), snapshot_after: ByteSize::kib(2), journal: ByteSize::kib(16) }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_behaves_as_every_store_does() {
    let root = tempfile::tempdir().expect("a directory");
    let number = std::sync::atomic::AtomicUsize::new(0);
    conformance::run(|| async {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let opened = Opened::open(&root.path().join(number.to_string()), Options::default());
        // The threads live as long as the process; the behaviours need no more.
        Arc::new(opened.store) as Arc<dyn StateStore>
    })
    .await;
}

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Commit { task: u8, rows: Vec<(u8, Option<u8>)> },
    Forget { task: u8 },
    TakeOver { task: u8 },
    Restart { clean: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rows = prop::collection::vec((any::<u8>(), prop::option::weighted(0.8, 0..200_u8)), 0..40);
    let step = prop_oneof![
        8 => (0..3_u8, rows).prop_map(|(task, rows)| Step::Commit { task, rows }),
        1 => (0..3_u8).prop_map(|task| Step::Forget { task }),
        1 => (0..3_u8).prop_map(|task| Step::TakeOver { task }),
        2 => any::<bool>().prop_map(|clean| Step::Restart { clean }),
    ];
    prop::collection::vec(step, 1..40)
}

/// What a task should hold.
#[derive(Debug, Default, Clone, PartialEq)]
struct Model {
    epoch: u64,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

fn id(task: u8) -> TaskId {
    TaskId::new(Owner::from_static("tests"), format!("pipeline-{task}"), i32::from(task))
}

/// Values differ in length, so that rows move within a shard.
fn value_of(value: u8) -> Vec<u8> {
    vec![value; usize::from(value) % 50]
}

async fn play(directory: PathBuf, options: Options, steps: Vec<Step>) {
    let mut opened = Opened::open(&directory, options.clone());
    let mut model: BTreeMap<u8, Model> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Commit { task, rows } => {
                let held = opened.store.take_over(&id(task)).await.expect("taken over");
                let expected = model.entry(task).or_default();
                let mut changes = Changes::new();
                for (key, value) in rows {
                    let key = vec![b'k', key];
                    match value.map(value_of) {
                        Some(value) => {
                            changes.put(0, &key, &value);
                            expected.rows.insert(key, value);
                        }
                        None => {
                            changes.delete(0, &key);
                            expected.rows.remove(&key);
                        }
                    }
                }
                expected.epoch += 1;
                let topic = TopicName::new("a.b").expect("valid");
                let next = Offset::new(i64::try_from(expected.epoch).expect("small"));
                let offsets = vec![(TopicPartition::new(topic, 0), next)];
                let epoch = Epoch { changes, offsets, ..Epoch::default() };
                opened.store.commit(&id(task), held.fence, epoch).await.expect("committed");
            }
            Step::Forget { task } => {
                opened.store.forget(&id(task)).await.expect("forgotten");
                model.remove(&task);
            }
            Step::TakeOver { task } => {
                let taken = opened.store.take_over(&id(task)).await.expect("taken over");
                assert_eq!(taken.progress.epoch, model.get(&task).map_or(0, |model| model.epoch));
            }
            Step::Restart { clean } => {
                opened.end(clean).await;
                opened = Opened::open(&directory, options.clone());
            }
        }
        compare(&opened.store, &model).await;
    }
    opened.end(true).await;
}

async fn compare(store: &Embedded, model: &BTreeMap<u8, Model>) {
    for task in 0..3 {
        let expected = model.get(&task).cloned().unwrap_or_default();
        let mut rows = BTreeMap::new();
        let mut visit = |key: &[u8], value: &[u8]| {
            assert!(rows.insert(key.to_vec(), value.to_vec()).is_none(), "a key is shown twice");
        };
        let progress = store.scan(&id(task), 0, &mut visit).await.expect("scanned");
        let found = Model { epoch: progress.epoch, rows };
        assert_eq!(found, expected, "task {task}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_history_with_restarts_equals_the_model(steps in steps()) {
        let directory = tempfile::tempdir().expect("a directory");
        runtime().block_on(play(directory.path().join("state"), small(), steps));
    }

    #[test]
    fn a_spill_changes_nothing(steps in steps()) {
        let directory = tempfile::tempdir().expect("a directory");
        let options = Options { memory: ByteSize::kib(1), ..small() };
        runtime().block_on(play(directory.path().join("state"), options, steps));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_costs_a_task_its_state_and_no_wrong_answer() {
    let directory: TempDir = tempfile::tempdir().expect("a directory");
    let opened = Opened::open(directory.path(), small());
    let fence = opened.store.take_over(&id(0)).await.expect("taken over").fence;
    for round in 0..40_u8 {
        let mut changes = Changes::new();
        (0..100_u8).for_each(|key| changes.put(0, &[key], &[round; 30]));
        let epoch = Epoch { changes, ..Epoch::default() };
        opened.store.commit(&id(0), fence, epoch).await.expect("committed");
    }
    opened.end(true).await;

    let snapshots = directory.path().join("snapshots");
    let files: Vec<_> = std::fs::read_dir(&snapshots).expect("listed").collect();
    assert_eq!(files.len(), 1, "one snapshot is kept");
    let path = files[0].as_ref().expect("an entry").path();
    let mut bytes = std::fs::read(&path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("written");

    let opened = Opened::open(directory.path(), small());
    let taken = opened.store.take_over(&id(0)).await.expect("taken over");
    assert_eq!(taken.progress.epoch, 0, "the task is computed anew");
    let mut rows = 0;
    opened.store.scan(&id(0), 0, &mut |_, _| rows += 1).await.expect("scanned");
    assert_eq!(rows, 0);
    opened.end(true).await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

fn rows(keys: std::ops::Range<u16>, value: &[u8]) -> Epoch {
    let mut changes = Changes::new();
    keys.for_each(|key| changes.put(0, &key.to_be_bytes(), value));
    Epoch { changes, ..Epoch::default() }
}

async fn count(store: &Embedded, task: u8) -> usize {
    let mut rows = 0;
    store.scan(&id(task), 0, &mut |_, _| rows += 1).await.expect("scanned");
    rows
}

/// A kill leaves the spill's files as they are, which no drop in this process does: they are copied as they stand.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_spilled_is_not_seen_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let (before, after) = (directory.path().join("before"), directory.path().join("after"));
    let options = Options { memory: ByteSize::kib(1), ..small() };
    let opened = Opened::open(&before, options.clone());
    let fence = opened.store.take_over(&id(0)).await.expect("taken over").fence;
    for round in 0..40_u16 {
        let epoch = rows(round * 100..(round + 1) * 100, &[7; 50_000]);
        opened.store.commit(&id(0), fence, epoch).await.expect("committed");
    }
    copy(&before.join("spill"), &after.join("spill"));
    opened.end(true).await;

    let opened = Opened::open(&after, options);
    let fence = opened.store.take_over(&id(0)).await.expect("taken over").fence;
    opened.store.commit(&id(0), fence, rows(60_000..60_100, &[1; 100])).await.expect("committed");
    assert_eq!(count(&opened.store, 0).await, 100);
    opened.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_with_a_gap_begins_anew_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = Opened::open(directory.path(), small());
    let fence = opened.store.take_over(&id(0)).await.expect("taken over").fence;
    for _ in 0..40 {
        opened.store.commit(&id(0), fence, rows(0..100, &[1; 30])).await.expect("committed");
    }
    opened.end(true).await;

    let opened = Opened::open(directory.path(), small());
    let fence = opened.store.take_over(&id(0)).await.expect("taken over").fence;
    opened.store.commit(&id(0), fence, rows(0..1, &[2; 30])).await.expect("committed");
    opened.end(false).await;
    let snapshots = std::fs::read_dir(directory.path().join("snapshots")).expect("listed");
    snapshots.for_each(|entry| std::fs::write(entry.expect("an entry").path(), b"torn").expect("written"));

    let opened = Opened::open(directory.path(), small());
    let taken = opened.store.take_over(&id(0)).await.expect("taken over");
    assert_eq!(taken.progress.epoch, 0, "the task is computed anew");
    opened.store.commit(&id(0), taken.fence, rows(0..3, &[3; 30])).await.expect("committed");
    opened.end(false).await;

    let opened = Opened::open(directory.path(), small());
    let taken = opened.store.take_over(&id(0)).await.expect("taken over");
    assert_eq!((taken.progress.epoch, count(&opened.store, 0).await), (1, 3), "and once is enough");
    opened.end(true).await;
}

/// As if the machine had lost its power between a snapshot's end and its predecessor's removal.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_task_stays_so_whatever_files_are_left() {
    let directory = tempfile::tempdir().expect("a directory");
    let (snapshots, kept) = (directory.path().join("snapshots"), directory.path().join("kept"));
    let opened = Opened::open(directory.path(), small());
    let fence = opened.store.take_over(&id(0)).await.expect("taken over").fence;
    for _ in 0..40 {
        opened.store.commit(&id(0), fence, rows(0..100, &[1; 30])).await.expect("committed");
    }
    opened.end(true).await;
    copy(&snapshots, &kept);
    let opened = Opened::open(directory.path(), small());
    opened.store.forget(&id(0)).await.expect("forgotten");
    opened.end(false).await;
    copy(&kept, &snapshots);

    // The journal still has the mark …
    let opened = Opened::open(directory.path(), small());
    assert_eq!(count(&opened.store, 0).await, 0);
    // … and at the next start no more.
    opened.end(true).await;
    let opened = Opened::open(directory.path(), small());
    assert_eq!(count(&opened.store, 0).await, 0);
    opened.end(true).await;
}
