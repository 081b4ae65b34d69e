//! Looking at a log's directory: the same judgement as a start, and not a byte written.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use expect_test::expect;
use factum_log::{Disk, Environment, Inspection, LocalDisk, PartitionLog, inspect};
use factum_testkit::CrashDisk;
use factum_types::{Offset, Timestamp};

use crate::bench::{Bench, COLD, OPTIONS, batch, dir, file};
use crate::damage::{batch_ends, is_segment, written};

pub(crate) fn said(found: &Inspection) -> String {
    let mut text = format!("{} to {}, acknowledged {:?}\n", found.log_start, found.log_end, found.synced_end);
    for one in &found.segments {
        let (base, next) = (one.base_offset, one.next_offset);
        writeln!(text, "segment {base} to {next}: {} batches, {} bytes", one.batches, one.bytes)
            .expect("text");
    }
    for one in &found.damage {
        let (from, next, told) = (one.from, one.next, one.is_acknowledged);
        let place = format!("{} bytes at {} of segment {}", one.bytes, one.byte, one.segment);
        writeln!(text, "damage {from} to {next} ({place}, acknowledged: {told}): {}", one.fault)
            .expect("text");
    }
    for note in &found.notes {
        writeln!(text, "note: {note}").expect("text");
    }
    text
}

/// Every file with its contents.
fn contents(disk: &CrashDisk) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    disk.files().into_iter().map(|path| (path.clone(), disk.contents(&path))).collect()
}

fn look(disk: &CrashDisk) -> Inspection {
    let (before, operations) = (contents(disk), disk.operations());
    let found = inspect(disk, dir()).expect("the disk answers");
    assert_eq!(disk.operations(), operations, "an inspection changes nothing");
    assert!(contents(disk) == before, "an inspection changes nothing");
    found
}

#[test]
fn a_sound_log_is_described_by_segment() {
    let (bench, _) = written(true);
    expect![[r#"
        0 to 31, acknowledged Some(31)
        segment 0 to 7: 4 batches, 496 bytes
        segment 7 to 17: 4 batches, 598 bytes
        segment 17 to 26: 4 batches, 569 bytes
        segment 26 to 31: 4 batches, 423 bytes
    "#]]
    .assert_eq(&said(&look(&bench.disk)));
}

#[test]
fn each_damaged_range_is_told_with_its_place_and_what_was_acknowledged() {
    let (bench, _) = written(false);
    bench.disk.flip_bit(&file("00000000000000000000.log"), 700);
    let last = bench.disk.files().into_iter().rfind(|path| is_segment(path)).expect("a segment");
    let contents = bench.disk.contents(&last).expect("it is there");
    bench.disk.overwrite(&last, contents[..contents.len() - 3].to_vec());
    let second = bench.log.segments()[1].base_offset;
    bench.disk.lose(&file(&format!("{:020}.log", second.get())));
    expect![[r#"
        0 to 31, acknowledged Some(31)
        segment 0 to 7: 3 batches, 496 bytes
        segment 17 to 26: 4 batches, 569 bytes
        segment 26 to 30: 3 batches, 420 bytes
        damage 0 to 1 (94 bytes at 0 of segment 0, acknowledged: true): record batch checksum is 0xdcdfd1ad, its header says 0x40842b0b
        damage 7 to 17 (0 bytes at 496 of segment 0, acknowledged: true): the segment ends before offset 17
        damage 30 to 31 (93 bytes at 327 of segment 26, acknowledged: true): record batch needs 96 bytes, 93 are there
        note: 00000000000000000000.index is of another segment; it is rebuilt from the log
    "#]].assert_eq(&said(&look(&bench.disk)));
}

#[test]
fn files_that_a_start_rebuilds_are_notes_and_no_damage() {
    let (bench, _) = written(false);
    bench.append(&["never acknowledged"]).expect("the log takes it");
    let last = bench.disk.files().into_iter().rfind(|path| is_segment(path)).expect("a segment");
    let contents = bench.disk.contents(&last).expect("it is there");
    bench.disk.overwrite(&last, contents[..contents.len() - 3].to_vec());
    bench.disk.lose(&file("00000000000000000000.index"));
    bench.disk.lose(&file("leader-epochs"));
    bench.disk.flip_bit(&file("checkpoint"), 20 * 8);
    for name in ["00000000000000000007.log.tmp", "notes.txt"] {
        bench.disk.create(&file(name)).expect("a file");
    }
    expect![[r#"
        0 to 31, acknowledged Some(31)
        segment 0 to 7: 4 batches, 496 bytes
        segment 7 to 17: 4 batches, 598 bytes
        segment 17 to 26: 4 batches, 569 bytes
        segment 26 to 31: 4 batches, 506 bytes
        note: 00000000000000000007.log.tmp is half written; the next start removes it
        note: notes.txt is none of the log's files; it is passed over
        note: the checkpoint is not whole in one of its two slots; a start reads more than it would have to
        note: leader-epochs is missing or not whole; it is rebuilt from the log
        note: 00000000000000000000.index is missing or not whole; it is rebuilt from the log
        note: 83 bytes at byte 423 of 00000000000000000026.log were never acknowledged; the next start cuts them off
    "#]].assert_eq(&said(&look(&bench.disk)));
}

#[test]
fn an_inspection_and_a_start_agree_on_what_is_damage() {
    for closed in [false, true] {
        let (bench, _) = written(closed);
        for path in bench.disk.files().into_iter().filter(|path| is_segment(path)) {
            let contents = bench.disk.contents(&path).expect("the segment is there");
            let ends = batch_ends(&contents);
            for byte in (0..contents.len()).step_by(17) {
                let disk = bench.disk.fork();
                disk.flip_bit(&path, byte * 8);
                let found = look(&disk);
                assert_eq!(found.damage.len(), 1, "byte {byte} of {}", path.display());
                let hit = ends.iter().rposition(|end| *end <= byte).expect("the first begins at 0");
                assert_eq!(found.damage[0].byte, ends[hit] as u64, "byte {byte} of {}", path.display());
                assert!(found.damage[0].is_acknowledged);
                // A start reads the tail alone, unless the index says that something is wrong.
                if let Some(damage) = Bench::on(disk).recovery.quarantined {
                    assert_eq!((damage.at, damage.next), (found.damage[0].from, found.damage[0].next));
                }
            }
        }
    }
}

#[test]
fn beside_a_running_log_nothing_is_taken_for_damage() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let environment = Environment::new(Arc::new(LocalDisk), COLD);
    let (log, _) = PartitionLog::open(&environment, folder.path(), OPTIONS).expect("the disk is well");
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            for _ in 0..40 {
                let found = inspect(&LocalDisk, folder.path()).expect("the disk answers");
                assert!(found.damage.is_empty(), "{}", said(&found));
            }
        });
        let mut next = 0;
        while !looking.is_finished() {
            let value = format!("value {next}");
            let appended = log.append(batch(&[&value]), Timestamp::from_millis(next)).expect("it is taken");
            environment.committer().round();
            if next % 16 == 0 {
                log.truncate_before(Offset::new(appended.base_offset.get() / 2)).expect("the disk is well");
            }
            next += 1;
        }
    });
}
