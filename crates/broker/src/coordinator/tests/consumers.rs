//! Groups of the consumer protocol, from the heartbeat to the journal and back.

use std::time::Duration;

use bytes::Bytes;
use factum_types::{ByteSize, TopicName};
use futures::FutureExt as _;

use super::memory_log::MemoryLog;
use super::rig::{Rig, commit, group, join, offsets, partition, sync};
use crate::coordinator::consumer_group::tests::rig::heartbeat;
use crate::coordinator::{
    ConsumerHeartbeat, ConsumerHeartbeatResult, CoordinatorError, GroupState, GroupType, Options,
    PartitionSet,
};

fn beat(group_name: &str, member_id: &str, epoch: i32) -> ConsumerHeartbeat {
    ConsumerHeartbeat { group: group(group_name), ..heartbeat(member_id, epoch) }
}

fn enter(group_name: &str, member_id: &str) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        rebalance_timeout: Some(Duration::from_secs(10)),
        subscribed_topics: Some(vec![TopicName::new("t").expect("valid")]),
        owned: Some(PartitionSet::default()),
        ..beat(group_name, member_id, 0)
    }
}

async fn hear(rig: &Rig, request: ConsumerHeartbeat) -> Result<ConsumerHeartbeatResult, CoordinatorError> {
    rig.groups.consumer_heartbeat(request, |_| true).await
}

fn with_topic(partitions: i32) -> Rig {
    let rig = Rig::new();
    rig.topics.set("t", partitions);
    rig
}

#[tokio::test]
async fn members_go_on_after_a_restart_without_a_rebalance() {
    let rig = with_topic(4);
    hear(&rig, enter("g", "a")).await.expect("joined");
    hear(&rig, enter("g", "b")).await.expect("joined");
    hear(&rig, beat("g", "a", 1)).await.expect("told to give up");
    rig.groups.commit(commit("g", Some(("a", 1)), "t", 7)).await.expect("committed");
    let before = rig.groups.describe_consumers(&group("g"));

    let rig = rig.restart();
    assert_eq!(rig.groups.describe_consumers(&group("g")), before);
    assert_eq!(rig.groups.describe(&group("g")).state, GroupState::Reconciling);
    let owned = before.as_ref().expect("there").members[0].assignment[0].partitions.iter();
    let owned = owned.map(|number| (before.as_ref().expect("there").members[0].assignment[0].id, *number));
    let gave_up = ConsumerHeartbeat { owned: Some(owned.collect()), ..beat("g", "a", 1) };
    assert_eq!(hear(&rig, gave_up).await.expect("gave up").member_epoch, 2);
    let given = hear(&rig, beat("g", "b", 2)).await.expect("given");
    assert_eq!(given.assignment.expect("the rest")[0].1.len(), 2);
    assert_eq!(rig.groups.describe(&group("g")).state, GroupState::Stable);
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=7 note");

    rig.groups.0.snapshot().await.expect("shortened");
    let described = rig.groups.describe_consumers(&group("g"));
    let rig = rig.restart();
    assert_eq!(rig.groups.describe_consumers(&group("g")), described);
    assert_eq!(hear(&rig, beat("g", "b", 2)).await.expect("alive").assignment, None);
}

#[tokio::test]
async fn responses_to_heartbeats_follow_the_sync() {
    let rig = with_topic(1);
    rig.log.hold();
    let mut joined = Box::pin(hear(&rig, enter("g", "a")));
    assert!((&mut joined).now_or_never().is_none(), "the assignment is not on disk");
    rig.log.sync();
    assert_eq!(joined.await.expect("joined").member_epoch, 1);
}

#[tokio::test]
async fn a_heartbeat_that_cannot_be_stored_changes_nothing() {
    let rig = with_topic(2);
    hear(&rig, enter("g", "a")).await.expect("joined");
    let before = rig.groups.describe_consumers(&group("g"));
    rig.log.fail(true);
    let refused = hear(&rig, enter("g", "b")).await.expect_err("not stored");
    assert!(matches!(refused, CoordinatorError::Storage(_)), "{refused}");
    assert_eq!(rig.groups.describe_consumers(&group("g")), before);
    hear(&rig, beat("g", "a", 1)).await.expect("nothing has to be stored");
    rig.clock.advance(Duration::from_secs(46));
    rig.groups.0.expire_due(rig.now());
    assert_eq!(rig.groups.describe_consumers(&group("g")), before, "it cannot be taken out yet");
    rig.log.fail(false);
    rig.clock.advance(Duration::from_secs(1));
    rig.groups.0.expire_due(rig.now());
    assert_eq!(rig.groups.describe(&group("g")).state, GroupState::Empty);
}

#[tokio::test]
async fn a_group_without_members_changes_its_protocol() {
    let rig = with_topic(1);
    let member = rig.lone_member("g", "a").await;
    let refused = hear(&rig, enter("g", "b")).await.expect_err("it has members of the other protocol");
    assert!(matches!(refused, CoordinatorError::NotOfConsumers), "{refused}");
    let leaving = crate::coordinator::Leaving { member_id: member, instance_id: None };
    rig.groups.leave(&group("g"), vec![leaving]).await.expect("stored")[0].as_ref().expect("left");
    rig.groups.commit(commit("g", None, "t", 7)).await.expect("committed");
    let epoch = hear(&rig, enter("g", "b")).await.expect("joined").member_epoch;
    assert!(epoch > 2, "epochs go on where generations were: {epoch}");
    assert_eq!(rig.groups.list()[0].group_type, GroupType::Consumer);

    let rig = rig.restart();
    assert_eq!(rig.groups.list()[0].group_type, GroupType::Consumer);
    let refused = rig.groups.join(join("g", "a")).await.expect_err("it has members of the other protocol");
    assert!(matches!(refused, CoordinatorError::InconsistentProtocol), "{refused}");
    hear(&rig, beat("g", "b", -1)).await.expect("left");
    let joined = rig.groups.join(join("g", "a")).await.expect("joined");
    assert!(joined.generation > epoch, "{}", joined.generation);
    let shares = vec![(joined.member_id.clone(), Bytes::from_static(b"all"))];
    rig.groups.sync(sync("g", &joined.member_id, joined.generation, shares)).await.expect("synced");
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=7 note");

    let rig = rig.restart();
    assert_eq!(rig.groups.list()[0].group_type, GroupType::Classic);
    rig.groups.heartbeat(&group("g"), joined.generation, &joined.member_id, None).expect("alive");
}

#[tokio::test]
async fn offsets_of_a_consumer_group_are_its_members_own() {
    let rig = with_topic(1);
    hear(&rig, enter("g", "a")).await.expect("joined");
    let stale = rig.groups.commit(commit("g", Some(("a", 0)), "t", 7)).await.expect_err("another epoch");
    assert!(matches!(stale, CoordinatorError::StaleMemberEpoch { .. }), "{stale}");
    rig.groups.commit(commit("g", None, "t", 7)).await.expect_err("no member");
    rig.groups.commit(commit("g", Some(("a", 1)), "t", 7)).await.expect("committed");
    rig.groups.check_offset_fetch(&group("g"), None, -1).expect("an administrator");
    rig.groups.check_offset_fetch(&group("g"), Some("a"), 1).expect("the member");
    let stale = rig.groups.check_offset_fetch(&group("g"), Some("a"), 0).expect_err("another epoch");
    assert!(matches!(stale, CoordinatorError::StaleMemberEpoch { .. }), "{stale}");
    let read = rig.groups.delete_offsets(&group("g"), vec![partition("t"), partition("u")]).await;
    assert_eq!(read.expect("stored"), [partition("t")], "members read it");
    let refused = rig.groups.delete(&group("g")).await.expect_err("it has members");
    assert!(matches!(refused, CoordinatorError::NonEmptyGroup), "{refused}");
    hear(&rig, beat("g", "a", -1)).await.expect("left");
    rig.groups.delete(&group("g")).await.expect("deleted");
    assert_eq!((rig.groups.list(), rig.groups.0.memory.bytes()), (Vec::new(), 0));
    assert_eq!(rig.restart().groups.list(), Vec::new());
}

#[tokio::test]
async fn members_of_consumer_groups_are_counted() {
    let options = Options { memory: ByteSize(200_000), ..Options::default() };
    let rig = Rig::with(MemoryLog::new(), options, Rig::held_clock());
    rig.topics.set("t", 1_000);
    let mut members = 0;
    let refused = loop {
        match hear(&rig, enter(&format!("g{members}"), "a")).await {
            Ok(_) => members += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, CoordinatorError::NoMemoryForMember(_)), "{refused}");
    assert!((1..10).contains(&members), "assignments are counted: {members}");
    for name in (0..members).map(|n| format!("g{n}")) {
        hear(&rig, beat(&name, "a", -1)).await.expect("left");
        rig.groups.delete(&group(&name)).await.expect("deleted");
    }
    assert_eq!(rig.groups.0.memory.bytes(), 0);
}

#[tokio::test]
async fn offsets_of_a_deserted_consumer_group_expire_with_it() {
    let rig = with_topic(1);
    hear(&rig, enter("g", "a")).await.expect("joined");
    rig.groups.commit(commit("g", Some(("a", 1)), "t", 7)).await.expect("committed");
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    rig.clock.advance(week);
    rig.groups.0.expire_offsets();
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=7 note", "it has a member");
    rig.groups.0.expire_due(rig.now());
    rig.groups.0.expire_offsets();
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=7 note", "the last member went just now");
    rig.clock.advance(week);
    rig.groups.0.expire_offsets();
    assert_eq!(rig.groups.list(), Vec::new());
    assert_eq!(rig.restart().groups.list(), Vec::new());
}
