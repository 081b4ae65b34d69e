//! A log that is closed leaves its directory alone: a topic created again under the same name may have taken it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use factum_log::{Disk, DiskDir, DiskFile, Environment, Options, PartitionLog};
use factum_testkit::CrashDisk;
use factum_types::Timestamp;
use parking_lot::Mutex;

use crate::bench::{COLD, OPTIONS, batch, dir};

/// What happened, in order.
type Events = Arc<Mutex<Vec<String>>>;

/// A disk that calls someone before it removes its first file, and writes down what it removed.
struct RecordingDisk {
    disk: CrashDisk,
    events: Events,
    before_removal: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Disk for RecordingDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(path)
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
        if path.extension().is_some_and(|kind| kind == "log") {
            if let Some(call) = self.before_removal.lock().take() {
                call();
            }
            self.events.lock().push(format!("removed {}", path.display()));
        }
        self.disk.remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(dir)
    }

    fn open_dir(&self, dir: &Path) -> io::Result<Box<dyn DiskDir>> {
        self.disk.open_dir(dir)
    }
}

#[test]
fn a_closed_log_removes_no_file() {
    let events = Events::default();
    let disk = CrashDisk::seeded(1);
    let watched =
        Arc::new(RecordingDisk { disk, events: Arc::clone(&events), before_removal: Mutex::default() });
    let environment = Environment::new(watched.clone(), COLD);
    let options = Options { retention_bytes: Some(1), ..OPTIONS };
    let (log, _) = PartitionLog::open(&environment, dir(), options).expect("the disk answers");
    for _ in 0..4 {
        log.append(batch(&["x".repeat(450).as_str()]), Timestamp::from_millis(1)).expect("the log takes it");
        environment.committer().round();
    }
    let ((close, told), (done, closed)) = (channel(), channel());
    *watched.before_removal.lock() = Some(Box::new(move || {
        close.send(()).expect("the other thread listens");
        // Long enough for a close that does not wait for the removal under way; one that does goes on after it.
        closed.recv_timeout(Duration::from_millis(200)).unwrap_or_default();
    }));
    thread::scope(|scope| {
        let (log, events) = (&log, &events);
        scope.spawn(move || {
            told.recv().expect("retention begins");
            log.close().expect("the disk is well");
            events.lock().push("closed".to_owned());
            done.send(()).unwrap_or_default();
        });
        log.retain(Timestamp::from_millis(2)).expect("the disk is well");
        // Lets go of the other thread should nothing have been removed.
        drop(watched.before_removal.lock().take());
    });
    let events = events.lock();
    assert_eq!(events.last().map(String::as_str), Some("closed"), "{events:?}");
    assert!(events.len() > 1, "retention had begun");
}
