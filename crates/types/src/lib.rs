//! Factum's vocabulary: what every other crate means by a topic, an offset, a batch or an event.
//!
//! Nothing here does I/O, reads a clock or spawns; every parser takes bytes and gives a value or an
//! error that says where the bytes are wrong.

pub mod auth;
pub mod batch;
pub mod compression;
pub mod event;
mod name;
mod offset;
mod qualified_name;
pub mod record;
pub mod suggest;
mod timestamp;
mod topic_position;
pub mod units;
mod varint;

pub use auth::{AccessDeniedError, Action, Authorizer, Principal, Resource};
pub use batch::{BatchHeader, RecordBatch};
pub use compression::Compression;
pub use event::Event;
pub use name::{GroupId, MAX_TOPIC_NAME_BYTES, NameError, TeamName, TopicId, TopicName, TransactionalId};
pub use offset::{LeaderEpoch, Offset, PartitionId, ProducerEpoch, ProducerId, TopicPartition};
pub use qualified_name::{QualifiedName, QualifiedNameError};
pub use record::{BatchBuilder, Header, Record, RecordReader};
pub use timestamp::Timestamp;
pub use topic_position::{TopicPosition, TopicPositionError};
pub use units::ByteSize;
