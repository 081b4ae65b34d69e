//! FindCoordinator: who looks after a group, or a transactional producer. There is one node, so it is this one.

use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse, GROUP, TRANSACTION,
};

impl Handle for FindCoordinatorRequest {
    type Response = FindCoordinatorResponse;

    async fn handle(self, call: &Call) -> FindCoordinatorResponse {
        let key_type = self.key_type;
        let keys = lookup::unique(self.coordinator_keys, String::clone);
        let coordinators = keys.map(|key| match check(call, key_type, &key) {
            Ok(()) => here(call, key),
            Err((error_code, reason)) => nowhere(key, error_code, reason),
        });
        FindCoordinatorResponse { throttle_time_ms: 0, coordinators: coordinators.collect() }
    }
}

fn check(call: &Call, key_type: i8, key: &str) -> Result<(), (ErrorCode, Option<String>)> {
    match key_type {
        GROUP => call.session.group(Action::Describe, key).map(drop).map_err(|code| (code, None)),
        TRANSACTION => {
            call.session.transactional_id(Action::Describe, key).map(drop).map_err(|code| (code, None))
        }
        other => Err((ErrorCode::InvalidRequest, Some(format!("there is no coordinator of type {other}")))),
    }
}

fn here(call: &Call, key: String) -> Coordinator {
    let (node_id, endpoint) = (call.session.broker().node_id(), call.session.endpoint());
    Coordinator {
        key,
        node_id,
        host: endpoint.host,
        port: endpoint.port.into(),
        error_code: ErrorCode::None,
        error_message: None,
    }
}

fn nowhere(key: String, error_code: ErrorCode, error_message: Option<String>) -> Coordinator {
    Coordinator { key, node_id: -1, host: String::new(), port: -1, error_code, error_message }
}
