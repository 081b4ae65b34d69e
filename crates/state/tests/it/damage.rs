//! Damaged files: whose state is lost is told until it is acknowledged, the file is kept, others go on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_state::{Epoch, Loss, StateStore};
use factum_testkit::CrashDisk;
use factum_types::{Offset, TopicName, TopicPartition};

use crate::support::{Running, count, id, rows, small};

const DIRECTORY: &str = "/data/state";

fn open(disk: &CrashDisk) -> Running {
    Running::open(Arc::new(disk.clone()), Path::new(DIRECTORY), small()).expect("opened")
}

fn files(disk: &CrashDisk, folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(DIRECTORY).join(folder);
    let all = disk.files().into_iter();
    all.filter(|path| path.starts_with(&folder) && path.extension().is_some_and(|ext| ext == extension))
        .collect()
}

fn read_to(epoch: Epoch, offset: i64) -> Epoch {
    let source = TopicPartition::new(TopicName::new("store.orders").expect("valid"), 0);
    Epoch { offsets: vec![(source, Offset::new(offset))], ..epoch }
}

/// Tasks 0 and 1 with a snapshot each, and nothing in the journal behind.
async fn two_tasks_with_snapshots(disk: &CrashDisk) {
    let running = open(disk);
    for task in 0..2 {
        let fence = running.store.take_over(&id(task)).await.expect("taken over").fence;
        for round in 1..=40_u8 {
            let epoch = read_to(rows(0..100, &[round; 30]), i64::from(round) * 100);
            running.store.commit(&id(task), fence, epoch).await.expect("committed");
        }
    }
    running.end(true).await;
    assert_eq!(files(disk, "snapshots", "snapshot").len(), 2);
}

fn damage(disk: &CrashDisk, path: &Path, byte: usize) {
    disk.flip_bit(path, byte * 8);
}

async fn lost(running: &Running, task: u8) -> Option<Loss> {
    running.store.take_over(&id(task)).await.expect("taken over").lost
}

/// Whatever byte is damaged, the head with the task's name included.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_is_told_to_its_task_and_to_no_other() {
    let whole = CrashDisk::seeded(1);
    two_tasks_with_snapshots(&whole).await;
    let snapshot = files(&whole, "snapshots", "snapshot").remove(0);
    let length = whole.contents(&snapshot).expect("there").len();
    for byte in [0, 8, 12, 40, length / 2, length - 1] {
        let disk = whole.fork();
        damage(&disk, &snapshot, byte);
        let running = open(&disk);
        let mut losses = Vec::new();
        for task in 0..2 {
            match lost(&running, task).await {
                Some(loss) => losses.push((task, loss)),
                None => assert_eq!(count(&running.store, task).await, 100),
            }
        }
        let [(task, loss)] = &losses[..] else { panic!("byte {byte}: {losses:?}") };
        assert_eq!(loss.progress.epoch, 40, "byte {byte}");
        assert_eq!(loss.progress.offsets[0].1, Offset::new(4000), "byte {byte}");
        assert!(loss.reason.contains("damaged"), "{}", loss.reason);
        assert_eq!(count(&running.store, *task).await, 0, "it starts over");
        assert_eq!(files(&disk, "damaged", "snapshot").len(), 1, "the file is kept");
        assert_eq!(running.store.problems().len(), 1);
        running.end(true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_gone_is_missed() {
    let disk = CrashDisk::seeded(1);
    two_tasks_with_snapshots(&disk).await;
    disk.lose(&files(&disk, "snapshots", "snapshot").remove(1));
    let running = open(&disk);
    let losses = [lost(&running, 0).await, lost(&running, 1).await];
    let [loss] = &losses.iter().flatten().collect::<Vec<_>>()[..] else { panic!("{losses:?}") };
    assert!(loss.reason.contains("missing"), "{}", loss.reason);
    running.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_told_until_it_is_acknowledged() {
    let disk = CrashDisk::seeded(1);
    two_tasks_with_snapshots(&disk).await;
    let is_of_task_0 = |path: &PathBuf| {
        let contents = disk.contents(path).expect("there");
        contents.windows(10).any(|bytes| bytes == b"pipeline-0")
    };
    let snapshots = files(&disk, "snapshots", "snapshot");
    damage(&disk, snapshots.iter().find(|path| is_of_task_0(path)).expect("one of each task"), 500);
    for clean in [false, true, false] {
        let running = open(&disk);
        let taken = running.store.take_over(&id(0)).await.expect("taken over");
        assert_eq!(taken.lost.expect("still told").progress.epoch, 40);
        // The task goes on meanwhile, far enough for a snapshot.
        for _ in 0..20 {
            running.store.commit(&id(0), taken.fence, rows(0..50, &[1; 30])).await.expect("committed");
        }
        running.end(clean).await;
    }
    let running = open(&disk);
    let taken = running.store.take_over(&id(0)).await.expect("taken over");
    assert_eq!(taken.progress.epoch, 60, "what was committed since is kept");
    running.store.acknowledge_loss(&id(0), taken.fence).await.expect("acknowledged");
    assert_eq!(lost(&running, 0).await, None);
    running.end(false).await;
    let running = open(&disk);
    assert_eq!((lost(&running, 0).await, count(&running.store, 0).await), (None, 50));
    running.end(true).await;
}

/// The journal has entries of task 0 in front of the damage, of both tasks behind it, and of task 2 only in front.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_replaced_and_no_task_shows_a_part_of_what_it_committed() {
    let whole = CrashDisk::seeded(1);
    let running = open(&whole);
    let mut fences = Vec::new();
    for task in 0..3 {
        fences.push(running.store.take_over(&id(task)).await.expect("taken over").fence);
    }
    running.store.commit(&id(2), fences[2], rows(0..10, &[9; 10])).await.expect("committed");
    for round in 1..=10_u8 {
        for task in 0..2 {
            let epoch = read_to(rows(0..10, &[round; 10]), i64::from(round));
            running.store.commit(&id(task), fences[usize::from(task)], epoch).await.expect("committed");
        }
    }
    running.end(false).await;
    let journal = files(&whole, "journal", "log").remove(0);
    let length = whole.contents(&journal).expect("there").len();
    for byte in (0..length).step_by(331) {
        let disk = whole.fork();
        damage(&disk, &journal, byte);
        let running = open(&disk);
        running.serve();
        for task in 0..3 {
            let taken = take_over(&running, task).await;
            let epoch = taken.progress.epoch;
            let expected = if epoch == 0 { 0 } else { 10 };
            assert_eq!(count(&running.store, task).await, expected, "byte {byte}");
            let mut visit = |_: &[u8], value: &[u8]| {
                let round = if task == 2 { 9 } else { epoch };
                assert_eq!(u64::from(value[0]), round, "rows are of the epoch that is told, byte {byte}");
            };
            running.store.scan(&id(task), 0, &mut visit).await.expect("scanned");
            running.store.commit(&id(task), taken.fence, rows(100..101, &[1])).await.expect("goes on");
        }
        running.end(true).await;
        let running = open(&disk);
        for task in 0..3 {
            assert!(count(&running.store, task).await >= 1, "what was committed since is there, byte {byte}");
        }
        running.end(true).await;
    }
}

/// Takes a task over as soon as the store takes commits.
async fn take_over(running: &Running, task: u8) -> factum_state::TakeOver {
    loop {
        match running.store.take_over(&id(task)).await {
            Ok(taken) => return taken,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}
