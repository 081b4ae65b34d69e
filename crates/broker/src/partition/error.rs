//! Errors of appending a batch to a partition, and of reading it.

use factum_log::{AppendError, Bounds, Damage};
use factum_types::compression::DecompressError;
use factum_types::record;
use factum_types::{ProducerId, Timestamp};

use crate::contract::InvalidRecord;
use crate::heavy_work::Busy;
use crate::transactions::TransactionError;

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// The topic was removed.
    #[error("the topic was deleted")]
    Deleted,
    /// Only the server itself writes to this topic.
    #[error("the topic is reserved for the server itself")]
    Reserved,
    /// Someone removed the topic's directory from under the server.
    #[error("the topic's directory was removed from the disk; restore it and restart")]
    Missing,
    /// The batch is larger than the topic takes.
    #[error("a batch of {bytes} bytes is larger than {limit}")]
    TooLarge {
        /// Its encoded size.
        bytes: usize,
        /// The topic's `max.message.bytes`.
        limit: usize,
    },
    /// Control records are written by the broker alone.
    #[error("a client may not write control records")]
    Control,
    /// The batch says that a broker gave its records their times.
    #[error("LogAppendTime is a setting of the topic (message.timestamp.type), and not of a batch")]
    LogAppendTime,
    /// The batch says something that only a broker may.
    #[error("attributes {attributes:#b} of the batch are not a producer's to set")]
    Attributes {
        /// Those at fault.
        attributes: i16,
    },
    /// The batch belongs to a transaction, and the request does not say to which.
    #[error("a batch of a transaction needs the transactional id of its producer")]
    NoTransactionalId,
    /// The batch is no part of an open transaction of its producer.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The batch names an idempotent producer that never was.
    #[error("producer id {producer_id} was never given out; ask for one")]
    UnknownProducer {
        /// The id in the batch.
        producer_id: ProducerId,
    },
    /// The batch is no part of a transaction, and its producer has a transactional id.
    #[error("producer id {producer_id} belongs to a transactional id: its records come in transactions")]
    TransactionalProducer {
        /// The id in the batch.
        producer_id: ProducerId,
    },
    /// The records are none, although the batch's checksum fits.
    #[error(transparent)]
    InvalidRecords(#[from] record::Error),
    /// The topic is compacted by key, and a record has none.
    #[error("record {index} has no key, by which the topic is compacted")]
    NoKey {
        /// The first such record, from 0.
        index: i32,
    },
    /// The topic's contract refuses records.
    #[error("{}", in_words(violations))]
    Contract {
        /// Which, and why; at least one.
        violations: Vec<InvalidRecord>,
    },
    /// Too many batches are being unpacked.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A record is dated further ahead than Kafka's rule allows.
    #[error("timestamp {timestamp} is later than {latest}")]
    FutureTimestamp {
        /// The batch's greatest timestamp.
        timestamp: Timestamp,
        /// The latest allowed now.
        latest: Timestamp,
        /// The first record that has it, from 0; `None` if the batch was made in this process.
        record: Option<i32>,
    },
    /// A record is dated further back than the topic allows.
    #[error("timestamp {timestamp} is earlier than {earliest}")]
    OldTimestamp {
        /// The record's timestamp.
        timestamp: Timestamp,
        /// The earliest allowed now.
        earliest: Timestamp,
        /// The first record that is so old, from 0.
        record: i32,
    },
    /// The records cannot be unpacked, so that they cannot be compressed as the topic wants them.
    #[error("the records cannot be recompressed")]
    Recompress(#[source] DecompressError),
    /// The records cannot be read, so that their timestamps cannot be checked.
    #[error("the records cannot be read: {reason}")]
    Undecodable {
        /// What is wrong.
        reason: String,
    },
    /// The log refused.
    #[error(transparent)]
    Log(#[from] AppendError),
}

impl ProduceError {
    /// Which records of the batch are at fault, if some of them are.
    pub fn invalid_records(&self) -> Vec<InvalidRecord> {
        let at_fault = match self {
            Self::Contract { violations } => return violations.clone(),
            Self::InvalidRecords(record::Error::Malformed { index, count, .. }) => {
                Some(*index).filter(|index| index < count)
            }
            Self::FutureTimestamp { record, .. } => *record,
            Self::OldTimestamp { record, .. } => Some(*record),
            Self::NoKey { index } => Some(*index),
            _ => None,
        };
        at_fault.map(|index| InvalidRecord { index, reason: self.to_string() }).into_iter().collect()
    }
}

fn in_words(violations: &[InvalidRecord]) -> String {
    match violations {
        [] => "records break the topic's contract".to_owned(),
        [InvalidRecord { index, reason }] => format!("record {index}: {reason}"),
        [InvalidRecord { index, reason }, rest @ ..] => {
            format!("record {index}: {reason}; and {} more", rest.len())
        }
    }
}

/// Why a partition could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The topic was removed.
    #[error("the topic was deleted")]
    Deleted,
    /// Before the first record kept, or past the end.
    #[error("offset {asked} is outside {}..{}", bounds.log_start, bounds.high_watermark)]
    OutOfRange {
        /// The offset asked for.
        asked: i64,
        /// What there is.
        bounds: Bounds,
    },
    /// The bytes on disk are not what was written.
    #[error(transparent)]
    Damaged(Damage),
    /// Anything else.
    #[error(transparent)]
    Log(factum_log::ReadError),
}
