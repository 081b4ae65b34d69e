//! Acknowledgement: the high watermark, full disks, failing syncs, the committer's thread.

use std::sync::Arc;
use std::thread;

use factum_log::{
    AppendError, Environment, EnvironmentOptions, Isolation, LocalDisk, PartitionLog, SyncError, Trouble,
    Waiter,
};
use factum_testkit::{Call, CrashDisk, Fault, FaultKind};
use factum_types::{Offset, Timestamp};

use crate::bench::{Bench, COLD, OPTIONS, batch, file, now, read_all};

#[test]
fn a_log_opens_on_a_full_disk_and_takes_appends_once_there_is_space() {
    let bench = Bench::new(3);
    for value in ["one", "two", "three"].repeat(4) {
        bench.put(&[value]);
    }
    bench.append(&["not acknowledged"]).expect("the log takes it");
    let expected = Bench::on(bench.disk.fork()).read_all(0).0;
    let mut struck = 0;
    for after in 0..12 {
        for kind in [FaultKind::NoSpace, FaultKind::Refused { call: Call::Write, os_error: 28 }] {
            let disk = bench.disk.fork();
            disk.inject(Fault { after, kind, lasting: true });
            let full = Bench::on(disk.clone());
            assert_eq!(full.read_all(0).0, expected, "{kind:?} after {after}");
            let Err(refused) = full.append(&["more"]) else {
                continue;
            };
            struck += 1;
            assert!(refused.is_transient(), "{refused}");
            full.environment.committer().round();
            assert!(full.append(&["more"]).is_err(), "it is still full");
            disk.heal();
            full.environment.committer().round();
            let appended = full.put(&["more"]);
            assert_eq!(appended.base_offset.get(), 13, "{kind:?} after {after}");
            assert!(full.log.bounds().is_writable);
            let again = Bench::on(disk);
            assert_eq!(again.recovery.quarantined, None);
            assert_eq!(again.read_all(0).0.len(), 14);
        }
    }
    assert!(struck >= 4, "opening writes several times: {struck}");
}

#[test]
fn records_are_acknowledged_and_readable_only_after_the_sync() {
    let bench = Bench::new(1);
    let appended = bench.append(&["a"]).expect("the log takes it");
    let waiter = Waiter::new();
    assert!(!bench.log.wait_past(appended.last_offset, Isolation::ReadUncommitted, &waiter));
    let mut durable = std::pin::pin!(bench.log.durable(appended.last_offset));
    assert!(now(durable.as_mut()).is_none());
    assert!(now(waiter.woken()).is_none());
    assert!(bench.log.read(Offset::ZERO, 1, Isolation::ReadUncommitted).expect("in range").is_empty());
    bench.environment.committer().round();
    assert!(matches!(now(durable), Some(Ok(()))));
    assert!(now(waiter.woken()).is_some());
    assert!(bench.log.wait_past(appended.last_offset, Isolation::ReadUncommitted, &waiter));
    assert!(matches!(now(bench.log.durable(appended.last_offset)), Some(Ok(()))));
}

#[test]
fn a_full_disk_refuses_whole_batches_and_heals_by_itself() {
    let bench = Bench::new(1);
    bench.put(&["a"]);
    bench.disk.set_capacity(Some(bench.disk.used() + 30));
    let bytes = bench.log.bounds().bytes;
    for _ in 0..3 {
        assert!(matches!(bench.append(&["b"]), Err(AppendError::Full(_))));
    }
    assert_eq!(bench.log.bounds().bytes, bytes);
    assert_eq!(bench.disk.contents(&file("00000000000000000000.log")).map(|c| c.len() as u64), Some(bytes));
    assert!(bench.log.bounds().is_writable);
    bench.disk.set_capacity(None);
    assert_eq!(bench.put(&["b"]).base_offset, Offset::new(1));
    assert_eq!(bench.read_all(0).0.len(), 2);
}

#[test]
fn a_disk_that_fills_up_at_a_new_segment_still_acknowledges_what_it_took() {
    let bench = Bench::new(1);
    let large = "x".repeat(450);
    bench.put(&[&large]);
    bench.append(&[&large]).expect("a second segment begins");
    bench.disk.set_capacity(Some(bench.disk.used()));
    bench.environment.committer().round();
    assert_eq!(bench.log.bounds().high_watermark, Offset::new(2));
    assert!(matches!(bench.append(&[&large]), Err(AppendError::Full(_))));
    bench.disk.set_capacity(None);
    assert_eq!(bench.put(&[&large]).base_offset, Offset::new(2));
    let reopened = Bench::on(bench.disk.fork());
    assert_eq!(reopened.read_all(0).0.len(), 3);
}

/// A log whose next append begins a segment, on a disk with no descriptor left.
fn out_of_descriptors(appended: usize) -> (Bench, String) {
    let (bench, large) = (Bench::new(1), "x".repeat(450));
    for _ in 0..appended {
        bench.append(&[&large]).expect("the log takes it");
    }
    bench.disk.set_descriptors(Some(bench.disk.open_files()));
    (bench, large)
}

#[test]
fn a_segment_that_cannot_be_made_for_want_of_descriptors_refuses_the_append_and_is_made_later() {
    let (bench, large) = (Bench::new(1), "x".repeat(450));
    bench.put(&[&large]);
    let kind = FaultKind::Refused { call: Call::Create, os_error: 24 };
    bench.disk.inject(Fault { after: 0, kind, lasting: true });
    let before = bench.log.bounds();
    let refused = bench.append(&[&large]).expect_err("no descriptor is left");
    assert!(matches!(refused, AppendError::Io(_)) && refused.is_transient());
    assert_eq!(bench.log.bounds(), before);
    bench.environment.committer().round();
    assert!(matches!(bench.log.trouble(), Some(Trouble::Append(_))));
    bench.disk.heal();
    bench.environment.committer().round();
    assert!(bench.log.trouble().is_none(), "no one had to append");
    assert_eq!(bench.put(&[&large]).base_offset, Offset::new(1));
}

#[test]
fn a_commit_that_cannot_open_its_checkpoint_stalls_and_goes_on_later() {
    let (bench, large) = out_of_descriptors(3);
    let mut durable = std::pin::pin!(bench.log.durable(Offset::new(2)));
    bench.environment.committer().round();
    assert!(now(durable.as_mut()).is_none(), "waiters go on waiting");
    assert!(bench.log.failure().is_none());
    assert!(!bench.log.bounds().is_writable);
    assert!(matches!(bench.log.trouble(), Some(Trouble::Commit(_))));
    let refused = bench.append(&[&large]).expect_err("it would pile up");
    assert!(matches!(refused, AppendError::Stalled(_)) && refused.is_transient());
    bench.disk.set_descriptors(None);
    bench.environment.committer().round();
    assert!(matches!(now(durable), Some(Ok(()))));
    assert!(bench.log.trouble().is_none() && bench.log.bounds().is_writable);
    bench.put(&[&large]);
    bench.disk.crash();
    assert_eq!(Bench::on(bench.disk).read_all(0).0.len(), 4);
}

#[test]
fn waiters_of_a_stalled_commit_get_a_transient_error() {
    let (bench, _) = out_of_descriptors(3);
    let mut durable = std::pin::pin!(bench.log.durable(Offset::new(2)));
    let told = (0..100).find_map(|_| {
        bench.environment.committer().round();
        now(durable.as_mut())
    });
    let Some(Err(error)) = told else { panic!("no one was told: {told:?}") };
    assert!(matches!(error, SyncError::Stalled(_)) && error.is_transient());
}

#[test]
fn a_log_closed_while_its_commit_is_stalled_recovers_at_the_next_open() {
    let (bench, _) = out_of_descriptors(3);
    let durable = bench.log.durable(Offset::new(2));
    assert!(matches!(bench.log.close(), Err(SyncError::Stalled(_))));
    assert!(matches!(now(durable), Some(Err(SyncError::Stalled(_)))));
    bench.disk.set_descriptors(None);
    let reopened = Bench::on(bench.disk);
    assert!(!reopened.recovery.clean);
    assert_eq!(reopened.read_all(0).0.len(), 3);
}

#[test]
fn a_full_disk_that_has_space_again_is_noticed_without_an_append() {
    let bench = Bench::new(1);
    bench.put(&["a"]);
    bench.disk.set_capacity(Some(bench.disk.used() + 30));
    assert!(matches!(bench.append(&["b"]), Err(AppendError::Full(_))));
    bench.environment.committer().round();
    assert!(matches!(bench.log.trouble(), Some(Trouble::Append(_))));
    bench.disk.set_capacity(None);
    bench.environment.committer().round();
    assert!(bench.log.trouble().is_none());
    bench.disk.crash();
    assert_eq!(Bench::on(bench.disk).read_all(0).0, [(0, "a".to_owned())]);
}

#[test]
fn half_a_batch_that_could_not_be_cut_off_is_cut_off_before_the_next() {
    let bench = Bench::new(1);
    bench.put(&["a"]);
    let whole = bench.log.bounds().bytes;
    let size = || bench.disk.contents(&file("00000000000000000000.log")).map(|c| c.len() as u64);
    bench.disk.inject(Fault { after: 0, kind: FaultKind::ShortWrite, lasting: false });
    bench.disk.inject(Fault { after: 1, kind: FaultKind::Io, lasting: false });
    assert!(matches!(bench.append(&[&"x".repeat(300)]), Err(AppendError::Full(_))));
    assert!(size() > Some(whole), "half a batch is there");
    assert!(bench.log.failure().is_none());
    assert_eq!(bench.put(&["b"]).base_offset, Offset::new(1));
    assert_eq!(size(), Some(bench.log.bounds().bytes));
    bench.log.close().expect("the disk is well");
    assert_eq!(Bench::on(bench.disk).read_all(0).0.len(), 2);
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_until_the_log_is_opened_anew() {
    let bench = Bench::new(1);
    bench.put(&["a"]);
    let appended = bench.append(&["b"]).expect("the log takes it");
    let waiter = Waiter::new();
    bench.log.wait_past(appended.last_offset, Isolation::ReadUncommitted, &waiter);
    let durable = bench.log.durable(appended.last_offset);
    bench.disk.inject(Fault { after: 0, kind: FaultKind::Sync, lasting: false });
    bench.environment.committer().round();
    assert!(matches!(now(durable), Some(Err(SyncError::Failed(_)))));
    assert!(now(waiter.woken()).is_some());
    assert!(matches!(bench.append(&["c"]), Err(AppendError::Failed(_))));
    // The disk says that all is well again; it is not believed.
    bench.environment.committer().round();
    assert!(matches!(now(bench.log.durable(appended.last_offset)), Some(Err(SyncError::Failed(_)))));
    assert!(matches!(now(bench.log.durable(Offset::ZERO)), Some(Ok(()))));
    assert!(bench.log.close().is_err());
    assert!(!bench.log.bounds().is_writable);
    assert_eq!(bench.read_all(0).0.len(), 1, "what was acknowledged is still served");
    bench.disk.crash();
    let reopened = Bench::on(bench.disk);
    assert_eq!(reopened.read_all(0).0[0].1, "a");
    assert!(reopened.append(&["c"]).is_ok());
}

#[test]
fn a_repeated_batch_is_not_acknowledged_before_the_first_is_durable() {
    let bench = Bench::new(1);
    let at = Timestamp::from_millis(1);
    bench.log.append(crate::bench::sent(1, 0, 0, &["a"]), at).expect("the log takes it");
    let again = bench.log.append(crate::bench::sent(1, 0, 0, &["a"]), at).expect("it is known");
    assert!(again.duplicate);
    let mut durable = std::pin::pin!(bench.log.durable(again.last_offset));
    assert!(now(durable.as_mut()).is_none());
    bench.environment.committer().round();
    assert!(matches!(now(durable), Some(Ok(()))));
}

#[test]
fn a_removed_segment_is_still_read_by_who_holds_it_and_out_of_range_for_the_rest() {
    let bench = Bench::with(CrashDisk::seeded(1), EnvironmentOptions { tail_cache_bytes: 1 << 20, ..COLD });
    let large = "x".repeat(450);
    for _ in 0..4 {
        bench.put(&[&large]);
    }
    let held = bench.log.read(Offset::ZERO, 1, Isolation::ReadUncommitted).expect("in range");
    bench.log.truncate_before(Offset::new(3)).expect("the disk is well");
    assert_eq!(held.chunks[0].len(), held.bytes);
    assert!(matches!(
        bench.log.read(Offset::ZERO, 1, Isolation::ReadUncommitted),
        Err(factum_log::ReadError::OutOfRange { .. })
    ));
    assert_eq!(bench.read_all(3).0.len(), 1);
}

#[test]
fn the_tail_cache_and_the_disk_give_the_same_batches() {
    let disk = CrashDisk::seeded(1);
    let cached = Bench::with(disk.clone(), EnvironmentOptions { tail_cache_bytes: 700, ..COLD });
    for i in 0..40 {
        cached.put(&[&format!("{i}"), "and", &"more".repeat(i)]);
    }
    let cold = Bench::on(disk.fork());
    for from in 0..120 {
        for limit in [1, 100, 500, 5_000] {
            let [cached, cold] = [&cached.log, &cold.log].map(|log| {
                let slice = log.read(Offset::new(from), limit, Isolation::ReadUncommitted).expect("in range");
                slice.chunks.concat()
            });
            assert_eq!(cached, cold, "offset {from}, limit {limit}");
        }
    }
}

/// Producers, a reader and the committer on a real disk, all at once.
#[test]
fn the_committer_acknowledges_from_its_own_thread() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let environment = Environment::new(Arc::new(LocalDisk), EnvironmentOptions::default());
    let logs: Vec<_> = (0..3)
        .map(|partition| dir.path().join(format!("topic-{partition}")))
        .map(|dir| PartitionLog::open(&environment, &dir, OPTIONS).expect("the disk is well").0)
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    thread::scope(|scope| {
        let committer = environment.committer().clone();
        let committing = scope.spawn(move || committer.run());
        for log in &logs {
            scope.spawn(|| produce(log, 200));
        }
        for log in &logs {
            runtime.block_on(consume(log, 200));
        }
        environment.committer().stop();
        committing.join().expect("the committer ends");
    });
    for log in &logs {
        log.close().expect("the disk is well");
        assert_eq!(read_all(log, 0).0.len(), 200);
    }
}

fn produce(log: &PartitionLog, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for i in 0..count {
        let appended = log.append(batch(&[&i.to_string()]), Timestamp::from_millis(1)).expect("it is taken");
        if i % 7 == 0 || i + 1 == count {
            runtime.block_on(log.durable(appended.last_offset)).expect("the disk is well");
            assert!(log.bounds().high_watermark > appended.last_offset);
        }
    }
}

async fn consume(log: &PartitionLog, count: i64) {
    let waiter = Waiter::new();
    let mut next = Offset::ZERO;
    while next < Offset::new(count) {
        if !log.wait_past(next, Isolation::ReadUncommitted, &waiter) {
            waiter.woken().await;
            continue;
        }
        let slice = log.read(next, 1_000, Isolation::ReadUncommitted).expect("in range");
        for (offset, value) in crate::bench::records_of(&slice.chunks) {
            assert_eq!(value, offset.to_string());
            next = Offset::new(offset).next();
        }
    }
}

#[test]
fn a_start_keeps_the_note_of_the_synced_end_that_is_whole() {
    const SLOTS: [std::ops::Range<usize>; 2] = [8192..8232, 12288..12328];
    let bench = Bench::new(1);
    bench.put(&["a"]);
    bench.put(&["b"]);
    // A power cut tears the write of the second note, and then of the first one after the next start.
    let path = file("checkpoint");
    let tear = |disk: &CrashDisk, slot: usize| {
        let mut contents = disk.contents(&path).expect("it is there");
        contents[SLOTS[slot].clone()][20..].fill(0);
        disk.overwrite(&path, contents);
    };
    tear(&bench.disk, 1);
    let bench = Bench::on(bench.disk);
    let kept = bench.disk.contents(&path).expect("it is there")[SLOTS[0].clone()].to_vec();
    bench.put(&["c"]);
    let contents = bench.disk.contents(&path).expect("it is there");
    assert_eq!(contents[SLOTS[0].clone()], kept, "the whole one is overwritten last");
    tear(&bench.disk, 1);
    bench.append(&["torn"]).expect("the log takes it");
    let log = file("00000000000000000000.log");
    let mut contents = bench.disk.contents(&log).expect("it is there");
    contents.truncate(contents.len() - 3);
    bench.disk.overwrite(&log, contents);
    let bench = Bench::on(bench.disk);
    assert_eq!(bench.recovery.quarantined, None);
    assert_eq!(bench.log.bounds().log_end.get(), 3);
}
