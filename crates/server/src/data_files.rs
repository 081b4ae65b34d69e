//! The data directory's logs, for commands that look at them or repair them while no server runs.

use std::io;
use std::path::{Path, PathBuf};

pub use factum_broker::{
    DamagedOffsets, DataFiles, Inspection, PartitionFiles, Repair, RepairError, RepairPartitionError,
    StorageError, UnusableDirectory,
};

use crate::state;

/// Where views' state keeps its journal in `data_dir`, which is a log too; `None` if there is none.
///
/// # Errors
/// Any error of the disk.
pub fn state_journal(data_dir: &Path) -> io::Result<Option<PathBuf>> {
    factum_state::current_journal(&factum_log::LocalDisk, &data_dir.join(state::FOLDER))
}
