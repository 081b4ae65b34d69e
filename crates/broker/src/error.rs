//! Errors of creating, changing and opening topics: one enum for each operation.

use std::io;
use std::path::PathBuf;

use factum_log::TruncateError;
use factum_types::{TopicId, TopicName};

use crate::journal::ReplayError;
use crate::json_file;
use crate::topic::InvalidConfig;

/// What the disk refused.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No Factum kept data in this directory, or it cannot be read.
    #[error("{} is no data directory of Factum", path.display())]
    NoData {
        /// The directory.
        path: PathBuf,
        /// What the disk said of the topics in it.
        #[source]
        source: io::Error,
    },
    /// One of the small files.
    #[error(transparent)]
    File(#[from] json_file::Error),
    /// A directory.
    #[error("{operation} {}", path.display())]
    Directory {
        /// What was attempted.
        operation: &'static str,
        /// The directory.
        path: PathBuf,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// A directory that must be there is not: someone removed it.
    #[error("{} is missing; restore it, or delete the topic", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// The files of a partition that must be there were removed.
    #[error("{} holds no log; restore its files, or delete the topic", path.display())]
    NoLog {
        /// The partition's directory.
        path: PathBuf,
    },
    /// A directory holds no topic: someone put it there, or removed its `topic.json`.
    #[error("{} holds no topic.json; restore it, or remove the directory", path.display())]
    NotATopic {
        /// The directory.
        path: PathBuf,
    },
    /// A topic of this name is on disk and cannot be used.
    #[error("the topic in directory {directory} cannot be used; restore it, or delete the topic: {reason}")]
    Unusable {
        /// Its entry among the topics' directories.
        directory: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A topic of this name was here, and its directory was removed while no server ran.
    #[error("there was a topic in {directory}, and {reason}")]
    Removed {
        /// Its entry among the topics' directories.
        directory: String,
        /// What happened, and the way back.
        reason: String,
    },
    /// A partition's log.
    #[error(transparent)]
    Log(#[from] factum_log::OpenError),
}

/// `EMFILE` and `ENFILE` on Linux.
const OUT_OF_OPEN_FILES: [i32; 2] = [24, 23];

impl StorageError {
    /// Whether what was to be changed is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Directory { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the process, or the system, may not have more files open.
    pub fn is_out_of_open_files(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let number = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
            if number.is_some_and(|number| OUT_OF_OPEN_FILES.contains(&number)) {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// Why the embedded log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server uses the data directory.
    #[error("{} is in use by another factum", data_dir.display())]
    InUse {
        /// The directory.
        data_dir: PathBuf,
    },
    /// A setting is out of its bounds.
    #[error("{key} must be {expected}")]
    InvalidOption {
        /// The setting.
        key: &'static str,
        /// What it may be.
        expected: String,
    },
    /// Something on disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The topic of a coordinator could not be made.
    #[error("make topic {topic}")]
    JournalTopic {
        /// Its name.
        topic: &'static str,
        /// What stands in the way.
        #[source]
        source: CreateTopicError,
    },
    /// The groups kept in `__consumer_offsets`.
    #[error("read the consumer groups")]
    Groups(#[source] ReplayError),
    /// The transactions kept in `__transaction_state`.
    #[error("read the transactions")]
    Transactions(#[source] ReplayError),
}

impl From<json_file::Error> for OpenError {
    fn from(error: json_file::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Why a topic could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTopicError {
    /// A topic has this name already.
    #[error("topic {topic} exists already")]
    Exists {
        /// The name asked for.
        topic: TopicName,
    },
    /// The name is reserved for the server's own records.
    #[error("topic {topic} is reserved for the server itself")]
    Reserved {
        /// The name asked for.
        topic: TopicName,
    },
    /// Something that is no topic has the name.
    #[error(
        "{owner} has the name {topic}: topics, views and tables share one space of names; give the topic another name"
    )]
    NameTaken {
        /// The name asked for.
        topic: TopicName,
        /// What has it.
        owner: String,
    },
    /// The number of partitions is not possible.
    #[error("a topic has 1 to {limit} partitions, not {asked}")]
    InvalidPartitions {
        /// The number asked for.
        asked: i32,
        /// The most that one topic may have.
        limit: i32,
    },
    /// All topics together would have too many partitions.
    #[error("{total} partitions in all topics would be more than {limit}")]
    TooManyPartitions {
        /// How many there would be.
        total: usize,
        /// The most allowed.
        limit: usize,
    },
    /// A configuration value is not possible.
    #[error("{key} {reason}")]
    InvalidConfig {
        /// Kafka's name of the setting.
        key: &'static str,
        /// What is wrong, with the value.
        reason: String,
    },
    /// The process may not open as many files as it takes; nothing of the topic is left.
    #[error(
        "topic {topic} cannot be created: the limit of open files is reached; \
         raise it (ulimit -n), or lower max_connections"
    )]
    OutOfOpenFiles {
        /// The name asked for.
        topic: TopicName,
        /// What could not be opened.
        #[source]
        source: StorageError,
    },
    /// The disk; nothing of the topic is left.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
}

/// Why a topic was given no partitions.
#[derive(Debug, thiserror::Error)]
pub enum CreatePartitionsError {
    /// It does not exist.
    #[error("there is no topic {topic}")]
    Unknown {
        /// The name asked for.
        topic: TopicName,
    },
    /// The name is reserved for the server's own records.
    #[error("topic {topic} is reserved for the server itself")]
    Internal {
        /// The name asked for.
        topic: TopicName,
    },
    /// It has as many already, or more.
    #[error("topic {topic} has {has} partitions, of which {asked} would be no increase")]
    NoIncrease {
        /// The topic.
        topic: TopicName,
        /// How many it has.
        has: i32,
        /// How many it was to have.
        asked: i32,
    },
    /// More than a topic may have.
    #[error("a topic has 1 to {limit} partitions, not {asked}")]
    InvalidPartitions {
        /// How many it was to have.
        asked: i32,
        /// The most that one topic may have.
        limit: i32,
    },
    /// All topics together would have too many partitions.
    #[error("{total} partitions in all topics would be more than {limit}")]
    TooManyPartitions {
        /// How many there would be.
        total: usize,
        /// The most allowed.
        limit: usize,
    },
    /// The process may not open as many files as it takes; the topic is as it was.
    #[error(
        "topic {topic} cannot have more partitions: the limit of open files is reached; \
         raise it (ulimit -n), or lower max_connections"
    )]
    OutOfOpenFiles {
        /// The topic.
        topic: TopicName,
        /// What could not be opened.
        #[source]
        source: StorageError,
    },
    /// The disk; the topic has the partitions that it had, until a restart at least.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
}

/// Why a topic is not there.
#[derive(Debug, thiserror::Error)]
pub enum EnsureTopicError {
    /// It does not exist and may not be made on first use.
    #[error("there is no topic {topic}")]
    Unknown {
        /// The name asked for.
        topic: TopicName,
    },
    /// It could not be made.
    #[error(transparent)]
    Create(#[from] CreateTopicError),
}

/// Why a topic could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum DeleteTopicError {
    /// It does not exist.
    #[error("there is no topic {topic}")]
    Unknown {
        /// The name asked for.
        topic: TopicName,
    },
    /// No topic has this id, or none has it any more.
    #[error("there is no topic of id {id}")]
    UnknownId {
        /// The id asked for.
        id: TopicId,
    },
    /// The name is reserved for the server's own records.
    #[error("topic {topic} is reserved for the server itself")]
    Internal {
        /// The name asked for.
        topic: TopicName,
    },
    /// The disk; the topic may still be there after a restart.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
}

/// Why records could not be deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteRecordsError {
    /// The topic is reserved for the server's own records.
    #[error("topic {topic} is reserved for the server itself")]
    Internal {
        /// The topic.
        topic: TopicName,
    },
    /// The log.
    #[error(transparent)]
    Truncate(#[from] TruncateError),
}

/// Why a topic's configuration could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum AlterTopicError {
    /// It does not exist.
    #[error("there is no topic {topic}")]
    Unknown {
        /// The name asked for.
        topic: TopicName,
    },
    /// The name is reserved for the server's own records.
    #[error("topic {topic} is reserved for the server itself")]
    Internal {
        /// The name asked for.
        topic: TopicName,
    },
    /// A configuration value is not possible.
    #[error("{key} {reason}")]
    InvalidConfig {
        /// Kafka's name of the setting.
        key: &'static str,
        /// What is wrong, with the value.
        reason: String,
    },
    /// The disk; the old configuration stays.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
}

/// Why no producer id could be given out.
#[derive(Debug, thiserror::Error)]
pub enum ProducerIdError {
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
}

impl From<InvalidConfig> for CreateTopicError {
    fn from(InvalidConfig { key, reason }: InvalidConfig) -> Self {
        Self::InvalidConfig { key, reason }
    }
}

impl From<InvalidConfig> for AlterTopicError {
    fn from(InvalidConfig { key, reason }: InvalidConfig) -> Self {
        Self::InvalidConfig { key, reason }
    }
}

impl From<json_file::Error> for ProducerIdError {
    fn from(error: json_file::Error) -> Self {
        Self::Storage(error.into())
    }
}
