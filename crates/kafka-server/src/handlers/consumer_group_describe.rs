//! ConsumerGroupDescribe: groups of the consumer protocol, their members, and what those have and are to have.

use factum_broker::coordinator::{AssignedTopic, ConsumerGroupDescription, ConsumerMemberDescription};
use factum_types::{Action, Resource};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::consumer_group_describe::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedConsumerGroup,
    DescribedConsumerMember, DescribedTopic,
};
use crate::messages::metadata::OPERATIONS_NOT_ASKED;

/// The member speaks the consumer protocol.
const CONSUMER_MEMBER: i8 = 1;

impl Handle for ConsumerGroupDescribeRequest {
    type Response = ConsumerGroupDescribeResponse;

    async fn handle(self, call: &Call) -> ConsumerGroupDescribeResponse {
        let with_operations = self.include_authorized_operations;
        let groups = lookup::unique(self.group_ids, String::clone);
        let groups = groups.map(|id| describe(call, id, with_operations));
        ConsumerGroupDescribeResponse { throttle_time_ms: 0, groups: groups.collect() }
    }
}

fn describe(call: &Call, id: String, with_operations: bool) -> DescribedConsumerGroup {
    let group = match call.session.group(Action::Describe, &id) {
        Ok(group) => group,
        Err(code) => return absent(id, code, None),
    };
    let Some(found) = call.session.broker().coordinator().describe_consumers(&group) else {
        let message = format!("there is no consumer group {group}");
        return absent(id, ErrorCode::GroupIdNotFound, Some(message));
    };
    if !may_see(call, &found) {
        let message = "the group reads topics that the client may not describe".to_owned();
        return absent(id, ErrorCode::TopicAuthorizationFailed, Some(message));
    }
    DescribedConsumerGroup {
        error_code: ErrorCode::None,
        error_message: None,
        group_id: id,
        group_state: found.state.to_string(),
        group_epoch: found.epoch,
        assignment_epoch: found.assignment_epoch,
        assignor_name: found.assignor.to_owned(),
        members: found.members.into_iter().map(render).collect(),
        authorized_operations: call.session.operations(with_operations, Resource::Group(&group)),
    }
}

/// Whether the client may describe every topic of the group.
fn may_see(call: &Call, group: &ConsumerGroupDescription) -> bool {
    group.members.iter().all(|member| {
        let assigned = member.assignment.iter().chain(&member.target).map(|topic| &topic.name);
        let mut topics = assigned.chain(&member.subscribed_topics);
        topics.all(|topic| call.session.may(Action::Describe, Resource::Topic(topic)))
    })
}

fn render(member: ConsumerMemberDescription) -> DescribedConsumerMember {
    let names = member.subscribed_topics.iter().map(|topic| topic.as_str().to_owned());
    DescribedConsumerMember {
        member_id: member.member_id,
        instance_id: member.instance_id,
        rack_id: member.rack_id,
        member_epoch: member.member_epoch,
        client_id: member.client_id,
        client_host: member.client_host,
        subscribed_topic_names: names.collect(),
        subscribed_topic_regex: member.subscribed_regex,
        assignment: member.assignment.into_iter().map(render_topic).collect(),
        target_assignment: member.target.into_iter().map(render_topic).collect(),
        member_type: CONSUMER_MEMBER,
    }
}

fn render_topic(topic: AssignedTopic) -> DescribedTopic {
    DescribedTopic { topic_id: topic.id, topic_name: topic.name.into(), partitions: topic.partitions }
}

fn absent(group_id: String, error_code: ErrorCode, error_message: Option<String>) -> DescribedConsumerGroup {
    DescribedConsumerGroup {
        error_code,
        error_message,
        group_id,
        group_state: String::new(),
        group_epoch: 0,
        assignment_epoch: 0,
        assignor_name: String::new(),
        members: Vec::new(),
        authorized_operations: OPERATIONS_NOT_ASKED,
    }
}
