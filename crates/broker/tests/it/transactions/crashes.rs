//! The power goes at any operation of the disk: a transaction counts everywhere or nowhere.
//!
//! Each producer writes its transactions' numbers to two partitions and commits them as a group's offset. Whatever was
//! answered must hold after the crash, and what was on its way must be there wholly or not at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use factum_broker::transactions::{TransactionError, TransactionVersion};
use factum_broker::{Broker, Partition};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::GroupId;
use factum_types::record::TransactionOutcome::{Abort, Commit};
use futures::future::join_all;

use super::producer::Producer;
use super::producers::committed;
use crate::crashes::Machine;
use crate::support::{PATIENCE, one_partition};

const PRODUCERS: [(&str, TransactionVersion); 2] =
    [("old", TransactionVersion::V1), ("new", TransactionVersion::V2)];
const TRANSACTIONS: i64 = 4;
const AT_ONCE: usize = 16;

/// What one producer was answered.
#[derive(Debug, Default, Clone)]
struct Answers {
    committed: BTreeSet<i64>,
    /// Ended, or about to end, in a commit of which no answer came.
    doubtful: Option<i64>,
}

fn partitions(broker: &Broker) -> Option<[Arc<Partition>; 2]> {
    let find = |topic| Some(Arc::clone(&broker.topic(topic)?.partitions()[0]));
    Some([find("a")?, find("b")?])
}

/// Writes transactions, every third of them aborted, until the disk fails; each producer numbers on from `first`.
async fn script(
    broker: &Broker,
    (id, version): (&str, TransactionVersion),
    first: i64,
    told: &mut Answers,
) -> Option<()> {
    let [a, b] = partitions(broker)?;
    let mut producer = Producer::init(broker, id, version).await.ok()?;
    for number in first..first + TRANSACTIONS {
        producer.add(&[&a, &b]).await.ok()?;
        for partition in [&a, &b] {
            // As clients do: a commit is asked for when every record was acknowledged.
            let last = producer.append(partition, &format!("{id}:{number}")).ok()?;
            partition.durable(last).await.ok()?;
        }
        producer.commit_offset(id, number).await.ok()?;
        if number % 3 == 2 {
            producer.end(Abort).await.ok()?;
        } else {
            told.doubtful = Some(number);
            producer.end(Commit).await.ok()?;
            told.doubtful = None;
            told.committed.insert(number);
        }
    }
    Some(())
}

/// Runs all producers; whether every one came to its end.
async fn run(broker: &Broker, first: i64, told: &mut [Answers; 2]) -> bool {
    let [old, new] = told;
    let (old, new) =
        tokio::join!(script(broker, PRODUCERS[0], first, old), script(broker, PRODUCERS[1], first, new));
    old.is_some() && new.is_some()
}

/// After each producer came back, which aborts what it had open.
async fn check(broker: &Broker, told: &[Answers; 2], context: &str) {
    // All of them first: what another one has open holds back readers of committed records.
    for (id, version) in PRODUCERS {
        come_back(broker, id, version).await;
    }
    for ((id, _), told) in PRODUCERS.into_iter().zip(told) {
        let mut found = Vec::new();
        for topic in ["a", "b"] {
            let values = committed(broker, topic).await;
            let own = values.iter().filter_map(|value| value.strip_prefix(id)?.strip_prefix(':'));
            found.push(own.map(|number| number.parse::<i64>().expect("a number")).collect::<Vec<_>>());
        }
        assert_eq!(found[0], found[1], "{context}: {id} counts everywhere or nowhere; told {told:?}");
        let mut expected: Vec<_> = told.committed.iter().copied().collect();
        if told.doubtful.is_some_and(|doubtful| found[0].contains(&doubtful)) {
            expected.extend(told.doubtful);
        }
        assert_eq!(found[0], expected, "{context}: {id} was told {told:?}");
        let group = GroupId::new(id).expect("a valid name");
        let offsets = broker.coordinator().fetch_offsets(&group, None).await.expect("fetched");
        let offset = offsets.first().and_then(|(_, committed)| committed.as_ref()).map(|found| found.offset);
        assert_eq!(offset, expected.last().copied(), "{context}: the offset of {id} goes with its records");
    }
}

/// A producer that is told to try again while its last transaction is being completed does so.
async fn come_back(broker: &Broker, id: &str, version: TransactionVersion) {
    let back = async {
        loop {
            match Producer::init(broker, id, version).await {
                Ok(_) => return,
                Err(TransactionError::Concurrent) => tokio::task::yield_now().await,
                Err(error) => panic!("{id}: {error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, back).await.expect("the transaction is completed");
}

/// Looks what became of the commits of which no answer came.
async fn settle(broker: &Broker, told: &mut [Answers; 2]) {
    let values = committed(broker, "a").await;
    for ((id, _), told) in PRODUCERS.into_iter().zip(told) {
        let doubtful = told.doubtful.take();
        told.committed.extend(doubtful.filter(|number| values.contains(&format!("{id}:{number}"))));
    }
}

/// Whether the script came to its end before the crash.
async fn crash_at(after: u64, seed: u64) -> bool {
    let context = format!("operation {after}, seed {seed}");
    let disk = CrashDisk::seeded(seed * 1_000 + after);
    let machine = Machine::start(&disk).expect("a good disk");
    one_partition(&machine.broker, "a").await;
    one_partition(&machine.broker, "b").await;
    disk.inject(Fault { after, kind: FaultKind::Crash, lasting: true });
    let mut told = [Answers::default(), Answers::default()];
    let is_finished = run(&machine.broker, 0, &mut told).await;
    machine.stop().await;
    disk.crash();

    // The second crash finds the first one's recovery under way.
    disk.inject(Fault { after: after % 23, kind: FaultKind::Crash, lasting: true });
    if let Ok(machine) = Machine::start(&disk) {
        machine.stop().await;
    }
    disk.crash();
    let machine = Machine::start(&disk).unwrap_or_else(|error| panic!("{context}: {error:?}"));
    check(&machine.broker, &told, &context).await;
    if after.is_multiple_of(7) {
        settle(&machine.broker, &mut told).await;
        assert!(run(&machine.broker, 100, &mut told).await, "{context}: life goes on");
        check(&machine.broker, &told, &context).await;
    }
    machine.stop().await;
    is_finished
}

#[tokio::test]
async fn a_transaction_counts_everywhere_or_nowhere_after_a_crash() {
    for seed in 0..2 {
        for first in (0..).step_by(AT_ONCE) {
            // Most of the time each waits for a disk that is down.
            let cases = (first..).take(AT_ONCE).map(|after| crash_at(after, seed));
            if join_all(cases).await.contains(&true) {
                break;
            }
        }
    }
}
