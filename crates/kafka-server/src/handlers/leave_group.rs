//! LeaveGroup: members out of a group, at once rather than by time-out.

use factum_broker::coordinator::Leaving;
use factum_types::Action;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, LeavingMember, LeftMember};

impl Handle for LeaveGroupRequest {
    type Response = LeaveGroupResponse;

    async fn handle(self, call: &Call) -> LeaveGroupResponse {
        let (error_code, members) = match leave(call, &self).await {
            Ok(outcomes) => (ErrorCode::None, render(self.members, outcomes)),
            Err(code) => (code, Vec::new()),
        };
        LeaveGroupResponse { throttle_time_ms: 0, error_code, members }
    }
}

async fn leave(call: &Call, request: &LeaveGroupRequest) -> Result<Vec<ErrorCode>, ErrorCode> {
    let group = call.session.group(Action::Read, &request.group_id)?;
    let leaving = request.members.iter().map(|member| Leaving {
        member_id: member.member_id.clone(),
        instance_id: member.group_instance_id.clone(),
    });
    let outcomes = call.session.broker().coordinator().leave(&group, leaving.collect()).await;
    let outcomes = outcomes.map_err(|error| ErrorCode::from(&error))?.into_iter();
    Ok(outcomes
        .map(|outcome| outcome.err().map_or(ErrorCode::None, |error| ErrorCode::from(&error)))
        .collect())
}

fn render(members: Vec<LeavingMember>, outcomes: Vec<ErrorCode>) -> Vec<LeftMember> {
    let members = members.into_iter().zip(outcomes).map(|(member, error_code)| LeftMember {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        error_code,
    });
    members.collect()
}
