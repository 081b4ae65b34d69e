//! Contracts of topics: every record is judged, on both ways into a partition, and nothing is appended in part.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use factum_base::steps::Steps;
use factum_broker::{
    Contract, InlineWork, InvalidRecord, Partition, ProduceError, ProducedRecord, RecordValidator, Violation,
};
use factum_eventlog::{EventLog, NewRecord};
use factum_types::{BatchBuilder, Compression, Header, RecordBatch, Timestamp, TopicName};
use tokio::task::JoinSet;

use crate::support::{PATIENCE, Running, append, fresh, name, one_partition, record};

/// Topics whose names begin with `numbers` take records that are numbers, and no key.
struct Numbers;

impl RecordValidator for Numbers {
    fn contract(&self, topic: &TopicName) -> Option<Arc<dyn Contract>> {
        topic.as_str().starts_with("numbers").then(|| Arc::new(Self) as Arc<dyn Contract>)
    }
}

impl Contract for Numbers {
    fn check(&self, record: ProducedRecord<'_>, _: &mut Steps) -> Result<(), Violation> {
        let is_number = |value: &[u8]| value.iter().all(u8::is_ascii_digit);
        match (record.key, record.value) {
            (Some(_), _) => Err(Violation { reason: "it has a key".to_owned() }),
            (None, Some(value)) if !is_number(value) => Err(Violation { reason: "not a number".to_owned() }),
            (None, _) => Ok(()),
        }
    }
}

fn start() -> (tempfile::TempDir, Running) {
    let (dir, running) = fresh();
    running.broker.validate_records(Numbers);
    (dir, running)
}

fn batch(compression: Compression, values: &[&str]) -> RecordBatch {
    let mut builder = BatchBuilder::new().compression(compression);
    let time = Timestamp::from_millis(1_700_000_000_000);
    values.iter().for_each(|value| builder.push(time, None, Some(value.as_bytes()), &[]));
    builder.build()
}

fn refused(partition: &Partition, batch: RecordBatch) -> ProduceError {
    partition.append(batch).expect_err("refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_records_that_break_the_contract_is_refused_whole() {
    let (_dir, running) = start();
    let partition = one_partition(&running.broker, "numbers").await;
    let many: Vec<String> = (0..60_000).map(|n| n.to_string()).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.push("x");
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        let error = refused(&partition, batch(compression, &["1", "x", "2", "y"]));
        let invalid = |index| InvalidRecord { index, reason: "not a number".to_owned() };
        assert_eq!(error.invalid_records(), [invalid(1), invalid(3)]);
        assert_eq!(error.to_string(), "record 1: not a number; and 1 more");
        // More than is judged on the caller's thread.
        let error = refused(&partition, batch(compression, &many));
        assert_eq!(error.invalid_records(), [invalid(60_000)]);
    }
    let error = refused(&partition, batch(Compression::None, &["x"; 1_000]));
    assert_eq!(error.invalid_records().len(), 100, "no more are named");
    partition.append(batch(Compression::None, &["1"])).expect("appended");
    let words = one_partition(&running.broker, "words").await;
    assert_eq!(append(&words, 10).await, 0, "has no contract");
    assert_eq!(partition.bounds().log_end.get(), 1, "nothing of the others was kept");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_process_is_refused_whole_and_names_its_record() {
    let (_dir, running) = start();
    let topic = name("numbers");
    let keyed = NewRecord { key: Some("a".into()), ..record("1") };
    for (records, index, reason) in [
        (vec![record("1"), record("x")], 1, "not a number"),
        (vec![keyed], 0, "it has a key"),
        (
            (0..300_000).map(|n| record(if n == 250_000 { "x" } else { "12" })).collect(),
            250_000,
            "not a number",
        ),
    ] {
        match running.broker.produce(&topic, records).await {
            Err(factum_eventlog::ProduceError::Refused { index: found, reason: why }) => {
                assert_eq!((found, why.as_str()), (index, reason));
            }
            other => panic!("not {:?}", other.map(|placed| placed.len())),
        }
    }
    let placed = running.broker.produce(&topic, vec![record("7")]).await.expect("appended");
    assert_eq!(placed[0].offset.get(), 0, "nothing of the others was kept");
    running.stop().await;
}

/// Accepts everything until it is closed, and then nothing.
#[derive(Clone, Default)]
struct Closable(Arc<AtomicBool>);

impl RecordValidator for Closable {
    fn contract(&self, _topic: &TopicName) -> Option<Arc<dyn Contract>> {
        Some(Arc::new(self.clone()))
    }
}

impl Contract for Closable {
    fn check(&self, _record: ProducedRecord<'_>, _: &mut Steps) -> Result<(), Violation> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(Violation { reason: "closed".to_owned() }),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_repeated_batch_is_acknowledged_after_its_contract_changed() {
    let (_dir, running) = fresh();
    let contract = Closable::default();
    running.broker.validate_records(contract.clone());
    let partition = one_partition(&running.broker, "a").await;
    let (id, epoch) = running.broker.allocate_producer_id().await.expect("an id");
    let send = |sequence| {
        let mut builder = BatchBuilder::new().producer(id, epoch, sequence);
        builder.push(Timestamp::from_millis(1_000), None, Some(b"v"), &[]);
        partition.append(builder.build())
    };
    send(0).expect("appended");
    contract.0.store(true, Ordering::Relaxed);
    let again = send(0).expect("a duplicate is acknowledged");
    assert_eq!((again.duplicate, again.base_offset.get()), (true, 0));
    assert!(matches!(send(1), Err(ProduceError::Contract { .. })));
    running.stop().await;
}

/// Waits in a record until another task of the runtime has run.
#[derive(Clone)]
struct WaitsForAnother(Arc<Mutex<mpsc::Receiver<()>>>);

impl RecordValidator for WaitsForAnother {
    fn contract(&self, _topic: &TopicName) -> Option<Arc<dyn Contract>> {
        Some(Arc::new(self.clone()))
    }
}

impl Contract for WaitsForAnother {
    fn check(&self, record: ProducedRecord<'_>, _: &mut Steps) -> Result<(), Violation> {
        let waits = record.value.is_some_and(|value| value.starts_with(b"wait"));
        match waits.then(|| self.0.lock().expect("no holder panics").recv_timeout(PATIENCE)) {
            Some(Err(_)) => Err(Violation { reason: "no other task ran".to_owned() }),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn many_batches_of_one_request_leave_the_thread_to_others() {
    let (_dir, running) = fresh();
    let (another, ran) = mpsc::channel();
    running.broker.validate_records(WaitsForAnother(Arc::new(Mutex::new(ran))));
    let partition = one_partition(&running.broker, "a").await;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut inline = InlineWork::default();
        let mut append = |value: String| {
            partition.append_timed(batch(Compression::None, &[&value]), NonZeroUsize::MIN, &mut inline, None)
        };
        append("x".repeat(400_000)).map(drop).expect("within what a request may do here");
        append("wait".repeat(100_000)).map(drop)
    });
    // Runs on the same worker, once the request has left it.
    tasks.spawn(async move { another.send(()).map_err(|_| unreachable!("the contract listens")) });
    for done in tasks.join_all().await {
        done.expect("judged while the other ran");
    }
    running.stop().await;
}

/// Takes as many steps for a record as its value says, and looks at the header that names its schema.
#[derive(Clone, Copy)]
struct Costly;

impl RecordValidator for Costly {
    fn contract(&self, _topic: &TopicName) -> Option<Arc<dyn Contract>> {
        Some(Arc::new(*self))
    }
}

impl Contract for Costly {
    fn check(&self, record: ProducedRecord<'_>, steps: &mut Steps) -> Result<(), Violation> {
        let value = std::str::from_utf8(record.value.unwrap_or_default()).expect("text");
        steps.take(value.parse().expect("a number"));
        match record.schema_header {
            Some(b"wrong") => Err(Violation { reason: "the last header is wrong".to_owned() }),
            _ => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_take_too_much_work_are_refused() {
    let (_dir, running) = fresh();
    running.broker.validate_records(Costly);
    let partition = one_partition(&running.broker, "a").await;
    // More than is done on the thread that serves; then more than is done at all.
    for steps in ["10", "1000000"] {
        partition.append(batch(Compression::None, &[steps, steps])).expect("appended");
    }
    let error = refused(&partition, batch(Compression::None, &["20000000", "20000000"]));
    assert_eq!(
        error.invalid_records()[0].reason,
        "the records take too much work to check: send fewer of them at once, or values with fewer parts"
    );
    let name = TopicName::new("a").expect("a name");
    let record = NewRecord { value: Some("40000000".into()), ..NewRecord::default() };
    let error = running.broker.produce(&name, vec![record]).await.expect_err("refused").to_string();
    assert!(error.contains("too much work"), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn the_last_header_of_a_schema_counts() {
    let (_dir, running) = fresh();
    running.broker.validate_records(Costly);
    let partition = one_partition(&running.broker, "a").await;
    let send = |values: [&'static [u8]; 2]| {
        let header =
            |value: &'static [u8]| Header { key: "__value_schema_id".into(), value: Some(value.into()) };
        let mut builder = BatchBuilder::new();
        builder.push(Timestamp::from_millis(1_000), None, Some(b"1"), &values.map(header));
        partition.append(builder.build())
    };
    send([b"wrong", b"right"]).expect("appended");
    assert!(matches!(send([b"right", b"wrong"]), Err(ProduceError::Contract { .. })));
    running.stop().await;
}
