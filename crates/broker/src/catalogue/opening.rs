//! Opens many logs at once: recovery reads the tail of each, and a start waits for the slowest disk only once.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use factum_log::{Environment, OpenError, Options, PartitionLog, Recovery};
use parking_lot::Mutex;
use tracing::{error, warn};

use crate::error::StorageError;

/// More threads than this only queue at the disk.
const MOST_THREADS: usize = 8;

type Opened = Result<(PartitionLog, Recovery), OpenError>;

/// Opens the logs in `wanted`, in their order; says what recovery found.
///
/// # Errors
/// The first log that could not be opened; the others are closed again.
pub(crate) fn open_logs(
    environment: &Environment,
    wanted: &[(PathBuf, Options)],
) -> Result<Vec<PartitionLog>, StorageError> {
    let opened = open_all(environment, wanted);
    let mut logs = Vec::with_capacity(wanted.len());
    for ((path, _), opened) in wanted.iter().zip(opened) {
        let (log, recovery) = opened?;
        report(path, &recovery);
        logs.push(log);
    }
    Ok(logs)
}

fn open_all(environment: &Environment, wanted: &[(PathBuf, Options)]) -> Vec<Opened> {
    let open = |(path, options): &(PathBuf, Options)| PartitionLog::open(environment, path, *options);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(wanted.len());
    if threads <= 1 {
        return wanted.iter().map(open).collect();
    }
    let (next, opened) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(wanted.len())));
    // Scoped: each thread is joined before this function returns, so no task tree need wait for it.
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((at, one)) = take(&next, wanted) {
                    let result = open(one);
                    opened.lock().push((at, result));
                }
            });
        }
    });
    let mut opened = opened.into_inner();
    opened.sort_unstable_by_key(|(at, _)| *at);
    opened.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    items.get(at).map(|item| (at, item))
}

fn report(path: &Path, recovery: &Recovery) {
    if let Some(damage) = &recovery.quarantined {
        error!(log = %path.display(), %damage, "a log is damaged and takes no more records");
    } else if recovery.truncated_bytes > 0 {
        let bytes = recovery.truncated_bytes;
        warn!(log = %path.display(), bytes, "cut a torn tail that was never acknowledged");
    }
}
