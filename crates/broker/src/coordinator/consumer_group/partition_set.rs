//! Partitions by the id of their topic.
//!
//! Invariant: no topic is there without a partition, so that sets with the same partitions are equal.

use std::collections::{BTreeMap, BTreeSet};

use factum_types::{PartitionId, TopicId};

/// A set of partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartitionSet(BTreeMap<TopicId, BTreeSet<PartitionId>>);

impl PartitionSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// How many topics have a partition in it.
    pub(crate) fn topic_count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn contains(&self, topic: TopicId, partition: PartitionId) -> bool {
        self.0.get(&topic).is_some_and(|partitions| partitions.contains(&partition))
    }

    pub(crate) fn insert(&mut self, topic: TopicId, partition: PartitionId) {
        self.0.entry(topic).or_default().insert(partition);
    }

    /// By topic, in order.
    pub(crate) fn topics(&self) -> impl Iterator<Item = (TopicId, &BTreeSet<PartitionId>)> {
        self.0.iter().map(|(topic, partitions)| (*topic, partitions))
    }

    /// One by one, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TopicId, PartitionId)> {
        self.topics().flat_map(|(topic, partitions)| partitions.iter().map(move |number| (topic, *number)))
    }

    /// Those for which `is_wanted` says so.
    pub(crate) fn filter(&self, is_wanted: impl Fn(TopicId, PartitionId) -> bool) -> Self {
        self.iter().filter(|(topic, number)| is_wanted(*topic, *number)).collect()
    }

    /// As they are shown to clients.
    pub(crate) fn to_lists(&self) -> Vec<(TopicId, Vec<PartitionId>)> {
        self.topics().map(|(topic, partitions)| (topic, partitions.iter().copied().collect())).collect()
    }
}

impl FromIterator<(TopicId, PartitionId)> for PartitionSet {
    fn from_iter<I: IntoIterator<Item = (TopicId, PartitionId)>>(partitions: I) -> Self {
        let mut set = Self::default();
        partitions.into_iter().for_each(|(topic, number)| set.insert(topic, number));
        set
    }
}
