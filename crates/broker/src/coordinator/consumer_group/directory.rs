//! The topics that there are, as far as groups need them.

use factum_types::{PartitionId, TopicId, TopicName};

/// Knows the topics. It is asked under a group's lock, so it must not wait for one.
pub(crate) trait TopicDirectory: Send + Sync {
    /// Another number whenever a topic comes, goes or gets partitions.
    fn version(&self) -> u64;

    /// The topic's id and the number of its partitions.
    fn topic(&self, name: &TopicName) -> Option<(TopicId, PartitionId)>;

    /// The name of the topic with this id.
    fn name(&self, id: TopicId) -> Option<TopicName>;

    /// The topics that a regular expression can match: those that are not internal.
    fn names(&self) -> Vec<TopicName>;
}
