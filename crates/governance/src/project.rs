//! A project: a folder in which every event belongs to a team.
//!
//! ```text
//!   factum.yaml                         name, defaults, environments
//!   teams/<team>/team.yaml              summary, contact, members
//!   teams/<team>/events/E.yaml          topic <team>.E, with E.avsc, E.schema.json or E.proto beside it
//!   teams/<team>/tables/T.yaml          reference table <team>.T, with its rows in a CSV file
//!   teams/<team>/pipelines/P.sql        SQL that runs for ever
//!   teams/<team>/feeds/F.yaml           events that Factum makes itself
//!   teams/<team>/dashboards/D.yaml      panels that show views
//! ```
//!
//! Folders and file names give kind, team and name, so that no file repeats them.

mod contract;
mod dashboard;
mod dashboard_file;
mod event_file;
mod feed;
mod feed_file;
mod folder;
mod load;
mod name;
mod pipeline_file;
mod project_file;
mod table_file;
mod team_file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use factum_types::{ByteSize, TeamName, TopicName};
use miette::{Diagnostic, SourceSpan};
use serde::{Deserialize, Serialize};

use crate::human;
use crate::manifest::SourceFile;
use crate::pipelines::KeptView;
use crate::plan::Definition;
use crate::problem::{Problem, Severity};
use crate::resource_id::{ResourceId, ResourceKind};
pub use dashboard::{DashboardDefinition, Panel, PanelFault, PanelKind, PanelPart};
pub use feed::{FeedDefinition, Generator, Rate};

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "factum.yaml";

/// A folder of manifests: what of it is valid, and what is withheld because it is not.
///
/// Always holds: a definition that is withheld is given by none of the iterators; it is neither changed nor forgotten,
/// whatever was applied of it before.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder.
    pub root: PathBuf,
    /// The project's name; part of its events' types.
    pub name: String,
    /// What holds for every event that says nothing else.
    pub defaults: Defaults,
    /// Where the project can be applied, by name.
    pub environments: BTreeMap<String, Environment>,
    /// Its teams, by name.
    pub teams: Vec<Team>,
    /// What is wrong with its files, by file and place. Errors are of what is withheld; warnings of what has no effect:
    /// parts that this version does not support, files that nothing refers to.
    pub problems: Vec<Problem>,
    /// Definitions whose files are invalid, or that cannot be put into effect.
    withheld: BTreeSet<ResourceId>,
    /// Teams of which it is not known what they define.
    withheld_teams: BTreeSet<TeamName>,
    /// Where each event was read from.
    pub(crate) origins: BTreeMap<TopicName, Origin>,
    /// Where each dashboard was read from.
    dashboard_origins: BTreeMap<String, dashboard_file::DashboardOrigin>,
}

/// The file of an event, for problems that only a plan can see.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) file: SourceFile,
    pub(crate) partitions: Option<SourceSpan>,
    /// The contract it uses, relative to the project's folder.
    pub(crate) contract: Option<PathBuf>,
}

impl Project {
    /// Reads the project in the folder `root`, which must be valid as a whole. Blocking: it reads files.
    ///
    /// # Errors
    /// [`LoadError`] with everything that is wrong, not only the first.
    pub fn load(root: impl AsRef<Path>) -> Result<Self, LoadError> {
        let project = load::load(root.as_ref())?;
        match project.is_whole() {
            true => Ok(project),
            false => Err(LoadError { problems: project.problems }),
        }
    }

    /// The same, but a definition whose file is invalid is withheld, and its problem kept, while the others are given.
    ///
    /// # Errors
    /// [`LoadError`] where it is not known what the project holds: there is no such folder, `factum.yaml` is invalid,
    /// the teams cannot be listed.
    pub fn load_valid_part(root: impl AsRef<Path>) -> Result<Self, LoadError> {
        load::load(root.as_ref())
    }

    /// Whether the folder `root` is a project at all, valid or not. Blocking.
    ///
    /// # Errors
    /// What it lacks.
    pub fn find(root: impl AsRef<Path>) -> Result<(), Problem> {
        match root.as_ref().join(PROJECT_FILE).exists() {
            true => Ok(()),
            false => Err(load::no_project_file(root.as_ref())),
        }
    }

    /// Whether nothing is withheld.
    pub fn is_whole(&self) -> bool {
        !self.problems.iter().any(|problem| problem.severity() == Severity::Error)
    }

    /// Leaves a definition as it was applied last, because of `problem` with it.
    pub(crate) fn withhold(&mut self, id: ResourceId, problem: Option<Problem>) {
        self.withheld.insert(id);
        if let Some(problem) = problem {
            self.add_problem(problem);
        }
    }

    /// Says something once.
    pub(crate) fn add_problem(&mut self, problem: Problem) {
        if !self.problems.iter().any(|known| known.is_same(&problem)) {
            self.problems.push(problem);
            self.problems.sort_by(|a, b| a.order().cmp(&b.order()));
        }
    }

    /// Whether the definition, or all of its team, is withheld.
    pub(crate) fn is_withheld(&self, id: &ResourceId) -> bool {
        self.withheld.contains(id) || self.withheld_teams.iter().any(|team| team.as_str() == id.team())
    }

    /// Every team, by name.
    pub(crate) fn team_definitions(&self) -> impl Iterator<Item = &TeamDefinition> {
        let teams = self.teams.iter().map(|team| &team.definition);
        teams.filter(|team| self.gives(ResourceKind::Team, team.name.as_str()))
    }

    /// Every event of every team, by topic.
    pub fn events(&self) -> impl Iterator<Item = &EventDefinition> {
        let events = self.teams.iter().flat_map(|team| &team.events);
        events.filter(|event| self.gives(ResourceKind::Event, event.topic.as_str()))
    }

    /// Every reference table of every team, by name.
    pub fn tables(&self) -> impl Iterator<Item = &TableDefinition> {
        let tables = self.teams.iter().flat_map(|team| &team.tables);
        tables.filter(|table| self.gives(ResourceKind::Table, &table.name))
    }

    /// Every pipeline of every team, by name.
    pub fn pipelines(&self) -> impl Iterator<Item = &PipelineDefinition> {
        let pipelines = self.teams.iter().flat_map(|team| &team.pipelines);
        pipelines.filter(|pipeline| self.gives(ResourceKind::Pipeline, &pipeline.name))
    }

    /// Every feed of every team, by name.
    pub fn feeds(&self) -> impl Iterator<Item = &FeedDefinition> {
        let feeds = self.teams.iter().flat_map(|team| &team.feeds);
        feeds.filter(|feed| self.gives(ResourceKind::Feed, &feed.name))
    }

    /// Every dashboard of every team, by name.
    pub fn dashboards(&self) -> impl Iterator<Item = &DashboardDefinition> {
        let dashboards = self.teams.iter().flat_map(|team| &team.dashboards);
        dashboards.filter(|dashboard| self.gives(ResourceKind::Dashboard, &dashboard.name))
    }

    /// Everything besides teams and events, in the order in which it comes in.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = Definition> {
        let tables = self.tables().cloned().map(Definition::Table);
        let pipelines = self.pipelines().cloned().map(Definition::Pipeline);
        let feeds = self.feeds().cloned().map(Definition::Feed);
        let dashboards = self.dashboards().cloned().map(Definition::Dashboard);
        tables.chain(pipelines).chain(feeds).chain(dashboards)
    }

    fn gives(&self, kind: ResourceKind, name: &str) -> bool {
        // Nearly always nothing is withheld, and no name need be made to look it up.
        let nothing = self.withheld.is_empty() && self.withheld_teams.is_empty();
        nothing || !self.is_withheld(&ResourceId::new(kind, name))
    }

    /// What dashboards want to show and `views` do not have.
    pub(crate) fn faulty_panels(&self, views: &[KeptView]) -> Vec<Problem> {
        let faults = self.dashboards().flat_map(|dashboard| {
            let origin = self.dashboard_origins.get(&dashboard.name);
            let panels = dashboard.panels.iter().enumerate();
            panels.filter_map(move |(at, panel)| Some(origin?.problem(at, &panel.resolve(views).err()?)))
        });
        faults.collect()
    }
}

/// What an event gets when its own file does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Partitions of a new topic.
    pub partitions: Option<i32>,
    /// How long records are kept.
    pub retention: Option<Duration>,
    /// How late a record may be.
    pub lateness: Option<Duration>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
}

/// A Factum that the project can be applied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The base URL of its HTTP interface.
    pub server: String,
}

/// A team and what it owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// What is said of the team itself.
    pub definition: TeamDefinition,
    /// Its events, by topic.
    pub events: Vec<EventDefinition>,
    /// Its reference tables, by name.
    pub tables: Vec<TableDefinition>,
    /// Its pipelines, by name.
    pub pipelines: Vec<PipelineDefinition>,
    /// Its feeds, by name.
    pub feeds: Vec<FeedDefinition>,
    /// Its dashboards, by name.
    pub dashboards: Vec<DashboardDefinition>,
}

/// Who a team is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDefinition {
    /// Its name; the first part of its topics' names.
    pub name: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// What it does, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Where to reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Who is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

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
    /// What the contract says, so that whoever has no folder knows it.
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
    /// How long records are kept; [`Duration::MAX`] for ever. Without it the log's default.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "human::retention_option")]
    pub retention: Option<Duration>,
    /// The most bytes that a partition keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_bytes: Option<ByteSize>,
    /// The largest batch that the topic takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_message_bytes: Option<ByteSize>,
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

/// A table of rows that events are looked up in: products, categories, rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDefinition {
    /// `<team>.<table>`.
    pub name: String,
    /// The team that owns it.
    pub team: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// What its rows are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The column that identifies a row.
    pub key: String,
    /// Where the rows come from, relative to the project's folder.
    pub from: PathBuf,
    /// The rows: CSV with a header.
    pub rows: Arc<str>,
}

/// A file of SQL whose statements run for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineDefinition {
    /// `<team>.<file>`.
    pub name: String,
    /// The team that owns it; names in it that say no team are this team's.
    pub team: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// Its file, relative to the project's folder.
    pub file: PathBuf,
    /// What it says.
    pub sql: Arc<str>,
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

/// Who may see an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Its own team, and whom it grants access.
    Private,
    /// Every team of the project.
    #[default]
    Company,
}

impl Visibility {
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("private", Self::Private), ("company", Self::Company)];
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

/// Everything that is wrong with a project.
#[derive(Debug, Clone)]
pub struct LoadError {
    /// At least one problem; warnings are among them.
    pub problems: Vec<Problem>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.iter().filter(|problem| problem.severity() == Severity::Error).count() {
            1 => f.write_str("the project has a problem"),
            n => write!(f, "the project has {n} problems"),
        }
    }
}

impl std::error::Error for LoadError {}

impl Diagnostic for LoadError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
