//! Transactions as readers of the event log see them: the records of those that were committed, and no others.

mod crashes;
mod held_back;
mod in_process;
mod offsets;
mod producer;
mod producers;

use std::pin::pin;
use std::time::Duration;

use factum_eventlog::{EventLog, Position};
use factum_log::{EndTransaction, PartitionLog};
use factum_types::record::TransactionOutcome::{self, Abort, Commit};
use factum_types::{BatchBuilder, Offset, Timestamp};
use futures::FutureExt;
use tokio::time::timeout;

use crate::support::{PATIENCE, fresh, one_partition, produce};

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn write(log: &PartitionLog, producer: i64, value: &str) -> Offset {
    let mut builder = BatchBuilder::new().producer(producer, 0, 0).transactional();
    builder.push(NOW, None, Some(value.as_bytes()), &[]);
    log.append(builder.build(), NOW).expect("taken").last_offset
}

fn end(log: &PartitionLog, producer_id: i64, outcome: TransactionOutcome) -> Offset {
    let end = EndTransaction { producer_id, producer_epoch: 0, outcome, coordinator_epoch: 0 };
    log.end_transaction(&end, NOW).expect("taken").last_offset
}

#[tokio::test]
async fn readers_see_committed_records_only() {
    let (_dir, running) = fresh();
    let broker = &running.broker;
    let partition = one_partition(broker, "orders").await;
    let (log, name) = (partition.log(), partition.topic_partition());
    produce(broker, "orders", "before").await;
    let last = write(log, 1, "committed").max(write(log, 2, "aborted"));
    partition.durable(last).await.expect("synced");
    produce(broker, "orders", "after").await;
    let read = |from| broker.read(name, from, 1 << 20, Duration::ZERO);
    let values = |chunk: factum_eventlog::Chunk| -> Vec<String> {
        let values = chunk.records.into_iter().filter_map(|record| record.value);
        values.map(|value| String::from_utf8_lossy(&value).into_owned()).collect()
    };
    let chunk = read(Offset::ZERO).await.expect("readable");
    assert_eq!((chunk.next, chunk.high_watermark), (Offset::new(1), Offset::new(1)));
    assert_eq!(values(chunk), ["before"], "two transactions are open");
    assert_eq!(broker.offset_of(name, Position::Latest).await.expect("there"), Offset::new(1));

    {
        let mut waiting = pin!(broker.wait_past(name, Offset::new(1)));
        assert!(waiting.as_mut().now_or_never().is_none(), "nothing is decided");
        end(log, 2, Abort);
        end(log, 1, Commit);
        timeout(PATIENCE, waiting).await.expect("the markers end the wait");
    }
    let chunk = read(Offset::new(1)).await.expect("readable");
    assert_eq!(chunk.next, chunk.high_watermark);
    assert_eq!(values(chunk), ["committed", "after"]);

    let aborted = read(Offset::new(2)).await.expect("readable");
    assert_eq!(values(aborted), ["after"], "also from within an aborted transaction on");
    running.stop().await;
}
