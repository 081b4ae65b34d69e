//! Two servers never share a data directory: each would overwrite what the other acknowledged.
//!
//! The lock is the operating system's, on the directory itself and on the file `lock` in it; it ends with the process,
//! however that ends. The file holds nothing and stays behind.
//!
//! Invariant: neither of the two can be taken while another process has it. The directory's keeps a second server out
//! whose operator has removed the file; the file's does so where a file system locks no directories, and for servers
//! of earlier versions, which lock it alone.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use factum_log::{Disk as _, LocalDisk};

use crate::error::{OpenError, StorageError};

/// Held while a server uses the directory.
#[derive(Debug)]
pub(crate) struct DataDirLock {
    file: LockFile,
    _locked: File,
    /// `None` where the file system locks no directories.
    _dir: Option<File>,
}

/// Which file is locked.
#[derive(Debug, Clone)]
pub(crate) struct LockFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl DataDirLock {
    /// Whether a process holds the lock of `data_dir` at this moment. Changes nothing; for that it is taken itself, shared
    /// and for no longer than the question takes.
    pub(crate) fn is_held(data_dir: &Path) -> bool {
        let is_locked = |file: io::Result<File>| {
            file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
        };
        is_locked(File::open(data_dir)) || is_locked(open(&data_dir.join("lock"), File::options().read(true)))
    }

    /// Takes the lock of `data_dir`, which is made if it is missing.
    pub(crate) fn acquire(data_dir: &Path) -> Result<Self, OpenError> {
        let failed = |source: io::Error| StorageError::Directory {
            operation: "lock",
            path: data_dir.to_owned(),
            source,
        };
        let in_use = || OpenError::InUse { data_dir: data_dir.to_owned() };
        LocalDisk.create_dir_all(data_dir).map_err(failed)?;
        let dir = File::open(data_dir).map_err(failed)?;
        let dir = match dir.try_lock() {
            Ok(()) => Some(dir),
            Err(TryLockError::WouldBlock) => return Err(in_use()),
            Err(TryLockError::Error(_)) => None,
        };
        let path = data_dir.join("lock");
        let options = File::options().create(true).truncate(false).write(true).mode(0o600).clone();
        let file = open(&path, &options).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                let found = file.metadata().map_err(failed)?;
                let locked = LockFile { path, device: found.dev(), inode: found.ino() };
                Ok(Self { file: locked, _locked: file, _dir: dir })
            }
            Err(TryLockError::WouldBlock) => Err(in_use()),
            Err(TryLockError::Error(source)) => Err(failed(source).into()),
        }
    }

    /// The file, to look whether it is still there.
    pub(crate) fn file(&self) -> &LockFile {
        &self.file
    }
}

impl LockFile {
    /// What an operator must know of the file: it was removed, or another lies in its place.
    pub(crate) fn problem(&self) -> Option<String> {
        let what = match fs::symlink_metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => return None,
            Ok(_) => "was replaced",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "was removed",
            // A disk that does not answer is told by others.
            Err(_) => return None,
        };
        let path = self.path.display();
        Some(format!(
            "{path} {what} while the server uses its directory; restart the server to have it again"
        ))
    }
}

/// Opens the lock file. Something else in its place is not opened: a named pipe would wait for its other end.
fn open(path: &Path, options: &fs::OpenOptions) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            let reason = format!("{} is no file; remove it while no server runs", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidData, reason))
        }
        _ => options.open(path),
    }
}
