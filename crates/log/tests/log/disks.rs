//! The requirements of the log on every disk that it may be given.

use std::io::ErrorKind;
use std::path::Path;

use factum_log::{Disk, DiskFile, LocalDisk, create_dir_durably, write_atomically};
use factum_testkit::{Call, CrashDisk, Fault, FaultKind};

#[test]
fn the_disk_that_crashes_is_a_disk() {
    conforms(&CrashDisk::seeded(1), Path::new("/here"));
}

#[test]
fn the_local_disk_is_a_disk() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    conforms(&LocalDisk, &dir.path().join("here"));
}

#[test]
fn a_refused_call_changes_nothing_and_leaves_other_calls_alone() {
    let disk = CrashDisk::seeded(1);
    let dir = Path::new("/here");
    create_dir_durably(&disk, dir).expect("a directory");
    let file = disk.create(&dir.join("file")).expect("a file");
    file.write_at(b"abc", 0).expect("a write");
    let refuse = |call, after, lasting| {
        disk.inject(Fault { after, kind: FaultKind::Refused { call, os_error: 24 }, lasting });
    };
    refuse(Call::Open, 1, false);
    refuse(Call::List, 0, false);
    refuse(Call::Create, 0, true);
    assert_eq!(
        disk.open(&dir.join("file")).map(|file| read(&*file)).expect("the first open is well"),
        b"abc"
    );
    assert_eq!(disk.open(&dir.join("file")).err().and_then(|error| error.raw_os_error()), Some(24));
    disk.open(&dir.join("file")).expect("it struck once");
    assert_eq!(disk.list(dir).err().and_then(|error| error.raw_os_error()), Some(24));
    assert_eq!(listed(&disk, dir), ["file"]);
    for _ in 0..2 {
        let made = disk.create(&dir.join("other"));
        assert_eq!(made.err().and_then(|error| error.raw_os_error()), Some(24), "it lasts");
    }
    file.write_at(b"d", 3).expect("writes are left alone");
    assert_eq!(listed(&disk, dir), ["file"]);
    refuse(Call::Read, 0, false);
    assert_eq!(file.read_at(&mut [0; 4], 0).err().and_then(|error| error.raw_os_error()), Some(24));
    assert_eq!(read(&*file), b"abcd");
}

#[test]
fn file_descriptors_run_out_and_come_back() {
    let disk = CrashDisk::seeded(1);
    let dir = Path::new("/here");
    create_dir_durably(&disk, dir).expect("a directory");
    disk.set_descriptors(Some(2));
    let first = disk.create(&dir.join("a")).expect("the first");
    let second = disk.create(&dir.join("b")).expect("the second");
    assert_eq!(disk.open_files(), 2);
    for error in [disk.open(&dir.join("a")).err(), disk.create(&dir.join("c")).err(), disk.list(dir).err()] {
        assert_eq!(error.and_then(|error| error.raw_os_error()), Some(24));
    }
    drop(second);
    assert_eq!(listed(&disk, dir), ["a", "b"]);
    disk.open(&dir.join("b")).expect("one is free");
    assert_eq!(read(&*first), b"");
}

fn conforms(disk: &dyn Disk, root: &Path) {
    let dir = root.join("a/b");
    assert_eq!(disk.list(&dir).expect_err("nothing is there").kind(), ErrorKind::NotFound);
    create_dir_durably(disk, &dir).expect("a directory");
    create_dir_durably(disk, &dir).expect("the same again");
    files(disk, &dir);
    names(disk, &dir);
    disk.rename(&dir, &root.join("a/c")).expect("a directory gets another name");
    assert_eq!(listed(disk, &root.join("a")), ["c"]);
    assert_eq!(read(&*disk.open(&root.join("a/c/kept")).expect("it moved along")), b"new");
    disk.remove_dir_all(&root.join("a")).expect("all of it");
    assert!(disk.list(&root.join("a/c")).is_err());
}

fn files(disk: &dyn Disk, dir: &Path) {
    let path = dir.join("file");
    assert_eq!(disk.open(&path).err().expect("nothing is there").kind(), ErrorKind::NotFound);
    let file = disk.create(&path).expect("a file");
    assert_eq!(disk.create(&path).err().expect("it exists").kind(), ErrorKind::AlreadyExists);
    file.write_at(b"def", 3).expect("a write behind the end");
    assert_eq!(read(&*file), b"\0\0\0def");
    file.write_at(b"abc", 0).expect("a write within");
    file.set_len(4).expect("a cut");
    file.sync().expect("a sync");
    assert_eq!(read(&*disk.open(&path).expect("it is there")), b"abcd");
    let mut beyond = [0; 4];
    assert_eq!(file.read_at(&mut beyond, 9).expect("nothing to read"), 0);
    disk.remove_file(&path).expect("it was there");
    assert_eq!(disk.remove_file(&path).expect_err("it is gone").kind(), ErrorKind::NotFound);
    assert_eq!(read(&*file), b"abcd", "who holds it may read on");
}

fn names(disk: &dyn Disk, dir: &Path) {
    write_atomically(disk, &dir.join("kept"), b"old").expect("a file");
    write_atomically(disk, &dir.join("kept"), b"new").expect("another in its place");
    write_atomically(disk, &dir.join("other"), b"x").expect("a file");
    disk.rename(&dir.join("kept"), &dir.join("other")).expect("a name in place of another");
    assert_eq!(listed(disk, dir), ["other"]);
    disk.rename(&dir.join("other"), &dir.join("kept")).expect("and back");
    disk.sync_dir(dir).expect("a sync");
}

fn listed(disk: &dyn Disk, dir: &Path) -> Vec<String> {
    let mut names = disk.list(dir).expect("the directory is there");
    names.sort();
    names
}

fn read(file: &dyn DiskFile) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.size().expect("a size")).expect("small")];
    let read = file.read_at(&mut bytes, 0).expect("its contents");
    assert_eq!(read, bytes.len());
    bytes
}
