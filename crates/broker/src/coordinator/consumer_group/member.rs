//! One member of a consumer group.

use std::mem::size_of;
use std::time::{Duration, Instant};

use factum_types::TopicName;

use super::partition_set::PartitionSet;
use super::regex::RegexView;
use crate::coordinator::memory::{ENTRY_BYTES, MemoryShare};

/// The epoch with which a member joins.
pub(crate) const JOIN_EPOCH: i32 = 0;
/// The epoch with which a member leaves for good.
pub(crate) const LEAVE_EPOCH: i32 = -1;
/// The epoch with which a static member leaves, to come back before its session ends.
pub(crate) const STATIC_LEAVE_EPOCH: i32 = -2;

/// Where a member is on the way to its target assignment; numbers as in Kafka's `MemberState`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum MemberState {
    /// It has its target.
    #[default]
    Stable = 0,
    /// It has to give partitions up first.
    UnrevokedPartitions = 1,
    /// It waits for partitions that others still have.
    UnreleasedPartitions = 2,
}

/// What a member says of itself: its record of `ConsumerGroupMemberMetadata`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MemberMetadata {
    pub(crate) instance_id: Option<String>,
    pub(crate) rack_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    /// The topics that it names, in order, each once.
    pub(crate) topics: Vec<TopicName>,
    /// A regular expression for more topics.
    pub(crate) regex: Option<String>,
    /// How long it may take to give partitions up.
    pub(crate) rebalance_timeout: Duration,
    /// The assignor that it would like.
    pub(crate) assignor: Option<String>,
}

impl MemberMetadata {
    /// Bytes of its subscription.
    pub(crate) fn subscription_bytes(&self) -> usize {
        let topics = self.topics.iter().map(|topic| topic.as_str().len());
        topics.sum::<usize>() + self.regex.as_ref().map_or(0, String::len)
    }

    fn bytes(&self) -> usize {
        let texts = [&self.instance_id, &self.rack_id, &self.assignor].into_iter().flatten();
        let texts = texts.chain([&self.client_id, &self.client_host]).map(String::len).sum::<usize>();
        texts + self.topics.len() * size_of::<TopicName>() * 2 + self.subscription_bytes()
    }
}

/// What a member has: its record of `ConsumerGroupCurrentMemberAssignment`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CurrentAssignment {
    pub(crate) epoch: i32,
    pub(crate) previous_epoch: i32,
    pub(crate) state: MemberState,
    pub(crate) assigned: PartitionSet,
    /// What it has to give up, and may still have.
    pub(crate) revoking: PartitionSet,
}

impl CurrentAssignment {
    pub(crate) fn is_reconciled_to(&self, assignment_epoch: i32) -> bool {
        self.state == MemberState::Stable && self.epoch == assignment_epoch
    }
}

/// A member: its records, and what is known of it besides.
#[derive(Debug)]
pub(crate) struct ConsumerMember {
    /// None only while a journal is read back that begins in the middle of a change.
    pub(crate) metadata: Option<MemberMetadata>,
    pub(crate) current: CurrentAssignment,
    /// What it is to have.
    pub(crate) target: PartitionSet,
    /// When its session ends unless it is heard of.
    pub(crate) expires: Instant,
    /// When it must have given up what it has to.
    pub(crate) revocation_ends: Option<Instant>,
    /// Of the address that it comes from.
    pub(crate) memory: Option<MemoryShare>,
    /// The topics of its regular expression that it may know of; none before it is heard of after a restart.
    pub(super) view: Option<RegexView>,
}

impl ConsumerMember {
    pub(crate) fn new(expires: Instant) -> Self {
        Self {
            metadata: None,
            current: CurrentAssignment::default(),
            target: PartitionSet::default(),
            expires,
            revocation_ends: None,
            memory: None,
            view: None,
        }
    }

    /// When it is taken out.
    pub(crate) fn deadline(&self) -> Instant {
        self.revocation_ends.map_or(self.expires, |ends| ends.min(self.expires))
    }

    /// What it sees of this pattern, if that is its own and was matched.
    pub(super) fn view_of(&self, pattern: &str) -> Option<&RegexView> {
        self.view.as_ref().filter(|view| view.pattern == pattern)
    }

    pub(crate) fn instance_id(&self) -> Option<&str> {
        self.metadata.as_ref()?.instance_id.as_deref()
    }
}

/// What a member takes in memory, without its partitions.
pub(crate) fn member_bytes(id: &str, metadata: &MemberMetadata) -> usize {
    size_of::<ConsumerMember>() + 2 * ENTRY_BYTES + 2 * id.len() + metadata.bytes()
}
