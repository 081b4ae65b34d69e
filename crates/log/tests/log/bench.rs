//! A log on a [`CrashDisk`], and records that tell where they belong.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_log::{
    AppendError, AppendResult, Environment, EnvironmentOptions, Isolation, Options, PartitionLog, ReadError,
    Recovery,
};
use factum_testkit::CrashDisk;
use factum_types::{BatchBuilder, BatchHeader, Offset, RecordBatch, Timestamp, batch, record};

/// Small segments, so that a short test has several; index entries often.
pub(crate) const OPTIONS: Options = Options {
    segment_bytes: 600,
    segment_age: None,
    index_interval_bytes: 150,
    retention: None,
    retention_bytes: None,
    compaction: None,
};

/// No cache: every read is a cold one.
pub(crate) const COLD: EnvironmentOptions = EnvironmentOptions {
    tail_cache_bytes: 0,
    open_segments: 2,
    active_segments: 2,
    retry_pause: Duration::from_millis(250),
};

/// A log, the disk under it, and what shares both.
pub(crate) struct Bench {
    pub(crate) disk: CrashDisk,
    pub(crate) environment: Environment,
    pub(crate) log: PartitionLog,
    pub(crate) recovery: Recovery,
}

impl Bench {
    pub(crate) fn new(seed: u64) -> Self {
        Self::on(CrashDisk::seeded(seed))
    }

    /// Opens the log on `disk` as a new process would.
    pub(crate) fn on(disk: CrashDisk) -> Self {
        Self::with(disk, COLD)
    }

    pub(crate) fn with(disk: CrashDisk, options: EnvironmentOptions) -> Self {
        let environment = Environment::new(Arc::new(disk.clone()), options);
        let (log, recovery) = PartitionLog::open(&environment, dir(), OPTIONS).expect("the disk answers");
        Self { disk, environment, log, recovery }
    }

    pub(crate) fn append(&self, values: &[&str]) -> Result<AppendResult, AppendError> {
        self.log.append(batch(values), Timestamp::from_millis(1_000))
    }

    /// Appends one batch and makes it durable.
    pub(crate) fn put(&self, values: &[&str]) -> AppendResult {
        let appended = self.append(values).expect("the log takes it");
        self.environment.committer().round();
        appended
    }

    /// What a reader gets from `from` to the high watermark, or to where it cannot go on.
    pub(crate) fn read_all(&self, from: i64) -> (Vec<(i64, String)>, Option<ReadError>) {
        read_all(&self.log, from)
    }
}

pub(crate) fn read_all(log: &PartitionLog, from: i64) -> (Vec<(i64, String)>, Option<ReadError>) {
    let mut records = Vec::new();
    let mut next = Offset::new(from);
    loop {
        match log.read(next, 300, Isolation::ReadUncommitted) {
            Ok(slice) if slice.is_empty() => return (records, None),
            Ok(slice) => {
                let headers = slice.chunks.iter().flat_map(|chunk| batch::headers(chunk));
                let (_, last) = headers.last().expect("a slice holds a batch").expect("a whole one");
                next = Offset::new(last.last_offset()).next();
                records.extend(records_of(&slice.chunks).into_iter().filter(|(offset, _)| *offset >= from));
            }
            Err(error) => return (records, Some(error)),
        }
    }
}

/// Every record of the batches, each with its offset; each batch must be whole.
pub(crate) fn records_of(chunks: &[Bytes]) -> Vec<(i64, String)> {
    let mut records = Vec::new();
    for chunk in chunks {
        let mut rest = chunk.clone();
        while !rest.is_empty() {
            let header = BatchHeader::check_stored(&rest).expect("a log hands out sound batches");
            let one = rest.split_to(header.encoded_len());
            for record in record::decode(&one, 1 << 20).expect("the test wrote it") {
                let value = record.value.expect("every record has a value");
                records.push((record.offset.get(), String::from_utf8_lossy(&value).into_owned()));
            }
        }
    }
    records
}

pub(crate) fn dir() -> &'static Path {
    Path::new("/data/topic-0")
}

pub(crate) fn file(name: &str) -> PathBuf {
    dir().join(name)
}

pub(crate) fn batch(values: &[&str]) -> RecordBatch {
    batch_at(1_000, values)
}

pub(crate) fn batch_at(time: i64, values: &[&str]) -> RecordBatch {
    build(BatchBuilder::new(), time, values)
}

/// A batch of an idempotent producer.
pub(crate) fn sent(producer: i64, epoch: i16, sequence: i32, values: &[&str]) -> RecordBatch {
    build(BatchBuilder::new().producer(producer, epoch, sequence), 1_000, values)
}

fn build(mut builder: BatchBuilder, time: i64, values: &[&str]) -> RecordBatch {
    for value in values {
        builder.push(Timestamp::from_millis(time), None, Some(value.as_bytes()), &[]);
    }
    builder.build()
}

/// The answer of a future that must be ready: nothing in these tests waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => Some(answer),
        std::task::Poll::Pending => None,
    }
}
