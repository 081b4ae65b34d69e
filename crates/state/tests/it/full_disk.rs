//! A disk that is full or fails: commits are refused and not gathered, reads go on, and all ends by itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use factum_state::{CommitError, Epoch, Fence, Options, Progress, StateStore, TableId, ordered_table};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::ByteSize;

use crate::support::{Running, count, count_of, id, rows, rows_of, small};

const DIRECTORY: &str = "/data/state";

fn open(disk: &CrashDisk, options: Options) -> Running {
    Running::open(Arc::new(disk.clone()), Path::new(DIRECTORY), options).expect("opened")
}

fn fail(disk: &CrashDisk, kind: FaultKind, lasting: bool) {
    disk.inject(Fault { after: 0, kind, lasting });
}

/// Commits until it succeeds; the fence may be a new one by then.
async fn commit_at_last(running: &Running, epoch: &Epoch) -> (Fence, Progress) {
    loop {
        if let Ok(taken) = running.store.take_over(&id(0)).await
            && let Ok(progress) = running.store.commit(&id(0), taken.fence, epoch.clone()).await
        {
            return (taken.fence, progress);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_commits_and_ends_by_itself() {
    let disk = CrashDisk::seeded(1);
    let running = open(&disk, small());
    running.serve();
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    running.store.commit(&id(0), fence, rows(0..10, &[1; 10])).await.expect("committed");
    fail(&disk, FaultKind::NoSpace, true);
    for _ in 0..100 {
        let refused = running.store.commit(&id(0), fence, rows(0..10, &[2; 10])).await;
        assert!(matches!(refused, Err(CommitError::Unavailable { .. })), "{refused:?}");
        assert!(refused.expect_err("refused").is_transient());
    }
    let refused = running.store.commit(&id(0), fence, rows(0..10, &[2; 10])).await.expect_err("refused");
    let not_taken = running.store.take_over(&id(0)).await.expect_err("it writes who has the task");
    let why = "no space left for the log: no storage space; it is tried again; a full or failing disk has to be mended first";
    assert_eq!(refused.to_string(), format!("the state of pipeline-0/0 cannot be stored now: {why}"));
    assert_eq!(not_taken.to_string(), format!("the state of pipeline-0/0 cannot be read now: {why}"));
    assert_eq!(count(&running.store, 0).await, 10, "reads go on");
    let problems = running.store.problems().join("\n");
    assert!(problems.contains("views stand still"), "{problems}");
    disk.heal();
    let (_, progress) = commit_at_last(&running, &rows(0..10, &[2; 10])).await;
    assert_eq!(progress.epoch, 2, "what was refused did not count");
    assert_eq!(running.store.problems(), Vec::<String>::new());
    running.end(true).await;
}

/// A snapshot that cannot be written is no reason to stop, nor is it forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn snapshots_that_cannot_be_written_bound_the_journal_and_are_tried_again() {
    let disk = CrashDisk::seeded(1);
    let options = Options { journal: ByteSize::kib(4), ..small() };
    let running = open(&disk, options.clone());
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    running.serve();
    let limit = options.journal.0 * 4 + 8 * 1024;
    let mut refused = 0;
    // Writing the snapshots' file is refused; the journal has its file already.
    while refused < 3 {
        disk.heal();
        disk.set_capacity(Some(disk.used() + 700));
        match running.store.commit(&id(0), fence, rows(0..10, &[1; 10])).await {
            Ok(_) => {}
            Err(CommitError::Unavailable { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let journal: usize = (disk.files().iter())
        .filter(|path| path.starts_with(Path::new(DIRECTORY).join("journal")))
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .map(|path| disk.contents(path).expect("there").len())
        .sum();
    assert!(journal as u64 <= limit, "{journal} bytes of the journal's segments");
    disk.set_capacity(None);
    commit_at_last(&running, &rows(0..10, &[2; 10])).await;
    running.end(true).await;
}

/// Rows that cannot be moved out of memory stay there, and no more are taken.
#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_while_rows_cannot_be_spilled() {
    for table in [0, ordered_table(0)] {
        spill_to_a_full_disk(table).await;
    }
}

async fn spill_to_a_full_disk(table: TableId) {
    let rows = |keys, value: &[u8]| rows_of(table, keys, value);
    let disk = CrashDisk::seeded(1);
    let options = Options { memory: ByteSize::kib(64), journal: ByteSize::mib(64), ..Options::default() };
    let running = open(&disk, options);
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    let mut committed = 0;
    loop {
        // Room for the journal, and none for a file of spilled rows: its name is made, and its bytes do not fit.
        disk.set_capacity(Some(disk.used() + 2_500));
        match running.store.commit(&id(0), fence, rows(committed..committed + 20, &[1; 100])).await {
            Ok(_) => committed += 20,
            Err(CommitError::Unavailable { reason, .. }) => {
                break assert!(reason.contains("memory"), "{reason}");
            }
            Err(error) => panic!("{error}"),
        }
        assert!(committed < 2_000, "memory has no bound");
    }
    assert_eq!(count_of(&running.store, 0, table).await, usize::from(committed));
    disk.set_capacity(None);
    let (_, progress) = commit_at_last(&running, &rows(committed..committed + 20, &[1; 100])).await;
    assert_eq!(progress.epoch, u64::from(committed / 20) + 1);
    assert_eq!(count_of(&running.store, 0, table).await, usize::from(committed) + 20);
    running.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_gives_up_the_epoch_and_goes_on_in_another_journal() {
    let disk = CrashDisk::seeded(1);
    let running = open(&disk, small());
    running.serve();
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    running.store.commit(&id(0), fence, rows(0..10, &[1; 10])).await.expect("committed");
    fail(&disk, FaultKind::Sync, false);
    let failed = running.store.commit(&id(0), fence, rows(0..20, &[2; 10])).await;
    assert!(matches!(failed, Err(CommitError::NotDurable { .. })), "{failed:?}");
    assert_eq!(count(&running.store, 0).await, 10, "what is not durable is not shown");
    let (_, progress) = commit_at_last(&running, &rows(0..30, &[3; 10])).await;
    assert_eq!(progress.epoch, 2);
    running.end(false).await;
    disk.crash();
    let running = open(&disk, small());
    assert_eq!(count(&running.store, 0).await, 30);
    assert_eq!(running.store.problems(), Vec::<String>::new());
    running.end(true).await;
}

/// After a clean stop nothing has to be written to read.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_on_a_full_disk_opens_is_read_and_goes_on_when_there_is_room() {
    let disk = CrashDisk::seeded(1);
    let running = open(&disk, small());
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    for _ in 0..20 {
        running.store.commit(&id(0), fence, rows(0..100, &[1; 30])).await.expect("committed");
    }
    running.end(true).await;
    fail(&disk, FaultKind::NoSpace, true);
    let running = open(&disk, small());
    running.serve();
    assert_eq!(count(&running.store, 0).await, 100);
    assert!(running.store.take_over(&id(0)).await.is_err());
    disk.heal();
    let (_, progress) = commit_at_last(&running, &rows(0..1, &[2])).await;
    assert_eq!(progress.epoch, 21);
    running.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_beyond_its_bound_goes_to_disk_whatever_memory_there_is() {
    let disk = CrashDisk::seeded(1);
    let options = Options { largest_shard: ByteSize::kib(4), ..Options::default() };
    let running = open(&disk, options);
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    for at in 0..40_u16 {
        let epoch = rows(at * 50..(at + 1) * 50, &[7; 200]);
        running.store.commit(&id(0), fence, epoch).await.expect("committed");
    }
    assert!(disk.files().iter().any(|path| path.extension().is_some_and(|name| name == "run")));
    let listed = running.store.tasks(id(0).owner()).await.expect("listed");
    assert!(listed[0].memory < 16 * 16 * 1024, "{} bytes in memory", listed[0].memory);
    assert_eq!(count(&running.store, 0).await, 2_000);
    running.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_beyond_the_limit_is_refused_whole() {
    let options = Options { largest_epoch: ByteSize::kib(1), ..Options::default() };
    let running = open(&CrashDisk::seeded(1), options);
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    let refused = running.store.commit(&id(0), fence, rows(0..100, &[7; 100])).await;
    let Err(error @ CommitError::Refused { .. }) = refused else { panic!("{refused:?}") };
    assert!(!error.is_transient());
    assert!(error.to_string().contains("the limit is 1024 (state.largest_epoch)"), "{error}");
    assert_eq!(count(&running.store, 0).await, 0);
    running.store.commit(&id(0), fence, rows(0..2, &[7; 100])).await.expect("committed");
    running.end(true).await;
}
