//! Golden files: what lies on the disk, byte by byte, as `docs/format` draws it.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use crate::bench::{Bench, batch_at, file, sent};
use factum_log::EndTransaction;
use factum_types::record::TransactionOutcome;
use factum_types::{BatchBuilder, Timestamp};

/// A log of two segments with an idempotent producer, opened twice.
fn written() -> Bench {
    let bench = Bench::new(1);
    let at = Timestamp::from_millis(0x0500);
    let append = |bench: &Bench, batch| {
        bench.log.append(batch, at).expect("the log takes it");
        bench.environment.committer().round();
    };
    append(&bench, sent(0x77, 2, 9, &["a", "b"]));
    append(&bench, batch_at(0x0300, &["c".repeat(120).as_str()]));
    append(&bench, batch_at(0x0200, &["d"]));
    append(&bench, batch_at(0x0200, &["e".repeat(300).as_str()]));
    let bench = Bench::on(bench.disk);
    append(&bench, batch_at(0x0400, &["f"]));
    bench.log.close().expect("the disk is well");
    bench
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check(bytes: &[u8], expected: Expect) {
    let mut dump = String::new();
    for (line, bytes) in bytes.chunks(16).enumerate() {
        let hex: String = bytes.chunks(4).map(|group| format!(" {}", hex(group))).collect();
        let text: String =
            bytes.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        writeln!(dump, "{:04x} {hex:<36}  {text}", line * 16).expect("text grows");
    }
    expected.assert_eq(&dump);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn contents(bench: &Bench, name: &str) -> Vec<u8> {
    bench.disk.contents(&file(name)).expect("the file is there")
}

#[test]
fn files() {
    let bench = written();
    let names: String = bench.disk.files().iter().map(|path| format!("{}\n", path.display())).collect();
    expect![[r#"
        /data/topic-0/00000000000000000000.index
        /data/topic-0/00000000000000000000.log
        /data/topic-0/00000000000000000004.index
        /data/topic-0/00000000000000000004.log
        /data/topic-0/checkpoint
        /data/topic-0/leader-epochs
        /data/topic-0/producers.00000000000000000004
        /data/topic-0/producers.00000000000000000006
    "#]]
    .assert_eq(&names);
}

#[test]
fn segment() {
    check(
        &contents(&written(), "00000000000000000000.log")[..96],
        expect![[r#"
        0000  00000000 00000000 00000041 00000000  ...........A....
        0010  02ef752b 03000000 00000100 00000000  ..u+............
        0020  0003e800 00000000 0003e800 00000000  ................
        0030  00007700 02000000 09000000 020e0000  ..w.............
        0040  00010261 000e0000 02010262 00000000  ...a.......b....
        0050  00000000 02000000 b2000000 00025e8b  ..............^.
    "#]],
    );
}

#[test]
fn index() {
    check(
        &contents(&written(), "00000000000000000000.index"),
        expect![[r#"
            0000  46435449 44585331 00000000 00000000  FCTIDXS1........
            0010  00000000 00000004 00000000 00000150  ...............P
            0020  00000000 000003e8 00000000 00000500  ................
            0030  6ccf2ef0 46435449 44584531 00000003  l...FCTIDXE1....
            0040  0000010b 00000000 000003e8 3995ed9b  ............9...
        "#]],
    );
}

/// A log with a transaction that was committed and one that was aborted.
fn with_transactions() -> Bench {
    let bench = Bench::new(1);
    let at = Timestamp::from_millis(0x0500);
    let part = |producer, value: &str| {
        let mut builder = BatchBuilder::new().producer(producer, 1, 0).transactional();
        builder.push(Timestamp::from_millis(0x0300), None, Some(value.as_bytes()), &[]);
        builder.build()
    };
    for (producer_id, outcome) in [(0x77, TransactionOutcome::Commit), (0x88, TransactionOutcome::Abort)] {
        bench.log.append(part(producer_id, "a"), at).expect("the log takes it");
        let end = EndTransaction { producer_id, producer_epoch: 2, outcome, coordinator_epoch: 5 };
        bench.log.end_transaction(&end, at).expect("the log takes it");
    }
    bench.log.close().expect("the disk is well");
    bench
}

#[test]
fn transaction_marker() {
    let bytes = contents(&with_transactions(), "00000000000000000000.log");
    check(
        &bytes[69..],
        expect![[r#"
        0000  00000000 00000001 0000005f 00000000  ..........._....
        0010  02f60a29 5c003000 00000000 00000000  ...)\.0.........
        0020  00050000 00000000 00050000 00000000  ................
        0030  00007700 02ffffff ff000000 015a0000  ..w..........Z..
        0040  00080000 00010c00 00000000 05021674  ...............t
        0050  72616e73 61637469 6f6e2000 00000000  ransaction......
        0060  00000000 00000000 00000200 00000000  ................
        0070  00000200 00003900 00000002 7d6ff09e  ......9.....}o..
        0080  00100000 00000000 00000000 03000000  ................
        0090  00000000 03000000 00000000 00880001  ................
        00a0  00000000 00000001 0e000000 01026100  ..............a.
        00b0  00000000 00000003 0000005f 00000000  ..........._....
        00c0  022394d4 80003000 00000000 00000000  .#....0.........
        00d0  00050000 00000000 00050000 00000000  ................
        00e0  00008800 02ffffff ff000000 015a0000  .............Z..
        00f0  00080000 00000c00 00000000 05021674  ...............t
        0100  72616e73 61637469 6f6e2000 00000000  ransaction......
        0110  00000200 00000000 000004             ...........
    "#]],
    );
}

#[test]
fn index_with_aborted_transactions() {
    check(
        &contents(&with_transactions(), "00000000000000000000.index"),
        expect![[r#"
        0000  46435449 44585333 00000000 00000000  FCTIDXS3........
        0010  00000000 00000004 00000000 00000160  ...............`
        0020  00000000 00000300 00000000 00000500  ................
        0030  00000000 00000002 00000001 31785a22  ............1xZ"
        0040  46435449 44584131 00000000 00000088  FCTIDXA1........
        0050  00000000 00000002 00000000 00000003  ................
        0060  00000000 00000004 c522c611 46435449  ........."..FCTI
        0070  44584531 00000002 000000b0 00000000  DXE1............
        0080  00000300 335011ba                    ....3P..
    "#]],
    );
}

#[test]
fn producers_with_transactions() {
    check(
        &contents(&with_transactions(), "producers.00000000000000000004"),
        expect![[r#"
            0000  46435450 524f4432 00000000 00000004  FCTPROD2........
            0010  00000000 00000077 00020000 00000000  .......w........
            0020  05000000 00000000 0001ffff ffffffff  ................
            0030  ffff0000 00050100 00000000 00000088  ................
            0040  00020000 00000000 05000000 00000000  ................
            0050  0003ffff ffffffff ffff0000 00050100  ................
            0060  b4911060                             ...`
        "#]],
    );
}

#[test]
fn checkpoint() {
    let bytes = contents(&written(), "checkpoint");
    check(
        &bytes[..64],
        expect![[r#"
            0000  46435443 4b505431 00000000 00000002  FCTCKPT1........
            0010  00000000 00000000 00000000 00000004  ................
            0020  00000000 00000172 00000000 00000005  .......r........
            0030  002305e7 b1000000 00000000 00000000  .#..............
        "#]],
    );
    check(
        &bytes[4096..4149],
        expect![[r#"
            0000  46435443 4b505431 00000000 00000003  FCTCKPT1........
            0010  00000000 00000000 00000000 00000004  ................
            0020  00000000 000001b7 00000000 00000006  ................
            0030  01345697 6e                          .4V.n
        "#]],
    );
    let between = [53..4096, 4149..8192, 8232..12288];
    let is_blank = between.into_iter().all(|range| bytes[range].iter().all(|byte| *byte == 0));
    assert!(is_blank, "nothing lies between the slots");
}

#[test]
fn synced_end() {
    let bytes = contents(&written(), "checkpoint");
    assert_eq!(bytes.len(), 12328);
    check(
        &bytes[8192..8232],
        expect![[r#"
        0000  46435453 454e4431 00000001 00000000  FCTSEND1........
        0010  00000004 00000000 000001b7 00000000  ................
        0020  00000006 a1db708e                    ......p.
    "#]],
    );
    check(
        &bytes[12288..],
        expect![[r#"
        0000  46435453 454e4431 00000000 00000000  FCTSEND1........
        0010  00000004 00000000 00000172 00000000  ...........r....
        0020  00000005 c1e460fa                    ......`.
    "#]],
    );
}

#[test]
fn leader_epochs() {
    check(
        &contents(&written(), "leader-epochs"),
        expect![[r#"
            0000  46435445 504f4331 00000000 00000000  FCTEPOC1........
            0010  00000000 00000001 00000000 00000005  ................
            0020  bf89f7ab                             ....
        "#]],
    );
}

#[test]
fn producers() {
    check(
        &contents(&written(), "producers.00000000000000000006"),
        expect![[r#"
            0000  46435450 524f4432 00000000 00000006  FCTPROD2........
            0010  00000000 00000077 00020000 00000000  .......w........
            0020  05000000 00000000 0001ffff ffffffff  ................
            0030  ffffffff ffff0001 00000009 0000000a  ................
            0040  00000000 00000000 00000000 00000001  ................
            0050  26796fc6                             &yo.
        "#]],
    );
}
