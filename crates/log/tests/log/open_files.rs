//! More logs than files may be open: clean active segments are closed and opened again, dirty ones never closed.

use std::path::PathBuf;
use std::sync::Arc;

use factum_log::{AppendError, Environment, EnvironmentOptions, PartitionLog};
use factum_testkit::CrashDisk;
use factum_types::{Offset, Timestamp};

use crate::bench::{COLD, OPTIONS, batch, read_all};

const LOGS: usize = 40;
const OPEN: usize = 6;

struct Logs {
    disk: CrashDisk,
    environment: Environment,
    logs: Vec<PartitionLog>,
}

impl Logs {
    fn on(disk: CrashDisk) -> Self {
        let options = EnvironmentOptions { active_segments: OPEN, ..COLD };
        let environment = Environment::new(Arc::new(disk.clone()), options);
        let open = |n: usize| {
            let dir = PathBuf::from(format!("/data/{n}"));
            PartitionLog::open(&environment, &dir, OPTIONS).expect("the disk is well").0
        };
        Self { logs: (0..LOGS).map(open).collect(), environment, disk }
    }

    fn append(&self, log: usize, value: &str) -> Result<(), AppendError> {
        self.logs[log].append(batch(&[value]), Timestamp::from_millis(1)).map(|_| ())
    }

    fn round(&self) {
        self.environment.committer().round();
    }
}

#[test]
fn every_log_is_written_and_read_while_few_files_are_open() {
    let logs = Logs::on(CrashDisk::seeded(1));
    // Those, the sealed ones that were read, and a segment with its index while they are opened.
    logs.disk.set_descriptors(Some(OPEN + COLD.open_segments + 2));
    let large = "x".repeat(250);
    for value in 0..6 {
        for log in 0..LOGS {
            logs.append(log, &format!("{value} {large}")).expect("a clean file is closed for it");
            logs.round();
        }
    }
    for log in &logs.logs {
        assert!(log.trouble().is_none() && log.segments().len() > 1);
        assert_eq!(read_all(log, 0).0.len(), 6);
    }
    logs.disk.set_descriptors(None);
    logs.disk.crash();
    let reopened = Logs::on(logs.disk);
    assert!(reopened.logs.iter().all(|log| read_all(log, 0).0.len() == 6));
}

#[test]
fn a_file_with_unsynced_bytes_is_never_closed_and_the_append_without_a_place_may_be_tried_again() {
    let logs = Logs::on(CrashDisk::seeded(1));
    (0..OPEN).for_each(|log| logs.append(log, "a").expect("there is a place"));
    let refused = logs.append(OPEN, "a").expect_err("no file is clean, and no one syncs");
    assert!(refused.is_transient(), "{refused}");
    assert_eq!(logs.logs[OPEN].bounds().log_end, Offset::ZERO);
    logs.round();
    assert!(logs.logs[..OPEN].iter().all(|log| log.bounds().high_watermark == Offset::new(1)));
    logs.append(OPEN, "a").expect("a file is clean again");
}

#[test]
fn an_append_without_a_place_waits_for_the_sync_of_another() {
    let logs = Logs::on(CrashDisk::seeded(1));
    std::thread::scope(|scope| {
        let committer = logs.environment.committer().clone();
        scope.spawn(move || committer.run());
        for _ in 0..20 {
            (0..LOGS).for_each(|log| logs.append(log, "a").expect("it waits a moment at most"));
        }
        logs.environment.committer().stop();
    });
    assert!(logs.logs.iter().all(|log| log.bounds().high_watermark == Offset::new(20)));
}
