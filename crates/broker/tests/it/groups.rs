//! In-process members beside others.

use std::time::Duration;

use bytes::Bytes;
use factum_broker::coordinator::{ConsumerHeartbeat, JoinGroup, PartitionSet, SyncGroup};
use factum_eventlog::{Admin, EventLog, GroupConsumer, GroupError, Membership};
use factum_types::{GroupId, TopicName};

use crate::support::{PATIENCE, Running, fresh, name, new_topic, produce};

fn membership(topic: &TopicName) -> Membership {
    Membership {
        group: GroupId::new("readers").expect("a valid name"),
        topics: vec![topic.clone()],
        client_id: "test".to_owned(),
        session_timeout: Duration::from_secs(10),
        start_at_latest: false,
    }
}

async fn assigned(member: &mut Box<dyn GroupConsumer>, count: usize) {
    let polls = async {
        while member.assignment().len() != count {
            member.poll(Duration::from_millis(20)).await.expect("a poll");
        }
    };
    tokio::time::timeout(PATIENCE, polls).await.expect("assigned in time");
}

/// A client of the Kafka API, as the coordinator sees it: its subscription is version 3 of Kafka's format.
#[tokio::test]
async fn a_kafka_client_shares_partitions_with_a_member_in_process() {
    let (_dir, running) = fresh();
    let topic = name("shared");
    running.broker.create_topic(new_topic("shared", 4)).await.expect("a new topic");
    let mut inside = running.broker.join(membership(&topic)).await.expect("joining");
    assigned(&mut inside, 4).await;
    let mut subscription = vec![0, 3, 0, 0, 0, 1, 0, 6];
    subscription.extend_from_slice(b"shared");
    subscription.extend_from_slice(&[255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]);
    let join = JoinGroup {
        group: membership(&topic).group,
        member_id: String::new(),
        instance_id: None,
        client_id: "kafka".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        session_timeout: Duration::from_secs(10),
        rebalance_timeout: Duration::from_secs(10),
        protocol_type: "consumer".to_owned(),
        protocols: vec![("range".to_owned(), Bytes::from(subscription))],
        requires_known_member_id: false,
        supports_skipping_assignment: false,
    };
    let coordinator = running.broker.coordinator();
    let outside = async {
        let joined = coordinator.join(join).await.expect("joined");
        let sync = SyncGroup {
            group: membership(&topic).group,
            generation: joined.generation,
            member_id: joined.member_id,
            instance_id: None,
            protocol_type: None,
            protocol: None,
            assignments: Vec::new(),
        };
        coordinator.sync(sync).await.expect("synced").assignment
    };
    let polling = async {
        loop {
            inside.poll(Duration::from_millis(20)).await.expect("a poll");
        }
    };
    let assignment = tokio::select! {
        assignment = outside => assignment,
        () = polling => unreachable!("it polls forever"),
    };
    assert!(
        assignment.starts_with(b"\x00\x00\x00\x00\x00\x01\x00\x06shared\x00\x00\x00\x02"),
        "two partitions"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_session_that_is_not_allowed_is_refused_at_the_poll() {
    let (_dir, running) = fresh();
    let short = Membership { session_timeout: Duration::from_millis(1), ..membership(&name("a")) };
    let mut member = running.broker.join(short).await.expect("joining begins");
    let error = member.poll(PATIENCE).await.expect_err("one millisecond");
    assert!(matches!(error, GroupError::Refused { .. }), "not {error}");
    running.stop().await;
}

#[tokio::test]
async fn a_member_that_is_dropped_is_taken_out_by_time() {
    let (_dir, running) = fresh();
    running.broker.create_topic(new_topic("a", 1)).await.expect("a new topic");
    produce(&running.broker, "a", "one").await;
    let quick = Membership { session_timeout: Duration::from_millis(300), ..membership(&name("a")) };
    let mut first = running.broker.join(quick).await.expect("joining");
    assigned(&mut first, 1).await;
    drop(first);
    let mut second = running.broker.join(membership(&name("a"))).await.expect("joining");
    assigned(&mut second, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn a_stop_ends_the_polls_of_members() {
    let (_dir, running) = fresh();
    running.broker.create_topic(new_topic("a", 1)).await.expect("a new topic");
    let mut member = running.broker.join(membership(&name("a"))).await.expect("joining");
    assigned(&mut member, 1).await;
    running.stop().await;
    let error = member.poll(PATIENCE).await.expect_err("the broker has stopped");
    assert!(matches!(error, GroupError::Unavailable { .. }), "not {error}");
}

/// The new topic has more records than the old one when the member looks again: none of them may be left out.
#[tokio::test]
async fn a_topic_made_anew_is_read_from_its_beginning() {
    let (_dir, running) = fresh();
    running.broker.create_topic(new_topic("a", 1)).await.expect("a new topic");
    produce(&running.broker, "a", "old").await;
    let mut member = running.broker.join(membership(&name("a"))).await.expect("joining");
    assert_eq!(member.poll(PATIENCE).await.expect("a poll")[0].records.len(), 1);
    running.broker.delete_topic(&name("a")).await.expect("deleted");
    running.broker.create_topic(new_topic("a", 1)).await.expect("a new topic");
    for value in ["new", "newer"] {
        produce(&running.broker, "a", value).await;
    }
    let polled = member.poll(PATIENCE).await.expect("a poll");
    let values: Vec<_> = polled[0].records.iter().map(|record| record.value.clone()).collect();
    assert_eq!(values, [Some(Bytes::from("new")), Some(Bytes::from("newer"))]);
    running.stop().await;
}

/// A heartbeat of a member of the consumer protocol that says nothing new.
fn heartbeat(member: &str, epoch: i32) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        group: membership(&name("a")).group,
        member_id: member.to_owned(),
        member_epoch: epoch,
        instance_id: None,
        rack_id: None,
        rebalance_timeout: None,
        subscribed_topics: None,
        subscribed_regex: None,
        assignor: None,
        owned: None,
        client_id: "test".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        principal: "User:ANONYMOUS".to_owned(),
    }
}

#[tokio::test]
async fn members_of_the_consumer_protocol_outlive_the_broker() {
    let (dir, running) = fresh();
    running.broker.create_topic(new_topic("a", 4)).await.expect("a new topic");
    running.broker.create_topic(new_topic("ab", 1)).await.expect("a new topic");
    let join = |member: &str| ConsumerHeartbeat {
        rebalance_timeout: Some(Duration::from_secs(10)),
        subscribed_regex: Some("a.*".to_owned()),
        owned: Some(PartitionSet::default()),
        ..heartbeat(member, 0)
    };
    let groups = running.broker.coordinator();
    let first = groups.consumer_heartbeat(join("one"), |_| true).await.expect("joined");
    assert_eq!((first.member_epoch, first.assignment.map(|topics| topics.len())), (1, Some(2)));
    groups.consumer_heartbeat(join("two"), |_| true).await.expect("joined");
    let first = groups.consumer_heartbeat(heartbeat("one", 1), |_| true).await.expect("told to give up");
    let kept: PartitionSet = first
        .assignment
        .into_iter()
        .flatten()
        .flat_map(|(topic, numbers)| numbers.into_iter().map(move |number| (topic, number)))
        .collect();
    let described = groups.describe_consumers(&membership(&name("a")).group);
    running.stop().await;

    let running = Running::start(dir.path());
    let groups = running.broker.coordinator();
    assert_eq!(groups.describe_consumers(&membership(&name("a")).group), described);
    let gave_up = ConsumerHeartbeat { owned: Some(kept), ..heartbeat("one", 1) };
    let first = groups.consumer_heartbeat(gave_up, |_| true).await.expect("gave up");
    assert_eq!((first.member_epoch, first.assignment), (2, None));
    let second = groups.consumer_heartbeat(heartbeat("two", 2), |_| true).await.expect("is given");
    assert!(second.assignment.is_some_and(|topics| !topics.is_empty()));
    running.broker.delete_topic(&name("ab")).await.expect("deleted");
    let shown = Admin::groups(&running.broker).await.expect("listed");
    assert_eq!((shown[0].state.as_str(), shown[0].protocol.as_str()), ("Stable", "uniform"));
    let shares: Vec<_> = shown[0].members.iter().map(|member| member.assignment.len()).collect();
    assert_eq!(shares.iter().sum::<usize>(), 4, "without those of the topic that was deleted: {shares:?}");
    running.stop().await;
}
