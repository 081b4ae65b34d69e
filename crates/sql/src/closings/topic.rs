//! The topic that closings are kept in.
//!
//! ```text
//!   key  run                               value  {"run":7}: what other runs write behind this does not count
//!   key  store.orders/<id>/<time>/<size>/<lateness>   value  {"run":7,"closed_to":…,"offsets":[…]}
//! ```
//!
//! Invariants: what cannot be read is passed over and counted. A closing that an earlier run of the server had on its way
//! when it died counts if it came before this run began to read, and never after.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_base::random::Random;
use factum_eventlog::{
    AdminError, EventLog, NewRecord, NewTopic, Position, ProduceError, ReadError, TopicConfig,
};
use factum_types::{Record, TopicId, TopicName, TopicPartition};
use serde::{Deserialize, Serialize};

use super::{ClosingHistory, ClosingRecord};

/// The topic's name.
pub(crate) const TOPIC: &str = "_factum.closings";
/// The key of the records that begin a run.
const RUN: &[u8] = b"run";
const READ_BYTES: usize = 1 << 20;
/// Everything read here is behind the high watermark already: longer than this means that the log is ill.
const READ_WAIT: Duration = Duration::from_secs(10);

/// Why closings could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClosingTopicError {
    /// The topic could not be looked up or made.
    #[error("topic {TOPIC}, which keeps what windows are closed: {0}")]
    Topic(#[from] AdminError),
    /// The topic whose windows are to be closed could not be looked up.
    #[error("the ends of the partitions, from which on windows are to be closed, are not known: {0}")]
    Source(#[source] AdminError),
    /// It could not be written.
    #[error("what windows are closed cannot be written: {0}")]
    Write(#[from] ProduceError),
    /// It could not be read.
    #[error("what windows are closed cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The log gave no record where there are some.
    #[error("topic {TOPIC} answers with no records before its end")]
    Stalled,
}

impl ClosingTopicError {
    /// Whether the same may succeed later; what was to be written may be in the log or not then.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Topic(error) | Self::Source(error) => error.is_transient(),
            Self::Write(error) => error.is_transient(),
            Self::Read(error) => error.is_transient(),
            Self::Stalled => true,
        }
    }
}

/// What was read of the topic.
#[derive(Debug, Default)]
pub(crate) struct ReadClosings {
    pub(crate) history: ClosingHistory,
    /// Records that could not be read, of any kind of windows.
    pub(crate) unreadable: u64,
}

/// The record that begins a run.
#[derive(Debug, Serialize, Deserialize)]
struct RunRecord {
    run: u64,
}

/// The topic as this run of the server uses it.
pub(crate) struct ClosingTopic {
    log: Arc<dyn EventLog>,
    run: u64,
    has_begun: tokio::sync::Mutex<bool>,
}

impl ClosingTopic {
    /// The topic in `log`, which must be allowed to write reserved topics.
    pub(crate) fn new(log: Arc<dyn EventLog>, random: &Random) -> Self {
        // Few enough bits for every reader of JSON.
        let run = random.uuid().as_u64_pair().0 >> 11;
        Self { log, run, has_begun: tokio::sync::Mutex::new(false) }
    }

    /// Every closing of one kind of windows.
    ///
    /// # Errors
    /// [`ClosingTopicError`].
    pub(crate) async fn read(&self, key: &str) -> Result<ReadClosings, ClosingTopicError> {
        self.begin_run().await?;
        let partition = TopicPartition::new(name(), 0);
        let end = self.log.offset_of(&partition, Position::Latest).await?;
        let mut next = self.log.offset_of(&partition, Position::Earliest).await?;
        let (mut found, mut runs) = (ReadClosings::default(), Runs::default());
        while next < end {
            let chunk = self.log.read(&partition, next, READ_BYTES, READ_WAIT).await?;
            if chunk.next <= next {
                return Err(ClosingTopicError::Stalled);
            }
            for range in &chunk.unreadable {
                found.unreadable += u64::try_from(range.next.since(range.from)).unwrap_or(0);
            }
            for record in &chunk.records {
                found.take(key, record, &mut runs);
            }
            next = chunk.next;
        }
        Ok(found)
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

    /// Says once that this run has begun: what another has on its way does not count from here on.
    async fn begin_run(&self) -> Result<(), ClosingTopicError> {
        let mut has_begun = self.has_begun.lock().await;
        if !*has_begun {
            self.produce(RUN, &RunRecord { run: self.run }).await?;
            *has_begun = true;
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

impl ReadClosings {
    fn take(&mut self, key: &str, record: &Record, runs: &mut Runs) {
        let value = record.value.as_deref().unwrap_or_default();
        match record.key.as_deref() {
            Some(RUN) => match serde_json::from_slice::<RunRecord>(value) {
                Ok(RunRecord { run }) => runs.begin(run),
                Err(_) => self.unreadable += 1,
            },
            Some(of) if of == key.as_bytes() => match serde_json::from_slice::<ClosingRecord>(value) {
                Ok(closing) if runs.is_over(closing.run) => {}
                Ok(closing) => {
                    runs.begin(closing.run);
                    self.history.push(closing);
                }
                Err(_) => self.unreadable += 1,
            },
            Some(_) | None => {}
        }
    }
}

/// Which runs are over, by what was read so far.
#[derive(Debug, Default)]
struct Runs {
    over: HashSet<u64>,
    current: Option<u64>,
}

impl Runs {
    /// `run` writes now. Its own record may be missing, where that could not be read.
    fn begin(&mut self, run: u64) {
        if self.current != Some(run) {
            self.over.extend(self.current.replace(run));
        }
    }

    fn is_over(&self, run: u64) -> bool {
        self.over.contains(&run)
    }
}

fn name() -> TopicName {
    TopicName::new(TOPIC).expect("a topic name")
}

/// Makes the topic. What it holds is kept for ever: a rebuild may need all of it.
async fn create(log: &dyn EventLog) -> Result<(), AdminError> {
    let config = TopicConfig { retention: Some(Duration::MAX), ..TopicConfig::default() };
    match log.create_topic(NewTopic { name: name(), partitions: Some(1), config }).await {
        Ok(_) | Err(AdminError::TopicExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use factum_types::{Offset, Timestamp};

    use super::*;

    /// What is closed in the end, and how much could not be read, of records with these keys and values.
    fn read(records: &[(&str, &str)]) -> (Option<i64>, u64) {
        let (mut found, mut runs) = (ReadClosings::default(), Runs::default());
        for (key, value) in records {
            let record = Record {
                offset: Offset::ZERO,
                timestamp: Timestamp::from_millis(0),
                key: Some(Bytes::copy_from_slice(key.as_bytes())),
                value: Some(Bytes::copy_from_slice(value.as_bytes())),
                headers: Vec::new(),
            };
            found.take("kind", &record, &mut runs);
        }
        (found.history.last().map(|last| last.closed_to), found.unreadable)
    }

    #[test]
    fn what_a_run_that_is_over_had_on_its_way_does_not_count() {
        let (first, second) = (("run", r#"{"run":1}"#), ("run", r#"{"run":2}"#));
        let closing =
            |run: u64, closed_to: i64| format!(r#"{{"run":{run},"closed_to":{closed_to},"offsets":[1]}}"#);
        let (ten, twenty, late) = (closing(1, 10), closing(2, 20), closing(1, 30));
        let (ten, twenty, late) = (("kind", &*ten), ("kind", &*twenty), ("kind", &*late));
        assert_eq!(read(&[first, ten, late, second]), (Some(30), 0), "it came before the second run read");
        assert_eq!(read(&[first, ten, second, late, twenty]), (Some(20), 0));
        assert_eq!(read(&[first, ten, twenty, late]), (Some(20), 0), "the second run's own record was lost");
    }

    #[test]
    fn junk_is_passed_over_and_counted() {
        let closing = ("kind", r#"{"run":1,"closed_to":10,"offsets":[1]}"#);
        assert_eq!(read(&[("kind", "junk"), closing, ("run", "{}"), ("another", "junk")]), (Some(10), 2));
    }
}
