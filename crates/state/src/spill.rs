//! Spilled rows, for which memory has no room: a folder of [`Run`]s.
//!
//! Invariants: the spill is an extension of memory and no more. Nothing durable rests on it, so nothing in it is
//! ever synced: it is emptied at start, and recovery fills it again from snapshots and journal. A run that cannot
//! be written leaves its rows in memory, where they were.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use factum_log::Disk;
use tracing::warn;

use crate::run::RunWriter;

/// The folder that all tables spill to; made when the first one does. A clone is the same folder.
#[derive(Clone)]
pub(crate) struct Spill(Arc<Folder>);

struct Folder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    next: AtomicU64,
}

impl std::fmt::Debug for Spill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spill({})", self.0.path.display())
    }
}

impl Spill {
    /// The spill in the folder `path`, without what an earlier run left there. What cannot be removed is left, under
    /// names that are not used again.
    pub(crate) fn empty(disk: Arc<dyn Disk>, path: PathBuf) -> Self {
        let next = match disk.list(&path) {
            Ok(names) => {
                if let Err(error) = disk.remove_dir_all(&path) {
                    warn!(path = %path.display(), %error, "what was spilled by an earlier run stays on disk");
                }
                names.iter().filter_map(|name| number(name)).max().map_or(0, |number| number + 1)
            }
            // There is none, or whatever is wrong with it shows when it is used.
            Err(_) => 0,
        };
        Self(Arc::new(Folder { disk, path, next: AtomicU64::new(next) }))
    }

    /// Begins a run.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(crate) fn create<M>(&self) -> io::Result<RunWriter<M>> {
        let Folder { disk, path, next } = &*self.0;
        disk.create_dir_all(path)?;
        let number = next.fetch_add(1, Ordering::Relaxed);
        RunWriter::create(disk, &path.join(format!("{number:020}{EXTENSION}")))
    }
}

const EXTENSION: &str = ".run";

fn number(name: &str) -> Option<u64> {
    Path::new(name).file_name()?.to_str()?.strip_suffix(EXTENSION)?.parse().ok()
}
