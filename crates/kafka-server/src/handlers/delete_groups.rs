//! DeleteGroups: groups without members away, with their offsets.

use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse, DeletedGroup};

impl Handle for DeleteGroupsRequest {
    type Response = DeleteGroupsResponse;

    async fn handle(self, call: &Call) -> DeleteGroupsResponse {
        let mut results = Vec::new();
        for group_id in lookup::unique(self.groups, String::clone) {
            let error_code = delete(call, &group_id).await.err().unwrap_or(ErrorCode::None);
            results.push(DeletedGroup { group_id, error_code });
        }
        DeleteGroupsResponse { throttle_time_ms: 0, results }
    }
}

async fn delete(call: &Call, id: &str) -> Result<(), ErrorCode> {
    let group = call.session.group(Action::Delete, id)?;
    let deleted = call.session.broker().coordinator().delete(&group).await;
    deleted.map_err(|error| ErrorCode::from(&error))
}
