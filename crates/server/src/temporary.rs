//! A folder that goes away with its process.
//!
//! ```text
//!   factum-Xy12Ab/in-use     an empty file, locked for as long as the process lives
//! ```
//!
//! Invariants: the lock is taken before the file has its name, so a folder whose `in-use` can be locked belongs to
//! no one any more. The next process that makes such a folder removes what a killed one left behind; a folder of
//! someone else, or without that file, is never touched.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tracing::{info, warn};

const PREFIX: &str = "factum-";
const LOCK: &str = "in-use";

/// A folder below the system's own for temporary files. Dropping it removes it.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: TempDir,
    /// Held for as long as the folder is in use.
    _lock: File,
}

impl TemporaryFolder {
    /// Makes a folder, and removes those that processes left behind which are gone. Blocking.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        Self::create_in(&parent)
    }

    fn create_in(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let unnamed = folder.path().join("in-use.new");
        let lock = File::create_new(&unnamed)?;
        lock.lock()?;
        std::fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it.
    ///
    /// # Errors
    /// What the operating system says; some of it may be left then.
    pub fn close(self) -> io::Result<()> {
        self.folder.close()
    }
}

/// Removes the folders below `parent` whose processes are gone.
fn sweep(parent: &Path) {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    // A link is none of ours, wherever it leads.
    let folders =
        ours.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path());
    for folder in folders {
        match remove_abandoned(&folder) {
            Ok(true) => info!(folder = %folder.display(), "removed what a killed process left behind"),
            Ok(false) => {}
            Err(error) => {
                warn!(folder = %folder.display(), %error, "could not remove what a killed process left behind");
            }
        }
    }
}

/// Whether the folder was abandoned, and is removed now.
fn remove_abandoned(folder: &PathBuf) -> io::Result<bool> {
    // Not there, or someone else's: not ours to judge.
    let Ok(lock) = File::options().write(true).open(folder.join(LOCK)) else { return Ok(false) };
    match lock.try_lock() {
        Ok(()) => std::fs::remove_dir_all(folder).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_abandoned_folders_are_removed() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| parent.path().join(name);
        let alive = TemporaryFolder::create_in(parent.path()).expect("a folder");
        // As a killed process leaves it: the file is there, the lock is not.
        for name in ["factum-dead", "another-dead"] {
            std::fs::create_dir_all(at(name).join("log")).expect("a folder");
            std::fs::write(at(name).join(LOCK), "").expect("written");
        }
        std::fs::create_dir(at("factum-unmarked")).expect("a folder");
        std::fs::write(at("factum-file"), "").expect("written");
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("another-dead"), at("factum-link")).expect("a link");

        sweep(parent.path());
        assert!(!at("factum-dead").exists());
        assert!(alive.path().join(LOCK).exists());
        for name in ["another-dead", "factum-unmarked", "factum-file"] {
            assert!(at(name).exists(), "{name} is left alone");
        }

        let path = alive.path().to_owned();
        alive.close().expect("removed");
        assert!(!path.exists());
    }
}
