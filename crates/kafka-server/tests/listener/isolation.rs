//! Isolation levels of Fetch and ListOffsets, with transactions in the log.

use std::time::Duration;

use factum_broker::EndTransaction;
use factum_types::record::TransactionOutcome::{self, Abort, Commit};
use factum_types::{BatchBuilder, Timestamp};

use crate::client::{Client, values};
use crate::fetching::{fetch, latest};
use crate::server::Server;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const WAIT: Duration = Duration::from_millis(50);
const READ_COMMITTED: i8 = 1;

/// Ends of the partition, and what is fetched from the beginning on, by a client that passes over nothing.
struct FetchView {
    high_watermark: i64,
    last_stable_offset: i64,
    latest: i64,
    values: Vec<String>,
    /// Producers, with the first offsets of their aborted transactions.
    aborted: Option<Vec<(i64, i64)>>,
}

async fn see(client: &mut Client, isolation_level: i8) -> FetchView {
    let response = client.ask(&fetch("orders", 0, WAIT).with_isolation_level(isolation_level), 11).await;
    let partition = &response.responses[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    let aborted = partition
        .aborted_transactions
        .as_ref()
        .map(|aborted| aborted.iter().map(|aborted| (aborted.producer_id.0, aborted.first_offset)).collect());
    let end = client.ask(&latest("orders").with_isolation_level(isolation_level), 7).await;
    FetchView {
        high_watermark: partition.high_watermark,
        last_stable_offset: partition.last_stable_offset,
        latest: end.topics[0].partitions[0].offset,
        values: partition.records.clone().map(values).unwrap_or_default(),
        aborted,
    }
}

#[tokio::test]
async fn each_isolation_level_is_given_its_records() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let topic = server.broker.topic("orders").expect("created");
    let log = topic.partition(0).expect("created").log();
    let write = |producer: i64, value: &str| {
        let mut builder = BatchBuilder::new().producer(producer, 0, 0).transactional();
        builder.push(NOW, None, Some(value.as_bytes()), &[]);
        log.append(builder.build(), NOW).expect("taken").last_offset
    };
    let end = |producer_id: i64, outcome: TransactionOutcome| {
        let end = EndTransaction { producer_id, producer_epoch: 0, outcome, coordinator_epoch: 0 };
        log.end_transaction(&end, NOW).expect("taken").last_offset
    };
    let mut client = server.client().await;
    write(1, "aborted");
    log.durable(write(2, "committed")).await.expect("synced");
    let all = see(&mut client, 0).await;
    assert_eq!((all.high_watermark, all.last_stable_offset, all.latest), (2, 0, 2));
    assert_eq!((all.values, all.aborted), (vec!["aborted".into(), "committed".into()], None));
    let committed = see(&mut client, READ_COMMITTED).await;
    assert_eq!((committed.high_watermark, committed.last_stable_offset, committed.latest), (2, 0, 0));
    assert_eq!((committed.values, committed.aborted), (vec![], Some(vec![])));

    end(1, Abort);
    log.durable(end(2, Commit)).await.expect("synced");
    let committed = see(&mut client, READ_COMMITTED).await;
    assert_eq!((committed.high_watermark, committed.last_stable_offset, committed.latest), (4, 4, 4));
    assert_eq!(committed.values, ["aborted", "committed"], "the client passes over the aborted one");
    assert_eq!(committed.aborted, Some(vec![(1, 0)]));
}
