//! CreatePartitions, DescribeTopicPartitions, ListConfigResources, DescribeQuorum and UpdateFeatures.

use expect_test::expect;
use factum_kafka_server::messages::ApiKey;
use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::describe_topic_partitions_response as page;
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::{
    BrokerId, CreatePartitionsRequest, DescribeQuorumRequest, DescribeTopicPartitionsRequest,
    ListConfigResourcesRequest, MetadataRequest, TopicName, UpdateFeaturesRequest,
};

use crate::client::{Client, batch, name_of, text};
use crate::producing::{outcome, produce};
use crate::server::Server;

fn topic(name: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic::default().with_name(TopicName(text(name))).with_count(count).with_assignments(None)
}

fn on(brokers: &[&[i32]]) -> Option<Vec<CreatePartitionsAssignment>> {
    let of = |ids: &&[i32]| {
        CreatePartitionsAssignment::default().with_broker_ids(ids.iter().map(|id| BrokerId(*id)).collect())
    };
    Some(brokers.iter().map(of).collect())
}

fn level(feature: &str, level: i16) -> FeatureUpdateKey {
    FeatureUpdateKey::default().with_feature(text(feature)).with_max_version_level(level).with_upgrade_type(1)
}

/// The codes in the answer about topic `orders`, for the table of what each API asks.
pub(crate) async fn ask(client: &mut Client, api: ApiKey) -> Vec<i16> {
    match api {
        ApiKey::CreatePartitions => {
            let request = CreatePartitionsRequest::default().with_topics(vec![topic("orders", 2)]);
            vec![client.ask(&request, 3).await.results[0].error_code]
        }
        ApiKey::DescribeQuorum => vec![client.ask(&quorum("__cluster_metadata"), 2).await.error_code],
        ApiKey::UpdateFeatures => {
            vec![client.ask(&UpdateFeaturesRequest::default(), 2).await.error_code]
        }
        ApiKey::ListConfigResources => {
            vec![client.ask(&ListConfigResourcesRequest::default(), 1).await.error_code]
        }
        _ => {
            let orders = TopicRequest::default().with_name(TopicName(text("orders")));
            let request = DescribeTopicPartitionsRequest::default().with_topics(vec![orders]);
            vec![client.ask(&request, 0).await.topics[0].error_code]
        }
    }
}

async fn grow(client: &mut Client, topics: Vec<CreatePartitionsTopic>, validate_only: bool) -> String {
    let request = CreatePartitionsRequest::default().with_topics(topics).with_validate_only(validate_only);
    let response = client.ask(&request, 3).await;
    let lines = response.results.iter().map(|result| {
        let words = result.error_message.as_ref().map(|words| words.as_str()).unwrap_or_default();
        let line = format!("{}: {} {words}", result.name.as_str(), name_of(result.error_code));
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}

#[tokio::test]
async fn topics_are_given_partitions_or_the_reason_why_not() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    server.create_topic("clicks", 1).await;
    let mut client = server.client().await;
    assert_eq!(grow(&mut client, vec![topic("orders", 5)], true).await, "orders: NONE\n");
    let counts = async |name: &str| server.broker.topic(name).expect("there").partition_count();
    assert_eq!(counts("orders").await, 2, "a rehearsal changes nothing");
    let cases = vec![
        topic("orders", 4),
        topic("twice", 4),
        topic("clicks", 3).with_assignments(on(&[&[1]])),
        topic("unknown", 4),
        topic("no/name", 4),
        topic("__consumer_offsets", 4),
        topic("twice", 5),
    ];
    expect![[r#"
        orders: NONE
        twice: INVALID_REQUEST the request names the topic twice
        clicks: INVALID_REPLICA_ASSIGNMENT 2 partitions are new, and 1 are assigned
        unknown: UNKNOWN_TOPIC_OR_PARTITION there is no topic unknown
        no/name: UNKNOWN_TOPIC_OR_PARTITION
        __consumer_offsets: INVALID_TOPIC_EXCEPTION topic __consumer_offsets is reserved for the server itself
    "#]]
    .assert_eq(&grow(&mut client, cases, false).await);
    for (count, assignments, expected) in [
        (4, None, "INVALID_PARTITIONS topic orders has 4 partitions, of which 4 would be no increase"),
        (-1, None, "INVALID_PARTITIONS topic orders has 4 partitions, of which -1 would be no increase"),
        (1_001, None, "INVALID_PARTITIONS a topic has 1 to 1000 partitions, not 1001"),
        (5, on(&[&[2]]), "INVALID_REPLICA_ASSIGNMENT each partition must have broker 1 as its replica"),
        (6, on(&[&[1], &[1]]), "NONE"),
    ] {
        let asked = topic("orders", count).with_assignments(assignments);
        let answered = grow(&mut client, vec![asked], false).await;
        assert_eq!(answered.trim_end(), format!("orders: {expected}"));
    }
    assert_eq!((counts("orders").await, counts("clicks").await), (6, 1));
}

#[tokio::test]
async fn new_partitions_are_served_at_once() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let refused = client.ask(&produce("orders", 2, -1, Some(batch(&["a"]))), 9).await;
    assert_eq!(name_of(outcome(&refused).error_code), "UNKNOWN_TOPIC_OR_PARTITION");
    grow(&mut client, vec![topic("orders", 3)], false).await;
    let taken = client.ask(&produce("orders", 2, -1, Some(batch(&["a"]))), 9).await;
    assert_eq!((outcome(&taken).error_code, outcome(&taken).base_offset), (0, 0));
    let metadata = client.ask(&MetadataRequest::default().with_topics(None), 9).await;
    let orders = metadata
        .topics
        .iter()
        .find(|topic| topic.name.as_ref().is_some_and(|name| name.as_str() == "orders"));
    assert_eq!(orders.expect("listed").partitions.len(), 3);
}

/// Each topic of a page with its partitions, and where the next page begins.
fn shown(response: &page::DescribeTopicPartitionsResponse) -> String {
    let topics = response.topics.iter().map(|topic| {
        let numbers: Vec<_> = topic.partitions.iter().map(|each| each.partition_index).collect();
        let name = topic.name.as_ref().map(|name| name.as_str()).unwrap_or_default();
        match topic.error_code {
            0 => format!("{name} {numbers:?}"),
            code => format!("{name} {}", name_of(code)),
        }
    });
    let next = response.next_cursor.as_ref();
    let next = next.map(|next| format!("then {} {}", next.topic_name.as_str(), next.partition_index));
    topics.chain(next).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn topics_are_described_in_pages() {
    let server = Server::start().await;
    for (name, partitions) in [("a", 2), ("b", 3), ("c", 1)] {
        server.create_topic(name, partitions).await;
    }
    let mut client = server.client().await;
    let mut describe = async |names: &[&str], limit: i32, cursor: Option<(&str, i32)>| {
        let named = |name: &&str| TopicRequest::default().with_name(TopicName(text(name)));
        let at = |(name, partition): (&str, i32)| {
            Cursor::default().with_topic_name(TopicName(text(name))).with_partition_index(partition)
        };
        let request = DescribeTopicPartitionsRequest::default()
            .with_topics(names.iter().map(named).collect())
            .with_response_partition_limit(limit)
            .with_cursor(cursor.map(at));
        shown(&client.ask(&request, 0).await)
    };
    let all = ["c", "a", "b", "gone", "no/name"];
    assert_eq!(
        describe(&all, 2_000, None).await,
        "a [0, 1], b [0, 1, 2], c [0], gone UNKNOWN_TOPIC_OR_PARTITION, no/name INVALID_TOPIC_EXCEPTION"
    );
    let own = "__consumer_offsets [0], __transaction_state [0], ";
    assert_eq!(describe(&[], 2_000, None).await, format!("{own}a [0, 1], b [0, 1, 2], c [0]"));
    assert_eq!(describe(&["a", "b", "c"], 4, None).await, "a [0, 1], b [0, 1], then b 2");
    assert_eq!(describe(&["a", "b", "c"], 4, Some(("b", 2))).await, "b [2], c [0]");
    assert_eq!(describe(&["a", "b", "c"], 5, None).await, "a [0, 1], b [0, 1, 2], then c 0");
    assert_eq!(describe(&[], 0, Some(("b", 1))).await, "b [1], then b 2", "at least one partition");
    assert_eq!(describe(&[], 9, Some(("bb", 7))).await, "c [0]", "the topic of a cursor may be gone");
    assert_eq!(describe(&["a", "c"], 9, Some(("b", 0))).await, "a INVALID_REQUEST, c INVALID_REQUEST");
    assert_eq!(describe(&["a"], 9, Some(("a", -1))).await, "a INVALID_REQUEST");
}

fn quorum(topic: &str) -> DescribeQuorumRequest {
    let partition = PartitionData::default().with_partition_index(0);
    let topic = TopicData::default().with_topic_name(TopicName(text(topic))).with_partitions(vec![partition]);
    DescribeQuorumRequest::default().with_topics(vec![topic])
}

#[tokio::test]
async fn the_one_node_is_the_quorum_of_the_metadata() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let described = client.ask(&quorum("__cluster_metadata"), 2).await;
    let partition = &described.topics[0].partitions[0];
    let voters: Vec<_> = partition.current_voters.iter().map(|voter| voter.replica_id.0).collect();
    assert_eq!((partition.error_code, partition.leader_id.0, voters), (0, 1, vec![1]));
    let listener = &described.nodes[0].listeners[0];
    let place = format!("{}:{}", listener.host.as_str(), listener.port);
    assert_eq!(place, server.address.to_string(), "where the client reached it");
    let other = client.ask(&quorum("orders"), 1).await;
    assert_eq!(name_of(other.topics[0].partitions[0].error_code), "UNKNOWN_TOPIC_OR_PARTITION");
}

#[tokio::test]
async fn features_stay_at_their_levels() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for (updates, expected) in [
        (vec![level("transaction.version", 2)], "NONE"),
        (vec![level("transaction.version", 1)], "INVALID_UPDATE_VERSION"),
        (vec![level("transaction.version", 2), level("kraft.version", 1)], "INVALID_UPDATE_VERSION"),
        (vec![level("transaction.version", 2).with_upgrade_type(9)], "INVALID_REQUEST"),
        (vec![level("metadata.version", 2), level("metadata.version", 2)], "INVALID_REQUEST"),
    ] {
        let request = UpdateFeaturesRequest::default().with_feature_updates(updates.clone());
        let response = client.ask(&request, 2).await;
        assert_eq!(name_of(response.error_code), expected, "{updates:?}");
    }
    let update = FeatureUpdateKey::default().with_feature(text("kraft.version")).with_max_version_level(1);
    let request = UpdateFeaturesRequest::default().with_feature_updates(vec![update]);
    let response = client.ask(&request, 0).await;
    assert_eq!((response.error_code, name_of(response.results[0].error_code)), (0, "INVALID_UPDATE_VERSION"));
}

#[tokio::test]
async fn resources_with_settings_are_listed_by_type() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let mut list = async |types: &[i8], version| {
        let request = ListConfigResourcesRequest::default().with_resource_types(types.to_vec());
        let response = client.ask(&request, version).await;
        let names = response.config_resources.iter();
        let names: Vec<_> =
            names.map(|each| format!("{}:{}", each.resource_type, each.resource_name.as_str())).collect();
        format!("{} {}", name_of(response.error_code), names.join(" ")).trim_end().to_owned()
    };
    let topics = "2:__consumer_offsets 2:__transaction_state 2:orders";
    assert_eq!(list(&[], 1).await, format!("NONE {topics} 4:1 8:1"));
    assert_eq!(list(&[8, 2], 1).await, format!("NONE {topics} 8:1"));
    assert_eq!(list(&[16, 32], 1).await, "NONE");
    assert_eq!(list(&[3], 1).await, "UNSUPPORTED_VERSION");
    assert_eq!(list(&[], 0).await, "NONE", "of version 0 are subscriptions to metrics alone");
}
