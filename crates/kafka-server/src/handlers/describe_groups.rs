//! DescribeGroups: members of groups and what they were assigned.

use factum_broker::coordinator::{GroupDescription, GroupState, GroupType, MemberDescription};
use factum_types::{Action, Resource};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use crate::messages::metadata::OPERATIONS_NOT_ASKED;

/// From this version a group that does not exist is an error rather than a dead group (KIP-1043).
const NOT_FOUND_SINCE: i16 = 6;

impl Handle for DescribeGroupsRequest {
    type Response = DescribeGroupsResponse;

    async fn handle(self, call: &Call) -> DescribeGroupsResponse {
        let with_operations = self.include_authorized_operations;
        let groups = lookup::unique(self.groups, String::clone).map(|id| describe(call, id, with_operations));
        DescribeGroupsResponse { throttle_time_ms: 0, groups: groups.collect() }
    }
}

fn describe(call: &Call, id: String, with_operations: bool) -> DescribedGroup {
    let group = match call.session.group(Action::Describe, &id) {
        Ok(group) => group,
        Err(code) => return absent(id, code, None),
    };
    let mut found = call.session.broker().coordinator().describe(&group);
    if found.group_type != GroupType::Classic {
        // Clients ask for those with ConsumerGroupDescribe.
        (found.state, found.members) = (GroupState::Dead, Vec::new());
        (found.protocol_type, found.protocol) = (String::new(), String::new());
    }
    if found.state == GroupState::Dead && call.header.version >= NOT_FOUND_SINCE {
        return absent(id, ErrorCode::GroupIdNotFound, Some(format!("there is no classic group {group}")));
    }
    let operations = call.session.operations(with_operations, Resource::Group(&group));
    render(id, found, operations)
}

fn render(group_id: String, found: GroupDescription, authorized_operations: i32) -> DescribedGroup {
    DescribedGroup {
        error_code: ErrorCode::None,
        error_message: None,
        group_id,
        group_state: found.state.to_string(),
        protocol_type: found.protocol_type,
        protocol_data: found.protocol,
        members: found.members.into_iter().map(render_member).collect(),
        authorized_operations,
    }
}

fn render_member(member: MemberDescription) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: member.member_id,
        group_instance_id: member.instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    }
}

fn absent(group_id: String, error_code: ErrorCode, error_message: Option<String>) -> DescribedGroup {
    DescribedGroup {
        error_code,
        error_message,
        group_id,
        group_state: GroupState::Dead.to_string(),
        protocol_type: String::new(),
        protocol_data: String::new(),
        members: Vec::new(),
        authorized_operations: OPERATIONS_NOT_ASKED,
    }
}
