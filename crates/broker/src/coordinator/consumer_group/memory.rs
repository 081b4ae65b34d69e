//! The memory that a consumer group takes, of what all groups may have.
//!
//! A member's own share counts for the address that it comes from. What the group has as a whole (its topics, those that
//! regular expressions match, and all assignments) counts for the address of the member whose heartbeat changed it.
//!
//! Invariants: as in classic groups: memory is taken before anything changes, and only growth is refused.

use std::collections::{BTreeMap, HashSet};
use std::mem::size_of;
use std::sync::Arc;

use factum_types::{PartitionId, TopicId, TopicName};

use super::member::member_bytes;
use super::records::SubscribedTopic;
use super::{ConsumerGroup, Memory};
use crate::coordinator::CoordinatorError;
use crate::coordinator::memory::{ENTRY_BYTES, MemoryShare, client_of};

/// A partition in the target and in the current assignment, each with its part of the tree around it.
const PARTITION_BYTES: usize = 2 * (size_of::<PartitionId>() + 12);

/// The share of what is no single member's.
#[derive(Debug, Default)]
pub(super) struct SharedMemory(Option<MemoryShare>);

impl SharedMemory {
    pub(super) fn set(&mut self, share: Option<MemoryShare>) {
        self.0 = share;
    }

    /// Takes `bytes` in its place.
    ///
    /// # Errors
    /// [`CoordinatorError::NoMemoryForMember`].
    pub(super) fn reserve(
        &self,
        memory: &Memory,
        client_host: &str,
        bytes: usize,
    ) -> Result<MemoryShare, CoordinatorError> {
        let taken = memory.replace(Some(client_of(client_host)), bytes, &self.0);
        taken.map_err(CoordinatorError::NoMemoryForMember)
    }
}

/// What a group takes beside its members.
pub(super) fn shared_bytes<'a>(
    topics: &BTreeMap<TopicId, SubscribedTopic>,
    regexes: impl Iterator<Item = (&'a str, &'a [TopicName])>,
    views: impl Iterator<Item = &'a Arc<[TopicName]>>,
) -> usize {
    let topic = |topic: &SubscribedTopic| {
        let partitions = usize::try_from(topic.partitions).unwrap_or(0) * PARTITION_BYTES;
        size_of::<(TopicId, SubscribedTopic)>() + 3 * ENTRY_BYTES + topic.name.as_str().len() + partitions
    };
    let names = |topics: &[TopicName]| {
        let names = topics.iter().map(|topic| 2 * size_of::<TopicName>() + topic.as_str().len());
        ENTRY_BYTES + names.sum::<usize>()
    };
    let regex = |(pattern, topics): (&str, &[TopicName])| pattern.len() + names(topics);
    let mut lists = HashSet::new();
    let views = views.filter(|view| lists.insert(view.as_ptr())).map(|view| names(view)).sum::<usize>();
    topics.values().map(topic).sum::<usize>() + regexes.map(regex).sum::<usize>() + views
}

impl ConsumerGroup {
    fn shared_bytes(&self) -> usize {
        let regexes = self.regexes.iter();
        shared_bytes(
            &self.topics,
            regexes.map(|(pattern, regex)| (pattern.as_str(), regex.topics.as_slice())),
            self.members.values().filter_map(|member| {
                let pattern = member.metadata.as_ref()?.regex.as_deref()?;
                Some(&member.view_of(pattern)?.topics)
            }),
        )
    }

    /// Counts a group that was read back, whatever the limits.
    pub(crate) fn count_memory(&mut self, memory: &Memory) {
        for (id, member) in &mut self.members {
            if let Some(metadata) = &member.metadata {
                let client = Some(client_of(&metadata.client_host));
                member.memory = Some(memory.take_always(client, member_bytes(id, metadata)));
            }
        }
        self.shared_memory.set(Some(memory.take_always(None, self.shared_bytes())));
    }

    /// What the group takes, as recounted: equal to its shares, but for what was not yet given back.
    #[cfg(test)]
    pub(crate) fn recount(&self) -> usize {
        let members = self.members.iter();
        let members = members.filter_map(|(id, member)| Some(member_bytes(id, member.metadata.as_ref()?)));
        members.sum::<usize>() + self.shared_bytes()
    }
}
