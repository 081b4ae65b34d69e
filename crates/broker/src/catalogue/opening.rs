//! Opens many logs at once: recovery reads the tail of each, and a start waits for the slowest disk only once.

use std::path::{Path, PathBuf};

use factum_log::{Environment, OpenError, Options, PartitionLog, Recovery};
use tracing::{error, warn};

use super::side_by_side;

/// Opens the logs in `wanted`, in their order; says what recovery found.
pub(crate) fn open_logs(
    environment: &Environment,
    wanted: &[(PathBuf, Options)],
) -> Vec<Result<PartitionLog, OpenError>> {
    let open = |(path, options): &(PathBuf, Options)| PartitionLog::open(environment, path, *options);
    let opened = side_by_side::map(wanted, open).into_iter().zip(wanted);
    let reported = opened.map(|(opened, (path, _))| {
        let (log, recovery) = opened?;
        report(path, &recovery);
        Ok(log)
    });
    reported.collect()
}

fn report(path: &Path, recovery: &Recovery) {
    if let Some(damage) = &recovery.quarantined {
        error!(log = %path.display(), %damage, "a log is damaged and takes no more records until `factum log repair`");
    } else if recovery.truncated_bytes > 0 {
        let bytes = recovery.truncated_bytes;
        warn!(log = %path.display(), bytes, "cut a torn tail that was never acknowledged");
    }
}
