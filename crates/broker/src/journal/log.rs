//! The part of a partition that a coordinator needs to keep its journal in.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use factum_base::clock::SharedClock;
use factum_log::{AppendError, EndTransaction, Isolation};
use factum_types::{Offset, RecordBatch, TopicPartition};
use futures::future::BoxFuture;

use crate::partition::{Partition, ReadError};

/// Bytes read at a time while a journal is read back.
const READ_BYTES: usize = 1 << 20;

/// The log's own error, shared by the requests that it concerns.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct LogError(Arc<dyn Error + Send + Sync>);

impl LogError {
    pub(crate) fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }

    /// Whether the log has something of a newer epoch, so that it will never take this.
    pub(crate) fn is_fenced(&self) -> bool {
        let append = self.0.downcast_ref::<AppendError>();
        append.is_some_and(|error| {
            matches!(error, AppendError::InvalidProducerEpoch { .. } | AppendError::CoordinatorFenced { .. })
        })
    }
}

/// How reading went on.
pub(crate) enum Progress {
    /// Whole batches, end to end.
    Batches(Vec<Bytes>),
    /// The end of the log.
    End,
    /// The bytes from here to the offset given are not what was written.
    Damaged(LogError, Offset),
}

/// A log of changes: the partition, or its stand-in in a test.
pub(crate) trait JournalLog: Send + Sync + 'static {
    fn name(&self) -> TopicPartition;
    /// Appends, in the order of the calls; gives the offset of the last record. A batch of a transaction has no sequence
    /// number.
    fn append(&self, batch: RecordBatch) -> Result<Offset, LogError>;
    /// Appends the marker of a transaction; gives its offset.
    fn end_transaction(&self, end: &EndTransaction) -> Result<Offset, LogError>;
    /// Resolves once `last` is on disk.
    fn durable(&self, last: Offset) -> BoxFuture<'static, Result<(), LogError>>;
    fn read(&self, from: Offset) -> Result<Progress, LogError>;
    /// The offset of the first record kept.
    fn start(&self) -> Offset;
    /// The offset that the next record gets.
    fn end(&self) -> Offset;
    /// The first offset that an open transaction may still change; no later than the end.
    fn stable(&self) -> Offset;
    /// Forgets the records before `offset`, or some of the earliest of them.
    fn truncate_before(&self, offset: Offset) -> Result<(), LogError>;
}

/// The partition, without the rules that hold for clients.
pub(crate) struct PartitionJournal {
    pub(crate) partition: Arc<Partition>,
    pub(crate) clock: SharedClock,
}

impl JournalLog for PartitionJournal {
    fn name(&self) -> TopicPartition {
        self.partition.topic_partition().clone()
    }

    fn append(&self, batch: RecordBatch) -> Result<Offset, LogError> {
        let (log, now) = (self.partition.log(), self.clock.now());
        let appended = match batch.header().is_transactional() {
            true => log.append_unsequenced(batch, now),
            false => log.append(batch, now),
        };
        Ok(appended.map_err(LogError::new)?.last_offset)
    }

    fn end_transaction(&self, end: &EndTransaction) -> Result<Offset, LogError> {
        let ended = self.partition.log().end_transaction(end, self.clock.now());
        Ok(ended.map_err(LogError::new)?.last_offset)
    }

    fn durable(&self, last: Offset) -> BoxFuture<'static, Result<(), LogError>> {
        let durable = self.partition.durable(last);
        Box::pin(async move { durable.await.map_err(LogError::new) })
    }

    fn read(&self, from: Offset) -> Result<Progress, LogError> {
        match self.partition.read(from.get(), READ_BYTES, Isolation::ReadUncommitted) {
            Ok(slice) if slice.chunks.is_empty() => Ok(Progress::End),
            Ok(slice) => Ok(Progress::Batches(slice.chunks)),
            Err(ReadError::Damaged(damage)) => {
                let next = damage.next;
                Ok(Progress::Damaged(LogError::new(ReadError::Damaged(damage)), next))
            }
            Err(error) => Err(LogError::new(error)),
        }
    }

    fn start(&self) -> Offset {
        self.partition.bounds().log_start
    }

    fn end(&self) -> Offset {
        self.partition.bounds().log_end
    }

    fn stable(&self) -> Offset {
        self.partition.bounds().stable
    }

    fn truncate_before(&self, offset: Offset) -> Result<(), LogError> {
        self.partition.log().truncate_before(offset).map(|_| ()).map_err(LogError::new)
    }
}
