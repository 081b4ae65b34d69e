//! Reading a damaged log: every batch but the damaged ones, the damage named where it is, and a
//! log that is read-only from then on.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use factum_log::{AppendError, Isolation, PartitionLog, ReadError};
use factum_types::{BatchBuilder, Offset, RecordBatch, Timestamp};
use proptest::prelude::*;

use crate::bench::{Bench, file, records_of};
use crate::damage::{base_of, batch_ends, is_segment};

/// A batch on the disk.
#[derive(Debug, Clone)]
struct Place {
    path: PathBuf,
    bytes: std::ops::Range<usize>,
    base: i64,
    next: i64,
}

/// What one pass over a log gives that skips what it cannot read.
#[derive(Debug, Default, PartialEq)]
struct Pass {
    records: Vec<(i64, String)>,
    unreadable: Vec<(i64, i64)>,
}

fn read_around(log: &PartitionLog) -> Pass {
    let mut pass = Pass::default();
    let bounds = log.bounds();
    let mut next = bounds.log_start.get();
    while next < bounds.high_watermark.get() {
        match log.read(Offset::new(next), 300, Isolation::ReadUncommitted) {
            Ok(slice) => {
                let records = records_of(&slice.chunks);
                pass.records.extend(records.iter().filter(|(offset, _)| *offset >= next).cloned());
                next = records.last().expect("below the high watermark").0 + 1;
            }
            Err(ReadError::Damaged(damage)) => {
                assert!(damage.at.get() <= next && damage.next.get() > next, "it goes forwards: {damage:?}");
                pass.unreadable.push((next, damage.next.get()));
                next = damage.next.get();
            }
            Err(error) => panic!("{error}"),
        }
    }
    pass
}

/// Where every batch of the log lies.
fn places(bench: &Bench) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for path in bench.disk.files().into_iter().filter(|path| is_segment(path)) {
        let contents = bench.disk.contents(&path).expect("it is there");
        let mut base = base_of(&path);
        for ends in batch_ends(&contents).windows(2) {
            let delta =
                i32::from_be_bytes(contents[ends[0] + 23..ends[0] + 27].try_into().expect("four bytes"));
            let next = base + i64::from(delta) + 1;
            places.push(Place { path: path.clone(), bytes: ends[0]..ends[1], base, next });
            base = next;
        }
    }
    places
}

/// A log of several segments, with batches whose values are batches that could follow, checksums included.
fn written(counts: &[usize], close: bool) -> Bench {
    let bench = Bench::new(3);
    for (at, count) in counts.iter().enumerate() {
        let next = bench.log.bounds().log_end.get();
        let base = i64::try_from(*count).expect("small") + next;
        let value = |record: usize| match (at + record) % 4 {
            0 => fake(next + 1, base - next, at).as_bytes().to_vec(),
            1 => fake(base, 1, at).as_bytes().to_vec(),
            _ => format!("{at}/{record} {}", "x".repeat(at % 7)).into_bytes(),
        };
        let mut builder = BatchBuilder::new();
        (0..*count).for_each(|record| builder.push(time(at), None, Some(&value(record)), &[]));
        bench.log.append(builder.build(), Timestamp::from_millis(5_000)).expect("the log takes it");
        bench.environment.committer().round();
    }
    if close {
        bench.log.close().expect("the disk is well");
    }
    bench
}

/// A batch as a client could send it in a value: of the log's epoch, at an offset that comes soon.
fn fake(base: i64, count: i64, salt: usize) -> RecordBatch {
    let mut builder = BatchBuilder::new();
    (0..count.max(1)).for_each(|_| builder.push(time(salt), None, Some(b"made up"), &[]));
    let mut batch = builder.build();
    batch.place(Offset::new(base), 0);
    batch
}

/// Times that do not rise.
fn time(at: usize) -> Timestamp {
    Timestamp::from_millis(1_000 + i64::try_from(at * 37 % 50).expect("small"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_batch_but_the_damaged_one_is_read(
        counts in prop::collection::vec(1..4usize, 8..24), close: bool, which: prop::sample::Index, bit: prop::sample::Index,
    ) {
        let bench = written(&counts, close);
        let whole = read_around(&bench.log);
        let places = places(&bench);
        let hit = &places[which.index(places.len())];
        bench.disk.flip_bit(&hit.path, hit.bytes.start * 8 + bit.index(hit.bytes.len() * 8));
        for _ in 0..2 {
            let reopened = Bench::on(bench.disk.fork());
            let expected = whole.records.iter().filter(|(offset, _)| !(hit.base..hit.next).contains(offset));
            let expected = Pass { records: expected.cloned().collect(), unreadable: vec![(hit.base, hit.next)] };
            prop_assert_eq!(&read_around(&reopened.log), &expected, "the first time");
            prop_assert_eq!(&read_around(&reopened.log), &expected, "and again");
            prop_assert!(reopened.log.quarantine().is_some());
        }
    }

    #[test]
    fn damaged_batches_are_reported_once_and_no_record_is_made_up(
        counts in prop::collection::vec(1..4usize, 8..24), close: bool, bits in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 2..6),
    ) {
        let bench = written(&counts, close);
        let whole = read_around(&bench.log);
        let places = places(&bench);
        for (which, bit) in &bits {
            let hit = &places[which.index(places.len())];
            bench.disk.flip_bit(&hit.path, hit.bytes.start * 8 + bit.index(hit.bytes.len() * 8));
        }
        let reopened = Bench::on(bench.disk);
        let pass = read_around(&reopened.log);
        prop_assert_eq!(&pass, &read_around(&reopened.log));
        let mut seen = BTreeSet::new();
        for (offset, value) in &pass.records {
            prop_assert!(seen.insert(*offset), "{} twice", offset);
            prop_assert!(whole.records.contains(&(*offset, value.clone())), "{} was made up", offset);
        }
        for (from, next) in &pass.unreadable {
            prop_assert!((*from..*next).all(|offset| seen.insert(offset)), "{}..{} overlaps", from, next);
        }
        prop_assert_eq!(seen.len(), whole.records.len(), "each offset is read or named");
    }

    #[test]
    fn a_search_by_time_never_steps_over_damage(
        counts in prop::collection::vec(1..4usize, 8..24), which: prop::sample::Index, bit: prop::sample::Index,
    ) {
        let bench = written(&counts, true);
        let places = places(&bench);
        let asked: Vec<_> = (995..1_055).step_by(3).map(Timestamp::from_millis).collect();
        let answers = |log: &PartitionLog| -> Vec<_> {
            asked.iter().map(|time| log.offset_for_time(*time).expect("the disk is well").map(|found| found.0.get())).collect()
        };
        let right = answers(&bench.log);
        let hit = places[which.index(places.len())].clone();
        bench.disk.flip_bit(&hit.path, hit.bytes.start * 8 + bit.index(hit.bytes.len() * 8));
        let reopened = Bench::on(bench.disk.clone());
        let before = answers(&reopened.log);
        for (found, right) in before.iter().zip(&right) {
            let may_differ = Some(hit.base) == *found && right.is_none_or(|right| hit.base <= right);
            prop_assert!(found == right || may_differ, "{found:?} where {right:?} was right, {hit:?}");
        }
        read_around(&reopened.log);
        prop_assert_eq!(&answers(&reopened.log), &before, "after a failed read");
        drop(reopened.log.close());
        let restarted = Bench::on(bench.disk.clone());
        prop_assert_eq!(&answers(&restarted.log), &before, "after a restart");
        let indexes: Vec<_> = bench.disk.files().into_iter().filter(|path| path.extension().is_some_and(|e| e == "index")).collect();
        indexes.iter().for_each(|path| bench.disk.lose(path));
        let rebuilt = Bench::on(bench.disk);
        for (found, before) in answers(&rebuilt.log).iter().zip(&before) {
            let is_earlier = Some(hit.base) == *found && before.is_none_or(|before| hit.base <= before);
            prop_assert!(found == before || is_earlier, "{found:?} where {before:?} was, without an index");
        }
    }
}

#[test]
fn damage_that_a_reader_meets_makes_the_log_read_only_until_it_is_mended() {
    let bench = Bench::new(3);
    for _ in 0..12 {
        bench.put(&["a value of some length, so that there are segments"]);
    }
    bench.log.close().expect("the disk is well");
    let segments: Vec<_> = bench.disk.files().into_iter().filter(|path| is_segment(path)).collect();
    assert!(segments.len() > 1);
    for path in segments {
        let disk = bench.disk.fork();
        let sound = disk.contents(&path).expect("it is there");
        disk.flip_bit(&path, 100 * 8);
        let reader = Bench::on(disk.clone());
        assert_eq!(reader.recovery.quarantined, None, "a clean start reads nothing");
        let lines = errors_of(|| {
            reader.append(&["before"]).expect("no one knows yet");
            for _ in 0..3 {
                assert_eq!(read_around(&reader.log).unreadable.len(), 1);
            }
        });
        assert_eq!(lines, 1, "the damage is told once");
        assert!(matches!(reader.append(&["after"]), Err(AppendError::Quarantined(_))));
        assert!(!reader.log.bounds().is_writable);
        let damage = reader.log.quarantine().expect("it was met").clone();
        drop(reader.log.close());
        let restarted = Bench::on(disk.clone());
        assert_eq!(restarted.recovery.quarantined.as_ref().map(|found| found.at), Some(damage.at));
        assert!(matches!(restarted.append(&["after"]), Err(AppendError::Quarantined(_))));
        let now = disk.contents(&path).expect("it is there");
        disk.overwrite(&path, [&sound[..], &now[sound.len()..]].concat());
        let mended = Bench::on(disk);
        assert_eq!(mended.recovery.quarantined, None);
        mended.append(&["after"]).expect("it was mended");
        assert_eq!(read_around(&mended.log).unreadable, []);
    }
}

#[test]
fn a_lost_first_segment_is_named_to_the_reader() {
    let bench = Bench::new(3);
    for _ in 0..12 {
        bench.put(&["a value of some length, so that there are segments"]);
    }
    bench.log.close().expect("the disk is well");
    let second = bench.log.segments()[1].base_offset.get();
    bench.disk.lose(&file("00000000000000000000.log"));
    let reopened = Bench::on(bench.disk);
    assert!(reopened.recovery.quarantined.is_some());
    assert_eq!(read_around(&reopened.log).unreadable, [(0, second)]);
    let found = reopened.log.offset_for_time(Timestamp::from_millis(0)).expect("the disk is well");
    assert_eq!(found.map(|found| found.0.get()), Some(0));
}

/// Runs `work`, and counts the errors that it writes to the log.
fn errors_of(work: impl FnOnce()) -> usize {
    struct Errors(Arc<AtomicUsize>);
    impl tracing::Subscriber for Errors {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() == tracing::Level::ERROR
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }
    let count = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Errors(Arc::clone(&count)), work);
    count.load(Ordering::Relaxed)
}
