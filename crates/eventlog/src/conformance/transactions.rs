//! Transactions, and tasks that produce exactly once.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use factum_types::{GroupId, Offset, TopicName, TransactionalId};
use futures::future::{join_all, poll_fn};

use super::{Log, PATIENCE, PLENTY, at, new_topic, read_from, small_topic, texts, value_in};
use crate::transaction::{GroupOffsets, NewTransaction, TransactionError, TransactionalProducer};
use crate::{NewRecord, ProduceError, TaskAppend, TaskProducer};

fn id(name: &str) -> TransactionalId {
    TransactionalId::new(format!("conformance.{name}")).expect("a valid name")
}

async fn producer(log: &Log, name: &str) -> Box<dyn TransactionalProducer> {
    log.transactional_producer(&id(name)).await.expect("a producer")
}

fn records(records: impl IntoIterator<Item = (TopicName, NewRecord)>) -> NewTransaction {
    NewTransaction { records: records.into_iter().collect(), offsets: None }
}

async fn values(log: &Log, topic: &TopicName, partition: i32) -> Vec<String> {
    texts(&read_from(log, &at(topic, partition), 0, PLENTY).await)
}

/// A request over several partitions is seen whole, wherever its records are.
pub(super) async fn requests_are_stored_whole(log: Log) {
    let topic = new_topic(&log, "whole", 3).await;
    let requests = (0..20).map(|request| {
        let (log, topic) = (&log, &topic);
        async move {
            let sent = (0..6).map(|n| value_in(n % 3, &format!("{request}-{n}"))).collect();
            let placed = log.produce_whole(topic, sent).await.expect("records are taken");
            for (n, placed) in (0..).zip(&placed) {
                assert_eq!(placed.partition, n % 3, "places are in the order of the records");
                let place = at(topic, placed.partition);
                // Until the others that were on their way before it are decided.
                let seen = log.wait_past(&place, placed.offset);
                tokio::time::timeout(PATIENCE, seen).await.expect("it is seen in time");
                let found = read_from(log, &place, placed.offset.get(), PLENTY).await;
                assert_eq!(found[0].offset, placed.offset, "an acknowledged record is readable at its place");
                assert_eq!(texts(&found[..1]), [format!("{request}-{n}")]);
            }
        }
    });
    join_all(requests).await;
    for partition in 0..3 {
        assert_eq!(values(&log, &topic, partition).await.len(), 40, "each record is there once");
    }
}

pub(super) async fn a_request_that_is_refused_leaves_nothing(log: Log) {
    let topic = small_topic(&log, "whole-refused", 4_096).await;
    let refused = vec![value_in(0, "fine"), value_in(1, &"x".repeat(5_000))];
    let error = log.produce_whole(&topic, refused).await.expect_err("5,000 bytes in 4,096");
    assert!(matches!(error, ProduceError::TooLarge { .. }), "not {error}");
    log.produce_whole(&topic, vec![value_in(0, "a"), value_in(1, "b")]).await.expect("records are taken");
    assert_eq!([values(&log, &topic, 0).await, values(&log, &topic, 1).await], [["a"], ["b"]]);
}

pub(super) async fn count_over_topics_with_their_offsets(log: Log) {
    let (one, other) = (new_topic(&log, "txn-one", 2).await, new_topic(&log, "txn-other", 1).await);
    let group = GroupId::new("conformance.txn-group").expect("a valid name");
    let mut producer = producer(&log, "over-topics").await;
    for round in 0..3 {
        let text = |name: &str| format!("{name}-{round}");
        let offsets = GroupOffsets { group: group.clone(), offsets: vec![(at(&one, 1), Offset::new(round))] };
        let transaction = NewTransaction {
            records: vec![
                (other.clone(), value_in(0, &text("a"))),
                (one.clone(), value_in(1, &text("b"))),
                (other.clone(), value_in(0, &text("c"))),
            ],
            offsets: Some(offsets),
        };
        let placed = producer.commit(transaction).await.expect("committed");
        let partitions: Vec<_> = placed.iter().map(|placed| placed.partition).collect();
        assert_eq!(partitions, [0, 1, 0], "places are in the order of the records");
        assert_eq!(placed[2].offset.since(placed[0].offset), 1, "records of a partition stay together");
        let committed = log.committed_offsets(&group).await.expect("offsets");
        assert_eq!(committed, [(at(&one, 1), Offset::new(round))], "the offsets count with the records");
    }
    assert_eq!(values(&log, &other, 0).await, ["a-0", "c-0", "a-1", "c-1", "a-2", "c-2"]);
    assert_eq!(values(&log, &one, 1).await, ["b-0", "b-1", "b-2"]);
}

pub(super) async fn that_are_refused_leave_nothing(log: Log) {
    let topic = new_topic(&log, "txn-refused", 2).await;
    let group = GroupId::new("conformance.txn-refused").expect("a valid name");
    let mut producer = producer(&log, "refused").await;
    let offsets = GroupOffsets { group: group.clone(), offsets: vec![(at(&topic, 0), Offset::new(7))] };
    let refused = NewTransaction {
        records: vec![(topic.clone(), value_in(0, "fine")), (topic.clone(), value_in(9, "nowhere"))],
        offsets: Some(offsets),
    };
    let error = producer.commit(refused).await.expect_err("there is no partition 9");
    let unknown = ProduceError::UnknownPartition { topic: topic.clone(), partition: 9 };
    assert_eq!(error.to_string(), unknown.to_string());
    assert!(!error.is_transient() && !error.may_have_committed());
    producer
        .commit(records([(topic.clone(), value_in(0, "next"))]))
        .await
        .expect("the next one is committed");
    assert_eq!(values(&log, &topic, 0).await, ["next"], "nothing of a refused transaction is seen");
    assert_eq!(log.committed_offsets(&group).await.expect("offsets"), [], "its offsets neither");
}

pub(super) async fn belong_to_the_latest_of_a_name(log: Log) {
    let topic = new_topic(&log, "txn-fenced", 1).await;
    let mut first = producer(&log, "fenced").await;
    first.commit(records([(topic.clone(), value_in(0, "first"))])).await.expect("committed");
    let mut second = producer(&log, "fenced").await;
    let late = first.commit(records([(topic.clone(), value_in(0, "late"))])).await;
    assert!(matches!(late, Err(TransactionError::Fenced { .. })), "not {late:?}");
    second.commit(records([(topic.clone(), value_in(0, "second"))])).await.expect("committed");
    assert_eq!(values(&log, &topic, 0).await, ["first", "second"]);
}

pub(super) async fn go_on_without_their_caller(log: Log) {
    let topic = new_topic(&log, "txn-dropped", 2).await;
    let mut producer = producer(&log, "dropped").await;
    let both = |text: &str| records([0, 1].map(|partition| (topic.clone(), value_in(partition, text))));
    for n in 0..10 {
        let dropped = format!("dropped-{n}");
        {
            let mut commit = pin!(producer.commit(both(&dropped)));
            let mut polls = n;
            poll_fn(|cx| match commit.as_mut().poll(cx) {
                Poll::Pending if polls > 0 => {
                    polls -= 1;
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                _ => Poll::Ready(()),
            })
            .await;
        }
        let next = producer.commit(both(&format!("next-{n}")));
        tokio::time::timeout(PATIENCE, next).await.expect("in time").expect("the next one is committed");
        let [one, other] = [values(&log, &topic, 0).await, values(&log, &topic, 1).await];
        assert_eq!(one, other, "a transaction counts everywhere or nowhere");
        assert_eq!(one.iter().filter(|text| text.starts_with("next")).count(), n + 1);
    }
}

pub(super) async fn of_a_task_say_everything_once(log: Log) {
    let (source, target) = (new_topic(&log, "task-source", 2).await, new_topic(&log, "task-target", 2).await);
    let say = |text: &str| vec![(target.clone(), value_in(0, text)), (target.clone(), value_in(1, text))];
    let (from, other) = (at(&source, 0), at(&source, 1));
    let mut task = TaskProducer::take_over(&*log, "conformance").await.expect("taken over");
    assert_eq!(task.position(&from), None);
    let said = task.produce(&from, Offset::new(4), say("to-4")).await.expect("produced");
    assert!(matches!(said, TaskAppend::Appended(placed) if placed.len() == 2));
    let again = task.produce(&from, Offset::new(4), say("to-4")).await.expect("produced");
    assert_eq!(again, TaskAppend::SaidBefore, "what was said is not said again");
    task.produce(&other, Offset::new(1), say("other")).await.expect("another source has its own position");

    let mut next = TaskProducer::take_over(&*log, "conformance").await.expect("taken over");
    assert_eq!(next.position(&from), Some(Offset::new(4)), "the next one knows what was said");
    let again = next.produce(&from, Offset::new(4), say("to-4")).await.expect("produced");
    assert_eq!(again, TaskAppend::SaidBefore, "nor by the next one");
    let late = task.produce(&from, Offset::new(5), say("late")).await;
    assert!(matches!(late, Err(TransactionError::Fenced { .. })), "not {late:?}");
    next.produce(&from, Offset::new(9), Vec::new()).await.expect("a position without records");
    next.produce(&from, Offset::new(12), say("to-12")).await.expect("produced");
    for partition in [0, 1] {
        assert_eq!(values(&log, &target, partition).await, ["to-4", "other", "to-12"]);
    }
}

/// A reader that waits is not woken in vain, without an end, by what it may not see.
pub(super) async fn are_waited_for(log: Log) {
    let topic = new_topic(&log, "txn-waited", 1).await;
    let mut producer = producer(&log, "waited").await;
    for n in 0..5 {
        let end = super::end_of(&log, &at(&topic, 0)).await;
        let (place, from) = (at(&topic, 0), Offset::new(end));
        let read = async {
            log.wait_past(&place, from).await;
            log.read(&place, from, PLENTY, Duration::ZERO).await.expect("readable")
        };
        let commit = producer.commit(records([(topic.clone(), value_in(0, &n.to_string()))]));
        let both = futures::future::join(read, commit);
        let (chunk, committed) = tokio::time::timeout(PATIENCE, both).await.expect("in time");
        committed.expect("committed");
        assert_eq!(texts(&chunk.records), [n.to_string()], "who waited sees what was committed");
    }
}
