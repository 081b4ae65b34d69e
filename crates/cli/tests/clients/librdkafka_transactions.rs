//! Transactions of librdkafka: commit, abort, fencing, time-out, offsets, and kills of the server.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::mpsc;
use std::time::Duration;

use factum_testkit::FactumProcess;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, message::Message as _};

use super::librdkafka::{A_MOMENT, PATIENCE, assign, config, consumer, produce, read, values};
use crate::{factum, factum_that_comes_back};

/// A debug build takes a second or so to come back from each.
const KILLS: usize = 8;

fn transactional(factum: &FactumProcess, id: &str, options: &[(&str, &str)]) -> BaseProducer {
    let options = [&[("transactional.id", id)], options].concat();
    let producer: BaseProducer = config(factum, &options).create().expect("a producer");
    producer.init_transactions(PATIENCE).expect("the server takes transactions");
    producer
}

/// Sends numbers to partition 0 and waits until they are there.
fn send(producer: &BaseProducer, topic: &str, numbers: Range<usize>) {
    for number in numbers {
        let value = number.to_string();
        let record = BaseRecord::<(), str>::to(topic).partition(0).payload(&value);
        producer.send(record).map_err(|(error, _)| error).expect("queued");
    }
    producer.flush(PATIENCE).expect("acknowledged");
}

fn begin_and_send(producer: &BaseProducer, topic: &str, numbers: Range<usize>) {
    producer.begin_transaction().expect("begun");
    send(producer, topic, numbers);
}

fn commit(producer: &BaseProducer) {
    producer.commit_transaction(PATIENCE).expect("committed");
}

fn abort(producer: &BaseProducer) {
    producer.abort_transaction(PATIENCE).expect("aborted");
}

/// A reader of partition 0 by an isolation level.
fn reader(factum: &FactumProcess, topic: &str, isolation: &str) -> BaseConsumer {
    let consumer = consumer(factum, &[("isolation.level", isolation)]);
    assign(&consumer, topic, Offset::Beginning);
    consumer
}

#[track_caller]
fn expect_records(factum: &FactumProcess, topic: &str, isolation: &str, wanted: &[usize]) {
    let consumer = reader(factum, topic, isolation);
    assert_eq!(values(&read(&consumer, wanted.len())), wanted, "{isolation}");
    assert!(consumer.poll(A_MOMENT).is_none(), "{isolation} gives no more than {} records", wanted.len());
}

#[track_caller]
fn expect_committed(factum: &FactumProcess, topic: &str, wanted: &[usize]) {
    expect_records(factum, topic, "read_committed", wanted);
}

#[track_caller]
fn code_of(refused: KafkaError) -> RDKafkaErrorCode {
    match refused {
        KafkaError::Transaction(refused) => refused.code(),
        other => panic!("no error of a transaction: {other}"),
    }
}

#[test]
fn readers_of_committed_records_get_what_was_committed_and_nothing_else() {
    let factum = factum();
    let topic = "librdkafka.transactions";
    let producer = transactional(&factum, "transactions", &[]);
    let (mut sent, mut kept) = (Vec::new(), Vec::new());
    for transaction in 0..20 {
        let numbers = transaction * 10..transaction * 10 + 10;
        begin_and_send(&producer, topic, numbers.clone());
        sent.extend(numbers.clone());
        if transaction % 3 == 1 {
            abort(&producer);
        } else {
            commit(&producer);
            kept.extend(numbers);
        }
    }
    expect_committed(&factum, topic, &kept);
    expect_records(&factum, topic, "read_uncommitted", &sent);
    begin_and_send(&producer, topic, 1000..1002);
    expect_committed(&factum, topic, &kept);
    commit(&producer);
    kept.extend(1000..1002);
    expect_committed(&factum, topic, &kept);
}

#[test]
fn offsets_and_records_of_a_transaction_are_kept_together_or_not_at_all() {
    let factum = factum();
    let (source, target) = ("librdkafka.source", "librdkafka.target");
    produce(&factum, source, 0..100, &[]);
    let producer = transactional(&factum, "exactly-once", &[]);
    let (mut done, mut aborted) = (0, 0);
    for round in 0.. {
        // A new member each time, which begins where the last transaction that was committed ended.
        let consumer =
            consumer(&factum, &[("group.id", "exactly-once"), ("isolation.level", "read_committed")]);
        consumer.subscribe(&[source]).expect("subscribed");
        let found = read(&consumer, 10);
        assert_eq!(values(&found), (done..done + 10).collect::<Vec<_>>());
        begin_and_send(&producer, target, done..done + 10);
        let mut offsets = TopicPartitionList::new();
        let next = Offset::Offset(found[9].offset() + 1);
        offsets.add_partition_offset(source, 0, next).expect("an offset");
        let member = consumer.group_metadata().expect("a member");
        producer.send_offsets_to_transaction(&offsets, &member, PATIENCE).expect("added");
        if round % 3 == 1 {
            abort(&producer);
            aborted += 1;
        } else {
            commit(&producer);
            done += 10;
        }
        if done == 100 {
            break;
        }
    }
    assert_eq!(aborted, 5);
    expect_committed(&factum, target, &(0..100).collect::<Vec<_>>());
}

#[test]
fn a_second_producer_of_a_name_fences_the_first() {
    let factum = factum();
    let topic = "librdkafka.fencing";
    let zombie = transactional(&factum, "fencing", &[]);
    begin_and_send(&zombie, topic, 0..2);
    let successor = transactional(&factum, "fencing", &[]);
    begin_and_send(&successor, topic, 2..4);
    let refused = zombie.commit_transaction(PATIENCE).expect_err("it is fenced");
    // librdkafka gives the first code to applications and keeps the second for its fatal error.
    let code = code_of(refused);
    assert!(
        matches!(code, RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::Fatal),
        "{code}"
    );
    commit(&successor);
    expect_committed(&factum, topic, &[2, 3]);
}

#[test]
fn a_transaction_that_is_not_ended_in_time_is_aborted() {
    let factum = factum();
    let topic = "librdkafka.timeout";
    let slow = transactional(&factum, "timeout", &[("transaction.timeout.ms", "3000")]);
    begin_and_send(&slow, topic, 0..1);
    produce(&factum, topic, 1..2, &[]);
    // The record behind it is held up until then.
    expect_committed(&factum, topic, &[1]);
    slow.commit_transaction(PATIENCE).expect_err("it was aborted");
    expect_committed(&factum, topic, &[1]);
}

#[test]
fn a_transaction_goes_on_over_a_kill() {
    let (_data, mut factum) = factum_that_comes_back();
    let topic = "librdkafka.killed";
    let producer = transactional(&factum, "killed", &[]);
    begin_and_send(&producer, topic, 0..100);
    factum.kill();
    factum.restart();
    send(&producer, topic, 100..200);
    commit(&producer);
    begin_and_send(&producer, topic, 200..300);
    factum.kill();
    factum.restart();
    abort(&producer);
    begin_and_send(&producer, topic, 300..400);
    commit(&producer);
    factum.kill();
    factum.restart();
    let kept: Vec<_> = (0..200).chain(300..400).collect();
    expect_committed(&factum, topic, &kept);
    expect_records(&factum, topic, "read_uncommitted", &(0..400).collect::<Vec<_>>());
}

#[test]
fn a_transaction_of_a_producer_that_is_gone_times_out_over_a_kill() {
    let (_data, mut factum) = factum_that_comes_back();
    let topic = "librdkafka.gone";
    let producer = transactional(&factum, "gone", &[("transaction.timeout.ms", "5000")]);
    begin_and_send(&producer, topic, 0..1);
    factum.kill();
    // Its destructor would abort.
    drop(producer);
    factum.restart();
    produce(&factum, topic, 1..2, &[]);
    expect_committed(&factum, topic, &[1]);
}

#[test]
fn kills_around_the_end_of_a_transaction_neither_lose_nor_double_nor_halve_it() {
    let (_data, factum) = factum_that_comes_back();
    let topic = "librdkafka.kills";
    let producer = transactional(&factum, "kills", &[]);
    let (kill_after, delays) = mpsc::channel::<Duration>();
    let killer = move || {
        let mut factum = factum;
        for delay in delays {
            std::thread::sleep(delay);
            factum.kill();
            factum.restart();
        }
        factum
    };
    let killer = std::thread::Builder::new().spawn(killer).expect("a thread can be started");
    let mut kept = Vec::new();
    for transaction in 0..KILLS {
        let numbers = transaction * 20..transaction * 20 + 20;
        begin_and_send(&producer, topic, numbers.clone());
        let random = RandomState::new().hash_one(()) % 20_000;
        kill_after.send(Duration::from_micros(random)).expect("the killer waits");
        if transaction % 4 == 3 {
            abort(&producer);
        } else {
            commit(&producer);
            kept.extend(numbers);
        }
    }
    drop(kill_after);
    let factum = killer.join().expect("the server came back each time");
    expect_committed(&factum, topic, &kept);
    expect_records(&factum, topic, "read_uncommitted", &(0..KILLS * 20).collect::<Vec<_>>());
}
