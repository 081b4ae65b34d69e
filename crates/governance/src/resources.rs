//! What was applied, as it stands on the log: topic `_factum.resources`.
//!
//! ```text
//!   key  event/store.orders     value  the definition as JSON, or nothing once it was forgotten
//!   key  team/store             value  likewise
//! ```
//!
//! Always holds: the last record of a key is what was applied last. Keys and fields of later versions are passed
//! over, so that an older Factum reads a newer one's log.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use factum_eventlog::{Admin, AdminError, EventLog, NewRecord, NewTopic, Position, ReadError, TopicConfig};
use factum_types::{TeamName, TopicName, TopicPartition};
use serde::Serialize;
use tracing::warn;

use crate::project::{EventDefinition, TeamDefinition};

/// The topic that holds them.
pub const TOPIC: &str = "_factum.resources";

const READ_BYTES: usize = 1024 * 1024;
/// Everything read here is behind the high watermark already: longer than this means that the log is ill.
const READ_WAIT: Duration = Duration::from_secs(10);

/// Everything that is applied now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Events by topic.
    pub events: BTreeMap<TopicName, EventDefinition>,
    /// Teams by name.
    pub teams: BTreeMap<TeamName, TeamDefinition>,
}

/// Why the applied resources could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// The topic could not be looked up.
    #[error("look up topic {TOPIC}")]
    Lookup(#[source] AdminError),
    /// Its records could not be read.
    #[error("read topic {TOPIC}")]
    Read(#[from] ReadError),
    /// The log gave no record where there are some.
    #[error("topic {TOPIC} answers with no records before its end")]
    Stalled,
}

impl RecordedError {
    /// Whether the same read can succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Lookup(error) => error.is_transient(),
            Self::Read(error) => error.is_transient(),
            Self::Stalled => true,
        }
    }
}

impl Recorded {
    /// Reads the topic from its beginning to its end; where there is no such topic, nothing is applied.
    ///
    /// # Errors
    /// [`RecordedError`].
    pub async fn read(log: &dyn EventLog) -> Result<Self, RecordedError> {
        let mut recorded = Self::default();
        let partition = TopicPartition::new(topic(), 0);
        match log.topic(&partition.topic).await {
            Ok(_) => {}
            Err(AdminError::UnknownTopic { .. }) => return Ok(recorded),
            Err(error) => return Err(RecordedError::Lookup(error)),
        }
        let end = log.offset_of(&partition, Position::Latest).await?;
        let mut next = log.offset_of(&partition, Position::Earliest).await?;
        while next < end {
            let chunk = log.read(&partition, next, READ_BYTES, READ_WAIT).await?;
            if chunk.next <= next {
                return Err(RecordedError::Stalled);
            }
            for record in chunk.records {
                recorded.take(record.key.as_deref(), record.value.as_deref());
            }
            next = chunk.next;
        }
        Ok(recorded)
    }

    fn take(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) {
        let key = key.and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default();
        let result = match key.split_once('/') {
            Some(("event", name)) => {
                TopicName::new(name).ok().map(|name| replace(&mut self.events, name, value))
            }
            Some(("team", name)) => {
                TeamName::new(name).ok().map(|name| replace(&mut self.teams, name, value))
            }
            _ => None,
        };
        if let Some(Err(error)) = result {
            warn!(key, %error, "passed over a resource that cannot be read");
        }
    }
}

fn replace<K: Ord, V: serde::de::DeserializeOwned>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: Option<&[u8]>,
) -> Result<(), serde_json::Error> {
    match value {
        Some(value) => map.insert(key, serde_json::from_slice(value)?),
        None => map.remove(&key),
    };
    Ok(())
}

/// The topic's name.
pub(crate) fn topic() -> TopicName {
    TopicName::new(TOPIC).expect("the constant is a valid name")
}

/// Makes the topic where it does not exist: one partition, so that the order is total, kept for ever.
pub(crate) async fn ensure_topic(log: &dyn Admin) -> Result<(), AdminError> {
    match log.topic(&topic()).await {
        Err(AdminError::UnknownTopic { .. }) => {}
        found => return found.map(drop),
    }
    let config = TopicConfig { retention: Some(Duration::MAX), ..TopicConfig::default() };
    let new = NewTopic { name: topic(), partitions: Some(1), config };
    match log.create_topic(new).await {
        Ok(_) | Err(AdminError::TopicExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) fn event_record(topic: &TopicName, event: Option<&EventDefinition>) -> NewRecord {
    record(format!("event/{topic}"), event)
}

pub(crate) fn team_record(name: &TeamName, team: Option<&TeamDefinition>) -> NewRecord {
    record(format!("team/{name}"), team)
}

fn record<T: Serialize>(key: String, value: Option<&T>) -> NewRecord {
    let json = |value| serde_json::to_vec(value).expect("definitions have text keys and no failing parts");
    NewRecord {
        partition: Some(0),
        key: Some(Bytes::from(key)),
        value: value.map(|value| Bytes::from(json(value))),
        ..NewRecord::default()
    }
}
