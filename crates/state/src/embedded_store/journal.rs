//! The journal that is written, one of a row of generations.
//!
//! A log whose sync failed or that is damaged takes no more appends, ever; but all that was committed is in memory.
//! So the store writes a snapshot of every task and begins another journal: the next generation.
//!
//! ```text
//!   journal/       generation 0        journal-1/     generation 1        …
//! ```
//!
//! Invariants: the directory of a generation is made after every task's snapshot of that generation is durable.
//! So the highest directory is the one that counts, with the snapshots of its generation; whatever is of another
//! is a remainder.

use std::io;
use std::path::{Path, PathBuf};

use factum_log::{self as log, Disk, PartitionLog};

use super::Options;

const SMALLEST_SEGMENT: u64 = 4 << 10;
const NAME: &str = "journal";

/// A generation's log.
pub(crate) struct Journal {
    pub(crate) generation: u64,
    pub(crate) log: PartitionLog,
    /// Why it takes no more appends although its log would: what was read of it is not all that was written.
    pub(crate) condemned: Option<String>,
}

impl Journal {
    /// Opens the log of `generation` below `directory`, making it if need be.
    ///
    /// # Errors
    /// As [`PartitionLog::open`].
    pub(crate) fn open(
        environment: &log::Environment,
        directory: &Path,
        generation: u64,
        options: &Options,
    ) -> Result<Self, log::OpenError> {
        let (log, recovery) =
            PartitionLog::open(environment, &path(directory, generation), log_options(options))?;
        let condemned = recovery.quarantined.map(|damage| damage.to_string());
        Ok(Self { generation, log, condemned })
    }

    /// Why this generation takes no more appends, if it does not.
    pub(crate) fn end(&self) -> Option<String> {
        let failure = || self.log.failure().map(|error| describe(error));
        self.condemned.clone().or_else(failure)
    }
}

/// An error with its causes.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The directory of a generation.
pub(crate) fn path(directory: &Path, generation: u64) -> PathBuf {
    match generation {
        0 => directory.join(NAME),
        later => directory.join(format!("{NAME}-{later}")),
    }
}

/// The generations below `directory`, in rising order.
///
/// # Errors
/// Any error of the disk.
pub(crate) fn generations(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<u64>> {
    let generation = |name: &String| match name.strip_prefix(NAME)? {
        "" => Some(0),
        later => later.strip_prefix('-')?.parse().ok().filter(|later| *later > 0),
    };
    let mut found: Vec<_> = disk.list(directory)?.iter().filter_map(generation).collect();
    found.sort_unstable();
    Ok(found)
}

/// The directory of the journal in use below `directory`, a log as a topic's partition is; `None` if there is none.
///
/// # Errors
/// Any error of the disk.
pub fn current_journal(disk: &dyn Disk, directory: &Path) -> io::Result<Option<PathBuf>> {
    match generations(disk, directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => Ok(found?.last().map(|generation| path(directory, *generation))),
    }
}

/// The journal is cut by whole files, so they must be a small part of it.
fn log_options(options: &Options) -> log::Options {
    let usual = log::Options::default();
    let segment_bytes = (options.journal.0 / 4).clamp(SMALLEST_SEGMENT, usual.segment_bytes);
    log::Options { segment_bytes, retention: None, ..usual }
}
