//! Topics and groups of the embedded log, looked after through the uniform interface.

use async_trait::async_trait;
use factum_eventlog::{
    Admin, AdminError, Group, GroupOffset, Member, NewTopic, PartitionBounds, Topic, TopicConfig, TopicEdit,
};
use factum_types::{GroupId, Offset, TopicName, TopicPartition};

use super::reason;
use crate::access::Access;
use crate::broker::Broker;
use crate::catalogue::Which;
use crate::coordinator::{
    Commit, CommittedOffset, CoordinatorError, GroupDescription, MemberDescription, consumer_protocol,
};
use crate::error::{AlterTopicError, CreatePartitionsError, CreateTopicError, DeleteTopicError};
use crate::topic;

#[async_trait]
impl Admin for Broker {
    async fn topics(&self) -> Result<Vec<Topic>, AdminError> {
        Ok(Broker::topics(self).iter().map(|topic| describe(topic)).collect())
    }

    async fn topic(&self, name: &TopicName) -> Result<Topic, AdminError> {
        if let Some(topic) = Broker::topic(self, name.as_str()) {
            return Ok(describe(&topic));
        }
        Err(match self.unusable_topic(name) {
            Some(reason) => AdminError::UnusableTopic { topic: name.clone(), reason },
            None => AdminError::UnknownTopic { topic: name.clone() },
        })
    }

    async fn create_topic(&self, new: NewTopic) -> Result<Topic, AdminError> {
        create(self, Access::Client, new).await
    }

    async fn alter_topic(&self, name: &TopicName, config: TopicConfig) -> Result<Topic, AdminError> {
        alter(self, Access::Client, name, config).await
    }

    async fn edit_topic(&self, name: &TopicName, edit: TopicEdit) -> Result<Topic, AdminError> {
        self::edit(self, Access::Client, name, edit).await
    }

    async fn create_partitions(&self, name: &TopicName, count: i32) -> Result<Topic, AdminError> {
        create_partitions(self, Access::Client, name, count).await
    }

    async fn delete_topic(&self, name: &TopicName) -> Result<(), AdminError> {
        delete(self, Access::Client, name).await
    }

    async fn groups(&self) -> Result<Vec<Group>, AdminError> {
        let mut groups = Vec::new();
        for listing in self.coordinator().list() {
            let offsets = self.coordinator().known_offsets(&listing.group, None).await;
            let offsets = offsets.map_err(|error| AdminError::Unavailable { reason: reason(&error) })?;
            let description = self.coordinator().describe(&listing.group);
            groups.push(self.summarise(description, offsets));
        }
        groups.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(groups)
    }

    async fn committed_offsets(&self, group: &GroupId) -> Result<Vec<(TopicPartition, Offset)>, AdminError> {
        let found = self.coordinator().fetch_offsets(group, None).await;
        let found = found.map_err(|error| AdminError::Unavailable { reason: reason(&error) })?;
        let known = found.into_iter().filter_map(|(partition, committed)| Some((partition, committed?)));
        Ok(known.map(|(partition, committed)| (partition, Offset::new(committed.offset.max(0)))).collect())
    }

    async fn reset_group(
        &self,
        group: &GroupId,
        offsets: Vec<(TopicPartition, Offset)>,
    ) -> Result<(), AdminError> {
        refuse_reserved(group)?;
        if let Some((unknown, _)) = offsets.iter().find(|(partition, _)| self.find(partition).is_none()) {
            return Err(AdminError::UnknownTopic { topic: unknown.topic.clone() });
        }
        self.refuse_while_in_use(group)?;
        let commit = Commit::of_no_member(group.clone(), offsets);
        self.coordinator().commit(commit).await.map_err(|error| self.group_error(group, &error))
    }

    async fn delete_group(&self, group: &GroupId) -> Result<(), AdminError> {
        refuse_reserved(group)?;
        self.coordinator().delete(group).await.map_err(|error| self.group_error(group, &error))
    }
}

fn refuse_reserved(group: &GroupId) -> Result<(), AdminError> {
    match group.is_internal() {
        true => Err(AdminError::ReservedGroup { group: group.clone() }),
        false => Ok(()),
    }
}

pub(super) async fn create(broker: &Broker, access: Access, new: NewTopic) -> Result<Topic, AdminError> {
    match broker.create_topic_as(access, new).await {
        Ok(topic) => Ok(describe(&topic)),
        Err(CreateTopicError::Exists { topic }) => Err(AdminError::TopicExists { topic }),
        Err(CreateTopicError::NameTaken { topic, owner }) => Err(AdminError::NameTaken { topic, owner }),
        Err(CreateTopicError::Reserved { topic }) => Err(AdminError::ReservedTopic { topic }),
        Err(
            error @ (CreateTopicError::Storage(_)
            | CreateTopicError::OutOfOpenFiles { .. }
            | CreateTopicError::Stopping),
        ) => Err(AdminError::Unavailable { reason: reason(&error) }),
        Err(CreateTopicError::InvalidConfig { key, reason }) => Err(invalid_config(key, &reason)),
        Err(error) => Err(AdminError::Invalid { reason: reason(&error) }),
    }
}

/// Under the name that every API but Kafka's has for the setting.
fn invalid_config(key: &str, reason: &str) -> AdminError {
    let example = if key.ends_with(".bytes") { "; write a size such as 16MiB" } else { "" };
    AdminError::Invalid { reason: format!("{} {reason}{example}", topic::own_name(key)) }
}

pub(super) async fn alter(
    broker: &Broker,
    access: Access,
    name: &TopicName,
    config: TopicConfig,
) -> Result<Topic, AdminError> {
    edit(broker, access, name, Box::new(|_| config)).await
}

pub(super) async fn edit(
    broker: &Broker,
    access: Access,
    name: &TopicName,
    edit: TopicEdit,
) -> Result<Topic, AdminError> {
    match broker.edit_topic_as(access, name, |config| Ok(edit(config))).await {
        Ok(topic) => Ok(describe(&topic)),
        Err(AlterTopicError::Unknown { topic }) => Err(AdminError::UnknownTopic { topic }),
        Err(AlterTopicError::Internal { topic }) => Err(AdminError::ReservedTopic { topic }),
        Err(error @ (AlterTopicError::Storage(_) | AlterTopicError::Stopping)) => {
            Err(AdminError::Unavailable { reason: reason(&error) })
        }
        Err(AlterTopicError::InvalidConfig { key, reason }) => Err(invalid_config(key, &reason)),
    }
}

pub(super) async fn create_partitions(
    broker: &Broker,
    access: Access,
    name: &TopicName,
    count: i32,
) -> Result<Topic, AdminError> {
    match broker.create_partitions_as(access, name, count).await {
        Ok(topic) => Ok(describe(&topic)),
        Err(CreatePartitionsError::Unknown { topic }) => Err(AdminError::UnknownTopic { topic }),
        Err(CreatePartitionsError::Internal { topic }) => Err(AdminError::ReservedTopic { topic }),
        Err(
            error @ (CreatePartitionsError::Storage(_)
            | CreatePartitionsError::OutOfOpenFiles { .. }
            | CreatePartitionsError::Stopping),
        ) => Err(AdminError::Unavailable { reason: reason(&error) }),
        Err(error) => Err(AdminError::Invalid { reason: reason(&error) }),
    }
}

pub(super) async fn delete(broker: &Broker, access: Access, name: &TopicName) -> Result<(), AdminError> {
    match broker.delete_topic_as(access, Which::Name(name.clone())).await {
        Ok(()) => Ok(()),
        Err(DeleteTopicError::Unknown { topic }) => Err(AdminError::UnknownTopic { topic }),
        Err(DeleteTopicError::Internal { topic }) => Err(AdminError::ReservedTopic { topic }),
        Err(error) => Err(AdminError::Unavailable { reason: reason(&error) }),
    }
}

impl Broker {
    fn refuse_while_in_use(&self, group: &GroupId) -> Result<(), AdminError> {
        match self.coordinator().describe(group).members.len() {
            0 => Ok(()),
            members => Err(AdminError::GroupInUse { group: group.clone(), members }),
        }
    }

    fn group_error(&self, group: &GroupId, error: &CoordinatorError) -> AdminError {
        match error {
            CoordinatorError::GroupNotFound => AdminError::UnknownGroup { group: group.clone() },
            // A commit without membership is refused as from an unknown member once the group has members.
            CoordinatorError::NonEmptyGroup | CoordinatorError::UnknownMember => {
                let members = self.coordinator().describe(group).members.len();
                AdminError::GroupInUse { group: group.clone(), members }
            }
            error if error.is_transient() => AdminError::Unavailable { reason: reason(error) },
            error => AdminError::Invalid { reason: reason(error) },
        }
    }

    fn summarise(
        &self,
        group: GroupDescription,
        offsets: Vec<(TopicPartition, Option<CommittedOffset>)>,
    ) -> Group {
        let committed = offsets.into_iter().filter_map(|(partition, committed)| {
            let CommittedOffset { offset, metadata, .. } = committed?;
            let offset = Offset::new(offset.max(0));
            let end = self.find(&partition).map(|found| found.bounds().high_watermark);
            let lag = end.map(|end| end.since(offset).max(0));
            Some(GroupOffset { partition, offset, end, lag, metadata: metadata.unwrap_or_default() })
        });
        let mut offsets: Vec<_> = committed.collect();
        offsets.sort_by(|one, other| one.partition.cmp(&other.partition));
        Group {
            id: group.group,
            state: group.state.to_string(),
            members: group.members.into_iter().map(|m| member(&group.protocol_type, m)).collect(),
            protocol_type: group.protocol_type,
            protocol: group.protocol,
            offsets,
        }
    }
}

fn member(protocol_type: &str, member: MemberDescription) -> Member {
    let assignment = match protocol_type {
        // Another client may write what it likes there; what cannot be read is shown as nothing.
        consumer_protocol::PROTOCOL_TYPE => {
            consumer_protocol::decode_assignment(&member.assignment).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let MemberDescription { member_id, client_id, client_host, .. } = member;
    Member { id: member_id, client_id, client_host, assignment }
}

fn describe(topic: &topic::Topic) -> Topic {
    let partitions = topic.partitions().iter().map(|partition| {
        let bounds = partition.bounds();
        PartitionBounds {
            partition: partition.topic_partition().partition,
            log_start: bounds.log_start,
            high_watermark: bounds.stable,
            bytes: Some(bounds.bytes),
            is_writable: bounds.is_writable,
        }
    });
    Topic {
        name: topic.name().clone(),
        id: topic.id(),
        partitions: partitions.collect(),
        config: topic.config(),
    }
}
