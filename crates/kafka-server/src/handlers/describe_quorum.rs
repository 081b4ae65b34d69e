//! DescribeQuorum: the one node, which decides alone.
//!
//! Topics and their settings are in files of the data directory, not in a log of metadata: its offsets are given as 0.

use factum_types::{Action, PartitionId, TopicId};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, DescribedQuorum, DescribedQuorumTopic, QuorumNode,
    QuorumTopic, ReplicaState,
};

/// The topic in which Kafka keeps its metadata, with one partition.
const METADATA_TOPIC: &str = "__cluster_metadata";
/// The only epoch that the only node ever leads in.
const EPOCH: i32 = 1;

impl Handle for DescribeQuorumRequest {
    type Response = DescribeQuorumResponse;

    async fn handle(self, call: &Call) -> DescribeQuorumResponse {
        if let Err(error_code) = call.session.check_cluster(Action::Describe) {
            return DescribeQuorumResponse {
                error_code,
                error_message: None,
                topics: Vec::new(),
                nodes: Vec::new(),
            };
        }
        let endpoint = call.session.endpoint();
        let node = QuorumNode {
            node_id: call.session.broker().node_id(),
            listener: "PLAINTEXT".to_owned(),
            host: endpoint.host,
            port: endpoint.port,
        };
        DescribeQuorumResponse {
            error_code: ErrorCode::None,
            error_message: None,
            topics: lookup::unique(self.topics, |topic| topic.topic_name.clone())
                .map(|topic| describe(call, topic))
                .collect(),
            nodes: vec![node],
        }
    }
}

fn describe(call: &Call, topic: QuorumTopic) -> DescribedQuorumTopic {
    let QuorumTopic { topic_name, partitions } = topic;
    let is_metadata = topic_name == METADATA_TOPIC;
    let quorum = |partition| match partition {
        0 if is_metadata => of_metadata(call),
        partition => unknown(partition),
    };
    let partitions = lookup::unique(partitions, |partition| *partition).map(quorum).collect();
    DescribedQuorumTopic { topic_name, partitions }
}

fn of_metadata(call: &Call) -> DescribedQuorum {
    let broker = call.session.broker();
    let leader = ReplicaState {
        replica_id: broker.node_id(),
        replica_directory_id: TopicId::NIL,
        log_end_offset: 0,
        last_fetch_timestamp: -1,
        last_caught_up_timestamp: broker.clock().now().as_millis(),
    };
    DescribedQuorum {
        partition_index: 0,
        error_code: ErrorCode::None,
        error_message: None,
        leader_id: broker.node_id(),
        leader_epoch: EPOCH,
        high_watermark: 0,
        current_voters: vec![leader],
    }
}

fn unknown(partition_index: PartitionId) -> DescribedQuorum {
    DescribedQuorum {
        partition_index,
        error_code: ErrorCode::UnknownTopicOrPartition,
        error_message: Some(format!("the quorum is that of {METADATA_TOPIC}, partition 0")),
        leader_id: -1,
        leader_epoch: -1,
        high_watermark: -1,
        current_voters: Vec::new(),
    }
}
