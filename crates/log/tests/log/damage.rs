//! Bytes that are not what was written: torn, flipped, swapped. No wrong byte is ever handed out, and what
//! lies before the damage still is.

use std::path::{Path, PathBuf};

use factum_log::{Isolation, PartitionLog, ReadError};
use factum_testkit::CrashDisk;
use factum_types::{BatchHeader, Offset};

use crate::bench::{Bench, OPTIONS, dir, file, read_all, records_of, sent};

/// A log of several segments; every value tells its offset. Returns the bench and the batches' base offsets.
pub(crate) fn written(close: bool) -> (Bench, Vec<i64>) {
    let bench = Bench::new(3);
    let mut bases = Vec::new();
    let mut next = 0;
    for count in [1, 3, 2, 1, 4, 1, 2, 3, 1, 1, 2, 5, 1, 2, 1, 1] {
        let values: Vec<_> = (next..next + count).map(value).collect();
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let sequence = i32::try_from(next).expect("small");
        bench.log.append(sent(1, 0, sequence, &values), at(next)).expect("the log takes it");
        bench.environment.committer().round();
        bases.push(next);
        next += count;
    }
    if close {
        bench.log.close().expect("the disk is well");
    }
    (bench, bases)
}

/// Appends a batch of one record, not yet synced; returns its offset.
fn append_next(bench: &Bench) -> i64 {
    let next = bench.log.bounds().log_end.get();
    let sequence = i32::try_from(next).expect("small");
    bench.log.append(sent(1, 0, sequence, &[&value(next)]), at(next)).expect("the log takes it");
    next
}

pub(crate) fn value(offset: i64) -> String {
    format!("value of offset {offset:0width$}", width = 10 + usize::try_from(offset % 7).expect("small"))
}

fn at(offset: i64) -> factum_types::Timestamp {
    factum_types::Timestamp::from_millis(1_000 + offset)
}

/// Reads from every offset; each record must be the right one. Returns the offsets that could be read.
fn readable(log: &PartitionLog, end: i64) -> Vec<i64> {
    let reads = |offset: &i64| match log.read(Offset::new(*offset), 1, Isolation::ReadUncommitted) {
        Ok(slice) => {
            let records = records_of(&slice.chunks);
            records.iter().for_each(|(offset, found)| assert_eq!(*found, value(*offset)));
            records.iter().any(|(found, _)| found == offset)
        }
        Err(ReadError::Damaged(_) | ReadError::OutOfRange { .. }) => false,
        Err(error) => panic!("{error}"),
    };
    (0..end).filter(reads).collect()
}

/// Where each batch of a segment file ends.
pub(crate) fn batch_ends(contents: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    while ends[ends.len() - 1] < contents.len() {
        let at = ends[ends.len() - 1];
        ends.push(at + BatchHeader::check(&contents[at..]).expect("the log wrote it").encoded_len());
    }
    ends
}

#[test]
fn a_tail_torn_at_any_byte_of_the_last_three_batches_is_cut_if_nobody_was_told_of_them() {
    let (bench, mut bases) = written(false);
    let first_of_a_segment = bench.log.segments().len() + 1;
    while bench.log.segments().len() < first_of_a_segment {
        bases.push(append_next(&bench));
        bench.environment.committer().round();
    }
    bases.extend([0; 3].map(|_| append_next(&bench)));
    let end = bench.log.bounds().log_end.get();
    let active = bench.log.segments().last().expect("a log has a segment").base_offset;
    let path = file(&format!("{:020}.log", active.get()));
    let contents = bench.disk.contents(&path).expect("the segment is there");
    let ends = batch_ends(&contents);
    assert!(ends.len() > 3, "the active segment holds three batches");
    for length in ends[ends.len() - 4]..contents.len() {
        let disk = bench.disk.fork();
        disk.overwrite(&path, contents[..length].to_vec());
        let torn = Bench::on(disk);
        let kept = ends.iter().rposition(|end| *end <= length).expect("the first batch begins at 0");
        let lost = ends.len() - 1 - kept;
        let expected_end = bases[bases.len() - lost];
        assert_eq!(torn.recovery.truncated_bytes, (length - ends[kept]) as u64);
        assert_eq!(torn.recovery.quarantined, None);
        assert_eq!(torn.log.bounds().high_watermark.get(), expected_end, "cut to {length}");
        assert_eq!(readable(&torn.log, end), (0..expected_end).collect::<Vec<_>>());
        let again = torn.append(&["next"]).expect("the log takes more");
        assert_eq!(again.base_offset.get(), expected_end);
    }
}

#[test]
fn a_tail_torn_at_any_byte_of_the_last_acknowledged_batches_is_damage() {
    let (bench, bases) = written(false);
    let end = bench.log.bounds().log_end.get();
    let active = bench.log.segments().last().expect("a log has a segment").base_offset;
    let path = file(&format!("{:020}.log", active.get()));
    let contents = bench.disk.contents(&path).expect("the segment is there");
    let ends = batch_ends(&contents);
    for length in ends[ends.len() - 4]..contents.len() {
        let disk = bench.disk.fork();
        disk.overwrite(&path, contents[..length].to_vec());
        let torn = Bench::on(disk.clone());
        assert!(torn.recovery.quarantined.is_some(), "cut to {length}");
        assert_eq!(torn.recovery.truncated_bytes, 0, "cut to {length}");
        assert_eq!(disk.contents(&path).map(|kept| kept.len()), Some(length), "nothing on disk is touched");
        let lost = ends.len() - 1 - ends.iter().rposition(|end| *end <= length).expect("0 is among them");
        let sound: Vec<_> = (0..bases[bases.len() - lost]).collect();
        assert_eq!(readable(&torn.log, end), sound, "cut to {length}");
        assert_eq!(torn.log.bounds().log_end.get(), end, "a lost tail keeps its offsets");
        assert!(torn.append(&["next"]).is_err());
    }
}

#[test]
fn a_segment_cut_short_below_what_was_durable_is_never_mended_silently() {
    let (bench, _) = written(true);
    for name in bench.disk.files().iter().filter(|path| is_segment(path)) {
        let contents = bench.disk.contents(name).expect("the segment is there");
        for length in (0..contents.len()).step_by(7).chain([contents.len() - 1]) {
            let disk = bench.disk.fork();
            disk.overwrite(name, contents[..length].to_vec());
            let cut = Bench::on(disk);
            assert!(cut.recovery.quarantined.is_some(), "{} cut to {length}", name.display());
            assert!(cut.append(&["next"]).is_err());
            let end = bench.log.bounds().log_end.get();
            assert_eq!(cut.log.bounds().log_end.get(), end, "a lost tail keeps its offsets");
            let first = base_of(name);
            assert!(readable(&cut.log, end).starts_with(&(0..first).collect::<Vec<_>>()));
        }
    }
}

#[test]
fn no_flipped_bit_is_ever_served() {
    for (closed, seed) in [(true, 11), (false, 12)] {
        let (bench, bases) = written(closed);
        let end = bench.log.bounds().log_end.get();
        let mut random = seed;
        let files: Vec<_> = bench.disk.files().into_iter().filter(|path| path.starts_with(dir())).collect();
        for _ in 0..1_500 {
            let path = &files[below(&mut random, files.len())];
            let contents = bench.disk.contents(path).expect("the file is there");
            if contents.is_empty() {
                continue;
            }
            let bit = below(&mut random, contents.len() * 8);
            let disk = bench.disk.fork();
            disk.flip_bit(path, bit);
            check_flipped(disk, path, bit / 8, &contents, &bases, end);
        }
    }
}

/// Opens a log with one flipped bit in `path` and checks what it still serves.
fn check_flipped(disk: CrashDisk, path: &Path, byte: usize, before: &[u8], bases: &[i64], end: i64) {
    if is_segment(path) {
        check_repeats(&Bench::on(disk.fork()), byte);
    }
    let flipped = Bench::on(disk);
    let readable = readable(&flipped.log, end);
    let what = format!("byte {byte} of {}", path.display());
    if !is_segment(path) {
        assert_eq!(flipped.recovery.quarantined, None, "{what} is only a cache");
        assert_eq!(readable, (0..end).collect::<Vec<_>>(), "{what} is only a cache");
        return;
    }
    let batch = batch_ends(before).iter().rposition(|end| *end <= byte).expect("the first begins at 0");
    let first = bases.partition_point(|base| *base < base_of(path));
    let hit = bases[first + batch];
    let after = bases.get(first + batch + 1).copied().unwrap_or(end);
    assert!(readable.starts_with(&(0..hit).collect::<Vec<_>>()), "{what}: what lies before is served");
    assert!(!readable.contains(&hit), "{what}: the batch itself is not");
    let is_sealed =
        flipped.log.segments().last().is_some_and(|active| active.base_offset.get() != base_of(path));
    assert!(
        is_sealed || flipped.recovery.clean || flipped.recovery.quarantined.is_some(),
        "{what}: acknowledged"
    );
    assert_eq!(flipped.log.bounds().log_end.get(), end, "{what}: no offset is given out again");
    if after < end && flipped.recovery.quarantined.is_none() {
        let next_segment = flipped.log.segments().iter().find_map(|segment| {
            let base = segment.base_offset.get();
            (base > hit).then_some(base)
        });
        let behind: Vec<_> = (next_segment.unwrap_or(end)..end).collect();
        assert!(readable.ends_with(&behind), "{what}: later segments are served");
    }
}

/// A log that still takes appends neither doubles nor skips what the producer sends again.
fn check_repeats(flipped: &Bench, byte: usize) {
    let next = flipped.log.bounds().log_end.get();
    if flipped.recovery.quarantined.is_none() {
        let sequence = i32::try_from(next).expect("small");
        let appended = flipped.log.append(sent(1, 0, sequence, &[&value(next)]), at(next));
        assert_eq!(appended.expect("the sequence goes on").base_offset.get(), next, "byte {byte}");
    }
}

#[test]
fn an_index_that_is_sound_but_of_another_log_is_found_out() {
    let shape = |counts: [i64; 4]| {
        let bench = Bench::new(5);
        let mut next = 0;
        for count in counts {
            let values: Vec<_> = (next..next + count).map(|offset| format!("{offset:030}")).collect();
            bench.put(&values.iter().map(String::as_str).collect::<Vec<_>>());
            next += count;
        }
        bench.put(&["x".repeat(500).as_str()]);
        bench.log.close().expect("the disk is well");
        bench
    };
    let (ours, theirs) = (shape([1, 3, 2, 2]), shape([3, 1, 2, 2]));
    let index = file("00000000000000000000.index");
    let foreign = theirs.disk.contents(&index).expect("a sealed segment has an index");
    assert_ne!(ours.disk.contents(&index), Some(foreign.clone()));
    ours.disk.overwrite(&index, foreign);
    let reopened = Bench::on(ours.disk);
    assert!(reopened.recovery.clean, "its summary fits");
    for from in 0..8 {
        let (records, error) = read_all(&reopened.log, from);
        assert!(error.is_none(), "offset {from}: {error:?}");
        assert_eq!(records[0], (from, format!("{from:030}")));
        assert_eq!(records.len() as i64, 9 - from);
    }
}

#[test]
fn a_damaged_checkpoint_slot_costs_a_scan_and_nothing_else() {
    let (bench, _) = written(false);
    let end = bench.log.bounds().log_end.get();
    bench.log.truncate_before(Offset::new(12)).expect("the disk is well");
    let first = bench.log.segments()[0].base_offset.get();
    assert!(first > 0, "a segment is gone");
    for slot in [0, 4096] {
        let disk = bench.disk.fork();
        disk.flip_bit(&file("checkpoint"), (slot + 20) * 8);
        let reopened = Bench::on(disk);
        assert_eq!(reopened.recovery.quarantined, None, "slot at {slot}");
        let start = reopened.log.bounds().log_start.get();
        assert!((first..=12).contains(&start), "slot at {slot}: {start}");
        assert_eq!(readable(&reopened.log, end), (start..end).collect::<Vec<_>>());
    }
}

#[test]
fn one_damaged_partition_leaves_the_others_alone() {
    let (bench, _) = written(true);
    let other_dir = dir().with_file_name("other-0");
    let (other, _) = PartitionLog::open(&bench.environment, &other_dir, OPTIONS).expect("the disk is well");
    other.append(sent(1, 0, 0, &[&value(0)]), at(0)).expect("the log takes it");
    bench.environment.committer().round();
    bench.disk.flip_bit(&file("00000000000000000000.log"), 700);
    bench.disk.lose(&file("checkpoint"));
    bench.disk.lose(&file("00000000000000000000.index"));
    let reopened = Bench::on(bench.disk);
    assert!(reopened.recovery.quarantined.is_some());
    let (other, recovery) =
        PartitionLog::open(&reopened.environment, &other_dir, OPTIONS).expect("the disk is well");
    assert_eq!(recovery.quarantined, None);
    assert_eq!(readable(&other, 1), [0]);
}

pub(crate) fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "log")
}

pub(crate) fn base_of(path: &Path) -> i64 {
    let stem = PathBuf::from(path.file_stem().expect("a segment has a name"));
    stem.to_str().and_then(|name| name.parse().ok()).expect("a segment is named after its base offset")
}

/// A number below `bound` from a linear congruential generator (Knuth's MMIX constants).
fn below(random: &mut u64, bound: usize) -> usize {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from((*random >> 33) % bound as u64).expect("smaller than a usize")
}
