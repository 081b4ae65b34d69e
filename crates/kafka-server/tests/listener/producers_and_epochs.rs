//! Producers that a partition remembers (DescribeProducers), and where its leader epochs ended (OffsetForLeaderEpoch).

use factum_broker::EndTransaction;
use factum_types::record::TransactionOutcome::Abort;
use factum_types::{BatchBuilder, Timestamp};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{DescribeProducersRequest, OffsetForLeaderEpochRequest, TopicName};

use crate::client::{Client, batch, name_of, text};
use crate::producing::produce;
use crate::server::Server;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn orders() -> TopicName {
    TopicName(text("orders"))
}

#[tokio::test]
async fn producers_are_described_with_their_open_transactions() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let topic = server.broker.topic("orders").expect("created");
    let log = topic.partition(0).expect("created").log();
    for producer in [7, 8] {
        let mut builder = BatchBuilder::new().producer(producer, 2, 0).transactional();
        builder.push(NOW, None, None, &[]);
        builder.push(NOW, None, None, &[]);
        log.append(builder.build(), NOW).expect("taken");
    }
    let end = EndTransaction { producer_id: 7, producer_epoch: 3, outcome: Abort, coordinator_epoch: 5 };
    log.end_transaction(&end, NOW).expect("taken");

    let mut client = server.client().await;
    let asked = TopicRequest::default().with_name(orders()).with_partition_indexes(vec![0, 0, 1]);
    let response = client.ask(&DescribeProducersRequest::default().with_topics(vec![asked]), 0).await;
    let partitions = &response.topics[0].partitions;
    let codes: Vec<_> = partitions.iter().map(|p| (p.partition_index, name_of(p.error_code))).collect();
    assert_eq!(codes, [(0, "NONE"), (1, "UNKNOWN_TOPIC_OR_PARTITION")], "each partition once");
    let described: Vec<_> = partitions[0]
        .active_producers
        .iter()
        .map(|p| {
            (
                p.producer_id.0,
                p.producer_epoch,
                p.last_sequence,
                p.coordinator_epoch,
                p.current_txn_start_offset,
            )
        })
        .collect();
    assert_eq!(described, [(7, 3, -1, 5, -1), (8, 2, 1, -1, 2)]);
}

/// The epoch and its end, or the error.
async fn end_of(client: &mut Client, current: i32, asked: i32) -> (&'static str, i32, i64) {
    let partition =
        OffsetForLeaderPartition::default().with_current_leader_epoch(current).with_leader_epoch(asked);
    let topic = OffsetForLeaderTopic::default().with_topic(orders()).with_partitions(vec![partition]);
    let response = client.ask(&OffsetForLeaderEpochRequest::default().with_topics(vec![topic]), 4).await;
    let found = &response.topics[0].partitions[0];
    (name_of(found.error_code), found.leader_epoch, found.end_offset)
}

#[tokio::test]
async fn an_unclean_start_ends_the_leader_epoch_before_it() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    client.ask(&produce("orders", 0, -1, Some(batch(&["a", "b"]))), 9).await;
    let first = end_of(&mut client, -1, 0).await;
    assert_eq!(first, ("NONE", 0, 2));
    drop(client);
    // A checkpoint that cannot be read is no clean stop.
    let server = server
        .restarted_over(|dir| {
            let checkpoint = dir.join("topics/orders/0/checkpoint");
            std::fs::remove_file(checkpoint).expect("it is there");
        })
        .await;
    let mut client = server.client().await;
    client.ask(&produce("orders", 0, -1, Some(batch(&["c"]))), 9).await;
    assert_eq!(end_of(&mut client, 1, 0).await, ("NONE", 0, 2));
    assert_eq!(end_of(&mut client, 1, 1).await, ("NONE", 1, 3));
    assert_eq!(end_of(&mut client, 1, 9).await, ("NONE", -1, -1), "it was never known");
    assert_eq!(end_of(&mut client, 0, 0).await, ("FENCED_LEADER_EPOCH", -1, -1));
    assert_eq!(end_of(&mut client, 2, 0).await, ("UNKNOWN_LEADER_EPOCH", -1, -1));
}
