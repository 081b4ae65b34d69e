//! Consumer groups: who is a member, who gets what, and how far each group has read.
//!
//! ```text
//!   Coordinator ──► cell per group (one mutex) ─┬─ Group         pure state machine: join, sync, heartbeat, leave
//!        │                                      ├─ ConsumerGroup the same for the consumer protocol: heartbeats alone
//!        │                                      ├─ OffsetTable   committed offsets
//!        │                                      ├─ PendingOffsets  those of open transactions
//!        │                                      └─ parked        requests that wait for the others
//!        ├─ Timers        the earliest deadline of each group
//!        ├─ GroupMemory   what all groups take, and its limits
//!        └─ Journal       __consumer_offsets: one record per change, in Kafka's own layout
//! ```
//!
//! Invariants:
//! - a change is appended to the journal under its group's lock, so the journal has the order of the changes;
//! - an answer that tells of a stored change is given only once that change is on disk;
//! - replaying the journal from its start gives every group as it last was on disk, whenever the power went;
//! - a parked request is answered exactly once, or was given up by its caller;
//! - what a client brings counts in the memory of all groups (`memory`) until it is gone, and is a copy: no slice of a
//!   request keeps the whole request.
//!
//! Not here: authorisation and whether a topic exists (the edge asks before it calls), and the members' own assignors.

mod answer;
mod cell;
mod commits;
mod consumer_group;
mod consumer_heartbeats;
pub(crate) mod consumer_protocol;
mod error;
mod group;
mod listing;
mod membership;
pub(crate) mod memory;
mod offsets;
mod options;
mod pending;
mod records;
mod request;
mod service;
#[cfg(test)]
mod tests;
mod transactional;
mod upkeep;

pub use crate::journal::{LogError, ReplayError};
pub use answer::{
    AssignedTopic, ConsumerGroupDescription, ConsumerHeartbeatResult, ConsumerMemberDescription,
    GroupDescription, GroupListing, GroupState, GroupType, JoinResult, JoinedMember, MemberDescription,
    SyncResult,
};
pub use consumer_group::PartitionSet;
pub(crate) use consumer_group::directory::TopicDirectory;
pub use error::CoordinatorError;
pub use memory::MemoryLimitError;
pub use options::Options;
pub use request::{Commit, CommittedOffset, ConsumerHeartbeat, JoinGroup, Leaving, SyncGroup};
pub use service::Coordinator;
