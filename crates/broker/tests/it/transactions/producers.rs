//! Transactions as producers meet them: what they may do, and what becomes of those that were fenced or went away.

use std::sync::Arc;
use std::time::Duration;

use factum_broker::transactions::{ListTransactions, TransactionError, TransactionState, TransactionVersion};
use factum_broker::{Broker, Partition, ProduceError};
use factum_eventlog::EventLog;
use factum_log::EndTransaction;
use factum_types::record::TransactionOutcome::{Abort, Commit};
use factum_types::{BatchBuilder, Offset, TopicPartition};
use tokio::time::timeout;

use super::producer::{Producer, transactional_id};
use crate::support::{PATIENCE, Running, fresh, name, one_partition, produce};

const BOTH: [TransactionVersion; 2] = [TransactionVersion::V1, TransactionVersion::V2];

/// The values that a reader is given now.
pub(super) async fn committed(broker: &Broker, topic: &str) -> Vec<String> {
    let partition = TopicPartition::new(name(topic), 0);
    let mut from = Offset::ZERO;
    let mut values = Vec::new();
    loop {
        let chunk = broker.read(&partition, from, 1 << 20, Duration::ZERO).await.expect("readable");
        if chunk.next == from {
            return values;
        }
        from = chunk.next;
        let found = chunk.records.into_iter().filter_map(|record| record.value);
        values.extend(found.map(|value| String::from_utf8_lossy(&value).into_owned()));
    }
}

async fn partitions(broker: &Broker) -> [Arc<Partition>; 2] {
    [one_partition(broker, "a").await, one_partition(broker, "b").await]
}

#[tokio::test]
async fn a_transaction_counts_in_all_partitions_or_in_none() {
    for version in BOTH {
        let (_dir, running) = fresh();
        let broker = &running.broker;
        let [a, b] = partitions(broker).await;
        let mut producer = Producer::init(broker, "p", version).await.expect("initialized");
        for (outcome, value) in [(Commit, "one"), (Abort, "two"), (Commit, "three")] {
            producer.add(&[&a, &b]).await.expect("added");
            producer.append(&a, value).expect("taken");
            producer.append(&b, value).expect("taken");
            assert!(!committed(broker, "a").await.contains(&value.to_owned()), "it is open");
            producer.end(outcome).await.expect("ended");
        }
        for topic in ["a", "b"] {
            assert_eq!(committed(broker, topic).await, ["one", "three"], "{version:?}");
        }
        running.stop().await;
    }
}

#[tokio::test]
async fn a_producer_that_was_fenced_writes_nothing_more() {
    for version in BOTH {
        let (_dir, running) = fresh();
        let broker = &running.broker;
        let [a, b] = partitions(broker).await;
        let mut first = Producer::init(broker, "p", version).await.expect("initialized");
        first.add(&[&a, &b]).await.expect("added");
        first.append(&a, "of the first").expect("taken");
        let mut second = Producer::init(broker, "p", version).await.expect("it aborts and takes over");
        assert!(second.identity.epoch > first.identity.epoch);
        for partition in [&a, &b] {
            let refused = first.append(partition, "late").expect_err("fenced");
            let is_fenced = matches!(refused, ProduceError::Transaction(TransactionError::Fenced { .. }));
            assert!(is_fenced, "{refused:?}");
        }
        let refused = first.end(Commit).await.expect_err("fenced");
        let is_refused =
            matches!(refused, TransactionError::Fenced { .. } | TransactionError::InvalidState { .. });
        assert!(is_refused, "{refused:?}");
        second.add(&[&a]).await.expect("added");
        second.append(&a, "of the second").expect("taken");
        second.end(Commit).await.expect("ended");
        assert_eq!(committed(broker, "a").await, ["of the second"]);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_record_of_a_transaction_needs_to_say_of_which() {
    let (_dir, running) = fresh();
    let broker = &running.broker;
    let [a, b] = partitions(broker).await;
    let (id, epoch) = broker.allocate_producer_id().await.expect("an id");
    let mut builder = BatchBuilder::new().producer(id, epoch, 0).transactional();
    builder.push(factum_types::Timestamp::NONE, None, Some(b"x"), &[]);
    let refused = a.append(builder.build()).expect_err("no transactional id");
    assert!(matches!(refused, ProduceError::NoTransactionalId), "{refused:?}");

    let mut producer = Producer::init(broker, "p", TransactionVersion::V1).await.expect("initialized");
    producer.add(&[&a]).await.expect("added");
    let refused = producer.append(&b, "x").expect_err("it was not added");
    let is_outside = matches!(refused, ProduceError::Transaction(TransactionError::NotInTransaction { .. }));
    assert!(is_outside, "{refused:?}");
    let strange = broker.transactions().describe(&transactional_id("q")).expect_err("no such id");
    assert!(matches!(strange, TransactionError::NotFound), "{strange:?}");
    running.stop().await;
}

#[tokio::test]
async fn an_open_transaction_times_out() {
    for version in BOTH {
        let (_dir, running) = fresh();
        let broker = &running.broker;
        let [a, _] = partitions(broker).await;
        let short = Duration::from_millis(50);
        let producer = Producer::init_within(broker, "p", version, short).await;
        let mut producer = producer.expect("initialized");
        producer.add(&[&a]).await.expect("added");
        producer.append(&a, "late").expect("taken");
        produce(broker, "a", "after").await;
        let read = async {
            while committed(broker, "a").await != ["after"] {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, read).await.expect("readers go on");
        let refused = producer.append(&a, "later").expect_err("fenced");
        let is_fenced = matches!(refused, ProduceError::Transaction(TransactionError::Fenced { .. }));
        assert!(is_fenced, "{refused:?}");
        running.stop().await;
    }
}

#[tokio::test]
async fn an_open_transaction_outlives_the_server() {
    for version in BOTH {
        let (dir, running) = fresh();
        let [a, b] = partitions(&running.broker).await;
        let mut producer = Producer::init(&running.broker, "p", version).await.expect("initialized");
        producer.add(&[&a, &b]).await.expect("added");
        producer.append(&a, "x").expect("taken");
        let last = producer.append(&b, "x").expect("taken");
        b.durable(last).await.expect("synced");
        running.stop().await;

        let running = Running::start(dir.path());
        let broker = &running.broker;
        let description = broker.transactions().describe(&transactional_id("p")).expect("known");
        assert_eq!(description.listing.state, TransactionState::Ongoing, "{version:?}");
        assert_eq!(description.partitions.len(), 2, "{version:?}");
        let transactions = broker.transactions();
        let ended = transactions.end(&transactional_id("p"), producer.identity, Commit, version).await;
        ended.expect("it goes on where it was");
        for topic in ["a", "b"] {
            assert_eq!(committed(broker, topic).await, ["x"], "{version:?}");
        }
        running.stop().await;
    }
}

#[tokio::test]
async fn a_transaction_that_no_id_knows_is_aborted_at_a_start() {
    let (dir, running) = fresh();
    let a = one_partition(&running.broker, "a").await;
    let (id, epoch) = running.broker.allocate_producer_id().await.expect("an id");
    let mut builder = BatchBuilder::new().producer(id, epoch, 0).transactional();
    builder.push(factum_types::Timestamp::NONE, None, Some(b"lost"), &[]);
    let now = factum_types::Timestamp::from_millis(1);
    let last = a.log().append(builder.build(), now).expect("taken").last_offset;
    a.durable(last).await.expect("synced");
    produce(&running.broker, "a", "after").await;
    assert!(committed(&running.broker, "a").await.is_empty(), "the log holds it open");
    running.stop().await;

    let running = Running::start(dir.path());
    let read = async {
        while committed(&running.broker, "a").await != ["after"] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, read).await.expect("readers go on");
    running.stop().await;
}

#[tokio::test]
async fn an_operator_ends_what_hangs() {
    let (_dir, running) = fresh();
    let broker = &running.broker;
    let a = one_partition(broker, "a").await;
    let mut producer = Producer::init(broker, "p", TransactionVersion::V2).await.expect("initialized");
    producer.append(&a, "x").expect("taken");
    let listed = broker.transactions().list(&ListTransactions::default());
    assert_eq!(listed.iter().map(|one| one.state).collect::<Vec<_>>(), [TransactionState::Ongoing]);
    let later = ListTransactions { open_for: Some(Duration::from_secs(60)), ..ListTransactions::default() };
    assert!(broker.transactions().list(&later).is_empty());
    let end = EndTransaction {
        producer_id: producer.identity.id,
        producer_epoch: producer.identity.epoch,
        outcome: Abort,
        coordinator_epoch: 0,
    };
    broker.transactions().write_marker(a.topic_partition(), &end).await.expect("written");
    produce(broker, "a", "after").await;
    assert_eq!(committed(broker, "a").await, ["after"]);
    running.stop().await;
}
