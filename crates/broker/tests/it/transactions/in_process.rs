//! The power goes at any operation of the disk while requests are stored whole and a task says everything once.

use std::time::Duration;

use factum_broker::Broker;
use factum_eventlog::{EventLog, NewRecord, TaskProducer};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::{Offset, TopicPartition};
use futures::future::join_all;

use crate::crashes::Machine;
use crate::support::{PATIENCE, name, new_topic, record};

const PARTITIONS: i32 = 3;
const ROUNDS: usize = 4;
const AT_ONCE: usize = 32;
const WHOLE: &str = "whole";
const SAID: &str = "said";
const SOURCE: &str = "source";

/// What was answered, and what no answer came of.
#[derive(Debug, Default)]
struct Answers {
    whole: Vec<usize>,
    doubtful: Option<usize>,
    said: usize,
}

fn everywhere(number: usize) -> Vec<NewRecord> {
    let in_partition = |partition| NewRecord { partition: Some(partition), ..record(&number.to_string()) };
    (0..PARTITIONS).map(in_partition).collect()
}

fn source() -> TopicPartition {
    TopicPartition::new(name(SOURCE), 0)
}

/// Says number `number`, as a task that has read so far.
async fn say(task: &mut TaskProducer, number: usize) -> Option<()> {
    let records = everywhere(number).into_iter().map(|record| (name(SAID), record)).collect();
    let position = Offset::new(i64::try_from(number).expect("small"));
    task.produce(&source(), position, records).await.ok().map(drop)
}

async fn script(broker: &Broker, told: &mut Answers) -> Option<()> {
    let mut task = TaskProducer::take_over(broker, "t").await.ok()?;
    for number in 1..=ROUNDS {
        told.doubtful = Some(number);
        broker.produce_whole(&name(WHOLE), everywhere(number)).await.ok()?;
        told.doubtful = None;
        told.whole.push(number);
        say(&mut task, number).await?;
        told.said = number;
    }
    Some(())
}

async fn values(broker: &Broker, topic: &str, partition: i32) -> Vec<usize> {
    let place = TopicPartition::new(name(topic), partition);
    let (mut values, mut from) = (Vec::new(), Offset::ZERO);
    loop {
        let chunk = broker.read(&place, from, 1 << 20, Duration::ZERO).await.expect("readable");
        if chunk.next == from {
            return values;
        }
        from = chunk.next;
        let texts =
            chunk.records.iter().filter_map(|record| std::str::from_utf8(record.value.as_deref()?).ok());
        values.extend(texts.map(|text| text.parse::<usize>().expect("a number")));
    }
}

/// Until nothing is open: what the process that ended left open is aborted by the one that follows.
async fn is_settled(broker: &Broker, topic: &str, context: &str) {
    let settled = async {
        let topic = broker.topic(topic).expect("made before the crash");
        for partition in topic.partitions() {
            while partition.bounds().stable != partition.bounds().high_watermark {
                tokio::task::yield_now().await;
            }
        }
    };
    if tokio::time::timeout(PATIENCE, settled).await.is_err() {
        let topic = broker.topic(topic).expect("made before the crash");
        let bounds: Vec<_> = topic.partitions().iter().map(|partition| partition.bounds()).collect();
        panic!("{context}: a transaction stays open in {}: {bounds:?}", topic.name());
    }
}

async fn check(broker: &Broker, told: &Answers, context: &str) {
    is_settled(broker, WHOLE, context).await;
    let mut expected = told.whole.clone();
    let first = values(broker, WHOLE, 0).await;
    expected.extend(told.doubtful.filter(|doubtful| first.contains(doubtful)));
    for partition in 0..PARTITIONS {
        let found = values(broker, WHOLE, partition).await;
        assert_eq!(found, expected, "{context}: partition {partition}, told {told:?}");
    }
    // The task begins again from before what it was told of last, as one that reads its own state does.
    let mut task = TaskProducer::take_over(broker, "t").await.expect("taken over");
    for number in told.said.max(1)..=ROUNDS {
        say(&mut task, number).await.unwrap_or_else(|| panic!("{context}: {number} is said"));
    }
    is_settled(broker, SAID, context).await;
    let once: Vec<_> = (1..=ROUNDS).collect();
    for partition in 0..PARTITIONS {
        assert_eq!(values(broker, SAID, partition).await, once, "{context}: partition {partition}");
    }
}

/// Whether the script came to its end before the crash.
async fn crash_at(after: u64, seed: u64) -> bool {
    let context = format!("operation {after}, seed {seed}");
    let disk = CrashDisk::seeded(seed * 1_000 + after);
    let machine = Machine::start(&disk).expect("a good disk");
    for topic in [WHOLE, SAID, SOURCE] {
        machine.broker.create_topic(new_topic(topic, PARTITIONS)).await.expect("a new topic");
    }
    disk.inject(Fault { after, kind: FaultKind::Crash, lasting: true });
    let mut told = Answers::default();
    let script = tokio::time::timeout(PATIENCE, script(&machine.broker, &mut told));
    let is_finished = script.await.expect("an answer comes, or an error").is_some();
    machine.stop().await;
    disk.crash();
    // The fault may not have come to pass.
    disk.heal();
    let machine = Machine::start(&disk).unwrap_or_else(|error| panic!("{context}: {error:?}"));
    check(&machine.broker, &told, &context).await;
    machine.stop().await;
    is_finished
}

#[tokio::test]
async fn requests_are_whole_and_a_task_says_everything_once_after_a_crash() {
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
