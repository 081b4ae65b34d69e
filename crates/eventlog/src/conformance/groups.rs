//! Consumer groups.

use std::collections::BTreeSet;
use std::time::Duration;

use factum_types::{GroupId, Offset, Record, TopicName};

use super::{Log, PATIENCE, at, new_topic, produce_values, texts, topic_name, value_in};
use crate::{AdminError, Group, GroupConsumer, GroupError, Membership, NewTopic, PolledRecords, TopicConfig};

type Consumer = Box<dyn GroupConsumer>;

/// One turn of a member, short enough that members polled in turns notice each other.
const TURN: Duration = Duration::from_millis(50);

pub(super) async fn share_partitions_and_take_over(log: Log) {
    let topic = new_topic(&log, "shared", 4).await;
    let mut one = join(&log, "sharing", &topic).await;
    until(&mut [&mut one], |members| members[0].assignment().len() == 4, "one member gets all").await;
    let mut two = join(&log, "sharing", &topic).await;
    until(&mut [&mut one, &mut two], |m| m.iter().all(|m| m.assignment().len() == 2), "two share").await;
    let all: BTreeSet<_> = one.assignment().into_iter().chain(two.assignment()).collect();
    assert_eq!(all.len(), 4, "each partition has one member");
    let records = (0..4).map(|partition| value_in(partition, &format!("to {partition}"))).collect();
    log.produce(&topic, records).await.expect("records are taken");
    let mut seen = BTreeSet::new();
    for member in [&mut one, &mut two] {
        let mine: BTreeSet<_> = member.assignment().into_iter().collect();
        for polled in poll_records(member, 2).await {
            assert!(mine.contains(&polled.partition), "a member gets records of its own partitions");
            seen.extend(texts(&polled.records));
        }
    }
    assert_eq!(seen.len(), 4, "together they get every record");
    two.leave().await.expect("a member may leave");
    until(&mut [&mut one], |members| members[0].assignment().len() == 4, "the other takes over").await;
    one.leave().await.expect("a member may leave");
}

pub(super) async fn resume_after_the_commit(log: Log) {
    let topic = new_topic(&log, "resumed", 1).await;
    produce_values(&log, &topic, &["a", "b", "c", "d"]).await;
    let mut first = join(&log, "resuming", &topic).await;
    assert_eq!(poll_texts(&mut first, 4).await, ["a", "b", "c", "d"], "a new group starts at the beginning");
    first.commit(vec![(at(&topic, 0), Offset::new(3))]).await.expect("a commit of one's own partition");
    first.leave().await.expect("a member may leave");
    let mut second = join(&log, "resuming", &topic).await;
    assert_eq!(poll_texts(&mut second, 1).await, ["d"], "the next member goes on at the committed offset");
    second.leave().await.expect("a member may leave");
}

pub(super) async fn deliver_again_what_was_not_committed(log: Log) {
    let topic = new_topic(&log, "repeated", 1).await;
    produce_values(&log, &topic, &["a", "b"]).await;
    for _ in 0..2 {
        let mut member = join(&log, "repeating", &topic).await;
        assert_eq!(poll_texts(&mut member, 2).await, ["a", "b"], "what no one committed comes again");
        member.leave().await.expect("a member may leave");
    }
}

pub(super) async fn begin_at_the_end_if_asked(log: Log) {
    let topic = new_topic(&log, "latest", 1).await;
    produce_values(&log, &topic, &["before"]).await;
    let mut member = log.join(Membership { start_at_latest: true, ..membership("ending", &topic) }).await;
    let member = member.as_mut().expect("a member may join");
    until(&mut [member], |members| members[0].assignment().len() == 1, "the partition is assigned").await;
    produce_values(&log, &topic, &["after"]).await;
    assert_eq!(poll_texts(member, 1).await, ["after"], "what was there before is left out");
}

pub(super) async fn refuse_the_commit_of_a_lost_partition(log: Log) {
    let topic = new_topic(&log, "lost", 2).await;
    let mut one = join(&log, "losing", &topic).await;
    until(&mut [&mut one], |members| members[0].assignment().len() == 2, "one member gets all").await;
    let had = one.assignment();
    let mut two = join(&log, "losing", &topic).await;
    until(&mut [&mut one, &mut two], |m| m.iter().all(|m| m.assignment().len() == 1), "two share").await;
    let kept = one.assignment();
    let lost = had.into_iter().find(|partition| !kept.contains(partition)).expect("one of two was lost");
    let error = one.commit(vec![(lost, Offset::ZERO)]).await.expect_err("it is another member's");
    assert!(matches!(error, GroupError::Rebalanced { .. }), "not {error}");
    assert!(error.is_transient(), "the member may go on");
    let own = kept.into_iter().map(|partition| (partition, Offset::ZERO)).collect();
    one.commit(own).await.expect("what it kept it may commit");
    two.leave().await.expect("a member may leave");
    one.leave().await.expect("a member may leave");
}

pub(super) async fn are_listed_reset_and_deleted(log: Log) {
    let topic = new_topic(&log, "looked-after", 1).await;
    let id = GroupId::new("looking-after").expect("a valid name");
    produce_values(&log, &topic, &["a", "b", "c"]).await;
    let mut member = join(&log, id.as_str(), &topic).await;
    poll_texts(&mut member, 3).await;
    member.commit(vec![(at(&topic, 0), Offset::new(2))]).await.expect("a commit of one's own partition");
    let group = find_group(&log, &id).await.expect("a group with a member is listed");
    assert_eq!((&*group.state, &*group.protocol_type), ("Stable", "consumer"), "its state is told");
    assert_eq!(group.members.len(), 1, "its member is told");
    assert_eq!(group.members[0].assignment, [at(&topic, 0)], "with what is assigned to it");
    let [committed] = &*group.offsets else { panic!("one offset, not {:?}", group.offsets) };
    assert_eq!((committed.offset, committed.lag), (Offset::new(2), Some(1)), "how far it is, and behind");
    let to_start = || vec![(at(&topic, 0), Offset::ZERO)];
    let error = log.reset_group(&id, to_start()).await.expect_err("it has a member");
    assert!(matches!(error, AdminError::GroupInUse { members: 1, .. }), "not {error}");
    let error = log.delete_group(&id).await.expect_err("it has a member");
    assert!(matches!(error, AdminError::GroupInUse { members: 1, .. }), "not {error}");
    member.leave().await.expect("a member may leave");
    let nowhere = vec![(at(&topic_name("never-made"), 0), Offset::ZERO)];
    let error = log.reset_group(&id, nowhere).await.expect_err("no such topic");
    assert!(matches!(error, AdminError::UnknownTopic { .. }), "not {error}");
    log.reset_group(&id, to_start()).await.expect("no one uses it now");
    let mut member = join(&log, id.as_str(), &topic).await;
    assert_eq!(poll_texts(&mut member, 3).await, ["a", "b", "c"], "a reset is where the next member starts");
    member.leave().await.expect("a member may leave");
    log.delete_group(&id).await.expect("no one uses it now");
    assert_eq!(find_group(&log, &id).await, None, "a deleted group is not listed");
    let error = log.delete_group(&id).await.expect_err("it is gone already");
    assert!(matches!(error, AdminError::UnknownGroup { .. }), "not {error}");
}

pub(super) async fn wait_for_their_topic(log: Log) {
    let topic = topic_name("awaited");
    let mut member = join(&log, "awaiting", &topic).await;
    assert_eq!(poll(&mut member, TURN).await, [], "without the topic there is nothing to get");
    let new = NewTopic { name: topic.clone(), partitions: Some(2), config: TopicConfig::default() };
    log.create_topic(new).await.expect("a new topic");
    until(&mut [&mut member], |members| members[0].assignment().len() == 2, "its partitions are found").await;
    member.leave().await.expect("a member may leave");
}

fn membership(group: &str, topic: &TopicName) -> Membership {
    Membership {
        group: GroupId::new(group.to_owned()).expect("a valid name"),
        topics: vec![topic.clone()],
        client_id: "conformance".to_owned(),
        session_timeout: Duration::from_secs(6),
        start_at_latest: false,
    }
}

async fn join(log: &Log, group: &str, topic: &TopicName) -> Consumer {
    log.join(membership(group, topic)).await.expect("a member may join")
}

/// One poll; being rebalanced is part of a member's life.
async fn poll(member: &mut Consumer, wait: Duration) -> Vec<PolledRecords> {
    match member.poll(wait).await {
        Ok(polled) => polled,
        Err(GroupError::Rebalanced { .. }) => Vec::new(),
        Err(error) => panic!("a poll failed: {error}"),
    }
}

/// Polls all members in turns until they are as `wanted`; records are let go.
async fn until(members: &mut [&mut Consumer], wanted: impl Fn(&[&mut Consumer]) -> bool, what: &str) {
    let turns = async {
        while !wanted(members) {
            for member in members.iter_mut() {
                poll(member, TURN).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, turns).await.unwrap_or_else(|_| panic!("{what}, and does so in time"));
}

/// Polls until `count` records have come.
async fn poll_records(member: &mut Consumer, count: usize) -> Vec<PolledRecords> {
    let mut all: Vec<PolledRecords> = Vec::new();
    let polls = async {
        while all.iter().map(|polled| polled.records.len()).sum::<usize>() < count {
            all.extend(poll(member, PATIENCE).await);
        }
    };
    tokio::time::timeout(PATIENCE, polls).await.unwrap_or_else(|_| panic!("{count} records come in time"));
    all
}

async fn poll_texts(member: &mut Consumer, count: usize) -> Vec<String> {
    let polled = poll_records(member, count).await;
    let records: Vec<Record> = polled.into_iter().flat_map(|polled| polled.records).collect();
    texts(&records)
}

async fn find_group(log: &Log, id: &GroupId) -> Option<Group> {
    let groups = log.groups().await.expect("a list of groups");
    groups.into_iter().find(|group| group.id == *id)
}
