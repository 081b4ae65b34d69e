//! Two servers never share a data directory: each would overwrite what the other acknowledged.
//!
//! The lock is the operating system's, on the file `lock`; it ends with the process, however that ends. The file
//! holds nothing and stays behind.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use crate::error::{OpenError, StorageError};

/// Held while a server uses the directory.
#[derive(Debug)]
pub(crate) struct DataDirLock(#[expect(dead_code, reason = "the lock lasts as long as the open file")] File);

impl DataDirLock {
    /// Whether a process holds the lock of `data_dir` at this moment. Changes nothing; for that it is taken itself, shared
    /// and for no longer than the question takes.
    pub(crate) fn is_held(data_dir: &Path) -> bool {
        let file = File::open(data_dir.join("lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the lock of `data_dir`, which is made if it is missing.
    pub(crate) fn acquire(data_dir: &Path) -> Result<Self, OpenError> {
        let failed = |source: io::Error| StorageError::Directory {
            operation: "lock",
            path: data_dir.to_owned(),
            source,
        };
        fs::create_dir_all(data_dir).map_err(failed)?;
        let path = data_dir.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { data_dir: data_dir.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source).into()),
        }
    }
}
