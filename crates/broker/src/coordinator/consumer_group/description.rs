//! A consumer group as it is shown.

use factum_types::{TopicId, TopicName};

use super::member::ConsumerMember;
use super::partition_set::PartitionSet;
use super::{ConsumerGroup, MemberMetadata};
use crate::coordinator::{AssignedTopic, ConsumerGroupDescription, ConsumerMemberDescription};

/// Gives the name of a topic.
type Names<'a> = &'a dyn Fn(TopicId) -> Option<TopicName>;

impl ConsumerGroup {
    /// The group in full.
    pub(crate) fn describe(&self, names: Names<'_>) -> ConsumerGroupDescription {
        let members = self
            .members
            .iter()
            .filter_map(|(id, member)| Some(describe(id, member, member.metadata.as_ref()?, names)));
        ConsumerGroupDescription {
            state: self.state(),
            epoch: self.epoch,
            assignment_epoch: self.assignment_epoch,
            assignor: self.assignor(),
            members: members.collect(),
        }
    }
}

fn describe(
    id: &str,
    member: &ConsumerMember,
    metadata: &MemberMetadata,
    names: Names<'_>,
) -> ConsumerMemberDescription {
    ConsumerMemberDescription {
        member_id: id.to_owned(),
        instance_id: metadata.instance_id.clone(),
        rack_id: metadata.rack_id.clone(),
        member_epoch: member.current.epoch,
        client_id: metadata.client_id.clone(),
        client_host: metadata.client_host.clone(),
        subscribed_topics: metadata.topics.clone(),
        subscribed_regex: metadata.regex.clone(),
        assignment: with_names(&member.current.assigned, names),
        target: with_names(&member.target, names),
    }
}

fn with_names(partitions: &PartitionSet, names: Names<'_>) -> Vec<AssignedTopic> {
    let topics = partitions.to_lists().into_iter();
    topics.filter_map(|(id, partitions)| Some(AssignedTopic { id, name: names(id)?, partitions })).collect()
}
