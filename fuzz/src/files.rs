//! Files on disk, which a crash, a bad sector or a person may have left in any state.
//!
//! A folder that was closed in order is made once; each run replaces one of its files, which the first byte names, by
//! the rest and opens it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::BytesMut;
use factum_base::clock::SystemClock;
use factum_log::{Disk, Environment, EnvironmentOptions, Isolation, LocalDisk, Options, PartitionLog};
use factum_state::EmbeddedStore;
use factum_types::{BatchBuilder, Offset, RecordBatch, Timestamp};

/// A folder's files, by their paths in it.
type Files = Vec<(PathBuf, Vec<u8>)>;

fn environment() -> Environment {
    let options = EnvironmentOptions {
        tail_cache_bytes: 0,
        open_segments: 4,
        active_segments: 4,
        ..EnvironmentOptions::default()
    };
    Environment::new(Arc::new(LocalDisk), options)
}

/// Small segments, so that there are several, each with its index.
const OPTIONS: Options = Options {
    segment_bytes: 512,
    segment_age: None,
    index_interval_bytes: 64,
    retention: None,
    retention_bytes: None,
    compaction: None,
};

/// Opens a partition's log and reads all of it.
pub(crate) fn log(bytes: &[u8]) {
    static FILES: OnceLock<Files> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let environment = environment();
        let (log, _) =
            PartitionLog::open(&environment, folder.path(), OPTIONS).expect("an empty folder opens");
        for number in 0..24 {
            let mut builder = BatchBuilder::new();
            let time = Timestamp::from_millis(1_000 + number);
            builder.push(time, Some(b"key"), Some(number.to_string().repeat(10).as_bytes()), &[]);
            let batch = RecordBatch::new(BytesMut::from(builder.build().as_bytes())).expect("a batch");
            log.append(batch, time).expect("the disk is well");
            environment.committer().round();
        }
        log.close().expect("the disk is well");
        read_all(folder.path())
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    if !replace_one(files, folder.path(), bytes) {
        return;
    }
    let Ok((log, _)) = PartitionLog::open(&environment(), folder.path(), OPTIONS) else { return };
    let bounds = log.bounds();
    let mut next = bounds.log_start;
    while next < bounds.high_watermark {
        match log.read(next, 4_096, Isolation::ReadUncommitted) {
            Ok(slice) if slice.bytes > 0 => next = next.advance(1),
            _ => break,
        }
    }
    drop(log.offset_for_time(Timestamp::from_millis(1_010)));
    drop(log.read(Offset::ZERO, 1, Isolation::ReadCommitted));
}

/// Opens the state of views.
pub(crate) fn state(bytes: &[u8]) {
    static FILES: OnceLock<Files> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        open_state(folder.path());
        read_all(folder.path())
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    if replace_one(files, folder.path(), bytes) {
        open_state(folder.path());
    }
}

fn open_state(folder: &Path) {
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
    let options = factum_state::Options::default();
    drop(EmbeddedStore::open(&environment(), disk, Arc::new(SystemClock), folder, options));
}

fn read_all(folder: &Path) -> Files {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let inner = path.strip_prefix(folder).expect("inside").to_owned();
                files.push((inner, std::fs::read(&path).expect("readable")));
            }
        }
    }
    files.sort();
    files
}

/// Writes `files` into `folder`, one of them with other bytes: all of them, or some laid over its own from a place on.
fn replace_one(files: &Files, folder: &Path, bytes: &[u8]) -> bool {
    let [which, how, rest @ ..] = bytes else { return false };
    for (at, (inner, contents)) in files.iter().enumerate() {
        let path = folder.join(inner);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        let mut contents = contents.clone();
        if at == usize::from(*which) % files.len() {
            let from = usize::from(*how) * contents.len() / 256;
            match how {
                0 => contents = rest.to_vec(),
                255 => contents.truncate(contents.len() - rest.len().min(contents.len())),
                _ => {
                    let end = contents.len().min(from + rest.len());
                    contents.splice(from..end, rest.iter().copied());
                }
            }
        }
        std::fs::write(path, contents).expect("writable");
    }
    true
}
