//! Giving damaged records up: what can be read stays, the lost offsets are never given out again, and a crash leaves
//! the old or the new.

use std::path::PathBuf;

use factum_log::{Isolation, Repair, inspect, repair};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::Offset;

use crate::bench::{Bench, dir, file, read_all};
use crate::damage::{is_segment, value, written};

/// The offsets that can be read, without one error on the way.
fn offsets(bench: &Bench) -> Vec<i64> {
    let start = bench.log.bounds().log_start.get();
    let (records, error) = read_all(&bench.log, start);
    assert!(error.is_none(), "readers pass over the gap: {error:?}");
    records.iter().for_each(|(offset, found)| assert_eq!(*found, value(*offset)));
    records.into_iter().map(|(offset, _)| offset).collect()
}

/// Whether offset `offset` lies in what was given up.
fn is_given_up(given_up: &Repair, offset: i64) -> bool {
    let offset = Offset::new(offset);
    given_up.given_up.iter().any(|lost| lost.from <= offset && offset < lost.next)
}

/// Opens the repaired log: it is whole but for what was given up, and takes appends behind its old end.
fn check_whole(disk: CrashDisk, repaired: &Repair, end: i64) {
    let found = inspect(&disk, dir()).expect("the disk answers");
    assert_eq!(found.damage, []);
    let bench = Bench::on(disk.clone());
    assert_eq!(bench.recovery.quarantined, None);
    assert_eq!(bench.recovery.truncated_bytes, 0, "nothing more is lost");
    let kept: Vec<_> = (0..end).filter(|offset| !is_given_up(repaired, *offset)).collect();
    assert_eq!(offsets(&bench), kept);
    for offset in 0..end {
        bench
            .log
            .read(Offset::new(offset), 1, Isolation::ReadUncommitted)
            .expect("each offset can be asked for");
    }
    assert_eq!(bench.put(&["next"]).base_offset.get(), end, "no offset is given out again");
    let again = Bench::on({
        bench.log.close().expect("the disk is well");
        disk
    });
    assert!(again.recovery.clean, "it is a log like any other");
    assert_eq!(again.log.bounds().high_watermark.get(), end + 1);
}

fn segments(disk: &CrashDisk) -> Vec<PathBuf> {
    disk.files().into_iter().filter(|path| is_segment(path) && path.parent() == Some(dir())).collect()
}

#[test]
fn a_log_with_one_flipped_byte_is_whole_again_without_that_batch() {
    for closed in [false, true] {
        let (bench, _) = written(closed);
        let end = bench.log.bounds().log_end.get();
        for path in segments(&bench.disk) {
            let length = bench.disk.contents(&path).expect("the segment is there").len();
            for byte in (0..length).step_by(37) {
                let disk = bench.disk.fork();
                disk.flip_bit(&path, byte * 8 + 2);
                let repaired = repair(&disk, dir()).expect("the disk is well");
                assert_eq!(repaired.given_up.len(), 1);
                let lost = &repaired.given_up[0];
                let kept = disk.contents(&repaired.copies[0]).expect("the damaged bytes are kept");
                let before = bench.disk.contents(&path).expect("the segment is there");
                let at = usize::try_from(lost.byte).expect("small");
                let differ = kept.iter().zip(&before[at..]).filter(|(one, other)| one != other).count();
                assert_eq!((kept.len() as u64, differ), (lost.bytes, 1), "byte {byte} of {}", path.display());
                check_whole(disk, &repaired, end);
            }
        }
    }
}

#[test]
fn a_log_with_segments_cut_short_or_missing_keeps_its_offsets() {
    for closed in [false, true] {
        let (bench, _) = written(closed);
        let end = bench.log.bounds().log_end.get();
        for path in segments(&bench.disk) {
            let contents = bench.disk.contents(&path).expect("the segment is there");
            for length in (0..contents.len()).step_by(61).chain([contents.len() - 1]) {
                let disk = bench.disk.fork();
                disk.overwrite(&path, contents[..length].to_vec());
                let repaired = repair(&disk, dir()).expect("the disk is well");
                assert!(!repaired.given_up.is_empty(), "{} cut to {length}", path.display());
                check_whole(disk, &repaired, end);
            }
            let disk = bench.disk.fork();
            disk.lose(&path);
            let repaired = repair(&disk, dir()).expect("the disk is well");
            check_whole(disk, &repaired, end);
        }
        let disk = bench.disk.fork();
        segments(&disk).iter().for_each(|path| disk.lose(path));
        let repaired = repair(&disk, dir()).expect("the disk is well");
        check_whole(disk, &repaired, end);
    }
}

#[test]
fn a_sound_log_is_left_as_it_is() {
    let (bench, _) = written(true);
    let operations = bench.disk.operations();
    let repaired = repair(&bench.disk, dir()).expect("the disk is well");
    assert_eq!(repaired, Repair { given_up: Vec::new(), copies: Vec::new() });
    assert_eq!(bench.disk.operations(), operations, "nothing is written");
}

#[test]
fn a_log_that_lost_its_epochs_and_checkpoint_too_is_repaired() {
    let (bench, _) = written(false);
    // A second epoch.
    let bench = Bench::on(bench.disk.fork());
    let end = bench.put(&[&value(bench.log.bounds().log_end.get())]).base_offset.get() + 1;
    for path in segments(&bench.disk) {
        let disk = bench.disk.fork();
        disk.lose(&file("leader-epochs"));
        disk.lose(&file("checkpoint"));
        disk.flip_bit(&path, 700);
        let repaired = repair(&disk, dir()).expect("the disk is well");
        let opened = Bench::on(disk);
        assert_eq!(opened.recovery.quarantined, None, "{}", path.display());
        let kept: Vec<_> = (0..end).filter(|offset| !is_given_up(&repaired, *offset)).collect();
        assert_eq!(offsets(&opened), kept);
        assert!(opened.put(&["next"]).base_offset.get() >= end, "no offset is given out again");
        assert_eq!(offsets_but_last(&opened), kept);
    }
}

fn offsets_but_last(bench: &Bench) -> Vec<i64> {
    let (mut records, error) = read_all(&bench.log, 0);
    assert!(error.is_none(), "{error:?}");
    records.pop();
    records.into_iter().map(|(offset, _)| offset).collect()
}

/// Two damaged segments, one of them the last.
fn damaged_twice() -> (CrashDisk, i64) {
    // Closed, so that no crash takes the note of the synced end back.
    let (bench, _) = written(true);
    let end = bench.log.bounds().log_end.get();
    let disk = bench.disk.fork();
    let paths = segments(&disk);
    disk.flip_bit(&paths[1], 700);
    let last = &paths[paths.len() - 1];
    let contents = disk.contents(last).expect("the segment is there");
    disk.overwrite(last, contents[..contents.len() - 5].to_vec());
    (disk, end)
}

#[test]
fn a_crash_at_any_operation_leaves_a_log_that_is_damaged_as_before_or_whole() {
    let (disk, end) = damaged_twice();
    let before = inspect(&disk, dir()).expect("the disk answers");
    let whole = disk.fork();
    let started = whole.operations();
    let expected = repair(&whole, dir()).expect("the disk is well");
    let operations = whole.operations() - started;
    assert!(operations > 10, "{operations}");
    for after in 0..=operations {
        for crash in [CrashDisk::crash, CrashDisk::crash_out_of_order] {
            let disk = disk.fork();
            disk.inject(Fault { after, kind: FaultKind::Crash, lasting: true });
            let ended = repair(&disk, dir());
            assert_eq!(ended.is_ok(), after == operations, "operation {after}");
            crash(&disk);
            let left = inspect(&disk, dir()).expect("the disk answers");
            for damage in &left.damage {
                let same =
                    |was: &&factum_log::DamagedOffsets| (was.from, was.next) == (damage.from, damage.next);
                assert!(before.damage.iter().any(|was| same(&was)), "operation {after}: {damage:?}");
            }
            let started = Bench::on(disk.fork());
            assert_eq!(started.recovery.truncated_bytes, 0, "operation {after}: nothing is cut in silence");
            assert_eq!(started.log.bounds().log_end.get(), end, "operation {after}");
            drop(started);
            repair(&disk, dir()).expect("it may be run again");
            check_whole(disk, &expected, end);
        }
    }
}

#[test]
fn a_disk_that_refuses_leaves_a_log_that_can_be_repaired_later() {
    let (disk, end) = damaged_twice();
    for kind in [FaultKind::Io, FaultKind::NoSpace, FaultKind::ShortWrite, FaultKind::Sync] {
        for after in 0..20 {
            let disk = disk.fork();
            disk.inject(Fault { after, kind, lasting: false });
            let ended = repair(&disk, dir());
            let left = inspect(&disk, dir()).expect("the disk answers");
            assert!(ended.is_err() || left.damage.is_empty(), "{kind:?} at operation {after}");
            disk.heal();
            repair(&disk, dir()).expect("it may be run again");
            let started = Bench::on(disk);
            assert_eq!(started.recovery.quarantined, None, "{kind:?} at operation {after}");
            assert_eq!(started.log.bounds().log_end.get(), end);
        }
    }
}
