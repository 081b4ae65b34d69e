//! JoinGroup: into a consumer group, waiting for the others.

use std::time::Duration;

use factum_broker::coordinator::{self, CoordinatorError, JoinResult};
use factum_types::Action;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::join_group::{JoinGroupMember, JoinGroupRequest, JoinGroupResponse};

/// From this version a client joins with an id that it was given (KIP-394).
const KNOWN_MEMBER_ID_SINCE: i16 = 4;
/// From this version a leader can be told to keep the assignment (KIP-814).
const SKIPPED_ASSIGNMENT_SINCE: i16 = 9;

impl Handle for JoinGroupRequest {
    type Response = JoinGroupResponse;

    const IS_PATIENT: bool = true;

    async fn handle(self, call: &Call) -> JoinGroupResponse {
        let group = match call.session.group(Action::Read, &self.group_id) {
            Ok(group) => group,
            Err(code) => return refuse(code, self.member_id),
        };
        let version = call.header.version;
        let session_timeout = millis(self.session_timeout_ms);
        let join = coordinator::JoinGroup {
            group,
            member_id: self.member_id.clone(),
            requires_known_member_id: version >= KNOWN_MEMBER_ID_SINCE && self.group_instance_id.is_none(),
            instance_id: self.group_instance_id,
            client_id: call.header.client_id.clone().unwrap_or_default(),
            client_host: format!("/{}", call.session.peer.ip().to_canonical()),
            session_timeout,
            rebalance_timeout: match self.rebalance_timeout_ms {
                ..0 => session_timeout,
                timeout => millis(timeout),
            },
            protocol_type: self.protocol_type,
            protocols: self.protocols.into_iter().map(|each| (each.name, each.metadata)).collect(),
            supports_skipping_assignment: version >= SKIPPED_ASSIGNMENT_SINCE,
        };
        match call.session.broker().coordinator().join(join).await {
            Ok(joined) => welcome(joined),
            Err(error) => {
                let code = ErrorCode::from(&error);
                match error {
                    CoordinatorError::MemberIdRequired { member_id } => refuse(code, member_id),
                    _ => refuse(code, self.member_id),
                }
            }
        }
    }
}

fn welcome(joined: JoinResult) -> JoinGroupResponse {
    let members = joined.members.into_iter().map(|member| JoinGroupMember {
        member_id: member.member_id,
        group_instance_id: member.instance_id,
        metadata: member.metadata,
    });
    JoinGroupResponse {
        throttle_time_ms: 0,
        error_code: ErrorCode::None,
        generation_id: joined.generation,
        protocol_type: joined.protocol_type,
        protocol_name: joined.protocol,
        leader: joined.leader,
        skip_assignment: joined.skip_assignment,
        member_id: joined.member_id,
        members: members.collect(),
    }
}

fn refuse(error_code: ErrorCode, member_id: String) -> JoinGroupResponse {
    JoinGroupResponse {
        throttle_time_ms: 0,
        error_code,
        generation_id: -1,
        protocol_type: None,
        protocol_name: None,
        leader: String::new(),
        skip_assignment: false,
        member_id,
        members: Vec::new(),
    }
}

/// A time from the wire; a negative one is none.
fn millis(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
