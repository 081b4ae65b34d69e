//! Groups and committed offsets are deleted, but for those that are in use.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, GroupId, LeaveGroupRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest, TopicName,
};

use crate::client::{Client, text};
use crate::groups::{enter_with, readers, sync};
use crate::server::Server;

/// A subscription to one topic, as consumers of version 0 of the protocol write it.
fn subscription(topic: &str) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    bytes.put_i32(1);
    bytes.put_i16(i16::try_from(topic.len()).expect("short"));
    bytes.put_slice(topic.as_bytes());
    bytes.put_i32(-1);
    bytes.freeze()
}

/// Commits offset 1 of partition 0 of each topic, as a client that is no member.
async fn commit(client: &mut Client, group: &str, topics: &[&str]) {
    let topic = |name: &&str| {
        let partition =
            OffsetCommitRequestPartition::default().with_partition_index(0).with_committed_offset(1);
        OffsetCommitRequestTopic::default().with_name(TopicName(text(name))).with_partitions(vec![partition])
    };
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(topics.iter().map(topic).collect());
    let response = client.ask(&request, 8).await;
    assert!(response.topics.iter().all(|topic| topic.partitions[0].error_code == 0), "{response:?}");
}

/// The topics of which `group` has an offset.
async fn committed(client: &mut Client, group: &str) -> Vec<String> {
    let group = OffsetFetchRequestGroup::default().with_group_id(GroupId(text(group))).with_topics(None);
    let response = client.ask(&OffsetFetchRequest::default().with_groups(vec![group]), 8).await;
    response.groups[0].topics.iter().map(|topic| topic.name.as_str().to_owned()).collect()
}

async fn delete_groups(client: &mut Client, groups: &[&str]) -> Vec<(String, i16)> {
    let names = groups.iter().map(|group| GroupId(text(group))).collect();
    let response = client.ask(&DeleteGroupsRequest::default().with_groups_names(names), 2).await;
    response.results.into_iter().map(|each| (each.group_id.as_str().to_owned(), each.error_code)).collect()
}

/// The error of the request, or those of the partitions.
async fn delete_offsets(client: &mut Client, group: &str, partitions: &[(&str, i32)]) -> Vec<i16> {
    let topic = |(name, index): &(&str, i32)| {
        let partition = OffsetDeleteRequestPartition::default().with_partition_index(*index);
        OffsetDeleteRequestTopic::default().with_name(TopicName(text(name))).with_partitions(vec![partition])
    };
    let request = OffsetDeleteRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_topics(partitions.iter().map(topic).collect());
    let response = client.ask(&request, 0).await;
    match response.error_code {
        0 => response.topics.iter().map(|topic| topic.partitions[0].error_code).collect(),
        code => vec![code],
    }
}

#[tokio::test]
async fn a_group_is_deleted_once_it_has_no_members() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    commit(&mut client, "writers", &["orders"]).await;
    let joined = enter_with(&mut client, subscription("orders")).await;
    sync(&mut client, &joined).await;
    let asked = ["writers", "readers", "strangers", "writers", ""];
    let result = |group: &str, code| (group.to_owned(), code);
    assert_eq!(
        delete_groups(&mut client, &asked).await,
        [result("writers", 0), result("readers", 68), result("strangers", 69), result("", 24)],
        "each is answered once"
    );
    assert_eq!(committed(&mut client, "writers").await, [""; 0], "its offsets are gone");
    let leave = LeaveGroupRequest::default().with_group_id(readers()).with_member_id(joined.member_id);
    assert_eq!(client.ask(&leave, 2).await.error_code, 0);
    assert_eq!(delete_groups(&mut client, &["readers"]).await, [result("readers", 0)]);
    assert_eq!(delete_groups(&mut client, &["readers"]).await, [result("readers", 69)]);
}

#[tokio::test]
async fn offsets_are_deleted_but_for_those_of_topics_that_members_read() {
    let server = Server::start().await;
    for topic in ["orders", "returns"] {
        server.create_topic(topic, 1).await;
    }
    let mut client = server.client().await;
    commit(&mut client, "readers", &["orders", "returns"]).await;
    let joined = enter_with(&mut client, subscription("orders")).await;
    let both = [("orders", 0), ("returns", 0)];
    // It is not known yet what the members read.
    assert_eq!(delete_offsets(&mut client, "readers", &both).await, [86, 86]);
    sync(&mut client, &joined).await;
    let all = [("orders", 0), ("returns", 0), ("returns", 7), ("unknown", 0)];
    assert_eq!(delete_offsets(&mut client, "readers", &all).await, [86, 0, 3, 3]);
    assert_eq!(committed(&mut client, "readers").await, ["orders"]);
    let leave = LeaveGroupRequest::default().with_group_id(readers()).with_member_id(joined.member_id);
    assert_eq!(client.ask(&leave, 2).await.error_code, 0);
    assert_eq!(
        delete_offsets(&mut client, "readers", &both).await,
        [0, 0],
        "one without an offset is no error"
    );
    assert_eq!(committed(&mut client, "readers").await, [""; 0]);
    assert_eq!(delete_offsets(&mut client, "strangers", &both).await, [69]);
    assert_eq!(delete_offsets(&mut client, "", &both).await, [24]);
}
