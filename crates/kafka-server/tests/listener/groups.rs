//! The group APIs, driven as a consumer drives them.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DescribeGroupsRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest, InitProducerIdRequest,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, ListGroupsRequest, OffsetCommitRequest,
    OffsetFetchRequest, SyncGroupRequest, TopicName, TransactionalId,
};

use crate::client::{Client, text};
use crate::server::Server;

pub(crate) fn readers() -> GroupId {
    GroupId(text("readers"))
}

fn join(member: &str) -> JoinGroupRequest {
    join_with(member, Bytes::from_static(b"subscription"))
}

fn join_with(member: &str, subscription: Bytes) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(subscription);
    JoinGroupRequest::default()
        .with_group_id(readers())
        .with_member_id(text(member))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

/// Joins as a client of version 9 does: first for an id, then with it.
async fn enter(client: &mut Client) -> JoinGroupResponse {
    enter_with(client, Bytes::from_static(b"subscription")).await
}

/// The same with what the member says that it reads.
pub(crate) async fn enter_with(client: &mut Client, subscription: Bytes) -> JoinGroupResponse {
    let first = client.ask(&join_with("", subscription.clone()), 9).await;
    assert_eq!(first.error_code, 79, "an id is given first");
    let joined = client.ask(&join_with(first.member_id.as_str(), subscription), 9).await;
    assert_eq!((joined.error_code, &joined.member_id), (0, &first.member_id));
    joined
}

pub(crate) async fn sync(client: &mut Client, joined: &JoinGroupResponse) -> Bytes {
    let assignments = joined.members.iter().map(|member| {
        SyncGroupRequestAssignment::default()
            .with_member_id(member.member_id.clone())
            .with_assignment(Bytes::from(format!("share of {}", member.member_id.as_str())))
    });
    let request = SyncGroupRequest::default()
        .with_group_id(readers())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_protocol_type(Some(text("consumer")))
        .with_protocol_name(Some(text("range")))
        .with_assignments(assignments.collect());
    let response = client.ask(&request, 5).await;
    assert_eq!(response.error_code, 0);
    response.assignment
}

async fn heartbeat(client: &mut Client, joined: &JoinGroupResponse) -> i16 {
    let request = HeartbeatRequest::default()
        .with_group_id(readers())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    client.ask(&request, 4).await.error_code
}

#[tokio::test]
async fn a_member_joins_is_given_its_share_and_leaves() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let joined = enter(&mut client).await;
    assert_eq!((joined.leader.as_str(), joined.members.len()), (joined.member_id.as_str(), 1));
    assert_eq!(joined.protocol_name.as_ref().map(|name| name.as_str()), Some("range"));
    assert_eq!(joined.members[0].metadata, "subscription");
    let share = sync(&mut client, &joined).await;
    assert_eq!(share, format!("share of {}", joined.member_id.as_str()));
    assert_eq!(heartbeat(&mut client, &joined).await, 0);

    let described = client.ask(&DescribeGroupsRequest::default().with_groups(vec![readers()]), 5).await;
    let group = &described.groups[0];
    assert_eq!((group.group_state.as_str(), group.protocol_data.as_str()), ("Stable", "range"));
    assert_eq!(group.members[0].client_id.as_str(), "listener-test");
    assert_eq!(group.members[0].client_host.as_str(), "/127.0.0.1");
    assert_eq!(group.members[0].member_assignment, share);

    let leaving = MemberIdentity::default().with_member_id(joined.member_id.clone());
    let stranger = MemberIdentity::default().with_member_id(text("stranger"));
    let request = LeaveGroupRequest::default().with_group_id(readers()).with_members(vec![leaving, stranger]);
    let left = client.ask(&request, 5).await;
    let codes: Vec<_> = left.members.iter().map(|member| member.error_code).collect();
    assert_eq!((left.error_code, codes), (0, vec![0, 25]));
    assert_eq!(heartbeat(&mut client, &joined).await, 25);
}

#[tokio::test]
async fn a_second_member_makes_the_first_join_again() {
    let server = Server::start().await;
    let (mut one, mut other) = (server.client().await, server.client().await);
    let first = enter(&mut one).await;
    sync(&mut one, &first).await;
    let offered = other.ask(&join(""), 9).await;
    let waiting = other.send(&join(offered.member_id.as_str()), 9).await;
    let told = tokio::time::timeout(crate::server::PATIENCE, async {
        while heartbeat(&mut one, &first).await != 27 {
            tokio::task::yield_now().await;
        }
    });
    told.await.expect("the first is told to join again");
    let again = one.ask(&join(first.member_id.as_str()), 9).await;
    let second = other.receive::<JoinGroupRequest>(9, waiting).await;
    assert_eq!((again.error_code, second.error_code), (0, 0));
    assert_eq!(again.generation_id, second.generation_id);
    assert_eq!(again.members.len() + second.members.len(), 2, "the leader alone sees the members");
}

/// What members bring is kept for as long as their sessions last, whether they are connected or not.
#[tokio::test]
async fn one_client_does_not_fill_the_memory_with_groups() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let subscription = Bytes::from(vec![b'm'; 990_000]);
    let mut joined = 0;
    let refused = loop {
        let request = join_with("", subscription.clone())
            .with_group_id(GroupId(text(&format!("group-{joined}"))))
            .with_session_timeout_ms(1_800_000);
        match client.ask(&request, 2).await.error_code {
            0 => joined += 1,
            code => break code,
        }
        assert!(joined < 300, "{joined} megabytes are kept of one client");
    };
    assert_eq!((refused, joined), (81, 135), "half of 256 MiB");
    assert_eq!(
        server.client().await.ask(&join(""), 9).await.error_code,
        79,
        "what is small still finds room"
    );
}

async fn commit(client: &mut Client, topic: &str, offset: i64, metadata: Option<&str>) -> i16 {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(0)
        .with_committed_offset(offset)
        .with_committed_metadata(metadata.map(text));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text(topic)))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(readers())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    client.ask(&request, 8).await.topics[0].partitions[0].error_code
}

#[tokio::test]
async fn offsets_are_kept_with_their_metadata() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    let mut client = server.client().await;
    assert_eq!(commit(&mut client, "orders", 41, Some("half way")).await, 0);
    assert_eq!(commit(&mut client, "nowhere", 41, None).await, 3);
    let long = "x".repeat(5_000);
    assert_eq!(commit(&mut client, "orders", 42, Some(&long)).await, 12);
    // One topic's partitions, before version 8 and from it on, and everything there is.
    let topic = OffsetFetchRequestTopic::default()
        .with_name(TopicName(text("orders")))
        .with_partition_indexes(vec![0, 1]);
    for version in 1..=7 {
        let request =
            OffsetFetchRequest::default().with_group_id(readers()).with_topics(Some(vec![topic.clone()]));
        let found = client.ask(&request, version).await;
        let found: Vec<_> = found.topics[0].partitions.iter().map(|each| each.committed_offset).collect();
        assert_eq!(found, [41, -1], "version {version}");
    }
    let some = OffsetFetchRequestTopics::default()
        .with_name(TopicName(text("orders")))
        .with_partition_indexes(vec![0, 1]);
    for (topics, count) in [(Some(vec![some]), 2), (None, 1)] {
        let group = OffsetFetchRequestGroup::default().with_group_id(readers()).with_topics(topics);
        let found = client.ask(&OffsetFetchRequest::default().with_groups(vec![group]), 8).await;
        let partitions = &found.groups[0].topics[0].partitions;
        assert_eq!((partitions.len(), partitions[0].committed_offset), (count, 41));
        assert_eq!(partitions[0].metadata.as_ref().map(|text| text.as_str()), Some("half way"));
    }
}

#[tokio::test]
async fn groups_are_listed_by_state_and_type() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let joined = enter(&mut client).await;
    sync(&mut client, &joined).await;
    for (states, types, expected) in [
        (vec![], vec![], 1),
        (vec!["Stable"], vec![], 1),
        (vec!["stable"], vec!["classic"], 1),
        (vec!["Empty"], vec![], 0),
        (vec![], vec!["consumer"], 0),
    ] {
        let request = ListGroupsRequest::default()
            .with_states_filter(states.into_iter().map(text).collect())
            .with_types_filter(types.into_iter().map(text).collect());
        assert_eq!(client.ask(&request, 5).await.groups.len(), expected);
    }
    let missing = DescribeGroupsRequest::default().with_groups(vec![GroupId(text("stranger"))]);
    let described = client.ask(&missing, 5).await;
    assert_eq!((described.groups[0].error_code, described.groups[0].group_state.as_str()), (0, "Dead"));
    assert_eq!(client.ask(&missing, 6).await.groups[0].error_code, 69);
}

#[tokio::test]
async fn this_node_coordinates_groups_and_transactions() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for version in 0..=6 {
        let request = match version {
            ..4 => FindCoordinatorRequest::default().with_key(text("readers")),
            _ => FindCoordinatorRequest::default().with_coordinator_keys(vec![text("readers")]),
        };
        let found = client.ask(&request, version).await;
        let port = found.coordinators.first().map_or(found.port, |found| found.port);
        assert_eq!(port, i32::from(server.address.port()), "version {version}");
    }
    let request = FindCoordinatorRequest::default().with_key_type(1).with_coordinator_keys(vec![text("pay")]);
    let found = client.ask(&request, 4).await;
    assert_eq!(
        (found.coordinators[0].error_code, found.coordinators[0].port),
        (0, i32::from(server.address.port()))
    );
    let request = InitProducerIdRequest::default()
        .with_transactional_id(Some(TransactionalId(text("pay"))))
        .with_transaction_timeout_ms(60_000);
    let (first, second) = (client.ask(&request, 4).await, client.ask(&request, 4).await);
    assert_eq!((first.error_code, second.error_code), (0, 0));
    assert_eq!((first.producer_id, second.producer_epoch), (second.producer_id, first.producer_epoch + 1));
    let mut ids = Vec::new();
    for version in 0..=5 {
        let request = InitProducerIdRequest::default().with_transactional_id(None);
        let given = client.ask(&request, version).await;
        assert_eq!((given.error_code, given.producer_epoch), (0, 0));
        ids.push(given.producer_id.0);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6, "no id is given twice");
}
