//! The record of what is applied, on the log: topic `_factum.resources`.
//!
//! ```text
//!   key  <kind>/<name>   value  the definition as JSON, or nothing once it was forgotten
//!   key  checkpoint      value  {}: everything in force was written again before this record
//! ```
//!
//! Kinds and names are those of [`ResourceId`], such as `event/store.orders` and `team/store`.
//!
//! Invariants: the last record of a key is what was applied last. What cannot be read (damage, junk, definitions
//! of a later version) is passed over and listed: it is never an error, and never taken for the end of a definition.

mod unreadable;

use std::time::Duration;

use bytes::Bytes;
use factum_eventlog::{Admin, AdminError, EventLog, NewRecord, NewTopic, Position, ReadError, TopicConfig};
use factum_types::{ByteSize, Offset, Record, Timestamp, TopicName, TopicPartition};

use crate::definitions::{Definitions, SharedDefinition};
use crate::resource_id::ResourceId;
pub use unreadable::UnreadableResource;
use unreadable::UnreadableResources;

/// The topic that holds them.
pub const TOPIC: &str = "_factum.resources";

/// The largest record is a reference table's, whose rows may double as a string of JSON.
const MAX_BATCH: ByteSize = ByteSize::mib(20);
/// Records are written together up to about this many bytes.
const BATCH_BYTES: usize = 512 * 1024;
const READ_BYTES: usize = 1024 * 1024;
/// The key of the record that says that everything in force was written again before it.
const CHECKPOINT: &str = "checkpoint";
/// Everything read here is behind the high watermark already: longer than this means that the log is ill.
const READ_WAIT: Duration = Duration::from_secs(10);

/// Everything that is applied now.
#[derive(Debug, Clone, Default)]
pub struct AppliedDefinitions {
    definitions: Definitions,
    /// When the last of it was applied; `None` where nothing ever was.
    applied_at: Option<Timestamp>,
    unreadable: UnreadableResources,
    /// Behind the last record that was read.
    next: Offset,
}

/// Why the applied resources could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadAppliedError {
    /// The topic could not be looked up.
    #[error("look up topic {TOPIC}")]
    Lookup(#[source] AdminError),
    /// Its records could not be read.
    #[error("read topic {TOPIC}")]
    Read(#[from] ReadError),
    /// The log gave no record where there are some.
    #[error("topic {TOPIC} gave no records before its end")]
    Stalled,
}

impl ReadAppliedError {
    /// Whether the same read can succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Lookup(error) => error.is_transient(),
            Self::Read(error) => error.is_transient(),
            Self::Stalled => true,
        }
    }
}

impl AppliedDefinitions {
    /// Reads the topic from its beginning to its end; where there is no such topic, nothing is applied. What cannot
    /// be read is passed over, see [`AppliedDefinitions::unreadable`].
    ///
    /// # Errors
    /// [`ReadAppliedError`], where the log does not answer at all.
    pub async fn read(log: &dyn EventLog) -> Result<Self, ReadAppliedError> {
        let mut recorded = Self::default();
        recorded.read_on(log).await?;
        Ok(recorded)
    }

    /// Reads what was recorded since, and nothing again that was read.
    ///
    /// # Errors
    /// [`ReadAppliedError`], where the log does not answer; what was read until then is taken.
    pub(crate) async fn read_on(&mut self, log: &dyn EventLog) -> Result<(), ReadAppliedError> {
        let partition = TopicPartition::new(topic(), 0);
        match log.topic(&partition.topic).await {
            Ok(_) => {}
            Err(AdminError::UnknownTopic { .. } | AdminError::UnusableTopic { .. }) => return Ok(()),
            Err(error) => return Err(ReadAppliedError::Lookup(error)),
        }
        let end = log.offset_of(&partition, Position::Latest).await?;
        let start = log.offset_of(&partition, Position::Earliest).await?;
        self.next = self.next.max(start);
        while self.next < end {
            let chunk = log.read(&partition, self.next, READ_BYTES, READ_WAIT).await?;
            if chunk.next <= self.next {
                return Err(ReadAppliedError::Stalled);
            }
            let mut holes = chunk.unreadable.iter().peekable();
            for record in &chunk.records {
                while let Some(hole) = holes.next_if(|hole| hole.from < record.offset) {
                    self.unreadable.lost(hole);
                }
                self.take(record);
            }
            holes.for_each(|hole| self.unreadable.lost(hole));
            self.next = chunk.next;
        }
        Ok(())
    }

    /// The definitions that are in force, as far as they are known.
    pub fn definitions(&self) -> Definitions {
        let definitions = self.definitions.clone();
        match self.unreadable.may_hide_definitions() {
            true => definitions.partial(),
            false => definitions,
        }
    }

    /// When the last of it was applied; `None` where nothing ever was.
    pub fn applied_at(&self) -> Option<Timestamp> {
        self.applied_at
    }

    /// What was passed over, in the order of the log, and how many more there are than are listed.
    pub fn unreadable(&self) -> (Vec<UnreadableResource>, usize) {
        self.unreadable.listed()
    }

    /// Whether [`AppliedDefinitions::checkpoint`] may stand for all of the record: something of it cannot be read, and whatever it
    /// held was `project`'s, since nothing is known of another.
    pub(crate) fn can_be_written_again(&self, project: &str) -> bool {
        let (listed, _) = self.unreadable();
        !listed.is_empty() && self.definitions.iter().all(|definition| definition.project() == project)
    }

    /// Whether the last record of a definition could not be read: what is known of it is older, or nothing.
    pub(crate) fn is_doubtful(&self, id: &ResourceId) -> bool {
        self.unreadable.is_doubtful(id)
    }

    /// Everything as records, closed by one that says that nothing before them counts.
    pub(crate) fn checkpoint(&self) -> Vec<NewRecord> {
        let all = self.definitions.iter().map(|it| resource_record(&ResourceId::of(&**it), Some(it)));
        all.chain([record(CHECKPOINT.to_owned(), Some(b"{}".to_vec()))]).collect()
    }

    fn take(&mut self, record: &Record) {
        self.applied_at = self.applied_at.max(Some(record.timestamp));
        let key = record.key.as_deref();
        let text = key.and_then(|key| std::str::from_utf8(key).ok());
        if text == Some(CHECKPOINT) {
            return self.unreadable.settle_all();
        }
        let Some(id) = text.and_then(ResourceId::of_key) else {
            return self.unreadable.foreign(record.offset, key);
        };
        match decode(&id, record.value.as_deref()) {
            Ok(definition) => self.set(&id, definition),
            Err(reason) => self.unreadable.doubt(id, record.offset, reason),
        }
    }

    /// Takes a definition in place of the one so far, or its end, as reading its record does.
    pub(crate) fn set(&mut self, id: &ResourceId, definition: Option<SharedDefinition>) {
        match definition {
            Some(definition) => self.definitions.extend([definition]),
            None => self.definitions.remove(id),
        }
        self.unreadable.settle(id);
    }
}

/// These definitions, recorded at no known time.
impl From<Definitions> for AppliedDefinitions {
    fn from(definitions: Definitions) -> Self {
        Self { definitions, ..Self::default() }
    }
}

/// The definition in the value of a record; none without a value.
fn decode(id: &ResourceId, value: Option<&[u8]>) -> Result<Option<SharedDefinition>, String> {
    let Some(value) = value else { return Ok(None) };
    let definition = (id.kind.entry().decode)(value)
        .map_err(|error| format!("the value is no definition that this version reads: {error}"))?;
    match definition.name() == id.name {
        true => Ok(Some(definition)),
        false => {
            Err(format!("the value is the definition of {}, and the key says otherwise", definition.name()))
        }
    }
}

/// The topic's name.
pub(crate) fn topic() -> TopicName {
    TopicName::new(TOPIC).expect("the constant is a valid name")
}

/// Makes the topic where it does not exist: one partition, so that the order is total, kept forever.
pub(crate) async fn ensure_topic(log: &dyn Admin) -> Result<(), AdminError> {
    match log.topic(&topic()).await {
        Err(AdminError::UnknownTopic { .. }) => {}
        Ok(found) if found.config.max_message_bytes != Some(MAX_BATCH) => {
            let config = TopicConfig { max_message_bytes: Some(MAX_BATCH), ..found.config };
            return log.alter_topic(&topic(), config).await.map(drop);
        }
        found => return found.map(drop),
    }
    let config = TopicConfig {
        retention: Some(Duration::MAX),
        max_message_bytes: Some(MAX_BATCH),
        ..TopicConfig::default()
    };
    let new = NewTopic { name: topic(), partitions: Some(1), config };
    match log.create_topic(new).await {
        Ok(_) | Err(AdminError::TopicExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The record of a definition, or of its end.
pub(crate) fn resource_record(id: &ResourceId, definition: Option<&SharedDefinition>) -> NewRecord {
    record(id.to_string(), definition.map(|definition| definition.to_json()))
}

/// Records in the order given, cut so that only a large record makes a large batch.
pub(crate) fn batches(records: Vec<NewRecord>) -> Vec<Vec<NewRecord>> {
    let mut batches: Vec<Vec<NewRecord>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        let size = record.value.as_ref().map_or(0, Bytes::len);
        match batches.last_mut() {
            Some(batch) if bytes + size <= BATCH_BYTES => batch.push(record),
            _ => {
                batches.push(vec![record]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    batches
}

fn record(key: String, value: Option<Vec<u8>>) -> NewRecord {
    NewRecord {
        partition: Some(0),
        key: Some(Bytes::from(key)),
        value: value.map(Bytes::from),
        ..NewRecord::default()
    }
}
