//! Error codes: the one place that maps errors of the broker to codes of the protocol.
//!
//! A client acts on the code: it retries what may pass, asks for metadata where the topic is gone, and gives up
//! on the rest. So a failure of the disk is `KAFKA_STORAGE_ERROR`, which clients retry, and a contradiction in
//! the request is a code that they do not.

use factum_access::ChangeError;
use factum_broker::coordinator::CoordinatorError;
use factum_broker::transactions::TransactionError;
use factum_broker::{
    AlterTopicError, AppendError, CreatePartitionsError, CreateTopicError, DeleteRecordsError,
    DeleteTopicError, EnsureTopicError, LogReadError, ProduceError, ProducerIdError, ReadError, SyncError,
    TruncateError,
};
use factum_types::batch;

use crate::error_code::ErrorCode;

/// The code for clients of `version`, of which those before `since` do not know `PRODUCER_FENCED`.
pub(super) fn fenced_before(since: i16, version: i16, code: ErrorCode) -> ErrorCode {
    match code {
        ErrorCode::ProducerFenced if version < since => ErrorCode::InvalidProducerEpoch,
        code => code,
    }
}

impl From<&batch::Error> for ErrorCode {
    fn from(error: &batch::Error) -> Self {
        match error {
            batch::Error::BadMagic { .. } => Self::UnsupportedForMessageFormat,
            batch::Error::BadCount { .. } => Self::InvalidRecord,
            batch::Error::Compression(_) => Self::UnsupportedCompressionType,
            batch::Error::Truncated { .. } | batch::Error::BadLength { .. } | batch::Error::BadCrc { .. } => {
                Self::CorruptMessage
            }
        }
    }
}

impl From<&ProduceError> for ErrorCode {
    fn from(error: &ProduceError) -> Self {
        match error {
            ProduceError::Deleted => Self::UnknownTopicOrPartition,
            ProduceError::Reserved => Self::InvalidTopicException,
            ProduceError::TooLarge { .. } => Self::MessageTooLarge,
            ProduceError::Control
            | ProduceError::InvalidRecords(_)
            | ProduceError::NoKey { .. }
            | ProduceError::Contract { .. } => Self::InvalidRecord,
            // Clients send the same batch again; nothing of it was kept.
            ProduceError::Busy(_) => Self::RequestTimedOut,
            ProduceError::LogAppendTime => Self::InvalidTimestamp,
            ProduceError::Attributes { .. } => Self::InvalidRecord,
            ProduceError::NoTransactionalId => Self::InvalidTxnState,
            ProduceError::Transaction(error) => error.into(),
            ProduceError::FutureTimestamp { .. } | ProduceError::OldTimestamp { .. } => {
                Self::InvalidTimestamp
            }
            ProduceError::Recompress(_) | ProduceError::Undecodable { .. } => Self::InvalidRecord,
            ProduceError::UnknownProducer { .. } => Self::UnknownProducerId,
            ProduceError::TransactionalProducer { .. } => Self::InvalidProducerIdMapping,
            ProduceError::Missing => Self::KafkaStorageError,
            ProduceError::Log(error) => error.into(),
        }
    }
}

impl From<&AppendError> for ErrorCode {
    fn from(error: &AppendError) -> Self {
        match error {
            AppendError::OutOfOrderSequence { .. } => Self::OutOfOrderSequenceNumber,
            AppendError::InvalidProducerEpoch { .. } => Self::InvalidProducerEpoch,
            AppendError::NotTransactional { .. } => Self::InvalidTxnState,
            AppendError::CoordinatorFenced { .. } => Self::TransactionCoordinatorFenced,
            AppendError::Closed => Self::NotLeaderOrFollower,
            AppendError::Quarantined(_)
            | AppendError::Full(_)
            | AppendError::Io(_)
            | AppendError::Stalled(_)
            | AppendError::Failed(_) => Self::KafkaStorageError,
        }
    }
}

impl From<&SyncError> for ErrorCode {
    fn from(_: &SyncError) -> Self {
        Self::KafkaStorageError
    }
}

impl From<&ReadError> for ErrorCode {
    fn from(error: &ReadError) -> Self {
        match error {
            ReadError::Deleted => Self::UnknownTopicOrPartition,
            ReadError::OutOfRange { .. } => Self::OffsetOutOfRange,
            ReadError::Damaged(_) => Self::KafkaStorageError,
            ReadError::Log(error) => error.into(),
        }
    }
}

impl From<&LogReadError> for ErrorCode {
    fn from(error: &LogReadError) -> Self {
        match error {
            LogReadError::OutOfRange { .. } => Self::OffsetOutOfRange,
            _ => Self::KafkaStorageError,
        }
    }
}

impl From<&CreateTopicError> for ErrorCode {
    fn from(error: &CreateTopicError) -> Self {
        match error {
            CreateTopicError::Exists { .. } => Self::TopicAlreadyExists,
            CreateTopicError::Reserved { .. } | CreateTopicError::NameTaken { .. } => {
                Self::InvalidTopicException
            }
            CreateTopicError::InvalidPartitions { .. } => Self::InvalidPartitions,
            CreateTopicError::TooManyPartitions { .. } => Self::PolicyViolation,
            CreateTopicError::InvalidConfig { .. } => Self::InvalidConfig,
            CreateTopicError::Storage(_) | CreateTopicError::OutOfOpenFiles { .. } => Self::KafkaStorageError,
            CreateTopicError::Stopping => Self::NotController,
        }
    }
}

impl From<&CreatePartitionsError> for ErrorCode {
    fn from(error: &CreatePartitionsError) -> Self {
        match error {
            CreatePartitionsError::Unknown { .. } => Self::UnknownTopicOrPartition,
            CreatePartitionsError::Internal { .. } => Self::InvalidTopicException,
            CreatePartitionsError::NoIncrease { .. } | CreatePartitionsError::InvalidPartitions { .. } => {
                Self::InvalidPartitions
            }
            CreatePartitionsError::TooManyPartitions { .. } => Self::PolicyViolation,
            CreatePartitionsError::Storage(_) | CreatePartitionsError::OutOfOpenFiles { .. } => {
                Self::KafkaStorageError
            }
            CreatePartitionsError::Stopping => Self::NotController,
        }
    }
}

impl From<&DeleteRecordsError> for ErrorCode {
    fn from(error: &DeleteRecordsError) -> Self {
        match error {
            DeleteRecordsError::Internal { .. } => Self::InvalidTopicException,
            DeleteRecordsError::Truncate(TruncateError::OutOfRange { .. }) => Self::OffsetOutOfRange,
            DeleteRecordsError::Truncate(TruncateError::Closed) => Self::NotLeaderOrFollower,
            DeleteRecordsError::Truncate(TruncateError::Quarantined(_) | TruncateError::Io(_)) => {
                Self::KafkaStorageError
            }
        }
    }
}

impl From<&AlterTopicError> for ErrorCode {
    fn from(error: &AlterTopicError) -> Self {
        match error {
            AlterTopicError::Unknown { .. } => Self::UnknownTopicOrPartition,
            AlterTopicError::Internal { .. } => Self::InvalidTopicException,
            AlterTopicError::InvalidConfig { .. } => Self::InvalidConfig,
            AlterTopicError::Storage(_) => Self::KafkaStorageError,
            AlterTopicError::Stopping => Self::NotController,
        }
    }
}

impl From<&EnsureTopicError> for ErrorCode {
    fn from(error: &EnsureTopicError) -> Self {
        match error {
            EnsureTopicError::Unknown { .. } => Self::UnknownTopicOrPartition,
            EnsureTopicError::Create(error) => error.into(),
        }
    }
}

impl From<&DeleteTopicError> for ErrorCode {
    fn from(error: &DeleteTopicError) -> Self {
        match error {
            DeleteTopicError::Unknown { .. } => Self::UnknownTopicOrPartition,
            DeleteTopicError::UnknownId { .. } => Self::UnknownTopicId,
            DeleteTopicError::Internal { .. } => Self::InvalidTopicException,
            DeleteTopicError::Storage(_) => Self::KafkaStorageError,
            DeleteTopicError::Stopping => Self::NotController,
        }
    }
}

impl From<&ProducerIdError> for ErrorCode {
    fn from(error: &ProducerIdError) -> Self {
        match error {
            // The one retriable code that clients know for this request.
            ProducerIdError::Storage(_) | ProducerIdError::Stopping => Self::CoordinatorNotAvailable,
        }
    }
}

impl From<&TransactionError> for ErrorCode {
    fn from(error: &TransactionError) -> Self {
        match error {
            TransactionError::InvalidTimeout { .. } => Self::InvalidTransactionTimeout,
            TransactionError::UnknownProducer => Self::InvalidProducerIdMapping,
            TransactionError::NotFound => Self::TransactionalIdNotFound,
            TransactionError::CoordinatorEpoch { .. } => Self::TransactionCoordinatorFenced,
            TransactionError::ProducerEpoch { .. } => Self::InvalidProducerEpoch,
            TransactionError::Fenced { .. } => Self::ProducerFenced,
            TransactionError::Concurrent => Self::ConcurrentTransactions,
            TransactionError::InvalidState { .. } | TransactionError::NotInTransaction { .. } => {
                Self::InvalidTxnState
            }
            TransactionError::TooManyPartitions { .. }
            | TransactionError::TooManyIds { .. }
            | TransactionError::TooManyIdsOfClient { .. }
            | TransactionError::NoMemory(_) => Self::PolicyViolation,
            TransactionError::NoProducerId { .. } | TransactionError::Storage(_) => {
                Self::CoordinatorNotAvailable
            }
            TransactionError::Offsets(error) => error.into(),
        }
    }
}

impl From<&CoordinatorError> for ErrorCode {
    fn from(error: &CoordinatorError) -> Self {
        match error {
            CoordinatorError::UnknownMember => Self::UnknownMemberId,
            CoordinatorError::IllegalGeneration { .. } => Self::IllegalGeneration,
            CoordinatorError::RebalanceInProgress => Self::RebalanceInProgress,
            CoordinatorError::FencedInstance { .. } => Self::FencedInstanceId,
            CoordinatorError::FencedMemberEpoch { .. } => Self::FencedMemberEpoch,
            CoordinatorError::StaleMemberEpoch { .. } => Self::StaleMemberEpoch,
            CoordinatorError::UnreleasedInstance { .. } => Self::UnreleasedInstanceId,
            CoordinatorError::UnsupportedAssignor { .. } => Self::UnsupportedAssignor,
            CoordinatorError::InvalidRegex { .. } => Self::InvalidRegularExpression,
            CoordinatorError::InvalidHeartbeat { .. } => Self::InvalidRequest,
            CoordinatorError::InconsistentProtocol => Self::InconsistentGroupProtocol,
            CoordinatorError::InvalidSessionTimeout { .. } => Self::InvalidSessionTimeout,
            CoordinatorError::MemberIdRequired { .. } => Self::MemberIdRequired,
            CoordinatorError::NonEmptyGroup => Self::NonEmptyGroup,
            CoordinatorError::GroupNotFound | CoordinatorError::NotOfConsumers => Self::GroupIdNotFound,
            // Codes that clients show, and do not send the same again for.
            CoordinatorError::GroupFull { .. } | CoordinatorError::NoMemoryForMember(_) => {
                Self::GroupMaxSizeReached
            }
            CoordinatorError::NoMemoryForOffsets(_) => Self::InvalidCommitOffsetSize,
            CoordinatorError::TooManyGroups { .. } | CoordinatorError::TooManyGroupsOfClient { .. } => {
                Self::PolicyViolation
            }
            // Clients ask again, and start nowhere meanwhile.
            CoordinatorError::UnreadableOffsets { .. } => Self::CoordinatorLoadInProgress,
            CoordinatorError::TooMany { .. } | CoordinatorError::TooLarge { .. } => Self::InvalidRequest,
            CoordinatorError::OffsetMetadataTooLarge { .. } => Self::OffsetMetadataTooLarge,
            CoordinatorError::Storage(_) => Self::CoordinatorNotAvailable,
        }
    }
}

impl From<&ChangeError> for ErrorCode {
    fn from(error: &ChangeError) -> Self {
        match error {
            ChangeError::Acl(_) | ChangeError::Name(_) | ChangeError::Quota(_) => Self::InvalidRequest,
            ChangeError::UserExists { .. } => Self::InvalidRequest,
            ChangeError::UnknownUser { .. } | ChangeError::UnknownCredential { .. } => Self::ResourceNotFound,
            ChangeError::TooManyAcls
            | ChangeError::TooManyQuotas
            | ChangeError::TooManyUsers
            | ChangeError::TooLarge { .. } => Self::PolicyViolation,
            ChangeError::Topic(_) | ChangeError::Write(_) => Self::KafkaStorageError,
        }
    }
}
