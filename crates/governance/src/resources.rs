//! What was applied, as it stands on the log: topic `_factum.resources`.
//!
//! ```text
//!   key  event/store.orders     value  the definition as JSON, or nothing once it was forgotten
//!   key  team/store             value  likewise
//!   key  table/store.products   value  likewise, with the rows
//!   key  pipeline/store.top     value  likewise, with the SQL
//!   key  feed/store.orders      value  likewise
//!   key  dashboard/store.live   value  likewise
//!   key  checkpoint             everything in force was written anew before this record
//! ```
//!
//! Always holds: the last record of a key is what was applied last. What cannot be read (damage, junk, definitions
//! of a later version) is passed over and listed: it is never an error, and never taken for the end of a definition.

mod unreadable;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use factum_eventlog::{Admin, AdminError, EventLog, NewRecord, NewTopic, Position, ReadError, TopicConfig};
use factum_types::{ByteSize, Record, TeamName, Timestamp, TopicName, TopicPartition};
use serde::Serialize;

pub use unreadable::UnreadableResource;
use unreadable::UnreadableResources;

use crate::plan::Definition;
use crate::project::{
    DashboardDefinition, EventDefinition, FeedDefinition, PipelineDefinition, Project, TableDefinition,
    TeamDefinition,
};
use crate::resource_id::{ResourceId, ResourceKind};

/// The topic that holds them.
pub const TOPIC: &str = "_factum.resources";

/// The largest record is a reference table's, whose rows may double as a string of JSON.
const MAX_BATCH: ByteSize = ByteSize::mib(20);
/// Records are written together up to about this many bytes.
const BATCH_BYTES: usize = 512 * 1024;
const READ_BYTES: usize = 1024 * 1024;
/// The key of the record that says that everything in force was written anew before it.
const CHECKPOINT: &str = "checkpoint";
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
    unreadable: UnreadableResources,
    /// Whether definitions were left out.
    is_cut: bool,
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
    /// Reads the topic from its beginning to its end; where there is no such topic, nothing is applied. What cannot
    /// be read is passed over, see [`Recorded::unreadable`].
    ///
    /// # Errors
    /// [`RecordedError`], where the log does not answer at all.
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
            let mut holes = chunk.unreadable.iter().peekable();
            for record in &chunk.records {
                while let Some(hole) = holes.next_if(|hole| hole.from < record.offset) {
                    recorded.unreadable.lost(hole);
                }
                recorded.take(record);
            }
            holes.for_each(|hole| recorded.unreadable.lost(hole));
            next = chunk.next;
        }
        Ok(recorded)
    }

    /// What was passed over, in the order of the log, and how many more there are than are listed.
    pub fn unreadable(&self) -> (Vec<UnreadableResource>, usize) {
        self.unreadable.listed()
    }

    /// Whether every definition that is applied is known. Where not, a definition that is missing here may be in
    /// force all the same: nothing may be dropped because of it.
    pub fn is_complete(&self) -> bool {
        !self.is_cut && !self.unreadable.may_hide_definitions()
    }

    /// Which definitions a problem with `file` is about: manifests, contracts, rows and SQL by their paths relative to the
    /// project's folder; an event without a contract also by its topic.
    pub(crate) fn defined_in(&self, file: &Path) -> Vec<ResourceId> {
        let manifest = |id: &ResourceId| file.with_extension("yaml") == Path::new(&id.manifest());
        let events = self.events.values().map(|event| {
            let is_named = event.schema.as_deref() == Some(file) || file.as_os_str() == event.topic.as_str();
            (ResourceId::new(ResourceKind::Event, event.topic.as_str()), is_named)
        });
        let tables = self
            .tables
            .values()
            .map(|table| (ResourceId::new(ResourceKind::Table, &table.name), table.from == file));
        let pipelines = self
            .pipelines
            .values()
            .map(|pipeline| (ResourceId::new(ResourceKind::Pipeline, &pipeline.name), pipeline.file == file));
        let feeds = self.feeds.keys().map(|name| (ResourceId::new(ResourceKind::Feed, name), false));
        let all = events.chain(tables).chain(pipelines).chain(feeds);
        all.filter(|(id, is_named)| *is_named || manifest(id)).map(|(id, _)| id).collect()
    }

    /// What is in one of both and not the same in the other.
    pub(crate) fn differences(&self, other: &Self) -> BTreeSet<ResourceId> {
        let (these, those) = (self.values(), other.values());
        let names = these.keys().chain(those.keys());
        names.filter(|id| these.get(*id) != those.get(*id)).cloned().collect()
    }

    /// Each definition's record.
    fn values(&self) -> BTreeMap<ResourceId, NewRecord> {
        let records = self.checkpoint().into_iter();
        let id = |record: &NewRecord| ResourceId::of_key(std::str::from_utf8(record.key.as_deref()?).ok()?);
        records.filter_map(|record| Some((id(&record)?, record))).collect()
    }

    /// Leaves definitions out that cannot run. They are in force all the same: see [`Recorded::is_complete`].
    pub(crate) fn leave_out(&mut self, refused: &BTreeSet<ResourceId>) {
        self.is_cut |= !refused.is_empty();
        for id in refused {
            self.set(id, None).ok();
        }
    }

    /// Whether [`Recorded::checkpoint`] may stand for all of the record: something of it cannot be read, and whatever it
    /// held was `project`'s, since nothing is known of another.
    pub(crate) fn can_be_written_anew(&self, project: &str) -> bool {
        let mut projects = (self.teams.values().map(|team| &team.project))
            .chain(self.events.values().map(|event| &event.project));
        let (listed, _) = self.unreadable();
        !listed.is_empty() && projects.all(|found| found == project)
    }

    /// Whether the last record of a definition could not be read: what is known of it is older, or nothing.
    pub(crate) fn is_doubtful(&self, id: &ResourceId) -> bool {
        self.unreadable.is_doubtful(id)
    }

    /// Everything as records, closed by one that says that nothing before them counts.
    pub(crate) fn checkpoint(&self) -> Vec<NewRecord> {
        let teams = self.teams.iter().map(|(name, team)| team_record(name, Some(team)));
        let events = self.events.iter().map(|(topic, event)| event_record(topic, Some(event)));
        let definitions = self.definitions();
        let definitions = definitions.iter().map(|definition| definition_record(definition, false));
        let end = record(CHECKPOINT.to_owned(), Some(&serde_json::json!({})));
        teams.chain(events).chain(definitions).chain([end]).collect()
    }

    /// What will be applied once `project` is: what others applied stays, and so does what is withheld.
    #[must_use]
    pub fn with(mut self, project: &Project) -> Self {
        use ResourceKind::{Dashboard, Event, Feed, Pipeline, Table, Team};
        let stays = |of: &str, kind, name: &str| {
            of != project.name || project.is_withheld(&ResourceId::new(kind, name))
        };
        self.events.retain(|topic, event| stays(&event.project, Event, topic.as_str()));
        self.teams.retain(|name, team| stays(&team.project, Team, name.as_str()));
        self.tables.retain(|name, table| stays(&table.project, Table, name));
        self.pipelines.retain(|name, pipeline| stays(&pipeline.project, Pipeline, name));
        self.feeds.retain(|name, feed| stays(&feed.project, Feed, name));
        self.dashboards.retain(|name, dashboard| stays(&dashboard.project, Dashboard, name));
        self.events.extend(project.events().map(|event| (event.topic.clone(), event.clone())));
        self.teams.extend(project.team_definitions().map(|team| (team.name.clone(), team.clone())));
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
        match self.set(&id, record.value.as_deref()) {
            Ok(()) => self.unreadable.settle(&id),
            Err(reason) => self.unreadable.doubt(id, record.offset, reason),
        }
    }

    /// Takes what a record that was just made says, as reading it back would.
    pub(crate) fn take_new(&mut self, record: &NewRecord) {
        let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
        let id = key.and_then(ResourceId::of_key).expect("records are made with keys of definitions");
        self.set(&id, record.value.as_deref()).expect("what was written as a definition is one");
        self.unreadable.settle(&id);
    }

    /// The same, with what a later reading of the topic says of its times and of its faults.
    pub(crate) fn confirmed_by(mut self, read: &Self) -> Self {
        self.applied_at = read.applied_at;
        self.unreadable = read.unreadable.clone();
        self
    }

    /// Puts the definition in `value` in place of the one so far; without a value there is none any more.
    fn set(&mut self, id: &ResourceId, value: Option<&[u8]>) -> Result<(), String> {
        let name = id.name.clone();
        match id.kind {
            ResourceKind::Event => {
                let topic = TopicName::new(name).map_err(|error| error.to_string())?;
                replace(&mut self.events, topic, value)
            }
            ResourceKind::Team => {
                let team = TeamName::new(name).map_err(|error| error.to_string())?;
                replace(&mut self.teams, team, value)
            }
            ResourceKind::Table => replace(&mut self.tables, name, value),
            ResourceKind::Pipeline => replace(&mut self.pipelines, name, value),
            ResourceKind::Feed => replace(&mut self.feeds, name, value),
            ResourceKind::Dashboard => replace(&mut self.dashboards, name, value),
        }
    }
}

fn replace<K: Ord, V: serde::de::DeserializeOwned>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: Option<&[u8]>,
) -> Result<(), String> {
    match value {
        Some(value) => {
            let definition = serde_json::from_slice(value)
                .map_err(|error| format!("the value is no definition that this version reads: {error}"))?;
            map.insert(key, definition);
        }
        None => {
            map.remove(&key);
        }
    }
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
    record(definition.id().to_string(), (!is_forgotten).then_some(definition))
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
