//! ElectLeaders: the one node leads every partition already.

use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, ElectLeadersTopic, ElectionOfTopic, ElectionResult,
};

impl Handle for ElectLeadersRequest {
    type Response = ElectLeadersResponse;

    async fn handle(self, call: &Call) -> ElectLeadersResponse {
        let allowed = call.session.check_cluster(Action::Alter);
        // Who asks for all partitions is told of those only whose leader changed.
        let asked = self.topic_partitions.unwrap_or_default();
        let topics = lookup::unique(asked, |topic| topic.topic.clone());
        let results = topics.map(|topic| elect(call, allowed, topic)).collect();
        let error_code = allowed.err().unwrap_or(ErrorCode::None);
        ElectLeadersResponse { throttle_time_ms: 0, error_code, results }
    }
}

fn elect(call: &Call, allowed: Result<(), ErrorCode>, asked: ElectLeadersTopic) -> ElectionOfTopic {
    let topic = allowed.and_then(|()| call.session.topic(Action::Describe, &asked.topic));
    let partitions = lookup::unique(asked.partitions, |partition| *partition);
    let partitions = partitions.map(|partition_id| ElectionResult {
        partition_id,
        error_code: lookup::partition(&topic, partition_id).err().unwrap_or(ErrorCode::ElectionNotNeeded),
        error_message: None,
    });
    ElectionOfTopic { partitions: partitions.collect(), topic: asked.topic }
}
