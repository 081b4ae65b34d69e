//! Heartbeat: a member is alive, and learns whether the group rebalances.

use factum_types::Action;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};

impl Handle for HeartbeatRequest {
    type Response = HeartbeatResponse;

    async fn handle(self, call: &Call) -> HeartbeatResponse {
        let outcome = call.session.group(Action::Read, &self.group_id).and_then(|group| {
            let coordinator = call.session.broker().coordinator();
            let instance = self.group_instance_id.as_deref();
            let heard = coordinator.heartbeat(&group, self.generation_id, &self.member_id, instance);
            heard.map_err(|error| ErrorCode::from(&error))
        });
        HeartbeatResponse { throttle_time_ms: 0, error_code: outcome.err().unwrap_or(ErrorCode::None) }
    }
}
