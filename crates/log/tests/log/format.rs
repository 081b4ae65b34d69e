//! Golden files: what lies on the disk, byte by byte, as `docs/format` draws it.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use crate::bench::{Bench, batch_at, file, sent};
use factum_types::Timestamp;

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
            0000  46435450 524f4431 00000000 00000006  FCTPROD1........
            0010  00000000 00000077 00020000 00000000  .......w........
            0020  05000100 00000900 00000a00 00000000  ................
            0030  00000000 00000000 00000121 86c77f    ...........!...
        "#]],
    );
}
