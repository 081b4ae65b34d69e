//! The behaviour of a log in words: small scripts and what they print.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use factum_log::{Environment, Options, PartitionLog};
use factum_testkit::CrashDisk;
use factum_types::Timestamp;

use crate::bench::{COLD, OPTIONS, batch_at, dir, read_all};
use crate::script::check;

#[test]
fn synced_records_survive_and_unsynced_ones_are_not_seen() {
    check(
        "append a b c
         read 0
         sync
         read 1
         append d
         read 0
         read 3
         read 5
         bounds",
        expect![[r#"
            appended 0..=2
            read nothing
            read 1:b 2:c
            appended 3..=3
            read 0:a 1:b 2:c
            read nothing
            read nothing
            5 is out of range
            start=0 high-watermark=3 end=4 epoch=0 bytes=154
        "#]],
    );
}

#[test]
fn a_closed_log_opens_clean_and_keeps_its_epoch() {
    check(
        "append a b c
         append d
         close
         append e
         kill
         read 0
         append e
         sync
         close
         kill
         bounds
         kill",
        expect![[r#"
            appended 0..=2
            appended 3..=3
            refused: the log is closed
            opened epoch=0 clean
            read 0:a 1:b 2:c 3:d
            appended 4..=4
            opened epoch=0 clean
            start=0 high-watermark=5 end=5 epoch=0 bytes=223
            opened epoch=0 clean
        "#]],
    );
}

#[test]
fn a_torn_tail_is_cut_and_the_epoch_rises() {
    check(
        "append a b c
         sync
         append d
         cut 00000000000000000000.log 3
         kill
         read 0
         append e
         sync
         read 0
         epoch-end 0
         epoch-end 1
         epoch-end 2",
        expect![[r#"
            appended 0..=2
            appended 3..=3
            opened epoch=1 cut=66
            read 0:a 1:b 2:c
            appended 3..=3
            read 0:a 1:b 2:c 3:e
            epoch 0 ends at Some((0, 3))
            epoch 1 ends at Some((1, 4))
            epoch 2 ends at None
        "#]],
    );
}

#[test]
fn a_tail_of_zeros_is_the_end_of_the_log() {
    check(
        "append a b c
         sync
         zeros 00000000000000000000.log 5000
         kill
         append d
         sync
         read 0",
        expect![[r#"
            appended 0..=2
            opened epoch=1 cut=5000
            appended 3..=3
            read 0:a 1:b 2:c 3:d
        "#]],
    );
}

/// As the test above, but for the sync that acknowledged the last batch: only the note of the synced end knows.
#[test]
fn damage_to_the_last_acknowledged_batch_is_no_torn_tail() {
    check(
        "append a b c
         sync
         append d
         sync
         append e
         cut 00000000000000000000.log 76
         kill
         read 0
         append f
         bounds",
        expect![[r#"
            appended 0..=2
            appended 3..=3
            appended 4..=4
            opened epoch=0 quarantined: offset 3 is damaged at byte 85 of segment 0: record batch needs 69 bytes, 62 are there
            read 0:a 1:b 2:c
            offset 3 is damaged at byte 85 of segment 0: the segment ends before offset 4
            refused: the log is damaged and read-only: stop the server, see `factum log verify` and `factum log repair`
            start=0 high-watermark=4 end=4 epoch=0 bytes=85
        "#]],
    );
}

/// A note names an end that a binary without notes has cut off since: the leader epochs tell.
#[test]
fn a_note_of_a_history_that_was_cut_off_is_void() {
    check(
        "append a b c
         sync
         append d
         sync
         save-notes
         epoch-end 0
         forget-notes
         cut 00000000000000000000.log 3
         kill
         restore-notes
         kill
         read 0
         append e
         sync
         read 0",
        expect![[r#"
            appended 0..=2
            appended 3..=3
            epoch 0 ends at Some((0, 4))
            opened epoch=1 cut=66
            opened epoch=2
            read 0:a 1:b 2:c
            appended 3..=3
            read 0:a 1:b 2:c 3:e
        "#]],
    );
}

#[test]
fn durable_records_are_never_cut() {
    check(
        "append a b c
         append d
         close
         cut 00000000000000000000.log 3
         kill
         read 0
         append e
         bounds",
        expect![[r#"
            appended 0..=2
            appended 3..=3
            opened epoch=0 quarantined: offset 3 is damaged at byte 85 of segment 0: record batch needs 69 bytes, 66 are there
            read 0:a 1:b 2:c
            offset 3 is damaged at byte 85 of segment 0: record batch needs 69 bytes, 66 are there
            refused: the log is damaged and read-only: stop the server, see `factum log verify` and `factum log repair`
            start=0 high-watermark=4 end=4 epoch=0 bytes=151
        "#]],
    );
}

#[test]
fn a_missing_segment_is_a_hole_and_later_records_stay_where_they_are() {
    check(
        "append aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
         append bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
         append cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
         append dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
         append e
         append ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
         append gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg
         append hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh
         append i
         sync
         segments
         lose 00000000000000000003.log
         kill
         read 0
         read 3
         read 7
         append j
         bounds",
        expect![[r#"
            appended 0..=0
            appended 1..=1
            appended 2..=2
            appended 3..=3
            appended 4..=4
            appended 5..=5
            appended 6..=6
            appended 7..=7
            appended 8..=8
            segment 0..3 bytes=474
            segment 3..7 bytes=543
            segment 7..9 bytes=227
            opened epoch=0 quarantined: offset 3 is damaged at byte 474 of segment 0: the segment ends before offset 7
            read 0:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 2:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
            offset 3 is damaged at byte 474 of segment 0: the segment ends before offset 7
            read nothing
            offset 3 is damaged at byte 474 of segment 0: the segment ends before offset 7
            read 7:hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh 8:i
            refused: the log is damaged and read-only: stop the server, see `factum log verify` and `factum log repair`
            start=0 high-watermark=9 end=9 epoch=0 bytes=701
        "#]],
    );
}

#[test]
fn a_repeated_batch_gets_its_old_offsets_even_after_a_restart() {
    check(
        "send 1 0 0 a b
         send 1 0 2 c
         send 1 0 0 a b
         send 1 0 4 e
         sync
         kill
         send 1 0 2 c
         send 1 0 3 d
         send 2 5 17 x
         send 2 5 17 x
         close
         kill
         send 1 0 3 d
         send 2 5 18 y
         sync
         read 0",
        expect![[r#"
            appended 0..=1
            appended 2..=2
            appended again 0..=1
            refused: producer 1 sent sequence number 4 where 3 comes next
            opened epoch=1
            appended again 2..=2
            appended 3..=3
            appended 4..=4
            appended again 4..=4
            opened epoch=1 clean
            appended again 3..=3
            appended 5..=5
            read 0:a 1:b 2:c 3:d 4:x 5:y
        "#]],
    );
}

#[test]
fn a_newer_producer_epoch_fences_the_older_and_begins_at_zero() {
    check(
        "send 1 0 0 a
         send 1 1 1 b
         send 1 1 0 b
         send 1 0 1 c
         send 1 1 1 c",
        expect![[r#"
            appended 0..=0
            refused: producer 1 sent sequence number 1 where 0 comes next
            appended 1..=1
            refused: producer 1 has epoch 0, fenced by epoch 1
            appended 2..=2
        "#]],
    );
}

#[test]
fn sequence_numbers_begin_again_at_zero_behind_the_greatest() {
    check(
        "send 1 0 2147483646 a b c
         send 1 0 2147483646 a b c
         send 1 0 1 d
         send 1 0 3 e",
        expect![[r#"
            appended 0..=2
            appended again 0..=2
            appended 3..=3
            refused: producer 1 sent sequence number 3 where 2 comes next
        "#]],
    );
}

#[test]
fn only_the_last_five_batches_are_recognised() {
    check(
        "send 1 0 0 a
         send 1 0 1 b
         send 1 0 2 c
         send 1 0 3 d
         send 1 0 4 e
         send 1 0 5 f
         send 1 0 1 b
         send 1 0 0 a",
        expect![[r#"
            appended 0..=0
            appended 1..=1
            appended 2..=2
            appended 3..=3
            appended 4..=4
            appended 5..=5
            appended again 1..=1
            refused: producer 1 sent sequence number 0 where 6 comes next
        "#]],
    );
}

#[test]
fn retention_removes_whole_segments_and_offsets_go_on() {
    check(
        "options days=7
         append aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
         append bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
         append cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
         days 5
         append dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
         append e
         sync
         days 3
         retain
         segments
         days 9
         retain
         bounds
         crash
         bounds
         append f
         sync
         read 5
         read 4",
        expect![[r#"
            appended 0..=0
            appended 1..=1
            appended 2..=2
            appended 3..=3
            appended 4..=4
            removed 1 segments, 474 bytes
            segment 3..5 bytes=227
            removed 1 segments, 227 bytes
            start=5 high-watermark=5 end=5 epoch=0 bytes=0
            opened epoch=1
            start=5 high-watermark=5 end=5 epoch=1 bytes=0
            appended 5..=5
            read 5:f
            read nothing
            4 is out of range
        "#]],
    );
}

#[test]
fn a_record_from_the_future_does_not_block_retention() {
    check(
        "options days=7
         append-dated 99999999999999 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
         sync
         days 6
         retain
         days 2
         retain
         bounds",
        expect![[r#"
            appended 0..=0
            removed 0 segments, 0 bytes
            removed 1 segments, 130 bytes
            start=1 high-watermark=1 end=1 epoch=0 bytes=0
        "#]],
    );
}

#[test]
fn a_log_that_is_too_large_loses_its_oldest_segments() {
    check(
        "options bytes=600
         append aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
         append bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
         append cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
         append dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
         append eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
         append ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
         append gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg
         sync
         retain
         segments",
        expect![[r#"
            appended 0..=0
            appended 1..=1
            appended 2..=2
            appended 3..=3
            appended 4..=4
            appended 5..=5
            appended 6..=6
            removed 1 segments, 474 bytes
            segment 3..6 bytes=474
            segment 6..7 bytes=158
        "#]],
    );
}

#[test]
fn the_log_start_moves_within_a_segment_and_survives_a_crash() {
    check(
        "append a b c
         append d
         sync
         truncate-before 2
         read 1
         read 2
         crash
         bounds
         truncate-before 9
         truncate-before 4
         bounds
         append e
         sync
         read 4",
        expect![[r#"
            appended 0..=2
            appended 3..=3
            removed 0 segments
            read nothing
            1 is out of range
            read 2:c 3:d
            opened epoch=1
            start=2 high-watermark=4 end=4 epoch=1 bytes=154
            refused: offset 9 is past the high watermark 4
            removed 1 segments
            start=4 high-watermark=4 end=4 epoch=1 bytes=0
            appended 4..=4
            read 4:e
        "#]],
    );
}

#[test]
fn records_are_found_by_their_time() {
    check(
        "append-dated 1000 a b
         append-dated 3000 cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
         append-dated 2000 dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
         append-dated 4000 eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
         append-dated 5000 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
         append-dated 6000 g
         at 0
         sync
         append-dated 7000 h
         at 0
         at 1001
         at 3001
         at 5000
         at 6001
         latest
         truncate-before 3
         at 0
         close
         kill
         at 4500
         latest",
        expect![[r#"
            appended 0..=1
            appended 2..=2
            appended 3..=3
            appended 4..=4
            appended 5..=5
            appended 6..=6
            at 0: none
            appended 7..=7
            at 0: 0 of 1000
            at 1001: 2 of 3000
            at 3001: 4 of 4000
            at 5000: 5 of 5000
            at 6001: none
            latest Some((6, Timestamp(6000)))
            removed 0 segments
            at 0: 3 of 2000
            opened epoch=0 clean
            at 4500: 5 of 5000
            latest Some((7, Timestamp(7000)))
        "#]],
    );
}

#[test]
fn a_batch_larger_than_a_segment_has_one_of_its_own() {
    let disk = CrashDisk::seeded(1);
    let environment = Environment::new(Arc::new(disk), COLD);
    let options = Options { segment_bytes: 50, ..OPTIONS };
    let (log, _) = PartitionLog::open(&environment, dir(), options).expect("the disk is well");
    for value in ["a", "b"] {
        log.append(batch_at(1, &[value]), Timestamp::from_millis(1)).expect("the log takes it");
    }
    environment.committer().round();
    assert_eq!(log.segments().len(), 2);
    assert_eq!(read_all(&log, 0).0.len(), 2);
}

#[test]
fn a_segment_is_sealed_by_the_first_append_after_its_time() {
    let disk = CrashDisk::seeded(1);
    let environment = Environment::new(Arc::new(disk), COLD);
    let options =
        Options { segment_bytes: 1 << 20, segment_age: Some(Duration::from_millis(100)), ..OPTIONS };
    let (log, _) = PartitionLog::open(&environment, dir(), options).expect("the disk is well");
    let segments_after = |now| {
        log.append(batch_at(1, &["a"]), Timestamp::from_millis(now)).expect("the log takes it");
        environment.committer().round();
        log.segments().len()
    };
    assert_eq!([0, 99, 100, 150, 200, 1_000].map(segments_after), [1, 1, 2, 2, 3, 4]);
    assert_eq!(read_all(&log, 0).0.len(), 6);
}
