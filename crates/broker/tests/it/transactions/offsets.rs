//! Offsets that are committed with a transaction: they count when it does.

use factum_broker::Broker;
use factum_broker::transactions::TransactionVersion;
use factum_types::GroupId;
use factum_types::record::TransactionOutcome::{Abort, Commit};

use super::producer::{Producer, commit};
use crate::support::{Running, fresh, one_partition};

async fn offset(broker: &Broker, group: &str) -> Option<i64> {
    let group = GroupId::new(group).expect("a valid name");
    let fetched = broker.coordinator().fetch_offsets(&group, None).await.expect("fetched");
    fetched.first().and_then(|(_, committed)| committed.as_ref()).map(|committed| committed.offset)
}

fn pending(broker: &Broker, group: &str) -> usize {
    broker.coordinator().pending_partitions(&GroupId::new(group).expect("a valid name")).len()
}

#[tokio::test]
async fn offsets_count_with_their_transaction() {
    for version in [TransactionVersion::V1, TransactionVersion::V2] {
        let (dir, running) = fresh();
        let broker = &running.broker;
        one_partition(broker, "a").await;
        let mut producer = Producer::init(broker, "p", version).await.expect("initialized");
        producer.commit_offset("g", 5).await.expect("committed");
        assert_eq!((offset(broker, "g").await, pending(broker, "g")), (None, 1));
        producer.end(Commit).await.expect("ended");
        assert_eq!((offset(broker, "g").await, pending(broker, "g")), (Some(5), 0));
        producer.commit_offset("g", 9).await.expect("committed");
        producer.commit_offset("h", 1).await.expect("committed");
        producer.end(Abort).await.expect("ended");
        assert_eq!((offset(broker, "g").await, offset(broker, "h").await), (Some(5), None));
        running.stop().await;

        let running = Running::start(dir.path());
        assert_eq!(offset(&running.broker, "g").await, Some(5), "{version:?}");
        assert_eq!((offset(&running.broker, "h").await, pending(&running.broker, "h")), (None, 0));
        running.stop().await;
    }
}

/// What was written last counts, and not what was decided last (KAFKA-16305 and before: by the place in the journal).
#[tokio::test]
async fn a_later_commit_outlives_an_earlier_one_that_is_decided_after_it() {
    let (dir, running) = fresh();
    let broker = &running.broker;
    one_partition(broker, "a").await;
    let mut producer = Producer::init(broker, "p", TransactionVersion::V2).await.expect("initialized");
    producer.commit_offset("g", 5).await.expect("committed");
    broker.coordinator().commit(commit("g", 8)).await.expect("committed");
    producer.end(Commit).await.expect("ended");
    assert_eq!(offset(broker, "g").await, Some(8));
    running.stop().await;
    let running = Running::start(dir.path());
    assert_eq!(offset(&running.broker, "g").await, Some(8));
    running.stop().await;
}

#[tokio::test]
async fn a_group_that_is_deleted_gets_nothing_back() {
    let (dir, running) = fresh();
    let broker = &running.broker;
    one_partition(broker, "a").await;
    let mut producer = Producer::init(broker, "p", TransactionVersion::V2).await.expect("initialized");
    producer.commit_offset("g", 5).await.expect("committed");
    let group = GroupId::new("g").expect("a valid name");
    broker.coordinator().delete(&group).await.expect("deleted");
    producer.end(Commit).await.expect("ended");
    assert_eq!(offset(broker, "g").await, None);
    running.stop().await;
    let running = Running::start(dir.path());
    assert_eq!(offset(&running.broker, "g").await, None);
    running.stop().await;
}
