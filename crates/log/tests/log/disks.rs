//! What the log relies on, from every disk that it may be given.

use std::io::ErrorKind;
use std::path::Path;

use factum_log::{Disk, DiskFile, LocalDisk, create_dir_durably, write_atomically};
use factum_testkit::CrashDisk;

#[test]
fn the_disk_that_crashes_is_a_disk() {
    conforms(&CrashDisk::seeded(1), Path::new("/here"));
}

#[test]
fn the_local_disk_is_a_disk() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    conforms(&LocalDisk, &dir.path().join("here"));
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
