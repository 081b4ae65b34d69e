//! Groups of the consumer protocol (KIP-848), driven as a consumer drives them.

use std::sync::Arc;

use factum_kafka_server::Options;
use factum_kafka_server::messages::ApiKey;
use factum_types::auth::{AccessDeniedError, Authorizer, Client as AskingClient};
use factum_types::{Action, Resource};
use kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{
    ApiVersionsRequest, ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse, DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest,
    OffsetCommitRequest, OffsetFetchRequest, TopicName,
};

use crate::client::{Client, name_of, text};
use crate::groups::{enter_with, readers};
use crate::server::Server;

fn orders() -> TopicName {
    TopicName(text("orders"))
}

fn beat(member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(readers())
        .with_member_id(text(member))
        .with_member_epoch(epoch)
}

fn join(member: &str) -> ConsumerGroupHeartbeatRequest {
    beat(member, 0)
        .with_rebalance_timeout_ms(10_000)
        .with_subscribed_topic_names(Some(vec![orders()]))
        .with_topic_partitions(Some(Vec::new()))
}

/// The partitions of an assignment to one topic.
fn assigned(response: &ConsumerGroupHeartbeatResponse) -> Option<Vec<i32>> {
    let assignment = response.assignment.as_ref()?;
    Some(assignment.topic_partitions.iter().flat_map(|topic| topic.partitions.clone()).collect())
}

fn error(response: &ConsumerGroupHeartbeatResponse) -> &'static str {
    name_of(response.error_code)
}

/// Asks `api` about topic `orders` and group `readers`; gives the codes in the answer.
pub(crate) async fn ask(client: &mut Client, api: ApiKey) -> Vec<i16> {
    if api == ApiKey::ConsumerGroupHeartbeat {
        return vec![client.ask(&join("m"), 1).await.error_code];
    }
    let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![readers()]);
    client.ask(&request, 1).await.groups.iter().map(|group| group.error_code).collect()
}

#[tokio::test]
async fn two_members_share_a_topic_and_one_leaves() {
    let server = Server::start().await;
    server.create_topic("orders", 4).await;
    let mut client = server.client().await;
    let first = client.ask(&join("a"), 1).await;
    assert_eq!((error(&first), first.member_epoch, first.heartbeat_interval_ms), ("NONE", 1, 5_000));
    assert_eq!(assigned(&first), Some(vec![0, 1, 2, 3]));
    let topic_id = first.assignment.as_ref().expect("an assignment").topic_partitions[0].topic_id;
    assert_eq!(server.broker.topic("orders").map(|topic| topic.id().uuid()), Some(topic_id));
    let second = client.ask(&join("b"), 1).await;
    assert_eq!((second.member_epoch, assigned(&second)), (2, Some(vec![])));
    let first = client.ask(&beat("a", 1), 1).await;
    assert_eq!((first.member_epoch, assigned(&first)), (1, Some(vec![0, 1])));
    let owned = TopicPartitions::default().with_topic_id(topic_id).with_partitions(vec![0, 1]);
    let first = client.ask(&beat("a", 1).with_topic_partitions(Some(vec![owned])), 1).await;
    assert_eq!((first.member_epoch, assigned(&first)), (2, None));
    let second = client.ask(&beat("b", 2), 1).await;
    assert_eq!(assigned(&second), Some(vec![2, 3]));

    let request = ConsumerGroupDescribeRequest::default()
        .with_group_ids(vec![readers()])
        .with_include_authorized_operations(true);
    let described = client.ask(&request, 1).await;
    let group = &described.groups[0];
    assert_eq!(
        (group.error_code, group.group_state.as_str(), group.assignor_name.as_str()),
        (0, "Stable", "uniform")
    );
    assert_eq!((group.group_epoch, group.assignment_epoch), (2, 2));
    assert!(group.authorized_operations > 0);
    let member = &group.members[1];
    assert_eq!(
        (member.member_id.as_str(), member.client_id.as_str(), member.member_type),
        ("b", "listener-test", 1)
    );
    assert_eq!(member.client_host.as_str(), "/127.0.0.1");
    assert_eq!(member.assignment, member.target_assignment);
    assert_eq!(member.assignment.topic_partitions[0].topic_name, orders());

    let left = client.ask(&beat("a", -1), 1).await;
    assert_eq!((error(&left), left.member_epoch), ("NONE", -1));
    let second = client.ask(&beat("b", 2), 1).await;
    assert_eq!((second.member_epoch, assigned(&second)), (3, Some(vec![0, 1, 2, 3])));
    let gone = client.ask(&beat("a", 2), 1).await;
    assert_eq!(error(&gone), "UNKNOWN_MEMBER_ID");
    let fenced = client.ask(&beat("b", 9), 1).await;
    assert_eq!(error(&fenced), "FENCED_MEMBER_EPOCH");
}

#[tokio::test]
async fn version_0_is_given_a_member_id() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let joined = client.ask(&join(""), 0).await;
    let id = joined.member_id.clone().expect("an id");
    assert_eq!((error(&joined), id.len()), ("NONE", 36));
    assert_eq!(error(&client.ask(&beat(id.as_str(), 1), 0).await), "NONE");
    assert_eq!(error(&client.ask(&join(""), 1).await), "INVALID_REQUEST");
}

#[tokio::test]
async fn refusals_say_why() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let refused = client.ask(&join("a").with_server_assignor(Some(text("sticky"))), 1).await;
    assert_eq!(error(&refused), "UNSUPPORTED_ASSIGNOR");
    assert!(refused.error_message.is_some_and(|message| message.as_str().contains("uniform, range")));
    let refused = client.ask(&join("a").with_subscribed_topic_regex(Some(text("("))), 1).await;
    assert_eq!(error(&refused), "INVALID_REGULAR_EXPRESSION");
    let named = |member| join(member).with_instance_id(Some(text("i")));
    assert_eq!(error(&client.ask(&named("a"), 1).await), "NONE");
    assert_eq!(error(&client.ask(&named("b"), 1).await), "UNRELEASED_INSTANCE_ID");
    assert_eq!(
        error(&client.ask(&beat("b", 1).with_instance_id(Some(text("i"))), 1).await),
        "FENCED_INSTANCE_ID"
    );
}

#[tokio::test]
async fn offsets_go_by_the_members_epoch() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    client.ask(&join("a"), 1).await;
    let commit = |epoch| {
        let partition = OffsetCommitRequestPartition::default().with_committed_offset(0);
        let topic = OffsetCommitRequestTopic::default().with_name(orders()).with_partitions(vec![partition]);
        OffsetCommitRequest::default()
            .with_group_id(readers())
            .with_member_id(text("a"))
            .with_generation_id_or_member_epoch(epoch)
            .with_topics(vec![topic])
    };
    let code = client.ask(&commit(1), 9).await.topics[0].partitions[0].error_code;
    assert_eq!(name_of(code), "NONE");
    let code = client.ask(&commit(0), 9).await.topics[0].partitions[0].error_code;
    assert_eq!(name_of(code), "STALE_MEMBER_EPOCH");
    let fetch = |member: Option<&str>, epoch| {
        let topic = OffsetFetchRequestTopics::default().with_name(orders()).with_partition_indexes(vec![0]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(readers())
            .with_member_id(member.map(text))
            .with_member_epoch(epoch)
            .with_topics(Some(vec![topic]));
        OffsetFetchRequest::default().with_groups(vec![group])
    };
    for (member, epoch, expected) in [
        (Some("a"), 1, "NONE"),
        (Some("a"), 7, "STALE_MEMBER_EPOCH"),
        (Some("b"), 1, "UNKNOWN_MEMBER_ID"),
        (None, -1, "NONE"),
    ] {
        let code = client.ask(&fetch(member, epoch), 9).await.groups[0].error_code;
        assert_eq!(name_of(code), expected, "{member:?} {epoch}");
    }
}

#[tokio::test]
async fn groups_of_both_protocols_are_told_apart() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    client.ask(&join("a"), 1).await;
    let list = |types: &[&str]| {
        ListGroupsRequest::default().with_types_filter(types.iter().map(|each| text(each)).collect())
    };
    let listed = client.ask(&list(&["Consumer"]), 5).await;
    let group = &listed.groups[0];
    assert_eq!(
        (group.group_type.as_str(), group.protocol_type.as_str(), group.group_state.as_str()),
        ("consumer", "consumer", "Stable")
    );
    assert!(client.ask(&list(&["classic"]), 5).await.groups.is_empty());
    let describe = DescribeGroupsRequest::default().with_groups(vec![readers()]);
    let code = client.ask(&describe, 6).await.groups[0].error_code;
    assert_eq!(name_of(code), "GROUP_ID_NOT_FOUND");
    assert_eq!(client.ask(&describe, 5).await.groups[0].group_state.as_str(), "Dead");
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![readers()]);
    assert_eq!(name_of(client.ask(&delete, 2).await.results[0].error_code), "NON_EMPTY_GROUP");
    client.ask(&beat("a", -1), 1).await;
    assert_eq!(name_of(client.ask(&delete, 2).await.results[0].error_code), "NONE");
    enter_with(&mut client, bytes::Bytes::from_static(b"subscription")).await;
    assert_eq!(name_of(ask(&mut client, ApiKey::ConsumerGroupDescribe).await[0]), "GROUP_ID_NOT_FOUND");
    assert_eq!(error(&client.ask(&join("a"), 1).await), "GROUP_ID_NOT_FOUND");
}

#[tokio::test]
async fn the_consumer_protocol_is_a_feature_in_force() {
    let server = Server::start().await;
    let response = server.client().await.ask(&ApiVersionsRequest::default(), 4).await;
    let in_force = response.finalized_features.iter();
    let in_force: Vec<_> =
        in_force.map(|feature| (feature.name.as_str(), feature.max_version_level)).collect();
    assert_eq!(in_force, [("group.version", 1), ("transaction.version", 2)]);
}

/// Hides every topic but `orders`.
struct OrdersOnly;

impl Authorizer for OrdersOnly {
    fn check(
        &self,
        client: AskingClient<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        match resource {
            Resource::Topic(topic) if topic.as_str() != "orders" => Err(AccessDeniedError {
                principal: client.principal.clone(),
                action,
                resource: resource.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn expressions_match_the_topics_that_a_client_may_see() {
    let server = Server::start_with(Options::default(), Arc::new(OrdersOnly)).await;
    server.create_topic("orders", 1).await;
    server.create_topic("secrets", 1).await;
    let mut client = server.client().await;
    let refused =
        client.ask(&join("a").with_subscribed_topic_names(Some(vec![TopicName(text("secrets"))])), 1).await;
    assert_eq!(error(&refused), "TOPIC_AUTHORIZATION_FAILED");
    let pattern = join("a").with_subscribed_topic_names(None).with_subscribed_topic_regex(Some(text(".*")));
    let joined = client.ask(&pattern, 1).await;
    let topics = joined.assignment.expect("an assignment").topic_partitions;
    assert_eq!(topics.len(), 1, "{topics:?}");
    assert_eq!(server.broker.topic("orders").map(|topic| topic.id().uuid()), Some(topics[0].topic_id));
}

#[tokio::test]
async fn expressions_are_short_and_light() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let heavy = format!("(?i){}", r"\pL".repeat(80));
    for pattern in [&"a".repeat(257), &heavy, r"\pL{1,100}"] {
        let request =
            join("a").with_subscribed_topic_names(None).with_subscribed_topic_regex(Some(text(pattern)));
        assert_eq!(error(&client.ask(&request, 1).await), "INVALID_REGULAR_EXPRESSION", "{pattern}");
    }
}
