//! Partitions that open transactions hold back, as operators see and end it.

use factum_broker::transactions::{TransactionError, TransactionVersion};
use factum_eventlog::{AbortError, HeldPartition, Transactions};
use factum_types::Offset;
use factum_types::record::TransactionOutcome::Commit;

use super::producer::{Producer, transactional_id};
use super::producers::committed;
use super::write;
use crate::support::{fresh, one_partition, produce};

/// Which partition is held back, from where on, how many records, by whom.
fn shown(held: &[HeldPartition]) -> String {
    let lines = held.iter().map(|held| {
        let by = held.id.as_ref().map_or("no one", |id| id.as_str());
        format!("{} from {}: {} by {by}", held.partition, held.first, held.records)
    });
    lines.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn an_open_transaction_is_told_and_may_be_aborted() {
    let (_dir, running) = fresh();
    let broker = &running.broker;
    let [a, b] = [one_partition(broker, "a").await, one_partition(broker, "b").await];
    produce(broker, "a", "before").await;
    let mut producer = Producer::init(broker, "pay", TransactionVersion::V2).await.expect("initialized");
    assert_eq!(shown(&broker.held_back().await), "", "nothing is open");
    let last = producer.append(&a, "in it").expect("taken");
    a.durable(last).await.expect("synced");
    produce(broker, "a", "after").await;
    produce(broker, "b", "elsewhere").await;
    let held = broker.held_back().await;
    assert_eq!(shown(&held), "a/0 from 1: 2 by pay");
    assert!(held[0].since.is_some(), "since when is known");
    let listed = Transactions::transactions(broker).await;
    assert_eq!((listed.len(), listed[0].state.as_str()), (1, "Ongoing"));
    assert_eq!(listed[0].open_since, held[0].since);
    assert_eq!(listed[0].partitions, [a.topic_partition().clone()]);
    // It is known, so it is no one's to end by its place.
    let error = broker.abort_hanging(a.topic_partition(), Offset::new(1)).await.expect_err("known");
    assert!(matches!(error, AbortError::Known { .. }), "not {error}");
    assert_eq!(committed(broker, "a").await, ["before"]);
    broker.abort(&transactional_id("pay")).await.expect("aborted");
    assert_eq!(committed(broker, "a").await, ["before", "after"]);
    assert_eq!(shown(&broker.held_back().await), "");
    let fenced = producer.end(Commit).await.expect_err("fenced");
    assert!(matches!(fenced, TransactionError::Fenced { .. }), "not {fenced}");
    assert!(producer.append(&b, "late").is_err(), "its records are refused too");
    let again = broker.abort(&transactional_id("pay")).await.expect_err("not open");
    assert!(matches!(again, AbortError::NotOpen { .. }), "not {again}");
    let own = broker.abort(&transactional_id("_factum.own")).await.expect_err("reserved");
    assert!(matches!(own, AbortError::Reserved { .. }), "not {own}");
    let unknown = broker.abort(&transactional_id("unknown")).await.expect_err("unknown");
    assert!(matches!(unknown, AbortError::UnknownId { .. }), "not {unknown}");
    running.stop().await;
}

#[tokio::test]
async fn a_transaction_that_no_one_knows_is_a_problem_and_may_be_aborted() {
    let (_dir, running) = fresh();
    let broker = &running.broker;
    let partition = one_partition(broker, "orders").await;
    let name = partition.topic_partition();
    produce(broker, "orders", "before").await;
    let last = write(partition.log(), 4_711, "hanging");
    partition.durable(last).await.expect("synced");
    produce(broker, "orders", "after").await;
    assert_eq!(shown(&broker.held_back().await), "orders/0 from 1: 2 by no one");
    let problems = broker.health().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("--topic orders --partition 0 --start-offset 1"), "{problems:?}");
    for wrong in [0, 2] {
        let error = broker.abort_hanging(name, Offset::new(wrong)).await.expect_err("nothing there");
        assert!(matches!(error, AbortError::NotHeld { .. }), "not {error}");
    }
    broker.abort_hanging(name, Offset::new(1)).await.expect("aborted");
    assert_eq!(committed(broker, "orders").await, ["before", "after"]);
    assert_eq!(broker.health().problems, Vec::<String>::new());
    assert!(broker.abort_hanging(name, Offset::new(1)).await.is_err(), "it is ended");
    running.stop().await;
}
