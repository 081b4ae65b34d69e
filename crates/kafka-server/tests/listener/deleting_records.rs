//! The oldest records of a partition are deleted, and what topics take of the disk is told.

use std::time::Duration;

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::{DeleteRecordsRequest, DescribeLogDirsRequest, TopicName};

use crate::client::{Client, batch, text};
use crate::fetching::{earliest, fetch};
use crate::producing::{outcome, produce};
use crate::server::Server;

/// The error and the low watermark.
async fn delete_before(client: &mut Client, topic: &str, partition: i32, offset: i64) -> (i16, i64) {
    let partition = DeleteRecordsPartition::default().with_partition_index(partition).with_offset(offset);
    let topic =
        DeleteRecordsTopic::default().with_name(TopicName(text(topic))).with_partitions(vec![partition]);
    let response = client.ask(&DeleteRecordsRequest::default().with_topics(vec![topic]), 2).await;
    let told = &response.topics[0].partitions[0];
    (told.error_code, told.low_watermark)
}

#[tokio::test]
async fn records_before_an_offset_are_deleted() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    for value in ["a", "b", "c", "d"] {
        let response = client.ask(&produce("orders", 0, -1, Some(batch(&[value]))), 9).await;
        assert_eq!(outcome(&response).error_code, 0);
    }
    assert_eq!(delete_before(&mut client, "orders", 0, 2).await, (0, 2));
    assert_eq!(delete_before(&mut client, "orders", 0, 1).await, (0, 2), "what is gone stays gone");
    let found = client.ask(&earliest("orders"), 9).await;
    assert_eq!(found.topics[0].partitions[0].offset, 2);
    let fetched = client.ask(&fetch("orders", 1, Duration::ZERO), 12).await;
    let fetched = &fetched.responses[0].partitions[0];
    assert_eq!((fetched.error_code, fetched.log_start_offset), (1, 2));
    assert_eq!(delete_before(&mut client, "orders", 0, 5).await, (1, -1), "there is no offset 5");
    assert_eq!(delete_before(&mut client, "orders", 0, -2).await, (1, -1));
    assert_eq!(delete_before(&mut client, "orders", 7, 0).await, (3, -1));
    assert_eq!(delete_before(&mut client, "unknown", 0, 0).await, (3, -1));
    assert_eq!(delete_before(&mut client, "__consumer_offsets", 0, -1).await, (17, -1), "it is reserved");
    assert_eq!(delete_before(&mut client, "orders", 0, -1).await, (0, 4), "up to the high watermark");
    let response = client.ask(&produce("orders", 0, -1, Some(batch(&["e"]))), 9).await;
    assert_eq!(outcome(&response).base_offset, 4, "offsets are not used again");
}

#[tokio::test]
async fn log_dirs_show_the_sizes_of_partitions_and_of_the_file_system() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    let mut client = server.client().await;
    client.ask(&produce("orders", 1, -1, Some(batch(&["a"]))), 9).await;
    let all = client.ask(&DescribeLogDirsRequest::default().with_topics(None), 4).await;
    assert_eq!((all.error_code, all.results.len()), (0, 1));
    let dir = &all.results[0];
    assert!(dir.log_dir.starts_with('/'), "{}", dir.log_dir.as_str());
    assert!(0 < dir.usable_bytes && dir.usable_bytes <= dir.total_bytes, "{dir:?}");
    let names: Vec<_> = dir.topics.iter().map(|topic| topic.name.as_str()).collect();
    assert_eq!(names, ["__consumer_offsets", "__transaction_state", "orders"]);
    let sizes: Vec<_> = dir.topics[2].partitions.iter().map(|each| each.partition_size > 0).collect();
    assert_eq!(sizes, [false, true]);

    let asked = |name: &str, partitions: &[i32]| {
        DescribableLogDirTopic::default()
            .with_topic(TopicName(text(name)))
            .with_partitions(partitions.to_vec())
    };
    let topics = vec![asked("orders", &[1, 1, 7]), asked("unknown", &[0])];
    let some = client.ask(&DescribeLogDirsRequest::default().with_topics(Some(topics)), 4).await;
    let found: Vec<_> = some.results[0].topics.iter().map(|topic| topic.partitions.len()).collect();
    assert_eq!(found, [1], "what there is, once");
}
