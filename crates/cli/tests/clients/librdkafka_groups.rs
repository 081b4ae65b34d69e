//! Groups of the consumer protocol (KIP-848) by librdkafka.

use std::collections::BTreeMap;

use factum_testkit::FactumProcess;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::librdkafka::{A_MOMENT, PATIENCE, config, consumer};
use crate::factum_that_comes_back;

const TOPIC: &str = "librdkafka.shared";
const PARTITIONS: i32 = 4;

fn member(factum: &FactumProcess) -> BaseConsumer {
    let options = [
        ("group.protocol", "consumer"),
        ("group.id", "librdkafka.readers"),
        ("enable.auto.commit", "true"),
        ("auto.commit.interval.ms", "100"),
    ];
    let member = consumer(factum, &options);
    member.subscribe(&[TOPIC]).expect("subscribed");
    member
}

/// Records with these numbers, over all partitions.
fn produce(factum: &FactumProcess, numbers: std::ops::Range<i32>) {
    let producer: BaseProducer = config(factum, &[]).create().expect("a producer");
    for number in numbers {
        let value = number.to_string();
        let record = BaseRecord::<(), str>::to(TOPIC).partition(number % PARTITIONS).payload(&value);
        producer.send(record).map_err(|(error, _)| error).expect("queued");
    }
    producer.flush(PATIENCE).expect("acknowledged");
}

fn assigned(member: &BaseConsumer) -> Vec<i32> {
    let assignment = member.assignment().expect("an assignment");
    let mut partitions: Vec<_> = assignment.elements().iter().map(|element| element.partition()).collect();
    partitions.sort_unstable();
    partitions
}

/// The sum of the group's offsets, which is the number of records before them.
fn committed(member: &BaseConsumer) -> i64 {
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_range(TOPIC, 0, PARTITIONS - 1);
    let committed = member.committed_offsets(partitions, PATIENCE).expect("committed offsets");
    committed.elements().iter().map(|element| element.offset().to_raw().unwrap_or_default()).sum()
}

/// What all members have read, and how often.
#[derive(Default)]
struct ReadCounts(BTreeMap<i32, usize>);

impl ReadCounts {
    /// Polls the members until `is_done`.
    #[track_caller]
    fn poll_until(&mut self, members: &[&BaseConsumer], is_done: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            for member in members {
                // Errors are of connections that broke with the server; the library connects again.
                if let Some(Ok(message)) = member.poll(A_MOMENT) {
                    let value = std::str::from_utf8(message.payload().expect("a value")).expect("text");
                    *self.0.entry(value.parse().expect("a number")).or_default() += 1;
                }
            }
            if is_done(self) {
                return;
            }
        }
        panic!("not done in time, after {} records", self.0.len());
    }

    fn all(&self, count: usize) -> bool {
        self.0.len() == count
    }
}

#[test]
fn members_of_the_consumer_protocol_come_go_and_outlive_the_server() {
    let (_data, mut factum) = factum_that_comes_back();
    produce(&factum, 0..200);
    let mut seen = ReadCounts::default();
    let one = member(&factum);
    seen.poll_until(&[&one], |seen| seen.all(200));
    assert_eq!(assigned(&one), [0, 1, 2, 3]);

    let other = member(&factum);
    seen.poll_until(&[&one, &other], |_| assigned(&one).len() == 2 && assigned(&other).len() == 2);
    let mut both = [assigned(&one), assigned(&other)].concat();
    both.sort_unstable();
    assert_eq!(both, [0, 1, 2, 3], "no partition belongs to both");
    produce(&factum, 200..400);
    seen.poll_until(&[&one, &other], |seen| seen.all(400));

    let before = (assigned(&one), assigned(&other));
    factum.kill();
    factum.restart();
    produce(&factum, 400..600);
    seen.poll_until(&[&one, &other], |seen| seen.all(600));
    assert_eq!((assigned(&one), assigned(&other)), before, "a restart is no rebalance");
    // A commit that the library could not send while the server was gone is sent later, with the offsets of then; it
    // commits again after that.
    seen.poll_until(&[&one, &other], |_| committed(&one) == 600);

    // Closing commits and leaves.
    produce(&factum, 600..700);
    seen.poll_until(&[&one, &other], |seen| seen.all(700));
    drop(other);
    produce(&factum, 700..800);
    seen.poll_until(&[&one], |seen| seen.all(800) && assigned(&one).len() == 4);
    let twice: Vec<_> = seen.0.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "read twice: {twice:?}");
}
