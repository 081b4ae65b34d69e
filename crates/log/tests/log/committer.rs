//! The order in which logs are synced: side by side, small requests first, each by one thread at a time.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use factum_log::{Disk, DiskDir, DiskFile, Environment, EnvironmentOptions, PartitionLog};
use factum_testkit::CrashDisk;
use factum_types::{Offset, Timestamp};
use parking_lot::{Condvar, Mutex};

use crate::bench::{COLD, OPTIONS, batch};

/// A disk that writes down which partitions are synced, and how many at one time.
struct WatchedDisk {
    disk: CrashDisk,
    syncs: Arc<Syncs>,
}

#[derive(Default)]
struct Syncs {
    state: Mutex<SyncState>,
    changed: Condvar,
}

#[derive(Default)]
struct SyncState {
    /// Every sync of a segment, by the partition's directory.
    order: Vec<String>,
    running: Vec<String>,
    /// Syncs wait until so many run, or for a while.
    together: usize,
    most_together: usize,
}

struct WatchedFile {
    file: Arc<dyn DiskFile>,
    partition: String,
    syncs: Arc<Syncs>,
}

impl Syncs {
    fn begin(&self, partition: &str) {
        let mut state = self.state.lock();
        assert!(
            !state.running.iter().any(|running| running == partition),
            "{partition} is synced twice at once"
        );
        state.order.push(partition.to_owned());
        state.running.push(partition.to_owned());
        state.most_together = state.most_together.max(state.running.len());
        self.changed.notify_all();
        while state.most_together < state.together {
            if self.changed.wait_for(&mut state, Duration::from_secs(5)).timed_out() {
                break;
            }
        }
    }

    fn end(&self, partition: &str) {
        self.state.lock().running.retain(|running| running != partition);
    }
}

impl WatchedDisk {
    fn watch(&self, path: &Path, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        if path.extension().is_none_or(|kind| kind != "log") {
            return file;
        }
        let dir = path.parent().and_then(Path::file_name).expect("a segment lies in a directory");
        let partition = dir.to_string_lossy().into_owned();
        Arc::new(WatchedFile { file, partition, syncs: Arc::clone(&self.syncs) })
    }
}

impl Disk for WatchedDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.watch(path, self.disk.open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.watch(path, self.disk.create(path)?))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir_all(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(dir)
    }

    fn open_dir(&self, dir: &Path) -> io::Result<Box<dyn DiskDir>> {
        self.disk.open_dir(dir)
    }
}

impl DiskFile for WatchedFile {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(buffer, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file.write_at(bytes, at)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.syncs.begin(&self.partition);
        let synced = self.file.sync();
        self.syncs.end(&self.partition);
        synced
    }
}

struct Logs {
    environment: Environment,
    logs: Vec<PartitionLog>,
    syncs: Arc<Syncs>,
}

impl Logs {
    fn new(count: usize) -> Self {
        let syncs = Arc::new(Syncs::default());
        let disk = WatchedDisk { disk: CrashDisk::seeded(1), syncs: Arc::clone(&syncs) };
        let options = EnvironmentOptions { active_segments: count, ..COLD };
        let environment = Environment::new(Arc::new(disk), options);
        let open = |n: usize| {
            let dir = PathBuf::from(format!("/data/{n}"));
            PartitionLog::open(&environment, &dir, OPTIONS).expect("the disk is well").0
        };
        Self { logs: (0..count).map(open).collect(), environment, syncs }
    }

    fn append(&self, log: usize, request: usize) -> Offset {
        let request = NonZeroUsize::new(request).expect("a request has a partition");
        let appended = self.logs[log].append_as_part(batch(&["x"]), Timestamp::from_millis(1), request);
        appended.expect("the log takes it").last_offset
    }

    /// The partitions in the order in which they were synced.
    fn order(&self) -> Vec<usize> {
        self.environment.committer().round();
        let order = &self.syncs.state.lock().order;
        order.iter().map(|partition| partition.parse().expect("a number")).collect()
    }

    /// Runs `work` beside `threads` that commit.
    fn with_threads(&self, threads: usize, work: impl FnOnce(&Self)) {
        thread::scope(|scope| {
            for _ in 0..threads {
                let committer = self.environment.committer().clone();
                scope.spawn(move || committer.run());
            }
            work(self);
            self.environment.committer().stop();
        });
    }
}

#[test]
fn partitions_are_synced_side_by_side() {
    let logs = Logs::new(4);
    logs.syncs.state.lock().together = 4;
    (0..4).for_each(|log| _ = logs.append(log, 4));
    logs.with_threads(4, |_| {});
    assert_eq!(logs.syncs.state.lock().most_together, 4);
}

#[test]
fn a_small_request_is_synced_before_a_large_one_that_came_earlier() {
    let logs = Logs::new(41);
    (0..40).for_each(|log| _ = logs.append(log, 40));
    logs.append(40, 1);
    assert_eq!(logs.order()[..3], [40, 0, 1]);
}

#[test]
fn a_large_request_is_overtaken_by_a_bounded_number_of_small_ones() {
    let logs = Logs::new(100);
    (0..10).for_each(|log| _ = logs.append(log, 10));
    (10..100).for_each(|log| _ = logs.append(log, 1));
    let order = logs.order();
    for log in 0..10 {
        let place = order.iter().position(|synced| *synced == log).expect("it is synced");
        assert!(place < log + 4 * 10, "log {log} is synced as number {place}");
    }
}

#[test]
fn a_partition_that_waits_in_a_large_request_moves_forward_for_a_small_one() {
    let logs = Logs::new(20);
    (0..20).for_each(|log| _ = logs.append(log, 20));
    logs.append(15, 1);
    assert_eq!(logs.order()[..2], [15, 0]);
}

#[test]
fn a_partition_is_synced_by_one_thread_at_a_time_and_all_is_synced_at_the_stop() {
    let logs = Logs::new(3);
    logs.with_threads(8, |logs| {
        for at in 0..300 {
            logs.append(at % 3, 1);
        }
    });
    for log in &logs.logs {
        assert_eq!(log.bounds().high_watermark, Offset::new(100));
    }
}
