//! Idempotent producers across restarts.

use std::sync::Arc;

use factum_broker::{Partition, ProduceError};
use factum_log::{AppendError, AppendResult};
use factum_types::{BatchBuilder, ProducerEpoch, ProducerId, Timestamp};

use crate::support::{Running, fresh, one_partition};

fn send(
    partition: &Partition,
    producer: (ProducerId, ProducerEpoch),
    sequence: i32,
) -> Result<AppendResult, ProduceError> {
    let mut builder = BatchBuilder::new().producer(producer.0, producer.1, sequence);
    builder.push(Timestamp::from_millis(1_000), None, Some(b"v"), &[]);
    partition.append(builder.build())
}

#[tokio::test]
async fn a_batch_sent_again_after_a_restart_is_recognised() {
    let (dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    let producer = running.broker.allocate_producer_id().await.expect("an id");
    for sequence in 0..3 {
        let appended = send(&partition, producer, sequence).expect("in order");
        partition.durable(appended.last_offset).await.expect("synced");
    }
    running.stop().await;
    let running = Running::start(dir.path());
    let topic = running.broker.topic("a").expect("kept");
    let partition = &topic.partitions()[0];
    let again = send(partition, producer, 2).expect("a duplicate is acknowledged");
    assert_eq!((again.duplicate, again.base_offset.get()), (true, 2), "with the offsets of the first time");
    let gap = send(partition, producer, 4).expect_err("3 comes next");
    assert!(matches!(gap, ProduceError::Log(AppendError::OutOfOrderSequence { expected: 3, found: 4, .. })));
    let next = send(partition, producer, 3).expect("in order");
    assert_eq!((next.duplicate, next.base_offset.get()), (false, 3));
    running.stop().await;
}

#[tokio::test]
async fn an_id_that_was_never_given_out_is_refused() {
    let (dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    let (given, _) = running.broker.allocate_producer_id().await.expect("an id");
    for id in [0, 7, given + 1, given - 1, i64::MAX] {
        let refused = send(&partition, (id, 0), 0).expect_err("made up");
        assert!(
            matches!(refused, ProduceError::UnknownProducer { producer_id } if producer_id == id),
            "{refused}"
        );
    }
    send(&partition, (given, 0), 0).expect("given out");
    running.stop().await;
    let running = Running::start(dir.path());
    let topic = running.broker.topic("a").expect("kept");
    send(&topic.partitions()[0], (given, 0), 1).expect("still good after a restart");
    running.stop().await;
}

#[tokio::test]
async fn ids_that_an_earlier_version_gave_out_stay_good() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("producer-ids.json"), r#"{"format":1,"reserved":2000}"#).expect("written");
    let running = Running::start(dir.path());
    one_partition(&running.broker, "a").await;
    let (given, _) = running.broker.allocate_producer_id().await.expect("an id");
    assert!(given >= 2_000, "{given} is new");
    running.stop().await;
    let running = Running::start(dir.path());
    let partition = Arc::clone(&running.broker.topic("a").expect("kept").partitions()[0]);
    send(&partition, (1_999, 0), 0).expect("given out before");
    send(&partition, (2_000, 0), 0).expect_err("never given out");
    send(&partition, (given, 0), 0).expect("given out since");
    running.stop().await;
}
