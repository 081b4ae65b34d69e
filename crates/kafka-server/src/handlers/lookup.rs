//! From a topic's name or id on the wire to the topic, by way of the authoriser.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use factum_broker::{Isolation, Partition, Topic};
use factum_types::{Action, LeaderEpoch, PartitionId, TopicId, TopicName};

use super::Session;
use crate::error_code::ErrorCode;

impl Session {
    /// The topic of this name, if `action` is allowed with it.
    ///
    /// # Errors
    /// The code that says why not; a name that no topic can have is simply unknown.
    pub(super) fn topic(&self, action: Action, name: &str) -> Result<Arc<Topic>, ErrorCode> {
        let name = self.topic_name(action, name)?;
        self.broker().topic(name.as_str()).ok_or(ErrorCode::UnknownTopicOrPartition)
    }

    /// The name, if `action` is allowed with its topic; there need not be one.
    ///
    /// # Errors
    /// The code that says why not; a name that no topic can have is simply unknown.
    pub(super) fn topic_name(&self, action: Action, name: &str) -> Result<TopicName, ErrorCode> {
        let name = TopicName::new(name).map_err(|_| ErrorCode::UnknownTopicOrPartition)?;
        self.check_topic(action, &name)?;
        Ok(name)
    }

    /// The topic with this id, if `action` is allowed with it.
    ///
    /// # Errors
    /// The code that says why not.
    pub(super) fn topic_by_id(&self, action: Action, id: TopicId) -> Result<Arc<Topic>, ErrorCode> {
        let topic = self.broker().topic_by_id(id).ok_or(ErrorCode::UnknownTopicId)?;
        self.check_topic(action, topic.name())?;
        Ok(topic)
    }
}

/// Each of `items` once, in order: what `key` says is the same is dropped.
pub(super) fn unique<T, K: Eq + Hash>(items: Vec<T>, key: impl Fn(&T) -> K) -> impl Iterator<Item = T> {
    let mut seen = HashSet::with_capacity(items.len());
    items.into_iter().filter(move |item| seen.insert(key(item)))
}

/// A partition of a topic that was looked up.
pub(super) fn partition(
    topic: &Result<Arc<Topic>, ErrorCode>,
    number: PartitionId,
) -> Result<&Arc<Partition>, ErrorCode> {
    let topic = topic.as_ref().map_err(|code| *code)?;
    topic.partition(number).ok_or(ErrorCode::UnknownTopicOrPartition)
}

/// The isolation level from the wire; as in Kafka, what is not 1 reads all.
pub(super) fn isolation(level: i8) -> Isolation {
    if level == 1 { Isolation::ReadCommitted } else { Isolation::ReadUncommitted }
}

/// Compares the epoch that a client believes in with the partition's (KIP-320); -1 believes in none.
pub(super) fn check_epoch(known: LeaderEpoch, current: LeaderEpoch) -> Result<(), ErrorCode> {
    match known {
        -1 => Ok(()),
        known if known < current => Err(ErrorCode::FencedLeaderEpoch),
        known if known > current => Err(ErrorCode::UnknownLeaderEpoch),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_compared_where_the_client_knows_one() {
        assert_eq!(check_epoch(-1, 3), Ok(()));
        assert_eq!(check_epoch(3, 3), Ok(()));
        assert_eq!(check_epoch(2, 3), Err(ErrorCode::FencedLeaderEpoch));
        assert_eq!(check_epoch(4, 3), Err(ErrorCode::UnknownLeaderEpoch));
    }
}
