//! `events/E.yaml`: an event, its topic, and the contract beside it.

mod contract;
mod manifest;
mod sample;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use factum_types::{TeamName, TopicName};
use serde::{Deserialize, Serialize};

use crate::defaults::Visibility;
use crate::human;
use crate::kind::{Conflict, Context, DeclaredTopic, Kind, Origin};
use crate::problem::Problem;
use crate::topic_settings::TopicSettings;
pub(crate) use manifest::partitions;

/// An event: the contract between the team that states facts and everyone who reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDefinition {
    /// `<team>.<event>`.
    pub topic: TopicName,
    /// The team that owns it.
    pub team: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// What fact it states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// How its data is encoded.
    pub format: Format,
    /// Its contract, relative to the project's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<PathBuf>,
    /// What the contract says, so that it is known without the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Arc<str>>,
    /// The field that says when it happened; without it the envelope's time, else the record's timestamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// How much later than the newest an event may come and still be in time.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "human::retention_option")]
    pub lateness: Option<Duration>,
    /// The field whose value decides the partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Partitions of its topic; without it the log's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<i32>,
    /// What is set for its topic.
    #[serde(flatten)]
    pub settings: TopicSettings,
    /// Who may see it.
    pub visibility: Visibility,
    /// How it is kept in the lake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// The CloudEvents `type` of data that comes without one: `<project>.<team>.<event>` unless the file says else.
    pub event_type: String,
    /// The CloudEvents `source` of data that comes without one: `/<project>/<team>` unless the file says else.
    pub source: String,
}

/// How an event's data is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, described by JSON Schema.
    Json,
    /// Avro.
    Avro,
    /// Protocol Buffers.
    Protobuf,
}

impl Format {
    pub(crate) const WORDS: [(&'static str, Self); 3] =
        [("json", Self::Json), ("avro", Self::Avro), ("protobuf", Self::Protobuf)];

    /// The word for it in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Avro => "avro",
            Self::Protobuf => "protobuf",
        }
    }
}

/// How an event is kept in the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// `delta` or `avro`.
    pub format: String,
    /// How often a file is closed.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "human::retention_option")]
    pub every: Option<Duration>,
}

impl Kind for EventDefinition {
    const WORD: &'static str = "event";
    const FOLDER: &'static str = "events";
    const IS_RELATION: bool = true;

    fn name(&self) -> &str {
        self.topic.as_str()
    }

    fn team(&self) -> &TeamName {
        &self.team
    }

    fn project(&self) -> &str {
        &self.project
    }

    fn facts(&self) -> String {
        let mut facts = vec![self.format.as_str().to_owned()];
        facts.extend(self.partitions.map(|count| match count {
            1 => "1 partition".to_owned(),
            n => format!("{n} partitions"),
        }));
        facts.extend(self.key.as_ref().map(|key| format!("key {key}")));
        facts
            .extend(self.settings.retention.map(|retention| format!("kept {}", human::retention(retention))));
        facts.join(", ")
    }

    fn files(&self) -> Vec<&Path> {
        self.schema.as_deref().into_iter().collect()
    }

    fn topic(&self) -> Option<DeclaredTopic<'_>> {
        Some(DeclaredTopic { name: &self.topic, partitions: self.partitions, settings: &self.settings })
    }

    fn with_partitions(self, partitions: i32) -> Self {
        Self { partitions: Some(partitions), ..self }
    }

    fn manifest_field(name: &str) -> &str {
        if name == "event_type" { "type" } else { name }
    }

    fn read(
        context: &Context<'_>,
        path: &Path,
        stem: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(Self, Origin)> {
        manifest::read(context, path, stem, problems)
    }

    fn look_beside(context: &Context<'_>, read: &[&Self], problems: &mut Vec<Problem>) {
        contract::find_unused(context, read, problems);
    }

    /// SQL does not tell `Orders` from `orders`, nor do the file systems of some of the team's machines.
    fn conflicts(all: &[(&Self, &Origin)]) -> Vec<Conflict> {
        let mut seen: BTreeMap<String, &(&Self, &Origin)> = BTreeMap::new();
        let mut conflicts = Vec::new();
        for read in all {
            let (event, origin) = read;
            let Some((other, first)) = seen.insert(event.topic.as_str().to_lowercase(), read) else {
                continue;
            };
            let first = first.file.path.display();
            let message = format!("topic {} differs only by case from that of {first}", event.topic);
            let problem = Problem::of_file(&origin.file.path, message)
                .help("SQL does not tell them apart; rename one of the two files");
            // Which of the two is in force is not this file's to say.
            let names = [event, other].map(|event| event.topic.to_string()).into();
            conflicts.push(Conflict { names, problem });
        }
        conflicts
    }
}
