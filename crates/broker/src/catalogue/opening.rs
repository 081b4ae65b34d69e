//! Opens many logs at once: recovery reads the tail of each, and a start waits for the slowest disk only once.

use std::path::PathBuf;

use factum_log::{Environment, OpenError, Options, PartitionLog, Recovery};

use crate::error::StorageError;
use crate::side_by_side;

type Opened = Result<(PartitionLog, Recovery), OpenError>;

/// Opens the logs in `wanted`, in their order. What recovery found is said by the log.
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
    for opened in opened {
        logs.push(opened?.0);
    }
    Ok(logs)
}
