//! ListPartitionReassignments: with one node, no partition is ever being moved.

use factum_types::Action;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};

impl Handle for ListPartitionReassignmentsRequest {
    type Response = ListPartitionReassignmentsResponse;

    async fn handle(self, call: &Call) -> ListPartitionReassignmentsResponse {
        let error_code = call.session.check_cluster(Action::Describe).err().unwrap_or(ErrorCode::None);
        ListPartitionReassignmentsResponse { throttle_time_ms: 0, error_code, error_message: None }
    }
}
