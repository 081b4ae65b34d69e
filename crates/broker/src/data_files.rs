//! A data directory as its operator sees it: which topics lie in it, what is wrong with their logs, and their repair. No
//! server is needed, and to repair none may run.
//!
//! Invariants: looking changes nothing, beside a running server too; a repair holds the directory's lock.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_log::{Disk, Inspection, LocalDisk, Repair, RepairError};

use crate::data_dir_lock::DataDirLock;
use crate::error::{OpenError, StorageError};
use crate::topic_store::TopicStore;

/// The topics of a data directory.
pub struct DataFiles {
    disk: Arc<dyn Disk>,
    data_dir: PathBuf,
    store: TopicStore,
}

/// One partition's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFiles {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// Where its log lies.
    pub dir: PathBuf,
}

/// What lies among the topics and cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableDirectory {
    /// Its name.
    pub directory: String,
    /// What is wrong.
    pub reason: String,
    /// Whether a topic is in it, whose records are out of reach; else it is foreign.
    pub is_topic: bool,
}

/// Why a partition was not repaired.
#[derive(Debug, thiserror::Error)]
pub enum RepairPartitionError {
    /// A server uses the directory, or it cannot be locked.
    #[error(transparent)]
    Lock(#[from] OpenError),
    /// The log.
    #[error(transparent)]
    Log(#[from] RepairError),
}

impl DataFiles {
    /// The topics in `data_dir`, on the local disk.
    ///
    /// # Errors
    /// [`StorageError::NoData`] if no Factum kept data there.
    pub fn find(data_dir: &Path) -> Result<Self, StorageError> {
        let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
        if let Err(source) = disk.list(&data_dir.join("topics")) {
            return Err(StorageError::NoData { path: data_dir.to_owned(), source });
        }
        let store = TopicStore::at(Arc::clone(&disk), data_dir);
        Ok(Self { disk, data_dir: data_dir.to_owned(), store })
    }

    /// Whether a server uses the directory at this moment.
    pub fn is_in_use(&self) -> bool {
        DataDirLock::is_held(&self.data_dir)
    }

    /// Every partition, by topic and number, and what lies among the topics that is none.
    ///
    /// # Errors
    /// [`StorageError`] if the topics cannot be listed.
    pub fn partitions(&self) -> Result<(Vec<PartitionFiles>, Vec<UnusableDirectory>), StorageError> {
        let (topics, unusable) = self.store.load()?;
        let mut partitions = Vec::new();
        for topic in topics {
            partitions.extend((0..topic.file.partitions).map(|partition| PartitionFiles {
                topic: topic.file.name.to_string(),
                partition,
                dir: self.store.partition_path(&topic.directory, partition),
            }));
        }
        let unusable = unusable.into_iter().map(|entry| UnusableDirectory {
            directory: entry.directory,
            reason: entry.reason,
            is_topic: entry.is_topic,
        });
        Ok((partitions, unusable.collect()))
    }

    /// Reads the log in `dir` whole and changes nothing. Blocks on the disk.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn inspect(&self, dir: &Path) -> io::Result<Inspection> {
        factum_log::inspect(&*self.disk, dir)
    }

    /// Gives up what is damaged in the log in `dir`; see [`factum_log::repair`]. Blocks on the disk.
    ///
    /// # Errors
    /// [`RepairPartitionError`]; it may be run again.
    pub fn repair(&self, dir: &Path) -> Result<Repair, RepairPartitionError> {
        let _lock = DataDirLock::acquire(&self.data_dir)?;
        Ok(factum_log::repair(&*self.disk, dir)?)
    }
}
