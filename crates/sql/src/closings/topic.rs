//! The topic that closings are kept in.
//!
//! ```text
//!   key  run                               value  {"run":7,"from":12}: closings of earlier runs at 12 or behind do not count
//!   key  store.orders/<id>/<time>/<size>/<lateness>   value  {"run":7,"closed_to":…,"offsets":[…]}
//! ```
//!
//! Invariants:
//! - To read writes nothing: where the topic takes no writes, what was closed before stays known.
//! - What cannot be read, and what a repair has left out, is passed over and counted.
//! - A closing that an earlier run of the server had on its way when it died counts if it came before this run began to
//!   read, and never after: each run notes where it began, before its first closing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_base::random::Random;
use factum_eventlog::{
    AdminError, EventLog, NewRecord, NewTopic, Position, ProduceError, ReadError, TopicConfig,
};
use factum_types::{Offset, TopicId, TopicName, TopicPartition};
use serde::Serialize;

use super::records::{ClosingRecords, RUN, RunRecord};
use super::{ClosingHistory, ClosingRecord};

/// The topic's name.
pub(crate) const TOPIC: &str = "_factum.closings";
const READ_BYTES: usize = 1 << 20;
/// Everything read here is behind the high watermark already: longer than this means that the log is ill.
const READ_WAIT: Duration = Duration::from_secs(10);

/// Why closings could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClosingTopicError {
    /// The topic could not be looked up or made.
    #[error("topic {TOPIC}, which holds the closings of windows: {0}")]
    Topic(#[from] AdminError),
    /// The topic whose windows are to be closed could not be looked up.
    #[error("the ends of the partitions, from which on windows are to be closed, are not known: {0}")]
    Source(#[source] AdminError),
    /// It could not be written.
    #[error("closings of windows cannot be written: {0}")]
    Write(#[from] ProduceError),
    /// It could not be read.
    #[error("closings of windows cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The log gave no record where there are some.
    #[error("topic {TOPIC} gave no records before its end")]
    Stalled,
}

impl ClosingTopicError {
    /// Whether what was to be written may be on the log all the same.
    pub(crate) fn may_have_written(&self) -> bool {
        matches!(self, Self::Write(error) if error.may_have_appended())
    }
}

/// What was read of the topic.
#[derive(Debug, Default)]
pub(crate) struct ReadClosings {
    pub(crate) history: ClosingHistory,
    /// Records that could not be read or are gone, of any kind of windows.
    pub(crate) unreadable: u64,
}

/// The topic as this run of the server uses it.
pub(crate) struct ClosingTopic {
    log: Arc<dyn EventLog>,
    run: u64,
    begin: tokio::sync::Mutex<Begin>,
}

/// How far this run has begun.
#[derive(Debug, Default)]
struct Begin {
    /// Where the topic ended when this run first read it; what earlier runs write from there on does not count.
    from: Option<Offset>,
    /// Whether that is on the log.
    is_written: bool,
}

impl ClosingTopic {
    /// The topic in `log`, which must be allowed to write reserved topics.
    pub(crate) fn new(log: Arc<dyn EventLog>, random: &Random) -> Self {
        // Few enough bits for every reader of JSON.
        let run = random.uuid().as_u64_pair().0 >> 11;
        Self { log, run, begin: tokio::sync::Mutex::default() }
    }

    /// Every closing of one kind of windows.
    ///
    /// # Errors
    /// [`ClosingTopicError`].
    pub(crate) async fn read(&self, key: &str) -> Result<ReadClosings, ClosingTopicError> {
        if let Err(error @ AdminError::UnusableTopic { .. }) = self.log.topic(&name()).await {
            // Out of reach is not empty: what was closed would be closed again, with other rows.
            return Err(error.into());
        }
        let partition = TopicPartition::new(name(), 0);
        let end = match self.log.offset_of(&partition, Position::Latest).await {
            // Nothing was ever closed.
            Err(ReadError::UnknownPartition { .. }) => Offset::ZERO,
            end => end?,
        };
        let from = *self.begin.lock().await.from.get_or_insert(end);
        let mut records = ClosingRecords::default();
        // The log is kept from its first record on: what it does not begin with is gone.
        let mut next = Offset::ZERO;
        while next < end {
            let chunk = match self.log.read(&partition, next, READ_BYTES, READ_WAIT).await {
                Err(ReadError::OutOfRange { log_start, .. }) if next < log_start => {
                    records.skip(next, log_start);
                    next = log_start;
                    continue;
                }
                chunk => chunk?,
            };
            if chunk.next <= next {
                return Err(ClosingTopicError::Stalled);
            }
            records.take_chunk(key, next, &chunk);
            next = chunk.next;
        }
        records.begin_run(self.run, from);
        Ok(records.resolve())
    }

    /// Appends a closing of this run, and answers once it is on disk.
    ///
    /// # Errors
    /// [`ClosingTopicError`].
    pub(crate) async fn append(
        &self,
        key: &str,
        closed_to: i64,
        offsets: Vec<i64>,
    ) -> Result<ClosingRecord, ClosingTopicError> {
        self.begin_run().await?;
        let closing = ClosingRecord { run: self.run, closed_to, offsets };
        self.produce(key.as_bytes(), &closing).await?;
        Ok(closing)
    }

    /// Where the partitions of a topic end now, by number.
    ///
    /// # Errors
    /// [`ClosingTopicError`].
    pub(crate) async fn ends(&self, topic: &TopicName) -> Result<(TopicId, Vec<i64>), ClosingTopicError> {
        let topic = self.log.topic(topic).await.map_err(ClosingTopicError::Source)?;
        let mut ends = Vec::new();
        for bounds in &topic.partitions {
            let index = usize::try_from(bounds.partition).unwrap_or(0);
            ends.resize(ends.len().max(index + 1), 0);
            ends[index] = bounds.high_watermark.get();
        }
        Ok((topic.id, ends))
    }

    /// Notes once where this run has begun, before it closes anything.
    async fn begin_run(&self) -> Result<(), ClosingTopicError> {
        let mut begin = self.begin.lock().await;
        if !begin.is_written {
            self.produce(RUN, &RunRecord { run: self.run, from: begin.from }).await?;
            begin.is_written = true;
        }
        Ok(())
    }

    async fn produce(&self, key: &[u8], value: &impl Serialize) -> Result<(), ClosingTopicError> {
        let value = serde_json::to_vec(value).expect("numbers are JSON");
        let key = Some(Bytes::copy_from_slice(key));
        let records = vec![NewRecord { key, value: Some(value.into()), ..NewRecord::default() }];
        match self.log.produce(&name(), records.clone()).await {
            Err(ProduceError::UnknownTopic { .. }) => {
                create(&*self.log).await?;
                self.log.produce(&name(), records).await?;
            }
            done => drop(done?),
        }
        Ok(())
    }
}

fn name() -> TopicName {
    TopicName::new(TOPIC).expect("a topic name")
}

/// Makes the topic. What it holds is kept forever: a rebuild may need all of it.
async fn create(log: &dyn EventLog) -> Result<(), AdminError> {
    let config = TopicConfig { retention: Some(Duration::MAX), ..TopicConfig::default() };
    match log.create_topic(NewTopic { name: name(), partitions: Some(1), config }).await {
        Ok(_) | Err(AdminError::TopicExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
