//! Opens many logs at once: recovery reads the tail of each, and a start waits for the slowest disk only once.

use std::path::{Path, PathBuf};

use factum_log::{Environment, OpenError, Options, PartitionLog, Recovery};
use tracing::{error, warn};

use super::side_by_side;
use crate::error::StorageError;

type Opened = Result<(PartitionLog, Recovery), OpenError>;

/// Opens the logs in `wanted`, in their order; says what recovery found.
///
/// # Errors
/// The first log that could not be opened; the others are closed again.
pub(crate) fn open_logs(
    environment: &Environment,
    wanted: &[(PathBuf, Options)],
) -> Result<Vec<PartitionLog>, StorageError> {
    let open = |(path, options): &(PathBuf, Options)| PartitionLog::open(environment, path, *options);
    let opened: Vec<Opened> = side_by_side::map(wanted, open);
    let mut logs = Vec::with_capacity(wanted.len());
    for ((path, _), opened) in wanted.iter().zip(opened) {
        let (log, recovery) = opened?;
        report(path, &recovery);
        logs.push(log);
    }
    Ok(logs)
}

fn report(path: &Path, recovery: &Recovery) {
    if let Some(damage) = &recovery.quarantined {
        error!(log = %path.display(), %damage, "a log is damaged and takes no more records until `factum log repair`");
    } else if recovery.truncated_bytes > 0 {
        let bytes = recovery.truncated_bytes;
        warn!(log = %path.display(), bytes, "cut a torn tail that was never acknowledged");
    }
}
