//! A broker that runs in a directory of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_base::clock::{SharedClock, SystemClock};
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_broker::{AutoCreateTopics, Broker, OpenError, Options, Partition, Service, coordinator};
use factum_eventlog::{EventLog, NewRecord, NewTopic, TopicConfig};
use factum_log::Slice;
use factum_types::{BatchBuilder, RecordBatch, Timestamp, TopicName, batch};
use tempfile::TempDir;

/// How long anything may take before it counts as never.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A broker that runs; it stops in order when told to, and as after a crash when it is dropped.
pub(crate) struct Running {
    pub(crate) broker: Broker,
    group: TaskGroup,
}

impl Running {
    pub(crate) fn open(options: Options, clock: SharedClock) -> Result<Self, OpenError> {
        let (service, broker) = Service::open_local(options, clock, Random::system())?;
        let group = TaskTree::new().child("broker");
        group.spawn("broker", OnError::StopServer, service.run(group.stop(), group.clone()));
        Ok(Self { broker, group })
    }

    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::open(options(data_dir), Arc::new(SystemClock)).expect("the data directory opens")
    }

    pub(crate) async fn stop(self) {
        assert!(self.group.stop_within(PATIENCE).await.is_empty(), "everything stops in time");
    }
}

/// A fresh directory and a broker in it.
pub(crate) fn fresh() -> (TempDir, Running) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let running = Running::start(dir.path());
    (dir, running)
}

/// Topics on first use, and sessions as short as a test wants them.
pub(crate) fn options(data_dir: &Path) -> Options {
    let groups =
        coordinator::Options { min_session_timeout: Duration::from_millis(100), ..Default::default() };
    Options {
        data_dir: data_dir.to_owned(),
        auto_create_topics: AutoCreateTopics::Always,
        groups,
        ..Options::default()
    }
}

pub(crate) fn name(text: &str) -> TopicName {
    TopicName::new(text.to_owned()).expect("a valid name")
}

pub(crate) fn new_topic(text: &str, partitions: i32) -> NewTopic {
    NewTopic { name: name(text), partitions: Some(partitions), config: TopicConfig::default() }
}

/// Makes a topic of one partition and gives that.
pub(crate) async fn one_partition(broker: &Broker, text: &str) -> Arc<Partition> {
    let topic = broker.create_topic(new_topic(text, 1)).await.expect("a new topic");
    Arc::clone(&topic.partitions()[0])
}

pub(crate) fn record(value: &str) -> NewRecord {
    NewRecord { value: Some(Bytes::copy_from_slice(value.as_bytes())), ..NewRecord::default() }
}

pub(crate) async fn produce(broker: &Broker, topic: &str, value: &str) {
    broker.produce(&name(topic), vec![record(value)]).await.expect("a record is taken");
}

/// A batch of one record whose value has `bytes` bytes.
pub(crate) fn batch_of(bytes: usize) -> RecordBatch {
    batch_at(bytes, Timestamp::from_millis(1_700_000_000_000))
}

pub(crate) fn batch_at(bytes: usize, timestamp: Timestamp) -> RecordBatch {
    let mut builder = BatchBuilder::new();
    builder.push(timestamp, None, Some(&vec![b'x'; bytes]), &[]);
    builder.build()
}

/// Appends a batch and waits until it is on disk; gives the offset of its record.
pub(crate) async fn append(partition: &Partition, bytes: usize) -> i64 {
    let appended = partition.append(batch_of(bytes)).expect("a batch is taken");
    partition.durable(appended.last_offset).await.expect("the disk syncs");
    appended.base_offset.get()
}

/// The base offset of each batch.
pub(crate) fn bases(slice: &Slice) -> Vec<i64> {
    let headers = slice.chunks.iter().flat_map(|chunk| batch::headers(chunk));
    headers.map(|found| found.expect("a sound batch").1.base_offset).collect()
}
