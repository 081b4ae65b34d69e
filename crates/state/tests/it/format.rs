//! The bytes on disk: what earlier versions wrote is read, and what this one writes is what the page says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use factum_state::{Changes, Epoch, Options, Outgoing, Owner, StateStore, TaskId};
use factum_testkit::CrashDisk;
use factum_types::{ByteSize, Offset, TopicName, TopicPartition};

use crate::support::{Running, small};

fn golden(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

fn sql(name: &str, partition: i32) -> TaskId {
    TaskId::new(Owner::from_static("sql"), name, partition)
}

fn source() -> TopicPartition {
    TopicPartition::new(TopicName::new("store.orders").expect("valid"), 2)
}

/// What the golden directories hold.
async fn check(running: &Running) {
    let (movies, columns) = (sql("store.top_movies@3f.0", 2), sql("store.orders!columns", 0));
    let owner = Owner::from_static("sql");
    let listed = running.store.tasks(&owner).await.expect("listed");
    let epochs: Vec<_> = listed.iter().map(|kept| (kept.task.clone(), kept.progress.epoch)).collect();
    assert_eq!(epochs, [(columns.clone(), 1), (movies.clone(), 5)]);
    let taken = running.store.take_over(&movies).await.expect("taken over");
    assert_eq!(taken.lost, None);
    assert_eq!(taken.progress.offsets, [(source(), Offset::new(50))]);
    let mut rows = BTreeMap::new();
    let mut visit = |key: &[u8], value: &[u8]| drop(rows.insert(key.to_vec(), value.to_vec()));
    running.store.scan(&movies, 0, &mut visit).await.expect("scanned");
    let expected = (0..30_u8).filter(|key| *key != 3).map(|key| (vec![b'k', key], vec![key; 100]));
    assert_eq!(rows, expected.collect());
    let late = running.store.get_many(&movies, 1, &[b"late"]).await.expect("read");
    assert_eq!(late.get(0), Some(7_u64.to_le_bytes().as_slice()));
    let kept = running.store.get_many(&columns, 0, &[b""]).await.expect("read");
    assert_eq!(kept.get(0), Some(b"{}".as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn formats_of_earlier_versions_are_read() {
    for format in ["format-1", "format-2"] {
        let directory = tempfile::tempdir().expect("a directory");
        copy(&golden(format), directory.path());
        // And again after this version wrote to it.
        for _ in 0..2 {
            let running = Running::on_files(directory.path(), small());
            check(&running).await;
            running.end(true).await;
        }
    }
}

/// Magic and first block of the snapshot that is written here.
const SNAPSHOT_HEAD_BYTES: usize = 8 + 8 + 0x94;

/// The same history, written by this version. To change the format on purpose, copy the directory that the failure names.
#[tokio::test(flavor = "multi_thread")]
async fn this_version_writes_format_2() {
    let disk = CrashDisk::seeded(1);
    let directory = Path::new("/state");
    let open = |options| Running::open(Arc::new(disk.clone()), directory, options).expect("opened");
    let movies = sql("store.top_movies@3f.0", 2);
    let running = open(small());
    let fence = running.store.take_over(&movies).await.expect("taken over").fence;
    let mut changes = Changes::new();
    (0..30_u8).for_each(|key| changes.put(0, &[b'k', key], &[key; 100]));
    let outbox = vec![Outgoing {
        topic: "store.alerts".to_owned(),
        key: None,
        value: Some(Bytes::from_static(b"v")),
        headers: vec![("h".to_owned(), Bytes::from_static(b"x"))],
    }];
    let offsets = vec![(source(), Offset::new(41))];
    let epoch = Epoch { changes, offsets, watermark: Some(-5), outbox };
    for _ in 0..4 {
        running.store.commit(&movies, fence, epoch.clone()).await.expect("committed");
    }
    running.end(true).await;

    let running = open(Options { snapshot_after: ByteSize::mib(64), ..small() });
    let fence = running.store.take_over(&movies).await.expect("taken over").fence;
    let mut changes = Changes::new();
    changes.put(1, b"late", &7_u64.to_le_bytes());
    changes.delete(0, &[b'k', 3]);
    let epoch = Epoch { changes, offsets: vec![(source(), Offset::new(50))], ..Epoch::default() };
    running.store.commit(&movies, fence, epoch).await.expect("committed");
    let columns = sql("store.orders!columns", 0);
    let fence = running.store.take_over(&columns).await.expect("taken over").fence;
    let mut changes = Changes::new();
    changes.put(0, b"", b"{}");
    running.store.commit(&columns, fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
    let gone = TaskId::new(Owner::from_static("delivery"), "store.gone", 0);
    let fence = running.store.take_over(&gone).await.expect("taken over").fence;
    running.store.commit(&gone, fence, Epoch::default()).await.expect("committed");
    running.store.forget(&gone).await.expect("forgotten");
    running.end(true).await;

    let written = tempfile::tempdir().expect("a directory").keep();
    let mut wrong = Vec::new();
    for path in disk.files() {
        let name = path.strip_prefix(directory).expect("below the directory");
        let contents = disk.contents(&path).expect("there");
        let target = written.join(name);
        std::fs::create_dir_all(target.parent().expect("a folder")).expect("a directory");
        std::fs::write(&target, &contents).expect("written");
        // The log's own files have goldens of their own.
        let length = match name.extension().and_then(|extension| extension.to_str()) {
            // Rows are in the order of a hash table, which differs between machines.
            Some("snapshot") => SNAPSHOT_HEAD_BYTES,
            Some("log") => contents.len(),
            _ => continue,
        };
        let golden = std::fs::read(golden("format-2").join(name)).unwrap_or_default();
        if golden.get(..length) != Some(&contents[..length]) {
            wrong.push(name.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?} differ from the golden files; what was written is in {written:?}");
    std::fs::remove_dir_all(written).expect("removed");
}
