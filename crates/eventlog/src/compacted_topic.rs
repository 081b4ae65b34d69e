//! A topic of one partition in which the last record of each key stays: what a part of the server knows, kept on the log.
//!
//! ```text
//!   a change ─▶ begin: memory has all that the log has ─▶ append, on disk ─▶ applied to memory ─▶ its response
//! ```
//!
//! **Invariants:** memory has no change that is not on disk, and has them in the order of the log; one change is under way at a
//! time. After an append that may or may not have happened, also because its future was dropped, the log is read again before
//! the next change. What cannot be read is passed over and listed.
//!
//! What was appended as one change is one batch, and so is in one reading of the log: it is applied to memory all at once.
//!
//! **Not here:** what the records mean, which the reader says; who else may write the topic (its name is reserved).

mod unreadable;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_types::{ByteSize, Offset, Record, TopicName, TopicPartition};
use tokio::sync::{Mutex, MutexGuard};

pub use unreadable::UnreadableRecords;

use crate::{
    Admin, AdminError, CleanupPolicy, EventLog, NewRecord, NewTopic, Position, ProduceError, ReadError,
    TopicConfig,
};

const READ_BYTES: usize = 1024 * 1024;
/// Everything read here is behind the high watermark already: longer than this means that the log is ill.
const READ_WAIT: Duration = Duration::from_secs(10);

/// The topic, and how far it was read.
pub struct CompactedTopic {
    log: Arc<dyn EventLog>,
    partition: TopicPartition,
    max_batch: ByteSize,
    read_to: Mutex<ReadTo>,
}

/// Up to where memory has what the log has.
#[derive(Debug)]
struct ReadTo {
    next: Offset,
    /// Whether the log may have changes that memory has not.
    is_stale: bool,
    has_topic: bool,
}

/// Applies records to memory in their order: the last of a key counts, and one without a value ends what its key names. What it
/// cannot read it passes over and adds to the list, with what is wrong in words for the operator.
pub type Apply<'a> = &'a (dyn Fn(&[Record], &mut UnreadableRecords) + Send + Sync);

/// A key, and what it has from now on, or the end of what it had.
pub type KeyedRecord = (Bytes, Option<Bytes>);

/// Why the topic could not be read or made ready for a change.
#[derive(Debug, thiserror::Error)]
pub enum CompactedTopicError {
    /// It cannot be created or looked up.
    #[error("topic {topic} cannot be used")]
    Topic {
        /// Its name.
        topic: TopicName,
        /// Why.
        source: AdminError,
    },
    /// It cannot be read.
    #[error("topic {topic} cannot be read")]
    Read {
        /// Its name.
        topic: TopicName,
        /// Why.
        source: ReadError,
    },
    /// The log gave no record where there are some.
    #[error("topic {topic} gave no records before its end")]
    Stalled {
        /// Its name.
        topic: TopicName,
    },
}

/// A change under way; no other begins before it is dropped.
pub struct Change<'a> {
    topic: &'a CompactedTopic,
    read_to: MutexGuard<'a, ReadTo>,
}

impl CompactedTopic {
    /// `name` in `log`, which may write reserved topics; nothing is read yet. A batch has up to `max_batch`.
    pub fn new(log: Arc<dyn EventLog>, name: TopicName, max_batch: ByteSize) -> Self {
        // Before the first change it is read, whatever became of a reading before.
        let read_to = Mutex::new(ReadTo { next: Offset::default(), is_stale: true, has_topic: false });
        Self { log, partition: TopicPartition::new(name, 0), max_batch, read_to }
    }

    /// Reads what is on the log and was not read yet; gives what was passed over.
    ///
    /// # Errors
    /// [`CompactedTopicError`] where the log does not answer; what was read by then is applied.
    pub async fn read(&self, apply: Apply<'_>) -> Result<UnreadableRecords, CompactedTopicError> {
        let mut read_to = self.read_to.lock().await;
        self.read_on(&mut read_to, apply).await
    }

    /// Begins a change: no other is under way, and memory has all that the log has.
    ///
    /// # Errors
    /// [`CompactedTopicError`] where the log does not answer; the same change may succeed later.
    pub async fn begin(&self, apply: Apply<'_>) -> Result<Change<'_>, CompactedTopicError> {
        let mut read_to = self.read_to.lock().await;
        if read_to.is_stale {
            self.read_on(&mut read_to, apply).await?;
        }
        if !read_to.has_topic {
            self.create().await?;
            read_to.has_topic = true;
        }
        Ok(Change { topic: self, read_to })
    }

    /// Whether there is, or was, anything in the topic, as far as it was read.
    pub async fn has_records(&self) -> bool {
        self.end().await > Offset::ZERO
    }

    /// The offset up to which it was read.
    pub async fn end(&self) -> Offset {
        self.read_to.lock().await.next
    }

    async fn read_on(
        &self,
        read_to: &mut ReadTo,
        apply: Apply<'_>,
    ) -> Result<UnreadableRecords, CompactedTopicError> {
        let mut unreadable = UnreadableRecords::default();
        let topic = || self.partition.topic.clone();
        match self.log.topic(&self.partition.topic).await {
            Ok(_) => {}
            Err(AdminError::UnknownTopic { .. }) => {
                read_to.is_stale = false;
                return Ok(unreadable);
            }
            Err(source) => return Err(CompactedTopicError::Topic { topic: topic(), source }),
        }
        let failed = |source| CompactedTopicError::Read { topic: topic(), source };
        let end = self.log.offset_of(&self.partition, Position::Latest).await.map_err(failed)?;
        let start = self.log.offset_of(&self.partition, Position::Earliest).await.map_err(failed)?;
        read_to.next = read_to.next.max(start);
        while read_to.next < end {
            let chunk = self.log.read(&self.partition, read_to.next, READ_BYTES, READ_WAIT);
            let chunk = chunk.await.map_err(failed)?;
            if chunk.next <= read_to.next {
                return Err(CompactedTopicError::Stalled { topic: topic() });
            }
            for hole in &chunk.unreadable {
                unreadable.add(hole.from..hole.next, || hole.reason.to_string());
            }
            apply(&chunk.records, &mut unreadable);
            read_to.next = chunk.next;
        }
        read_to.is_stale = false;
        Ok(unreadable)
    }

    /// Creates the topic where it does not exist: one partition, so that the order is total. One that was made for smaller
    /// batches, by an earlier version, takes larger ones afterwards.
    async fn create(&self) -> Result<(), CompactedTopicError> {
        let name = self.partition.topic.clone();
        let failed = |source| CompactedTopicError::Topic { topic: self.partition.topic.clone(), source };
        let config = TopicConfig {
            cleanup_policy: Some(CleanupPolicy::Compact),
            max_message_bytes: Some(self.max_batch),
            ..TopicConfig::default()
        };
        let admin: &dyn Admin = self.log.as_ref();
        match admin.topic(&name).await {
            Err(AdminError::UnknownTopic { .. }) => {}
            Ok(found) if found.config.max_message_bytes < Some(self.max_batch) => {
                return admin.alter_topic(&name, config).await.map(drop).map_err(failed);
            }
            found => return found.map(drop).map_err(failed),
        }
        match admin.create_topic(NewTopic { name, partitions: Some(1), config }).await {
            Ok(_) | Err(AdminError::TopicExists { .. }) => Ok(()),
            Err(source) => Err(failed(source)),
        }
    }
}

impl Change<'_> {
    /// Appends records, all or none, and then waits for `apply` to do to memory
    /// what they say.
    ///
    /// # Errors
    /// [`ProduceError`]; where it is transient, the records may be on the log all the same, and memory has them before the
    /// next change.
    pub async fn append(
        &mut self,
        records: Vec<KeyedRecord>,
        apply: impl Future<Output = ()> + Send,
    ) -> Result<(), ProduceError> {
        let records = records.into_iter().map(|(key, value)| NewRecord {
            partition: Some(0),
            key: Some(key),
            value,
            ..NewRecord::default()
        });
        // Until it is known to have happened, and also if this future is dropped meanwhile.
        self.read_to.is_stale = true;
        let written = self.topic.log.produce(&self.topic.partition.topic, records.collect()).await?;
        apply.await;
        if let Some(last) = written.last() {
            self.read_to.next = self.read_to.next.max(last.offset.advance(1));
        }
        self.read_to.is_stale = false;
        Ok(())
    }

    /// The offset behind all that was read or appended.
    pub fn end(&self) -> Offset {
        self.read_to.next
    }
}

impl fmt::Debug for CompactedTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompactedTopic").field("partition", &self.partition).finish_non_exhaustive()
    }
}
