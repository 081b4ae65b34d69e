//! What was applied, as it stands on the log: topic `_factum.resources`.
//!
//! ```text
//!   key  event/store.orders     value  the definition as JSON, or nothing once it was forgotten
//!   key  team/store             value  likewise
//!   key  table/store.products   value  likewise, with the rows
//!   key  pipeline/store.top     value  likewise, with the SQL
//!   key  feed/store.orders      value  likewise
//!   key  dashboard/store.live   value  likewise
//! ```
//!
//! Always holds: the last record of a key is what was applied last. Keys and fields of later versions are passed
//! over, so that an older Factum reads a newer one's log.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use factum_eventlog::{Admin, AdminError, EventLog, NewRecord, NewTopic, Position, ReadError, TopicConfig};
use factum_types::{ByteSize, TeamName, Timestamp, TopicName, TopicPartition};
use serde::Serialize;
use tracing::warn;

use crate::plan::Definition;
use crate::project::{
    DashboardDefinition, EventDefinition, FeedDefinition, PipelineDefinition, Project, TableDefinition,
    TeamDefinition,
};

/// The topic that holds them.
pub const TOPIC: &str = "_factum.resources";

/// The largest record is a reference table's, whose rows may double as a string of JSON.
const MAX_BATCH: ByteSize = ByteSize::mib(20);
/// Records are written together up to about this many bytes.
const BATCH_BYTES: usize = 512 * 1024;
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
    /// Reference tables by name.
    pub tables: BTreeMap<String, TableDefinition>,
    /// Pipelines by name.
    pub pipelines: BTreeMap<String, PipelineDefinition>,
    /// Feeds by name.
    pub feeds: BTreeMap<String, FeedDefinition>,
    /// Dashboards by name.
    pub dashboards: BTreeMap<String, DashboardDefinition>,
    /// When the last of it was applied; `None` where nothing ever was.
    pub applied_at: Option<Timestamp>,
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
                recorded.applied_at = recorded.applied_at.max(Some(record.timestamp));
            }
            next = chunk.next;
        }
        Ok(recorded)
    }

    /// What will be applied once `project` is: what others applied stays.
    #[must_use]
    pub fn with(mut self, project: &Project) -> Self {
        let name = &project.name;
        self.events.retain(|_, event| event.project != *name);
        self.teams.retain(|_, team| team.project != *name);
        self.tables.retain(|_, table| table.project != *name);
        self.pipelines.retain(|_, pipeline| pipeline.project != *name);
        self.feeds.retain(|_, feed| feed.project != *name);
        self.dashboards.retain(|_, dashboard| dashboard.project != *name);
        self.events.extend(project.events().map(|event| (event.topic.clone(), event.clone())));
        let teams = project.teams.iter().map(|team| team.definition.clone());
        self.teams.extend(teams.map(|team| (team.name.clone(), team)));
        self.tables.extend(project.tables().map(|table| (table.name.clone(), table.clone())));
        self.pipelines.extend(project.pipelines().map(|found| (found.name.clone(), found.clone())));
        self.feeds.extend(project.feeds().map(|feed| (feed.name.clone(), feed.clone())));
        self.dashboards.extend(project.dashboards().map(|found| (found.name.clone(), found.clone())));
        self
    }

    /// Everything besides teams and events, in the order in which it comes in.
    pub(crate) fn definitions(&self) -> Vec<Definition> {
        let tables = self.tables.values().cloned().map(Definition::Table);
        let pipelines = self.pipelines.values().cloned().map(Definition::Pipeline);
        let feeds = self.feeds.values().cloned().map(Definition::Feed);
        let dashboards = self.dashboards.values().cloned().map(Definition::Dashboard);
        tables.chain(pipelines).chain(feeds).chain(dashboards).collect()
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
            Some(("table", name)) => Some(replace(&mut self.tables, name.to_owned(), value)),
            Some(("pipeline", name)) => Some(replace(&mut self.pipelines, name.to_owned(), value)),
            Some(("feed", name)) => Some(replace(&mut self.feeds, name.to_owned(), value)),
            Some(("dashboard", name)) => Some(replace(&mut self.dashboards, name.to_owned(), value)),
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

pub(crate) fn event_record(topic: &TopicName, event: Option<&EventDefinition>) -> NewRecord {
    record(format!("event/{topic}"), event)
}

pub(crate) fn team_record(name: &TeamName, team: Option<&TeamDefinition>) -> NewRecord {
    record(format!("team/{name}"), team)
}

/// The record of a table, pipeline, feed or dashboard, or of its end.
pub(crate) fn definition_record(definition: &Definition, is_forgotten: bool) -> NewRecord {
    let key = format!("{}/{}", definition.kind(), definition.name());
    record(key, (!is_forgotten).then_some(definition))
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

fn record<T: Serialize>(key: String, value: Option<&T>) -> NewRecord {
    let json = |value| serde_json::to_vec(value).expect("definitions have text keys and no failing parts");
    NewRecord {
        partition: Some(0),
        key: Some(Bytes::from(key)),
        value: value.map(|value| Bytes::from(json(value))),
        ..NewRecord::default()
    }
}
