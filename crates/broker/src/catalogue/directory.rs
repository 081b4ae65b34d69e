//! The topics as the coordinator of consumer groups sees them.

use factum_types::{PartitionId, TopicId, TopicName};

use super::Catalogue;
use crate::coordinator::TopicDirectory;

impl TopicDirectory for Catalogue {
    fn version(&self) -> u64 {
        self.index.read().version()
    }

    fn topic(&self, name: &TopicName) -> Option<(TopicId, PartitionId)> {
        let topic = Catalogue::topic(self, name.as_str())?;
        Some((topic.id(), topic.partition_count()))
    }

    fn name(&self, id: TopicId) -> Option<TopicName> {
        Some(self.topic_by_id(id)?.name().clone())
    }

    fn names(&self) -> Vec<TopicName> {
        let topics = self.topics();
        topics.iter().filter(|topic| !topic.is_internal()).map(|topic| topic.name().clone()).collect()
    }
}
