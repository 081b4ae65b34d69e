//! SyncGroup: the member's share of the partitions, once the leader has made the shares.

use bytes::Bytes;
use factum_broker::coordinator;
use factum_types::Action;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};

impl Handle for SyncGroupRequest {
    type Response = SyncGroupResponse;

    const IS_PATIENT: bool = true;

    async fn handle(self, call: &Call) -> SyncGroupResponse {
        let group = match call.session.group(Action::Read, &self.group_id) {
            Ok(group) => group,
            Err(code) => return refuse(code),
        };
        let sync = coordinator::SyncGroup {
            group,
            generation: self.generation_id,
            member_id: self.member_id,
            instance_id: self.group_instance_id,
            protocol_type: self.protocol_type,
            protocol: self.protocol_name,
            assignments: self.assignments.into_iter().map(|each| (each.member_id, each.assignment)).collect(),
        };
        match call.session.broker().coordinator().sync(sync).await {
            Ok(synced) => SyncGroupResponse {
                throttle_time_ms: 0,
                error_code: ErrorCode::None,
                protocol_type: synced.protocol_type,
                protocol_name: synced.protocol,
                assignment: synced.assignment,
            },
            Err(error) => refuse(ErrorCode::from(&error)),
        }
    }
}

fn refuse(error_code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        throttle_time_ms: 0,
        error_code,
        protocol_type: None,
        protocol_name: None,
        assignment: Bytes::new(),
    }
}
