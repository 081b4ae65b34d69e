//! Elections of leaders and reassignments of partitions, answered by the one node.

use factum_kafka_server::messages::ApiKey;
use kafka_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, BrokerId, ElectLeadersRequest, ListPartitionReassignmentsRequest,
    TopicName,
};

use crate::client::{Client, name_of, text};
use crate::server::Server;

fn orders() -> TopicName {
    TopicName(text("orders"))
}

fn elect(partitions: Vec<i32>) -> ElectLeadersRequest {
    let topic = TopicPartitions::default().with_topic(orders()).with_partitions(partitions);
    ElectLeadersRequest::default().with_topic_partitions(Some(vec![topic]))
}

fn reassign(replicas: Option<Vec<i32>>) -> AlterPartitionReassignmentsRequest {
    let replicas = replicas.map(|replicas| replicas.into_iter().map(BrokerId).collect());
    let partition = ReassignablePartition::default().with_partition_index(0).with_replicas(replicas);
    let topic = ReassignableTopic::default().with_name(orders()).with_partitions(vec![partition]);
    AlterPartitionReassignmentsRequest::default().with_topics(vec![topic])
}

/// The error code of the whole answer.
pub(crate) async fn ask(client: &mut Client, api: ApiKey) -> i16 {
    match api {
        ApiKey::ElectLeaders => client.ask(&elect(vec![0]), 2).await.error_code,
        ApiKey::AlterPartitionReassignments => client.ask(&reassign(None), 0).await.error_code,
        _ => {
            let all = ListPartitionReassignmentsRequest::default().with_topics(None);
            client.ask(&all, 0).await.error_code
        }
    }
}

#[tokio::test]
async fn the_one_node_leads_all_and_nothing_moves() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let elected = client.ask(&elect(vec![0, 0, 3]), 2).await;
    let codes: Vec<_> = elected.replica_election_results[0]
        .partition_result
        .iter()
        .map(|partition| (partition.partition_id, name_of(partition.error_code)))
        .collect();
    assert_eq!(codes, [(0, "ELECTION_NOT_NEEDED"), (3, "UNKNOWN_TOPIC_OR_PARTITION")]);
    let all = ElectLeadersRequest::default().with_topic_partitions(None);
    assert_eq!(client.ask(&all, 2).await.replica_election_results, [], "no leader changed");

    let node = server.broker.node_id();
    for (replicas, expected) in [
        (Some(vec![node]), "NONE"),
        (Some(vec![node, node + 1]), "INVALID_REPLICA_ASSIGNMENT"),
        (Some(vec![]), "INVALID_REPLICA_ASSIGNMENT"),
        (None, "NO_REASSIGNMENT_IN_PROGRESS"),
    ] {
        let response = client.ask(&reassign(replicas.clone()), 0).await;
        let code = response.responses[0].partitions[0].error_code;
        assert_eq!((response.error_code, name_of(code)), (0, expected), "{replicas:?}");
    }
    let moving = client.ask(&ListPartitionReassignmentsRequest::default().with_topics(None), 0).await;
    assert_eq!((moving.error_code, moving.topics), (0, vec![]));
}
