//! Compaction as an owner of a log sees it: what stays, what goes, and when.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use factum_log::{
    AbortedRanges, AppendError, CompactError, CompactionOptions, CompactionResult, Disk, EndTransaction,
    EnvironmentOptions, InspectionNote, Isolation, Options, PartitionLog, ReadError, inspect, repair,
};
use factum_testkit::{Call, CrashDisk, Fault, FaultKind};
use factum_types::record::TransactionOutcome::{self, Abort, Commit};
use factum_types::{BatchBuilder, Compression, Offset, RecordBatch, Timestamp, batch, record};

use crate::bench::{Bench, COLD, OPTIONS, dir, file};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_000);
const HOUR: Duration = Duration::from_secs(3_600);

/// Everything is due, and tombstones stay for an hour.
pub(crate) const COMPACTED: Options = Options {
    compaction: Some(CompactionOptions {
        min_lag: Duration::ZERO,
        max_lag: None,
        delete_retention: HOUR,
        min_dirty_millionths: 1,
    }),
    ..OPTIONS
};

/// A record as a reader is given it.
pub(crate) type Row = (i64, Option<String>, Option<String>);

pub(crate) fn compacted(seed: u64) -> Bench {
    let bench = Bench::new(seed);
    bench.log.set_options(COMPACTED);
    bench
}

/// Fills `builder` with records of these keys and values; a key `-` is none, a value `-` makes a tombstone.
pub(crate) fn rows(mut builder: BatchBuilder, time: i64, records: &[(&str, &str)]) -> RecordBatch {
    for (key, value) in records {
        let key = Some(key.as_bytes()).filter(|key| *key != b"-");
        let value = Some(value.as_bytes()).filter(|value| *value != b"-");
        builder.push(Timestamp::from_millis(time), key, value, &[]);
    }
    builder.build()
}

pub(crate) fn put(bench: &Bench, records: &[(&str, &str)]) -> i64 {
    let appended = bench.log.append(rows(BatchBuilder::new(), 1_000, records), NOW).expect("taken");
    bench.environment.committer().round();
    appended.base_offset.get()
}

/// Seals the active segment.
pub(crate) fn seal(bench: &Bench) {
    let options = bench.log.options();
    bench.log.set_options(Options { segment_age: Some(Duration::ZERO), ..options });
    put(bench, &[("last", "one")]);
    bench.log.set_options(options);
}

pub(crate) fn compact_at(log: &PartitionLog, now: Timestamp) -> Result<CompactionResult, CompactError> {
    log.compact(now, 1 << 20, &mut |_| true)
}

fn compact(bench: &Bench) -> CompactionResult {
    compact_at(&bench.log, NOW).expect("the disk is well")
}

/// What a reader of committed records gets from `from` to the stable offset.
pub(crate) fn committed(log: &PartitionLog, from: i64) -> Result<Vec<Row>, ReadError> {
    let (mut found, mut next) = (Vec::new(), Offset::new(from));
    loop {
        let slice = log.read(next, 400, Isolation::ReadCommitted)?;
        if slice.is_empty() {
            assert!(next >= slice.bounds.stable, "{next} is where it ends");
            return Ok(found);
        }
        let aborted = AbortedRanges::new(&slice.aborted);
        for chunk in &slice.chunks {
            for header in batch::headers(chunk) {
                let (at, header) = header.expect("a whole batch");
                assert!(header.base_offset <= next.get() && header.last_offset() >= next.get(), "dense");
                next = Offset::new(header.last_offset()).next();
                if !aborted.contains(&header) {
                    let records = record::decode(&chunk.slice(at..at + header.encoded_len()), 1 << 20);
                    let rows = records.expect("the test wrote it").into_iter();
                    found.extend(rows.filter(|row| row.offset.get() >= from).map(|row| {
                        (row.offset.get(), row.key.as_ref().map(text), row.value.as_ref().map(text))
                    }));
                }
            }
        }
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shown(bench: &Bench) -> String {
    let rows = committed(&bench.log, bench.log.bounds().log_start.get()).expect("all can be read");
    let show = |(offset, key, value): &Row| {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        format!("{offset}:{}={}", or(key), or(value))
    };
    rows.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn headers(bench: &Bench, name: &str) -> Vec<factum_types::BatchHeader> {
    let contents = bench.disk.contents(&file(name)).expect("the file is there");
    batch::headers(&contents).map(|found| found.expect("a batch").1).collect()
}

const FIRST: &str = "00000000000000000000.log";

#[test]
fn the_latest_record_of_each_key_stays_at_its_offset() {
    let bench = compacted(1);
    put(&bench, &[("a", "1"), ("b", "1"), ("c", "1")]);
    put(&bench, &[("a", "2"), ("-", "no key")]);
    put(&bench, &[("b", "2")]);
    put(&bench, &[("a", "3")]);
    seal(&bench);
    let result = compact(&bench);
    assert_eq!((result.removed_records, result.keyless_records), (3, 1));
    assert!(result.bytes_after < result.bytes_before);
    assert_eq!(shown(&bench), "2:c=1 4:-=no key 5:b=2 6:a=3 7:last=one");
    assert_eq!(
        bench.log.bounds().bytes,
        bench.log.segments().iter().map(|segment| segment.bytes).sum::<u64>()
    );
    // A reader that asks for an offset that is gone is given the next one.
    for (from, next) in [(0, 2), (1, 2), (3, 4), (5, 5)] {
        assert_eq!(committed(&bench.log, from).expect("all can be read")[0].0, next, "from {from}");
    }
}

#[test]
fn neighbours_that_became_small_become_one_segment() {
    let bench = compacted(1);
    for n in 0..40 {
        put(&bench, &[(&format!("key {}", n % 3), &format!("{n} {}", "x".repeat(100)))]);
    }
    let before = bench.log.segments().len();
    // By what they are before a pass, so that it takes two.
    compact(&bench);
    put(&bench, &[("another", &"x".repeat(500))]);
    seal(&bench);
    compact(&bench);
    let segments = bench.log.segments();
    assert!(before > 12 && segments.len() <= 6, "{before} segments became {}", segments.len());
    for pair in segments.windows(2) {
        assert_eq!(pair[0].next_offset, pair[1].base_offset);
    }
    let names = bench.disk.files().len();
    let reopened = Bench::on(bench.disk.clone());
    assert_eq!(reopened.recovery.quarantined, None);
    assert_eq!(shown(&reopened), shown(&bench));
    assert!(names < 20, "{names} files");
}

#[test]
fn records_that_are_gone_are_not_read_from_memory() {
    let cached = EnvironmentOptions { tail_cache_bytes: 1 << 20, ..COLD };
    let bench = Bench::with(CrashDisk::seeded(1), cached);
    bench.log.set_options(COMPACTED);
    for n in 0..10 {
        put(&bench, &[("a", &n.to_string())]);
    }
    seal(&bench);
    compact(&bench);
    put(&bench, &[("b", "1")]);
    assert_eq!(shown(&bench), "9:a=9 10:last=one 11:b=1");
}

#[test]
fn batches_keep_their_codec_and_untouched_ones_their_bytes() {
    for codec in Compression::ALL {
        let bench = compacted(1);
        let put = |records: &[(&str, &str)]| {
            let builder = BatchBuilder::new().compression(codec);
            bench.log.append(rows(builder, 1_000, records), NOW).expect("taken");
            bench.environment.committer().round();
        };
        put(&[("a", "1"), ("b", "1")]);
        put(&[("c", "1"), ("d", "1")]);
        put(&[("a", "2")]);
        seal(&bench);
        let before = bench.disk.contents(&file(FIRST)).expect("a segment");
        compact(&bench);
        assert_eq!(shown(&bench), "1:b=1 2:c=1 3:d=1 4:a=2 5:last=one");
        let after = bench.disk.contents(&file(FIRST)).expect("a segment");
        let found = headers(&bench, FIRST);
        assert!(found.iter().all(|header| header.compression() == Ok(codec)), "{codec}");
        let old = batch::headers(&before).map(|found| found.expect("a batch")).nth(1).expect("the second");
        let untouched = &before[old.0..old.0 + old.1.encoded_len()];
        assert!(after.windows(untouched.len()).any(|bytes| bytes == untouched), "{codec}");
    }
}

#[test]
fn a_tombstone_goes_when_its_time_is_over_and_brings_nothing_back() {
    let bench = compacted(1);
    put(&bench, &[("a", "1"), ("b", "1")]);
    put(&bench, &[("a", "-")]);
    seal(&bench);
    compact(&bench);
    assert_eq!(shown(&bench), "1:b=1 2:a=- 3:last=one");
    let pass_at = |millis: i64, count: usize| {
        put(&bench, &[("more", &"x".repeat(count))]);
        seal(&bench);
        compact_at(&bench.log, Timestamp::from_millis(millis)).expect("the disk is well");
        shown(&bench)
    };
    let hour = 3_600_000;
    assert!(pass_at(1_000 + hour - 1, 1).contains("2:a=-"), "it is not over");
    assert!(!pass_at(1_000 + hour, 2).contains("a="), "it is over");
}

#[test]
fn a_tombstone_keeps_the_time_and_value_of_the_records_beside_it() {
    let bench = compacted(1);
    let batch = rows(BatchBuilder::new().compression(Compression::Lz4), 900, &[("a", "-"), ("b", "1")]);
    bench.log.append(batch, NOW).expect("taken");
    seal(&bench);
    compact(&bench);
    assert_eq!(headers(&bench, FIRST)[0].delete_horizon(), Some(Timestamp::from_millis(3_601_000)));
    let found = bench.log.offset_for_time(Timestamp::from_millis(800)).expect("the disk is well");
    assert_eq!(found, Some((Offset::ZERO, Timestamp::from_millis(900))));
    assert_eq!(shown(&bench), "0:a=- 1:b=1 2:last=one");
}

fn part(producer: i64, sequence: i32, records: &[(&str, &str)]) -> RecordBatch {
    rows(BatchBuilder::new().producer(producer, 0, sequence).transactional(), 1_000, records)
}

fn end(bench: &Bench, producer_id: i64, outcome: TransactionOutcome) {
    let end = EndTransaction { producer_id, producer_epoch: 0, outcome, coordinator_epoch: 0 };
    bench.log.end_transaction(&end, NOW).expect("taken");
    bench.environment.committer().round();
}

#[test]
fn records_of_aborted_transactions_go_and_supersede_no_others() {
    let bench = compacted(1);
    let append = |batch| {
        bench.log.append(batch, NOW).expect("taken");
    };
    append(part(1, 0, &[("a", "committed"), ("b", "committed")]));
    end(&bench, 1, Commit);
    append(part(2, 0, &[("a", "aborted")]));
    append(part(1, 2, &[("b", "later")]));
    end(&bench, 2, Abort);
    end(&bench, 1, Commit);
    // Both producers write on, so that nothing here is their last.
    append(part(2, 1, &[("x", "1")]));
    append(part(1, 3, &[("y", "1")]));
    seal(&bench);
    assert_eq!(compact(&bench).until, Offset::new(7), "two transactions are open from there on");
    end(&bench, 2, Commit);
    end(&bench, 1, Commit);
    seal(&bench);
    seal(&bench);
    compact(&bench);
    assert_eq!(shown(&bench).split(" 7:").next(), Some("0:a=committed 4:b=later"));
    let (all, error) = bench.read_all(0);
    assert!(error.is_none() && all.iter().all(|(_, value)| value != "aborted"));
}

#[test]
fn markers_stay_while_their_records_do_and_go_an_hour_after_them() {
    let bench = compacted(1);
    let append = |batch| {
        bench.log.append(batch, NOW).expect("taken");
    };
    append(part(1, 0, &[("a", "1")]));
    end(&bench, 1, Commit);
    append(part(1, 1, &[("b", "1")]));
    end(&bench, 1, Commit);
    append(part(2, 0, &[("c", "1")]));
    end(&bench, 2, Abort);
    for round in 0..6 {
        append(part(1, 2 + round, &[("a", "2")]));
        end(&bench, 1, Commit);
        append(part(2, 1 + round, &[("c", "2")]));
        end(&bench, 2, Commit);
        seal(&bench);
    }
    let markers = |bench: &Bench| {
        let found = headers(bench, FIRST).into_iter().filter(factum_types::BatchHeader::is_control);
        found.map(|header| header.base_offset).take_while(|base| *base < 6).collect::<Vec<_>>()
    };
    compact(&bench);
    assert_eq!(markers(&bench), [1, 3, 5], "their time is not over");
    seal(&bench);
    compact_at(&bench.log, Timestamp::from_millis(3_700_000)).expect("the disk is well");
    assert_eq!(markers(&bench), [3], "the record b is still there");
    for name in bench.disk.files() {
        if name.extension().is_none_or(|extension| extension != "log") && name != file("checkpoint") {
            bench.disk.lose(&name);
        }
    }
    let rebuilt = Bench::on(bench.disk.clone());
    assert_eq!(rebuilt.recovery.quarantined, None);
    let bounds = rebuilt.log.bounds();
    assert_eq!(bounds.stable, bounds.high_watermark, "no transaction is open");
    assert_eq!(shown(&rebuilt), shown(&bench));
}

#[test]
fn a_producer_is_known_by_its_last_batch_when_all_else_is_lost() {
    let bench = compacted(1);
    let send = |bench: &Bench, sequence: i32, value: &str| {
        let batch = rows(BatchBuilder::new().producer(7, 3, sequence), 1_000, &[("a", value)]);
        let appended = bench.log.append(batch, NOW).expect("taken");
        bench.environment.committer().round();
        appended
    };
    for sequence in 0..3 {
        send(&bench, sequence, "1");
    }
    put(&bench, &[("a", "2")]);
    seal(&bench);
    compact(&bench);
    assert_eq!(shown(&bench), "3:a=2 4:last=one");
    for name in bench.disk.files() {
        if name.to_string_lossy().contains("producers.") {
            bench.disk.lose(&name);
        }
    }
    let rebuilt = Bench::on(bench.disk);
    let again = send(&rebuilt, 2, "1");
    assert!(again.duplicate && again.base_offset == Offset::new(2));
    assert!(!send(&rebuilt, 3, "next").duplicate);
}

fn lose(bench: &Bench, is_lost: impl Fn(&str) -> bool) {
    for path in bench.disk.files() {
        if path.file_name().and_then(|name| name.to_str()).is_some_and(&is_lost) {
            bench.disk.lose(&path);
        }
    }
}

#[test]
fn a_producer_is_fenced_by_its_last_marker_when_all_else_is_lost() {
    let bench = compacted(1);
    bench.log.append(part(1, 0, &[("a", "1")]), NOW).expect("taken");
    // The marker begins the next epoch (KIP-890).
    let end = EndTransaction { producer_id: 1, producer_epoch: 1, outcome: Abort, coordinator_epoch: 0 };
    bench.log.end_transaction(&end, NOW).expect("taken");
    for millis in [1_000, 10_000_000] {
        put(&bench, &[("a", "2")]);
        seal(&bench);
        compact_at(&bench.log, Timestamp::from_millis(millis)).expect("the disk is well");
    }
    lose(&bench, |name| name.starts_with("producers."));
    let rebuilt = Bench::on(bench.disk);
    let late = rebuilt.log.append(part(1, 1, &[("a", "late")]), NOW);
    assert!(matches!(late, Err(AppendError::InvalidProducerEpoch { current: 1, found: 0, .. })), "{late:?}");
}

#[test]
fn a_marker_stays_for_a_snapshot_in_which_its_transaction_is_open() {
    let bench = compacted(1);
    bench.log.append(part(1, 0, &[("a", "1")]), NOW).expect("taken");
    seal(&bench);
    end(&bench, 1, Commit);
    put(&bench, &[("a", "2")]);
    seal(&bench);
    let later = Timestamp::from_millis(1_000 + 25 * 3_600_000);
    // The producer is forgotten, so that it does not keep its last batches.
    let compact_later = |bench: &Bench| {
        bench.log.set_options(COMPACTED);
        bench.log.retain(later).expect("the disk is well");
        compact_at(&bench.log, later).expect("the disk is well");
    };
    bench.log.retain(later).expect("the disk is well");
    compact(&bench);
    lose(&bench, |name| name == "compacted");
    let bench = Bench::on(bench.disk);
    compact_later(&bench);
    let snapshots =
        bench.disk.files().into_iter().filter(|path| path.to_string_lossy().contains("producers."));
    bench.disk.lose(&snapshots.max().expect("there are two"));
    let rebuilt = Bench::on(bench.disk);
    let bounds = rebuilt.log.bounds();
    assert_eq!(bounds.stable, bounds.high_watermark, "no transaction is open");
}

#[test]
fn leader_epochs_are_rebuilt_from_what_compaction_left() {
    let bench = compacted(1);
    put(&bench, &[("a", "1")]);
    let bench = Bench::on(bench.disk);
    bench.log.set_options(COMPACTED);
    put(&bench, &[("a", "2")]);
    put(&bench, &[("a", "3")]);
    seal(&bench);
    compact(&bench);
    let ends = |bench: &Bench| {
        [bench.log.epoch_end(0), bench.log.epoch_end(1).map(|(epoch, _)| (epoch, Offset::ZERO))]
    };
    let before = ends(&bench);
    lose(&bench, |name| name == "leader-epochs");
    let rebuilt = Bench::on(bench.disk);
    assert_eq!(rebuilt.recovery.quarantined, None);
    assert_eq!(ends(&rebuilt), before);
}

#[test]
fn young_records_wait_and_old_ones_are_compacted_however_few() {
    let bench = compacted(1);
    let options = |min_lag, max_lag, min_dirty_millionths| Options {
        compaction: Some(CompactionOptions {
            min_lag: Duration::from_millis(min_lag),
            max_lag,
            delete_retention: HOUR,
            min_dirty_millionths,
        }),
        ..OPTIONS
    };
    put(&bench, &[("a", "1")]);
    put(&bench, &[("a", "2")]);
    seal(&bench);
    let is_due = |now: i64| {
        let state = bench.log.compaction_state(Timestamp::from_millis(now)).expect("the disk is well");
        state.expect("it is compacted").is_due
    };
    bench.log.set_options(options(500, None, 500_000));
    assert!(!is_due(1_499));
    assert_eq!(compact_at(&bench.log, Timestamp::from_millis(1_499)).expect("well").removed_records, 0);
    assert!(is_due(1_500));
    compact_at(&bench.log, Timestamp::from_millis(1_500)).expect("the disk is well");
    put(&bench, &[("b", "1")]);
    seal(&bench);
    bench.log.set_options(options(0, Some(HOUR), 1_000_000));
    assert!(!is_due(1_000 + 3_600_000), "little is dirty");
    assert!(is_due(1_001 + 3_600_000), "it has waited for an hour");
    let later = Timestamp::from_millis(1_001 + 2 * 3_600_000);
    compact_at(&bench.log, later).expect("the disk is well");
    assert_eq!(
        bench.log.segments().last().map(|active| active.bytes),
        Some(0),
        "the active segment waited too"
    );
    assert_eq!(shown(&bench), "1:a=2 3:b=1 4:last=one");
    bench.log.set_options(OPTIONS);
    assert_eq!(bench.log.compaction_state(NOW).expect("the disk is well"), None);
}

#[test]
fn more_keys_than_memory_holds_take_several_passes() {
    let bench = compacted(1);
    for round in 0..2 {
        for n in 0..40 {
            let keys: Vec<_> = (0..50).map(|k| format!("key {}", n * 50 + k)).collect();
            let value = round.to_string();
            let records: Vec<_> = keys.iter().map(|key| (key.as_str(), value.as_str())).collect();
            put(&bench, &records);
        }
    }
    seal(&bench);
    let (mut passes, mut until) = (0, Offset::ZERO);
    loop {
        let result = bench.log.compact(NOW, 0, &mut |_| true).expect("the disk is well");
        passes += 1;
        if result.until == until {
            break;
        }
        until = result.until;
    }
    assert!(passes > 3, "{passes}");
    let rows = committed(&bench.log, 0).expect("all can be read");
    let latest: BTreeMap<_, _> = rows.iter().map(|(_, key, value)| (key, value)).collect();
    assert_eq!(latest.len(), 2_001);
    assert!(
        rows.iter().all(|(_, key, value)| key.as_deref() == Some("last") || value.as_deref() == Some("1"))
    );
}

#[test]
fn a_stopped_pass_leaves_no_file_behind() {
    let bench = compacted(1);
    for n in 0..30 {
        put(&bench, &[("a", &format!("{n} {}", "x".repeat(100_000)))]);
    }
    seal(&bench);
    let before = (shown(&bench), bench.disk.files());
    let mut calls = 0;
    let stopped = bench.log.compact(NOW, 1 << 20, &mut |_| {
        calls += 1;
        calls < 14
    });
    assert!(matches!(stopped, Err(CompactError::Stopped)));
    let strange = |name: &std::path::PathBuf| name.to_string_lossy().contains("swap");
    assert!(!bench.disk.files().iter().any(strange));
    assert!(before.0.ends_with(shown(&bench).rsplit(' ').next().expect("a record")));
    bench.log.close().expect("the disk is well");
    assert!(matches!(compact_at(&bench.log, NOW), Err(CompactError::Closed)));
}

#[test]
fn damage_is_told_and_nothing_of_a_damaged_log_is_rewritten() {
    let bench = compacted(1);
    for n in 0..20 {
        put(&bench, &[("a", &format!("{n} {}", "x".repeat(100)))]);
    }
    let second = bench.log.segments()[1].base_offset;
    let name = file(&format!("{:020}.log", second.get()));
    let mut contents = bench.disk.contents(&name).expect("a segment");
    contents[80] ^= 1;
    bench.disk.overwrite(&name, contents);
    let before: Vec<_> = bench.disk.files().iter().map(|name| bench.disk.contents(name)).collect();
    assert!(matches!(compact_at(&bench.log, NOW), Err(CompactError::Damaged(_))));
    assert!(bench.log.quarantine().is_some());
    assert!(matches!(compact_at(&bench.log, NOW), Err(CompactError::ReadOnly)));
    let is_segment = |name: &std::path::PathBuf| name.extension().is_some_and(|extension| extension == "log");
    let after = bench.disk.files().into_iter().filter(is_segment);
    for name in after {
        assert!(before.contains(&bench.disk.contents(&name)), "{} is as it was", name.display());
    }
}

#[test]
fn a_missing_batch_of_a_compacted_segment_is_damage() {
    let bench = compacted(1);
    put(&bench, &[("a", "1")]);
    put(&bench, &[("b", "1")]);
    put(&bench, &[("a", "2")]);
    seal(&bench);
    compact(&bench);
    let found = headers(&bench, FIRST);
    assert!(found[0].is_gap());
    bench.log.close().expect("the disk is well");
    let contents = bench.disk.contents(&file(FIRST)).expect("a segment");
    bench.disk.overwrite(&file(FIRST), contents[found[0].encoded_len()..].to_vec());
    assert!(Bench::on(bench.disk).recovery.quarantined.is_some());
}

#[test]
fn a_batch_whose_records_cannot_be_read_stays_as_it_is() {
    let bench = compacted(1);
    let mut bytes =
        bytes::BytesMut::from(rows(BatchBuilder::new(), 1_000, &[("a", "unreadable")]).as_bytes());
    // The record claims to be longer than the batch.
    bytes[61] = 0x7e;
    let sum = batch::crc(&bytes[21..]);
    bytes[17..21].copy_from_slice(&sum.to_be_bytes());
    bench.log.append(RecordBatch::new(bytes).expect("its checksum is right"), NOW).expect("taken");
    put(&bench, &[("a", "1")]);
    put(&bench, &[("a", "2")]);
    seal(&bench);
    let before = bench.disk.contents(&file(FIRST)).expect("a segment");
    let result = compact(&bench);
    assert_eq!((result.unreadable_batches, result.removed_records), (1, 1));
    let after = bench.disk.contents(&file(FIRST)).expect("a segment");
    let length = headers(&bench, FIRST)[0].encoded_len();
    assert_eq!(after[..length], before[..length]);
}

#[test]
fn swap_files_that_fit_nothing_are_passed_over_and_told() {
    let bench = compacted(1);
    put(&bench, &[("a", "1")]);
    put(&bench, &[("a", "2")]);
    seal(&bench);
    bench.log.close().expect("the disk is well");
    let names = [
        "00000000000000000000-00000000000000000002.swap",
        "00000000000000000000-00000000000000000001.swap",
        "00000000000000000002-00000000000000000001.swap",
        "backup.swap",
    ];
    for name in names {
        bench.disk.create(&file(name)).and_then(|file| file.write_at(b"not a segment", 0)).expect("a file");
    }
    let found = inspect(&bench.disk, dir()).expect("the disk is well");
    let foreign = |note: &&InspectionNote| matches!(note, InspectionNote::Foreign { .. });
    assert_eq!(found.notes.iter().filter(foreign).count(), 4, "{:?}", found.notes);
    let reopened = Bench::on(bench.disk);
    assert!(reopened.recovery.clean);
    reopened.log.set_options(COMPACTED);
    compact(&reopened);
    assert_eq!(shown(&reopened), "1:a=2 2:last=one");
    let left = reopened.disk.files().iter().filter(|name| name.to_string_lossy().ends_with("swap")).count();
    assert_eq!(left, 3, "the one of the same name was replaced");
}

/// A log whose compaction was interrupted when its swap file counted and nothing was removed yet.
fn interrupted() -> Bench {
    let bench = compacted(1);
    for n in 0..12 {
        put(&bench, &[(if n % 2 == 0 { "a" } else { "b" }, &format!("{n} {}", "x".repeat(50)))]);
    }
    bench.log.set_options(Options { segment_bytes: 10_000, ..COMPACTED });
    // At the first operation behind the one that makes the swap file count.
    for after in 0.. {
        let bench = Bench::on(bench.disk.fork());
        bench.log.set_options(Options { segment_bytes: 10_000, ..COMPACTED });
        let kind = FaultKind::Refused { call: Call::Change, os_error: 5 };
        bench.disk.inject(Fault { after, kind, lasting: true });
        assert!(matches!(compact_at(&bench.log, NOW), Err(CompactError::Io(_))));
        let is_swap = |name: &std::path::PathBuf| name.to_string_lossy().ends_with(".swap");
        // A sync of the directory that fails ends the log; what comes behind it does not.
        if bench.log.failure().is_none() && bench.disk.files().iter().any(is_swap) {
            return bench;
        }
    }
    unreachable!("some operation is the one")
}

#[test]
fn an_interrupted_swap_is_read_inspected_and_finished() {
    let bench = interrupted();
    let expected = shown(&bench);
    assert!(bench.log.segments().len() == 2, "what was compacted is read");
    let found = inspect(&bench.disk, dir()).expect("the disk is well");
    assert_eq!(found.damage, []);
    let is_told = |note: &InspectionNote| matches!(note, InspectionNote::UnfinishedCompaction { .. });
    assert!(found.notes.iter().any(is_told), "{:?}", found.notes);
    let forked = bench.disk.fork();
    forked.heal();
    assert_eq!(repair(&forked, dir()).expect("there is nothing to repair").given_up, []);
    for disk in [forked, bench.disk.fork()] {
        disk.heal();
        let reopened = Bench::with(disk, COLD);
        assert_eq!(reopened.recovery.quarantined, None);
        assert_eq!((shown(&reopened), reopened.log.segments().len()), (expected.clone(), 2));
    }
    // In the same process the next pass finishes it, or retention.
    bench.disk.heal();
    compact(&bench);
    assert_eq!(shown(&bench), expected);
    assert!(!bench.disk.files().iter().any(|name| name.to_string_lossy().contains("swap")));
}

/// Says that a scope has ended, by a panic too.
struct EndOfScope<'a>(&'a AtomicBool);

impl Drop for EndOfScope<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn readers_go_on_while_segments_are_replaced() {
    let bench = compacted(1);
    for key in 0..5 {
        put(&bench, &[(&format!("key {key}"), "first")]);
    }
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends_readers = EndOfScope(&is_over);
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let rows = committed(&bench.log, 0).expect("all can be read");
                    let keys: std::collections::BTreeSet<_> = rows.iter().map(|(_, key, _)| key).collect();
                    assert!(keys.len() >= 5, "{rows:?}");
                    bench.log.offset_for_time(Timestamp::from_millis(1_000)).expect("it can be searched");
                }
            });
        }
        for round in 0..150 {
            for key in 0..5 {
                put(&bench, &[(&format!("key {key}"), &format!("{round} {}", "x".repeat(80)))]);
            }
            compact(&bench);
        }
    });
    assert_eq!(bench.log.quarantine(), None);
}

#[test]
fn retention_and_compaction_go_together() {
    let bench = compacted(1);
    let dated = |n: i64| {
        let value = format!("{n} {}", "x".repeat(100));
        let batch = rows(BatchBuilder::new(), n * 1_000, &[(&format!("key {}", n % 10), &value)]);
        bench.log.append(batch, Timestamp::from_millis(n * 1_000)).expect("taken");
        bench.environment.committer().round();
    };
    (0..40).for_each(dated);
    let now = Timestamp::from_millis(40_000);
    compact_at(&bench.log, now).expect("the disk is well");
    let kept = committed(&bench.log, 0).expect("all can be read");
    bench.log.set_options(Options { retention: Some(Duration::from_secs(8)), ..COMPACTED });
    bench.log.retain(now).expect("the disk is well");
    let start = bench.log.bounds().log_start;
    assert!(start > Offset::ZERO);
    let left = committed(&bench.log, start.get()).expect("all can be read");
    assert!(kept.ends_with(&left) && left.len() < kept.len());
}
