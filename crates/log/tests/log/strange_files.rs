//! Pipes and devices where a file should be; names that are none of ours; and files under the names of others.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use expect_test::expect;
use factum_log::{
    Disk, Environment, EnvironmentOptions, LocalDisk, NotAFile, PartitionLog, RepairError, inspect,
    printable_name, repair,
};
use factum_testkit::CrashDisk;
use factum_types::Timestamp;

use crate::bench::{Bench, OPTIONS, batch, dir, file};
use crate::damage::written;
use crate::inspection::said;

/// The result of `work`, which must not wait for anything.
#[expect(clippy::disallowed_methods, reason = "a thread that waits forever cannot be joined")]
fn at_once<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, result) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    result.recv_timeout(Duration::from_secs(20)).expect("it does not wait")
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
}

fn segment(base: i64) -> PathBuf {
    file(&format!("{base:020}.log"))
}

/// Puts something else in the place of a file.
type Replace = fn(&Path);

const STRANGE: [(&str, Replace); 4] = [
    ("a named pipe", fifo),
    ("a directory", |path| fs::create_dir(path).expect("a directory")),
    ("a symbolic link", |path| symlink("/dev/zero", path).expect("a link")),
    ("a socket", |path| drop(UnixListener::bind(path).expect("a socket"))),
];

fn environment() -> Environment {
    Environment::new(std::sync::Arc::new(LocalDisk), EnvironmentOptions::default())
}

#[test]
fn pipes_and_devices_are_refused_and_never_waited_for() {
    for name in ["00000000000000000000.log", "00000000000000000000.index", "checkpoint", "leader-epochs"] {
        for (found, replace) in STRANGE {
            let folder = tempfile::tempdir().expect("a temporary directory");
            let dir = folder.path().join("log");
            let (log, _) = PartitionLog::open(&environment(), &dir, OPTIONS).expect("a new log");
            log.append(batch(&["a"]), Timestamp::from_millis(1)).expect("appended");
            log.close().expect("closed");
            let path = dir.join(name);
            fs::remove_file(&path).expect("it was there");
            replace(&path);
            let seen = dir.clone();
            let opened = at_once(move || PartitionLog::open(&environment(), &seen, OPTIONS).err());
            let opened = opened.expect("it cannot be opened");
            assert!(NotAFile::is_cause_of(&opened), "{name} is {found}: {opened:?}");
            assert!(
                opened.source.to_string().contains(&format!("{name} is {found} and no file")),
                "{opened:?}"
            );
            let inspected = at_once(move || inspect(&LocalDisk, &dir).map_err(|error| error.to_string()));
            let refused = inspected.err().unwrap_or_default();
            // Nothing in an inspection rests on the indexes of the last segment.
            assert!(refused.contains(found) || name.ends_with(".index"), "{name} is {found}: {refused}");
        }
    }
}

#[test]
fn names_are_told_on_one_line_whatever_is_in_them() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (log, _) = PartitionLog::open(&environment(), folder.path(), OPTIONS).expect("a new log");
    log.close().expect("closed");
    for name in [&b"plain"[..], b"up\x1b[31m\nnote: all is well", b"latin-\xe9"] {
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), "").expect("a file");
    }
    let mut notes: Vec<_> =
        inspect(&LocalDisk, folder.path()).expect("readable").notes.iter().map(ToString::to_string).collect();
    notes.sort();
    expect![[r#"
        latin-\xe9 is none of the log's files; it is passed over
        plain is none of the log's files; it is passed over
        up\u{1b}[31m\nnote: all is well is none of the log's files; it is passed over"#]]
    .assert_eq(&notes.join("\n"));
    assert_eq!(printable_name("a\u{1b}b"), r"a\u{1b}b");
}

/// A log of four segments, closed in order or not, in which the one at `from` was renamed to `to`.
fn renamed(closed: bool, from: i64, to: i64) -> CrashDisk {
    let (bench, _) = written(closed);
    let disk = bench.disk.fork();
    for ending in ["log", "index"] {
        let name = |base: i64| segment(base).with_extension(ending);
        if disk.contents(&name(from)).is_some() {
            disk.rename(&name(from), &name(to)).expect("renamed");
        }
    }
    disk
}

#[test]
fn a_renamed_segment_is_recognised_and_never_repaired_into_wrong_offsets() {
    let names = [(0, 3), (7, 3), (7, 10), (7, 20), (17, 900), (26, 28), (26, 1_000_000), (26, 20)];
    for (closed, (from, to)) in [true, false].into_iter().flat_map(|closed| names.map(|pair| (closed, pair)))
    {
        let disk = renamed(closed, from, to);
        let case = format!("{from} as {to}, closed: {closed}");
        let before = disk.contents(&segment(to)).expect("it is there");
        let found = inspect(&disk, dir()).expect("the disk answers");
        let told = said(&found);
        let words = format!("begin at offset {from}: it is {from:020}.log under another name");
        assert!(told.contains(&words), "{case}\n{told}");
        let refused = repair(&disk, dir()).expect_err("it is no loss");
        assert!(matches!(refused, RepairError::Misnamed { .. }), "{case}: {refused}");
        let opened = Bench::on(disk.clone());
        assert!(opened.recovery.quarantined.is_some(), "{case}");
        assert_eq!(disk.contents(&segment(to)).as_ref(), Some(&before), "{case}: nothing of it is touched");
        drop(opened);
        // With its name it is the log that it was.
        for ending in ["log", "index"] {
            let name = |base: i64| segment(base).with_extension(ending);
            if disk.contents(&name(to)).is_some() {
                disk.rename(&name(to), &name(from)).expect("renamed");
            }
        }
        let found = inspect(&disk, dir()).expect("the disk answers");
        assert_eq!(found.damage, [], "{case}");
    }
}

#[test]
fn a_copy_of_a_segment_under_another_name_is_not_removed_as_a_torn_tail() {
    let (bench, _) = written(false);
    let bytes = bench.disk.contents(&segment(0)).expect("it is there");
    let disk = bench.disk.fork();
    let copy = disk.create(&segment(5_000)).expect("a file");
    copy.write_at(&bytes, 0).expect("written");
    let opened = Bench::on(disk.clone());
    assert!(opened.recovery.quarantined.is_some());
    assert_eq!(disk.contents(&segment(5_000)), Some(bytes));
}

#[test]
fn a_damaged_base_offset_is_damage_and_no_other_name() {
    let (bench, _) = written(true);
    bench.disk.flip_bit(&segment(7), 7 * 8);
    let told = said(&inspect(&bench.disk, dir()).expect("the disk answers"));
    assert!(
        told.contains("starts at offset 6 where 7 comes next") && !told.contains("another name"),
        "{told}"
    );
    repair(&bench.disk, dir()).expect("it can be given up");
}
