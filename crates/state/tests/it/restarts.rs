//! Restarts, with any files that a crash in the middle left.

use std::path::Path;

use factum_state::{Options, StateStore};
use factum_types::ByteSize;

use crate::support::{Running, count, id, rows, small};

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

/// A kill leaves the spill's files as they are, which no drop in this process does: they are copied as they stand.
#[tokio::test(flavor = "multi_thread")]
async fn spilled_runs_of_a_killed_process_are_not_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let (before, after) = (directory.path().join("before"), directory.path().join("after"));
    let options = Options { memory: ByteSize::kib(1), ..small() };
    let running = Running::on_files(&before, options.clone());
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    for round in 0..40_u16 {
        let epoch = rows(round * 100..(round + 1) * 100, &[7; 500]);
        running.store.commit(&id(0), fence, epoch).await.expect("committed");
    }
    copy(&before.join("spill"), &after.join("spill"));
    running.end(true).await;

    let running = Running::on_files(&after, options);
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    running.store.commit(&id(0), fence, rows(60_000..60_100, &[1; 100])).await.expect("committed");
    assert_eq!(count(&running.store, 0).await, 100);
    running.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_with_a_gap_begins_anew_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let running = Running::on_files(directory.path(), small());
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    for _ in 0..40 {
        running.store.commit(&id(0), fence, rows(0..100, &[1; 30])).await.expect("committed");
    }
    running.end(true).await;

    let running = Running::on_files(directory.path(), small());
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    running.store.commit(&id(0), fence, rows(0..1, &[2; 30])).await.expect("committed");
    running.end(false).await;
    let snapshots = std::fs::read_dir(directory.path().join("snapshots")).expect("listed");
    snapshots.for_each(|entry| std::fs::write(entry.expect("an entry").path(), b"torn").expect("written"));

    let running = Running::on_files(directory.path(), small());
    let taken = running.store.take_over(&id(0)).await.expect("taken over");
    assert_eq!(taken.progress.epoch, 0, "the task is computed again");
    running.store.commit(&id(0), taken.fence, rows(0..3, &[3; 30])).await.expect("committed");
    running.end(false).await;

    let running = Running::on_files(directory.path(), small());
    let taken = running.store.take_over(&id(0)).await.expect("taken over");
    assert_eq!((taken.progress.epoch, count(&running.store, 0).await), (1, 3), "and once is enough");
    running.end(true).await;
}

/// As if the machine had lost its power between a snapshot's end and its predecessor's removal.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_task_stays_so_whatever_files_are_left() {
    let directory = tempfile::tempdir().expect("a directory");
    let (snapshots, kept) = (directory.path().join("snapshots"), directory.path().join("kept"));
    let running = Running::on_files(directory.path(), small());
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    for _ in 0..40 {
        running.store.commit(&id(0), fence, rows(0..100, &[1; 30])).await.expect("committed");
    }
    running.end(true).await;
    copy(&snapshots, &kept);
    let running = Running::on_files(directory.path(), small());
    running.store.forget(&id(0)).await.expect("forgotten");
    running.end(false).await;
    copy(&kept, &snapshots);

    // The journal still has the mark …
    let running = Running::on_files(directory.path(), small());
    assert_eq!(count(&running.store, 0).await, 0);
    // … and at the next start no more.
    running.end(true).await;
    let running = Running::on_files(directory.path(), small());
    assert_eq!(count(&running.store, 0).await, 0);
    running.end(true).await;
}
