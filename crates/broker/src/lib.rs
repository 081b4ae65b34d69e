//! The embedded log: topics, producers and consumer groups over one data directory.
//!
//! ```text
//!   Service::open ──► Broker (cheap clone) ──► Topic ──► Partition ──► log::PartitionLog
//!        │                │
//!        │                ├─► fetch          long poll over many partitions
//!        │                ├─► coordinator    consumer groups, kept in __consumer_offsets
//!        │                ├─► transactions   transactional producers, kept in __transaction_state
//!        │                └─► in_process     the uniform interface, eventlog::EventLog
//!        └─ run: committer, retention, compaction, group timers; closes the logs at the end
//!
//!   <data>/lock                      held while a server uses the directory
//!   <data>/cluster.json              the cluster's id
//!   <data>/clock.json            the last time that was believed
//!   <data>/producer-ids.json         producer ids handed out so far, by blocks
//!   <data>/topics/<topic>/topic.json id, partitions, configuration
//!   <data>/topics/<topic>/<n>/       partition n's log
//! ```
//!
//! Invariants:
//! - a topic exists wholly or not at all, whenever the power goes;
//! - what a reader sees is on disk; what [`Partition::durable`] acknowledged stays;
//! - a producer id is never given out twice;
//! - one partition's damage stops that partition and no other;
//! - a record that its topic's contract refuses is not appended, whichever API brings it;
//! - no client makes a topic of a name that something else has ([`NameRegistry`]).
//!
//! Not here: sockets and codes of any protocol, authorisation (each edge asks before it calls), and what the
//! contracts are ([`RecordValidator`]).

mod access;
mod append_rules;
mod auto_create;
mod broker;
mod catalogue;
mod cluster;
mod compaction;
mod contract;
pub mod coordinator;
mod data_dir_lock;
mod data_files;
mod declared_settings;
mod disk_room;
mod disk_space;
mod error;
mod fetch;
mod health;
mod heavy_work;
mod in_process;
mod inline_work;
mod journal;
mod json_file;
mod known_topics;
mod metrics;
mod name_registry;
mod options;
mod partition;
mod producer_ids;
mod retention;
mod service;
mod side_by_side;
mod timers;
mod topic;
mod topic_store;
pub mod transactions;
mod trusted_time;

pub use auto_create::AutoCreateTopics;
pub use broker::Broker;
pub use contract::{Contract, InvalidRecord, ProducedRecord, RecordValidator, Violation};
pub use coordinator::Coordinator;
// What the signatures below name of the crates underneath, for edges that may use this crate alone.
pub use factum_eventlog::{CleanupPolicy, CompressionType, DirtyRatio, NewTopic, TimestampType, TopicConfig};
pub use factum_log::{
    AppendError, Bounds, DamagedOffsets, EndTransaction, Inspection, Isolation, ReadError as LogReadError,
    Repair, RepairError, Slice, SyncError, TruncateError,
};

pub use data_files::{DataFiles, PartitionFiles, RepairPartitionError, UnusableDirectory};
pub use disk_space::DiskSpace;
pub use error::{
    AlterTopicError, CreatePartitionsError, CreateTopicError, DeleteRecordsError, DeleteTopicError,
    EnsureTopicError, OpenError, ProducerIdError, StorageError,
};
pub use fetch::{Fetch, FetchPartition, FetchResult};
pub use health::Health;
pub use heavy_work::Busy;
pub use in_process::InternalLog;
pub use inline_work::InlineWork;
pub use json_file::Error as FileError;
pub use name_registry::NameRegistry;
pub use options::{DEFAULT_OPEN_FILES, Options};
pub use partition::{Partition, ProduceError, ReadError};
pub use service::Service;
pub use topic::{OFFSETS_TOPIC, TRANSACTIONS_TOPIC, Topic};
pub use transactions::{TransactionCoordinator, TransactionalAppend};
