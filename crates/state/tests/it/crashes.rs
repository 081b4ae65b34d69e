//! Every disk operation of a history fails once, in every way; what was committed is there whole, what was not is
//! not there at all. Each epoch writes to a table of each kind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use factum_state::{
    Changes, CommitError, EmbeddedStore, Epoch, KeyRange, Options, StateStore, ordered_table,
};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::ByteSize;

use crate::support::{Running, id};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a task holds, and what it holds if the epoch counts that no one knows of.
#[derive(Debug, Default, Clone)]
struct Model {
    epoch: u64,
    rows: Rows,
    in_doubt: Option<Rows>,
}

const TASKS: u8 = 2;
const ORDERED: u16 = ordered_table(0);

fn options(memory: ByteSize) -> Options {
    Options { memory, snapshot_after: ByteSize::kib(1), journal: ByteSize::kib(12), ..Options::default() }
}

/// One epoch: some rows written, one deleted.
fn epoch(step: u8, rows: &mut Rows) -> Epoch {
    let mut changes = Changes::new();
    for key in 0..12_u8 {
        let (key, value) = (vec![b'k', key.wrapping_mul(step) % 40], vec![step; 40 + usize::from(key)]);
        changes.put(0, &key, &value);
        changes.put(ORDERED, &key, &value);
        rows.insert(key, value);
    }
    let gone = vec![b'k', step % 40];
    changes.delete(0, &gone);
    changes.delete(ORDERED, &gone);
    rows.remove(&gone);
    Epoch { changes, ..Epoch::default() }
}

async fn found(store: &EmbeddedStore, task: u8) -> (u64, Rows) {
    let mut rows = Rows::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        assert!(rows.insert(key.to_vec(), value.to_vec()).is_none(), "a key is shown twice");
    };
    let progress = store.scan(&id(task), 0, &mut visit).await.expect("scanned");
    let page = store.range(&id(task), ORDERED, &KeyRange::all()).await.expect("read");
    assert_eq!((page.version.epoch(), page.next), (progress.epoch, None));
    let hashed = rows.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
    assert!(page.rows.iter().eq(hashed), "the tables of task {task} differ");
    (progress.epoch, rows)
}

/// Commits in turn to each task; whatever fails is taken note of, and the next step goes on.
async fn live(running: &Running, model: &mut [Model], steps: std::ops::Range<u8>) {
    for step in steps {
        for task in 0..TASKS {
            let expected = &mut model[usize::from(task)];
            let Ok(taken) = running.store.take_over(&id(task)).await else { continue };
            assert_eq!(taken.lost, None, "nothing is damaged");
            resolve(expected, taken.progress.epoch);
            let mut next = expected.rows.clone();
            let epoch = epoch(step.wrapping_add(task), &mut next);
            match running.store.commit(&id(task), taken.fence, epoch).await {
                Ok(_) => (expected.epoch, expected.rows) = (expected.epoch + 1, next),
                Err(CommitError::NotDurable { .. }) => expected.in_doubt = Some(next),
                Err(CommitError::Unavailable { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Whether the epoch that was in doubt counts is known by now.
fn resolve(model: &mut Model, epoch: u64) {
    match model.in_doubt.take() {
        Some(rows) if epoch == model.epoch + 1 => (model.epoch, model.rows) = (epoch, rows),
        _ => assert_eq!(epoch, model.epoch, "an epoch is lost, or came from nowhere"),
    }
}

async fn check(running: &Running, model: &mut [Model]) {
    for task in 0..TASKS {
        let expected = &mut model[usize::from(task)];
        let (epoch, rows) = found(&running.store, task).await;
        resolve(expected, epoch);
        assert!(rows == expected.rows, "task {task} has other rows than it committed");
    }
}

/// A history with restarts in which `fault` strikes, then a crash, then a look, some more life and another look.
async fn history(seed: u64, fault: Fault, memory: ByteSize) -> bool {
    let (disk, directory) = (CrashDisk::seeded(seed), Path::new("/state"));
    let mut model = vec![Model::default(); usize::from(TASKS)];
    disk.inject(fault);
    let open = || Running::open(Arc::new(disk.clone()), directory, options(memory));
    for round in 0..3 {
        // A disk that fails now may not when it is asked again; one that is down stays so.
        let Ok(running) = open() else { continue };
        live(&running, &mut model, round * 10..round * 10 + 6).await;
        running.end(round != 1).await;
    }
    let struck = disk.is_down();
    for out_of_order in [false, true] {
        if out_of_order {
            disk.crash_out_of_order();
        } else {
            disk.crash();
        }
        let running = open().expect("nothing fails any more");
        check(&running, &mut model).await;
        live(&running, &mut model, 40..43).await;
        check(&running, &mut model).await;
        running.end(out_of_order).await;
    }
    struck
}

fn run(future: impl Future) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future);
}

/// Strikes every third operation of the history in turn.
fn every_operation(kind: FaultKind, lasting: bool, memory: ByteSize) {
    run(async {
        for after in (0..700).step_by(3) {
            history(after, Fault { after, kind, lasting }, memory).await;
        }
    });
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_committed() {
    run(async {
        let mut after = 0;
        while history(after, Fault { after, kind: FaultKind::Crash, lasting: false }, ByteSize::mib(1)).await
        {
            after += 1;
        }
        assert!(after > 100, "the history is long enough to tell: {after} operations");
    });
}

#[test]
fn a_crash_at_any_operation_while_rows_are_spilled_loses_nothing() {
    run(async {
        let mut after = 0;
        while history(after, Fault { after, kind: FaultKind::Crash, lasting: false }, ByteSize::kib(1)).await
        {
            after += 3;
        }
    });
}

#[test]
fn an_error_at_any_operation_loses_nothing() {
    every_operation(FaultKind::Io, false, ByteSize::mib(1));
}

#[test]
fn a_full_disk_from_any_operation_on_loses_nothing() {
    every_operation(FaultKind::NoSpace, true, ByteSize::kib(1));
}

#[test]
fn a_short_write_at_any_operation_loses_nothing() {
    every_operation(FaultKind::ShortWrite, false, ByteSize::kib(1));
}

#[test]
fn a_failed_sync_at_any_operation_loses_nothing() {
    every_operation(FaultKind::Sync, false, ByteSize::mib(1));
}
