//! AlterPartitionReassignments: partitions can be on the one node, and nowhere else.

use std::sync::Arc;

use factum_broker::Topic;
use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignedPartition,
    ReassignedTopic, ReassignmentResult, ReassignmentsOfTopic,
};

impl Handle for AlterPartitionReassignmentsRequest {
    type Response = AlterPartitionReassignmentsResponse;

    async fn handle(self, call: &Call) -> AlterPartitionReassignmentsResponse {
        let allowed = call.session.check_cluster(Action::Alter);
        let asked = if allowed.is_ok() { self.topics } else { Vec::new() };
        let topics = lookup::unique(asked, |topic| topic.name.clone());
        AlterPartitionReassignmentsResponse {
            throttle_time_ms: 0,
            allow_replication_factor_change: self.allow_replication_factor_change,
            error_code: allowed.err().unwrap_or(ErrorCode::None),
            error_message: None,
            responses: topics.map(|topic| reassign_topic(call, topic)).collect(),
        }
    }
}

fn reassign_topic(call: &Call, asked: ReassignedTopic) -> ReassignmentsOfTopic {
    let topic = call.session.topic(Action::Describe, &asked.name);
    let partitions = lookup::unique(asked.partitions, |partition| partition.partition_index);
    let partitions = partitions.map(|asked| ReassignmentResult {
        partition_index: asked.partition_index,
        error_code: reassign(call, &topic, &asked).err().unwrap_or(ErrorCode::None),
        error_message: None,
    });
    ReassignmentsOfTopic { partitions: partitions.collect(), name: asked.name }
}

fn reassign(
    call: &Call,
    topic: &Result<Arc<Topic>, ErrorCode>,
    asked: &ReassignedPartition,
) -> Result<(), ErrorCode> {
    lookup::partition(topic, asked.partition_index)?;
    match &asked.replicas {
        None => Err(ErrorCode::NoReassignmentInProgress),
        Some(replicas) if *replicas == [call.session.broker().node_id()] => Ok(()),
        Some(_) => Err(ErrorCode::InvalidReplicaAssignment),
    }
}
