//! Samples of the group APIs.

use factum_kafka_server::messages::delete_groups::*;
use factum_kafka_server::messages::describe_groups::*;
use factum_kafka_server::messages::heartbeat::*;
use factum_kafka_server::messages::join_group::*;
use factum_kafka_server::messages::leave_group::*;
use factum_kafka_server::messages::list_groups::*;
use factum_kafka_server::messages::sync_group::*;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response as their_description;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::list_groups_response as their_list;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;

use crate::exchange::{maybe, request, response, text};
use crate::source::Source;

/// A nullable text that the version may lack.
fn since(present: bool, s: &mut Source<'_>) -> Option<String> {
    if present { s.maybe_text() } else { None }
}

pub(crate) fn join_group(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, join_group_response(v, s));
    request(v, join_group_request(v, s))
}

fn join_group_request(v: i16, s: &mut Source<'_>) -> (theirs::JoinGroupRequest, JoinGroupRequest) {
    let (their_protocols, protocols) = s.pairs(|s| {
        let (name, metadata) = (s.text(), s.bytes());
        let mut protocol = JoinGroupRequestProtocol::default();
        (protocol.name, protocol.metadata) = (text(&name), metadata.clone());
        (protocol, JoinGroupProtocol { name, metadata })
    });
    let ours = JoinGroupRequest {
        group_id: s.text(),
        session_timeout_ms: s.i32(),
        rebalance_timeout_ms: if v >= 1 { s.i32() } else { -1 },
        member_id: s.text(),
        group_instance_id: since(v >= 5, s),
        protocol_type: s.text(),
        protocols,
        reason: since(v >= 8, s),
    };
    let mut sent = theirs::JoinGroupRequest::default();
    sent.group_id = text(&ours.group_id).into();
    sent.session_timeout_ms = ours.session_timeout_ms;
    sent.rebalance_timeout_ms = ours.rebalance_timeout_ms;
    sent.member_id = text(&ours.member_id);
    sent.group_instance_id = maybe(ours.group_instance_id.as_ref());
    sent.protocol_type = text(&ours.protocol_type);
    sent.protocols = their_protocols;
    sent.reason = maybe(ours.reason.as_ref());
    (sent, ours)
}

fn join_group_response(v: i16, s: &mut Source<'_>) -> (theirs::JoinGroupResponse, JoinGroupResponse) {
    let (their_members, members) = s.pairs(|s| {
        let ours =
            JoinGroupMember { member_id: s.text(), group_instance_id: s.maybe_text(), metadata: s.bytes() };
        let mut member = JoinGroupResponseMember::default();
        member.member_id = text(&ours.member_id);
        if v >= 5 {
            member.group_instance_id = maybe(ours.group_instance_id.as_ref());
        }
        member.metadata = ours.metadata.clone();
        (member, ours)
    });
    let ours = JoinGroupResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        generation_id: s.i32(),
        protocol_type: s.maybe_text(),
        protocol_name: s.maybe_text(),
        leader: s.text(),
        skip_assignment: s.bool(),
        member_id: s.text(),
        members,
    };
    let mut expected = theirs::JoinGroupResponse::default();
    if v >= 2 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.error_code = ours.error_code.code();
    expected.generation_id = ours.generation_id;
    expected.protocol_name = maybe(ours.protocol_name.as_ref());
    if v >= 7 {
        expected.protocol_type = maybe(ours.protocol_type.as_ref());
    } else {
        expected.protocol_name = Some(expected.protocol_name.unwrap_or_default());
    }
    expected.leader = text(&ours.leader);
    expected.skip_assignment = v >= 9 && ours.skip_assignment;
    expected.member_id = text(&ours.member_id);
    expected.members = their_members;
    (expected, ours)
}

pub(crate) fn sync_group(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, sync_group_response(v, s));
    request(v, sync_group_request(v, s))
}

fn sync_group_request(v: i16, s: &mut Source<'_>) -> (theirs::SyncGroupRequest, SyncGroupRequest) {
    let (their_assignments, assignments) = s.pairs(|s| {
        let ours = SyncGroupAssignment { member_id: s.text(), assignment: s.bytes() };
        let mut assignment = SyncGroupRequestAssignment::default();
        assignment.member_id = text(&ours.member_id);
        assignment.assignment = ours.assignment.clone();
        (assignment, ours)
    });
    let ours = SyncGroupRequest {
        group_id: s.text(),
        generation_id: s.i32(),
        member_id: s.text(),
        group_instance_id: since(v >= 3, s),
        protocol_type: since(v >= 5, s),
        protocol_name: since(v >= 5, s),
        assignments,
    };
    let mut sent = theirs::SyncGroupRequest::default();
    sent.group_id = text(&ours.group_id).into();
    sent.generation_id = ours.generation_id;
    sent.member_id = text(&ours.member_id);
    sent.group_instance_id = maybe(ours.group_instance_id.as_ref());
    sent.protocol_type = maybe(ours.protocol_type.as_ref());
    sent.protocol_name = maybe(ours.protocol_name.as_ref());
    sent.assignments = their_assignments;
    (sent, ours)
}

fn sync_group_response(v: i16, s: &mut Source<'_>) -> (theirs::SyncGroupResponse, SyncGroupResponse) {
    let ours = SyncGroupResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        protocol_type: s.maybe_text(),
        protocol_name: s.maybe_text(),
        assignment: s.bytes(),
    };
    let mut expected = theirs::SyncGroupResponse::default();
    if v >= 1 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.error_code = ours.error_code.code();
    if v >= 5 {
        expected.protocol_type = maybe(ours.protocol_type.as_ref());
        expected.protocol_name = maybe(ours.protocol_name.as_ref());
    }
    expected.assignment = ours.assignment.clone();
    (expected, ours)
}

pub(crate) fn heartbeat(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let ours = HeartbeatResponse { throttle_time_ms: s.i32(), error_code: s.error() };
    let mut expected = theirs::HeartbeatResponse::default();
    if v >= 1 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.error_code = ours.error_code.code();
    response(v, (expected, ours));

    let ours = HeartbeatRequest {
        group_id: s.text(),
        generation_id: s.i32(),
        member_id: s.text(),
        group_instance_id: since(v >= 3, s),
    };
    let mut sent = theirs::HeartbeatRequest::default();
    sent.group_id = text(&ours.group_id).into();
    sent.generation_id = ours.generation_id;
    sent.member_id = text(&ours.member_id);
    sent.group_instance_id = maybe(ours.group_instance_id.as_ref());
    request(v, (sent, ours))
}

pub(crate) fn leave_group(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, leave_group_response(v, s));
    request(v, leave_group_request(v, s))
}

fn leave_group_request(v: i16, s: &mut Source<'_>) -> (theirs::LeaveGroupRequest, LeaveGroupRequest) {
    let mut sent = theirs::LeaveGroupRequest::default();
    let group_id = s.text();
    sent.group_id = text(&group_id).into();
    if v < 3 {
        let member_id = s.text();
        sent.member_id = text(&member_id);
        let members = vec![LeavingMember { member_id, group_instance_id: None, reason: None }];
        return (sent, LeaveGroupRequest { group_id, members });
    }
    let (their_members, members) = s.pairs(|s| {
        let ours = LeavingMember {
            member_id: s.text(),
            group_instance_id: s.maybe_text(),
            reason: since(v >= 5, s),
        };
        let mut member = MemberIdentity::default();
        member.member_id = text(&ours.member_id);
        member.group_instance_id = maybe(ours.group_instance_id.as_ref());
        member.reason = maybe(ours.reason.as_ref());
        (member, ours)
    });
    sent.members = their_members;
    (sent, LeaveGroupRequest { group_id, members })
}

fn leave_group_response(v: i16, s: &mut Source<'_>) -> (theirs::LeaveGroupResponse, LeaveGroupResponse) {
    let (their_members, members) = s.pairs(|s| {
        let ours =
            LeftMember { member_id: s.text(), group_instance_id: s.maybe_text(), error_code: s.error() };
        let mut member = MemberResponse::default();
        member.member_id = text(&ours.member_id);
        member.group_instance_id = maybe(ours.group_instance_id.as_ref());
        member.error_code = ours.error_code.code();
        (member, ours)
    });
    let ours = LeaveGroupResponse { throttle_time_ms: s.i32(), error_code: s.error(), members };
    let mut expected = theirs::LeaveGroupResponse::default();
    if v >= 1 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.error_code = ours.error_code.code();
    if v >= 3 {
        expected.members = their_members;
    } else if let (true, Some(member)) = (ours.error_code.is_none(), ours.members.first()) {
        expected.error_code = member.error_code.code();
    }
    (expected, ours)
}

pub(crate) fn describe_groups(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_groups, groups) = s.pairs(|s| described_group(v, s));
    let ours = DescribeGroupsResponse { throttle_time_ms: s.i32(), groups };
    let mut expected = theirs::DescribeGroupsResponse::default();
    if v >= 1 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.groups = their_groups;
    response(v, (expected, ours));

    let groups = s.list(Source::text);
    let ours = DescribeGroupsRequest { groups, include_authorized_operations: v >= 3 && s.bool() };
    let mut sent = theirs::DescribeGroupsRequest::default();
    sent.groups = ours.groups.iter().map(|group| text(group).into()).collect();
    sent.include_authorized_operations = ours.include_authorized_operations;
    request(v, (sent, ours))
}

fn described_group(v: i16, s: &mut Source<'_>) -> (their_description::DescribedGroup, DescribedGroup) {
    let (their_members, members) = s.pairs(|s| described_member(v, s));
    let ours = DescribedGroup {
        error_code: s.error(),
        error_message: s.maybe_text(),
        group_id: s.text(),
        group_state: s.text(),
        protocol_type: s.text(),
        protocol_data: s.text(),
        members,
        authorized_operations: s.i32(),
    };
    let mut expected = their_description::DescribedGroup::default();
    expected.error_code = ours.error_code.code();
    if v >= 6 {
        expected.error_message = maybe(ours.error_message.as_ref());
    }
    expected.group_id = text(&ours.group_id).into();
    expected.group_state = text(&ours.group_state);
    expected.protocol_type = text(&ours.protocol_type);
    expected.protocol_data = text(&ours.protocol_data);
    expected.members = their_members;
    if v >= 3 {
        expected.authorized_operations = ours.authorized_operations;
    }
    (expected, ours)
}

fn described_member(
    v: i16,
    s: &mut Source<'_>,
) -> (their_description::DescribedGroupMember, DescribedGroupMember) {
    let ours = DescribedGroupMember {
        member_id: s.text(),
        group_instance_id: s.maybe_text(),
        client_id: s.text(),
        client_host: s.text(),
        member_metadata: s.bytes(),
        member_assignment: s.bytes(),
    };
    let mut expected = their_description::DescribedGroupMember::default();
    expected.member_id = text(&ours.member_id);
    if v >= 4 {
        expected.group_instance_id = maybe(ours.group_instance_id.as_ref());
    }
    expected.client_id = text(&ours.client_id);
    expected.client_host = text(&ours.client_host);
    expected.member_metadata = ours.member_metadata.clone();
    expected.member_assignment = ours.member_assignment.clone();
    (expected, ours)
}

pub(crate) fn list_groups(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_groups, groups) = s.pairs(|s| listed_group(v, s));
    let ours = ListGroupsResponse { throttle_time_ms: s.i32(), error_code: s.error(), groups };
    let mut expected = theirs::ListGroupsResponse::default();
    if v >= 1 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.error_code = ours.error_code.code();
    expected.groups = their_groups;
    response(v, (expected, ours));

    let ours = ListGroupsRequest {
        states_filter: if v >= 4 { s.list(Source::text) } else { Vec::new() },
        types_filter: if v >= 5 { s.list(Source::text) } else { Vec::new() },
    };
    let mut sent = theirs::ListGroupsRequest::default();
    sent.states_filter = ours.states_filter.iter().map(|state| text(state)).collect();
    sent.types_filter = ours.types_filter.iter().map(|kind| text(kind)).collect();
    request(v, (sent, ours))
}

fn listed_group(v: i16, s: &mut Source<'_>) -> (their_list::ListedGroup, ListedGroup) {
    let ours = ListedGroup {
        group_id: s.text(),
        protocol_type: s.text(),
        group_state: s.text(),
        group_type: s.text(),
    };
    let mut expected = their_list::ListedGroup::default();
    expected.group_id = text(&ours.group_id).into();
    expected.protocol_type = text(&ours.protocol_type);
    if v >= 4 {
        expected.group_state = text(&ours.group_state);
    }
    if v >= 5 {
        expected.group_type = text(&ours.group_type);
    }
    (expected, ours)
}

pub(crate) fn delete_groups(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| {
        let ours = DeletedGroup { group_id: s.text(), error_code: s.error() };
        let mut result = DeletableGroupResult::default();
        (result.group_id, result.error_code) = (text(&ours.group_id).into(), ours.error_code.code());
        (result, ours)
    });
    let ours = DeleteGroupsResponse { throttle_time_ms: s.i32(), results };
    let mut expected = theirs::DeleteGroupsResponse::default();
    (expected.throttle_time_ms, expected.results) = (ours.throttle_time_ms, their_results);
    response(v, (expected, ours));

    let ours = DeleteGroupsRequest { groups: s.list(Source::text) };
    let mut sent = theirs::DeleteGroupsRequest::default();
    sent.groups_names = ours.groups.iter().map(|group| text(group).into()).collect();
    request(v, (sent, ours))
}
