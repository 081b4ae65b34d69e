//! Opens many logs at once: recovery reads the tail of each, and a start waits for the slowest disk only once.

use std::path::PathBuf;

use factum_log::{Environment, OpenError, Options, PartitionLog};

use crate::side_by_side;

/// Opens the logs in `wanted`, in their order. What recovery found is said by the log.
pub(crate) fn open_logs(
    environment: &Environment,
    wanted: &[(PathBuf, Options)],
) -> Vec<Result<PartitionLog, OpenError>> {
    let open = |(path, options): &(PathBuf, Options)| PartitionLog::open(environment, path, *options);
    let opened = side_by_side::map(wanted, open).into_iter();
    opened.map(|opened| opened.map(|(log, _)| log)).collect()
}
