//! Ordered tables larger than memory.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_state::{Changes, Epoch, Fence, KeyRange, Options, ReadError, StateStore, ordered_table};
use factum_testkit::CrashDisk;
use factum_types::ByteSize;

use crate::support::{Running, id, small};

const TABLE: u16 = ordered_table(0);

fn open(disk: &CrashDisk, options: Options) -> Running {
    Running::open(Arc::new(disk.clone()), Path::new("/state"), options).expect("opened")
}

async fn put(running: &Running, fence: Fence, keys: impl Iterator<Item = u32>, value: &[u8]) {
    let mut changes = Changes::new();
    keys.for_each(|key| changes.put(TABLE, &key.to_be_bytes(), value));
    running.store.commit(&id(0), fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
}

fn runs(disk: &CrashDisk) -> Vec<PathBuf> {
    disk.files().into_iter().filter(|path| path.extension().is_some_and(|name| name == "run")).collect()
}

async fn keys(running: &Running, range: KeyRange) -> (Vec<u32>, usize) {
    let (mut keys, mut pages, mut next) = (Vec::new(), 0, Some(range));
    while let Some(range) = next.take() {
        let page = running.store.range(&id(0), TABLE, &range).await.expect("read");
        keys.extend(page.rows.iter().map(|(key, _)| u32::from_be_bytes(key.try_into().expect("four bytes"))));
        (pages, next) = (pages + 1, page.next);
    }
    (keys, pages)
}

/// With next to no memory a slice has 16 KiB of it, and a run 64 KiB.
#[tokio::test]
async fn runs_have_a_bounded_size_and_all_rows() {
    let disk = CrashDisk::seeded(1);
    let running =
        open(&disk, Options { memory: ByteSize::kib(1), journal: ByteSize::mib(64), ..Options::default() });
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    for round in 0..60 {
        put(&running, fence, (0..50).map(|key| key * 60 + round), &[7; 200]).await;
    }
    let sizes: Vec<_> = runs(&disk).iter().map(|path| disk.contents(path).expect("there").len()).collect();
    assert!(sizes.len() >= 4, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size < 80 << 10), "{sizes:?}");
    let rows = 3_000 * (8 + 4 + 200);
    assert!(sizes.iter().sum::<usize>() < 2 * rows, "what is not needed goes: {sizes:?}");
    assert_eq!(keys(&running, KeyRange::all()).await.0, (0..3_000).collect::<Vec<_>>());
    let some = KeyRange::between(Bound::Included(&[0, 0, 1, 0]), Bound::Excluded(&[0, 0, 2, 0])).descending();
    assert_eq!(keys(&running, some.limit(100)).await.0, (256..512).rev().collect::<Vec<_>>());
    let listed = running.store.tasks(id(0).owner()).await.expect("listed");
    assert!(listed[0].memory < 16 << 10, "{} bytes in memory", listed[0].memory);
    assert!((rows as u64..2 * rows as u64).contains(&listed[0].disk), "{} bytes on disk", listed[0].disk);
    let mut changes = Changes::new();
    (0..3_000_u32).for_each(|key| changes.delete(TABLE, &key.to_be_bytes()));
    running.store.commit(&id(0), fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
    assert_eq!(runs(&disk), Vec::<PathBuf>::new(), "no row, no file");
    let listed = running.store.tasks(id(0).owner()).await.expect("listed");
    assert!(listed[0].memory < 512, "{} bytes of an empty table", listed[0].memory);
    assert_eq!(listed[0].disk, 0);
    running.end(true).await;
}

/// Deletions of spilled rows lie in memory until the rows are merged.
#[tokio::test]
async fn a_page_looks_at_a_bounded_number_of_deleted_rows() {
    let disk = CrashDisk::seeded(1);
    let running = open(&disk, Options { memory: ByteSize::mib(4), ..Options::default() });
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    put(&running, fence, 0..130_000, &[7; 150]).await;
    let mut changes = Changes::new();
    (0..129_990_u32).for_each(|key| changes.delete(TABLE, &key.to_be_bytes()));
    running.store.commit(&id(0), fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
    assert!(!runs(&disk).is_empty(), "rows are on disk");
    let first = running.store.range(&id(0), TABLE, &KeyRange::all().limit(1)).await.expect("read");
    assert!(first.rows.is_empty() && first.next.is_some(), "{first:?}");
    let (found, pages) = keys(&running, KeyRange::all()).await;
    assert_eq!((found, pages), ((129_990..130_000).collect(), 2));
    running.end(true).await;
}

#[tokio::test]
async fn damaged_spilled_rows_are_an_error_and_no_rows() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { memory: ByteSize::kib(1), ..small() };
    let running = Running::on_files(directory.path(), options);
    let fence = running.store.take_over(&id(0)).await.expect("taken over").fence;
    put(&running, fence, 0..1_000, &[7; 100]).await;
    for entry in std::fs::read_dir(directory.path().join("spill")).expect("listed") {
        let path = entry.expect("an entry").path();
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[20] ^= 1;
        std::fs::write(path, bytes).expect("written");
    }
    let is_damage = |error: &ReadError| error.to_string().contains("a file of spilled rows is damaged");
    let ranged = running.store.range(&id(0), TABLE, &KeyRange::all()).await.expect_err("damaged");
    assert!(is_damage(&ranged), "{ranged}");
    let got = running.store.get_many(&id(0), TABLE, &[&0_u32.to_be_bytes()]).await.expect_err("damaged");
    assert!(is_damage(&got), "{got}");
    let mut rows = 0;
    let scanned = running.store.scan(&id(0), TABLE, &mut |_, _| rows += 1).await.expect_err("damaged");
    assert!(is_damage(&scanned), "{scanned}");
    running.end(false).await;
}
