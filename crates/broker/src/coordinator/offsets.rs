//! The committed offsets of one group.

use std::collections::BTreeMap;
use std::time::Duration;

use factum_types::{Timestamp, TopicName, TopicPartition};

use super::CommittedOffset;
use super::records::StoredOffset;

/// The last offset committed for each partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OffsetTable(BTreeMap<TopicPartition, StoredOffset>);

impl OffsetTable {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn set(&mut self, partition: TopicPartition, stored: StoredOffset) {
        self.0.insert(partition, stored);
    }

    pub(crate) fn remove(&mut self, partition: &TopicPartition) {
        self.0.remove(partition);
    }

    pub(crate) fn get(&self, partition: &TopicPartition) -> Option<CommittedOffset> {
        self.0.get(partition).map(|stored| stored.committed.clone())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &StoredOffset)> {
        self.0.iter()
    }

    /// The partitions of topics that are not kept.
    pub(crate) fn of_topics(&self, is_gone: impl Fn(&TopicName) -> bool) -> Vec<TopicPartition> {
        self.0.keys().filter(|partition| is_gone(&partition.topic)).cloned().collect()
    }

    /// The partitions whose offsets have outlived `retention`, which begins with the commit, or with `since` if that is
    /// later: the moment at which the last member went.
    pub(crate) fn expired(
        &self,
        retention: Duration,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<TopicPartition> {
        let begins =
            |stored: &StoredOffset| since.map_or(stored.committed_at, |s| s.max(stored.committed_at));
        let is_old = |stored: &StoredOffset| begins(stored).plus(retention) <= now;
        self.0.iter().filter(|(_, stored)| is_old(stored)).map(|(partition, _)| partition.clone()).collect()
    }
}
