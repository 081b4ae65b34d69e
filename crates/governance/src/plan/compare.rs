//! Finding what differs between a project, what was applied before, and the topics that exist.

use std::collections::{BTreeMap, BTreeSet};

use factum_eventlog::{Topic, TopicConfig};
use factum_types::{ByteSize, TopicName};
use serde::Serialize;
use serde_json::{Map, Value};

use super::change::{Change, Definition, FieldChange};
use crate::human;
use crate::problem::Problem;
use crate::project::{EventDefinition, Project, TeamDefinition};
use crate::resource_id::{ResourceId, ResourceKind};
use crate::resources::Recorded;

pub(super) struct Comparison<'a> {
    pub(super) project: &'a Project,
    pub(super) recorded: &'a Recorded,
    pub(super) topics: &'a BTreeMap<TopicName, Topic>,
}

impl Comparison<'_> {
    /// What changes, team by team; and what cannot be done about the events that are named beside it.
    pub(super) fn changes(&self) -> (Vec<Change>, Vec<(ResourceId, Problem)>) {
        let mut changes = Vec::new();
        let mut problems = Vec::new();
        let mut events: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in self.project.events() {
            events.entry(&event.team).or_default().push(event);
        }
        for team in &self.project.teams {
            let name = &team.definition.name;
            if !self.project.is_withheld(&ResourceId::new(ResourceKind::Team, name.as_str())) {
                changes.extend(self.team(&team.definition));
            }
            for event in events.remove(name).unwrap_or_default() {
                match self.event(event) {
                    Ok(change) => changes.extend(change),
                    Err(problem) => {
                        let id = ResourceId::new(ResourceKind::Event, event.topic.as_str());
                        problems.push((id, problem));
                    }
                }
            }
        }
        let definitions = self.definitions();
        changes.extend(definitions);
        changes.extend(self.forgotten());
        (changes, problems)
    }

    fn team(&self, team: &TeamDefinition) -> Option<Change> {
        let Some(before) = self.recorded.teams.get(&team.name) else {
            return Some(Change::AddTeam(team.clone()));
        };
        let fields = differences(before, team);
        let is_doubtful = self.is_doubtful(ResourceKind::Team, team.name.as_str());
        (is_doubtful || !fields.is_empty()).then(|| Change::UpdateTeam { team: team.clone(), fields })
    }

    fn event(&self, event: &EventDefinition) -> Result<Option<Change>, Problem> {
        let before = self.recorded.events.get(&event.topic);
        let Some(topic) = self.topics.get(&event.topic) else {
            return Ok(Some(Change::AddEvent(event.clone())));
        };
        let event = EventDefinition { partitions: Some(self.partitions(event, topic)?), ..event.clone() };
        let config = desired_config(&event, before, &topic.config);
        let drift = drift(&topic.config, &config);
        let config = (!drift.is_empty()).then_some(config);
        let Some(before) = before else {
            return Ok(Some(Change::AdoptTopic { event, records: records(topic), config }));
        };
        let mut fields = differences(before, &event);
        let named: BTreeSet<String> = fields.iter().map(|field| field.name.clone()).collect();
        fields.extend(drift.into_iter().filter(|field| !named.contains(&field.name)));
        let is_doubtful = self.is_doubtful(ResourceKind::Event, event.topic.as_str());
        Ok((is_doubtful || !fields.is_empty()).then_some(Change::UpdateEvent { event, fields, config }))
    }

    /// The topic's own count, unless the event's file insists on another.
    fn partitions(&self, event: &EventDefinition, topic: &Topic) -> Result<i32, Problem> {
        let exist = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        let origin = self.project.origins.get(&event.topic);
        let Some((origin, span)) = origin.and_then(|origin| Some((origin, origin.partitions?))) else {
            return Ok(exist);
        };
        match event.partitions {
            Some(asked) if asked != exist => {
                let message =
                    format!("topic {} has {exist} partitions; the number cannot change yet", event.topic);
                let help = format!(
                    "write `partitions: {exist}`, or move the facts to a new event with {asked}: \
                     a changed number would send the same key to another partition"
                );
                Err(origin.file.problem(span, message).label("asked for here").help(help))
            }
            _ => Ok(exist),
        }
    }

    /// Tables, pipelines, feeds and dashboards that came in or changed.
    fn definitions(&self) -> Vec<Change> {
        let recorded = self.recorded.definitions();
        let before: BTreeMap<_, _> = recorded.iter().map(|before| (before.id(), before)).collect();
        let change = |after: Definition| match before.get(&after.id()) {
            None => Some(Change::Add(after)),
            Some(before) => {
                let fields = differences(*before, &after);
                let is_doubtful = self.recorded.is_doubtful(&after.id());
                (is_doubtful || !fields.is_empty()).then_some(Change::Update { definition: after, fields })
            }
        };
        self.project.definitions().filter_map(change).collect()
    }

    /// Those that this project applied once and does not have any more; what reads goes before what is read.
    fn forgotten_definitions(&self) -> Vec<Change> {
        let now: BTreeSet<_> = self.project.definitions().map(|definition| definition.id()).collect();
        let before = self.recorded.definitions().into_iter().rev();
        let gone = before.filter(|before| before.project() == self.project.name);
        let gone = gone.filter(|before| !now.contains(&before.id()));
        gone.filter(|before| !self.project.is_withheld(&before.id())).map(Change::Forget).collect()
    }

    /// What this project applied once and does not have any more.
    fn forgotten(&self) -> Vec<Change> {
        let name = &self.project.name;
        let events: BTreeSet<_> = self.project.events().map(|event| &event.topic).collect();
        let teams: BTreeSet<_> = self.project.teams.iter().map(|team| &team.definition.name).collect();
        let is_gone = |kind, name: &str| !self.project.is_withheld(&ResourceId::new(kind, name));
        let gone = self.recorded.events.values().filter(|event| event.project == *name);
        let gone = gone.filter(|event| !events.contains(&event.topic));
        let gone = gone.filter(|event| is_gone(ResourceKind::Event, event.topic.as_str()));
        let gone = gone.map(|event| Change::ForgetEvent {
            event: event.clone(),
            records: self.topics.get(&event.topic).map(records),
        });
        let disbanded = self.recorded.teams.values().filter(|team| team.project == *name);
        let disbanded = disbanded.filter(|team| !teams.contains(&team.name));
        let disbanded = disbanded.filter(|team| is_gone(ResourceKind::Team, team.name.as_str()));
        let disbanded = disbanded.cloned().map(Change::ForgetTeam);
        self.forgotten_definitions().into_iter().chain(gone).chain(disbanded).collect()
    }

    /// Whether the definition must be recorded anew although nothing of it changed.
    fn is_doubtful(&self, kind: ResourceKind, name: &str) -> bool {
        self.recorded.is_doubtful(&ResourceId::new(kind, name))
    }
}

/// Records in a topic, counting those that retention dropped in the middle of a partition as there.
fn records(topic: &Topic) -> i64 {
    topic.partitions.iter().map(|bounds| bounds.high_watermark.since(bounds.log_start)).sum()
}

/// The configuration of a topic that is to be made.
pub(super) fn new_config(event: &EventDefinition) -> TopicConfig {
    desired_config(event, None, &TopicConfig::default())
}

/// What the event says; what it does not say stays as it is, unless the event said it the last time.
fn desired_config(
    event: &EventDefinition,
    before: Option<&EventDefinition>,
    now: &TopicConfig,
) -> TopicConfig {
    fn choose<T: Copy>(said: Option<T>, said_before: Option<T>, now: Option<T>) -> Option<T> {
        said.or(if said_before.is_some() { None } else { now })
    }
    let was = |field: fn(&EventDefinition) -> Option<ByteSize>| before.and_then(field);
    TopicConfig {
        retention: choose(event.retention, before.and_then(|before| before.retention), now.retention),
        retention_bytes: choose(
            event.retention_bytes,
            was(|event| event.retention_bytes),
            now.retention_bytes,
        ),
        max_message_bytes: choose(
            event.max_message_bytes,
            was(|event| event.max_message_bytes),
            now.max_message_bytes,
        ),
        ..now.clone()
    }
}

/// How a topic's configuration differs from what it should be: someone changed it by another door.
fn drift(now: &TopicConfig, desired: &TopicConfig) -> Vec<FieldChange> {
    let size = |size: Option<ByteSize>| size.map(|size| size.to_string());
    let retention = |config: &TopicConfig| config.retention.map(human::retention);
    [
        ("retention", retention(now), retention(desired)),
        ("retention_bytes", size(now.retention_bytes), size(desired.retention_bytes)),
        ("max_message_bytes", size(now.max_message_bytes), size(desired.max_message_bytes)),
    ]
    .into_iter()
    .filter(|(_, from, to)| from != to)
    .map(|(name, from, to)| FieldChange { name: name.to_owned(), from, to })
    .collect()
}

/// The fields in which two definitions differ, by the names that they have in JSON and in manifests.
fn differences<T: Serialize>(before: &T, after: &T) -> Vec<FieldChange> {
    let (before, after) = (object(before), object(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| {
            let (from, mut to) = match (before.get(name), after.get(name)) {
                (Some(Value::String(before)), Some(Value::String(after))) => changed_line(before, after)
                    .map(|(before, after)| (Some(before), Some(after)))
                    .unwrap_or_else(|| (Some(lines(before)), Some(lines(after)))),
                (before, after) => (before.map(text), after.map(text)),
            };
            if from == to {
                to = to.map(|to| format!("{to}, others"));
            }
            FieldChange {
                name: if name == "event_type" { "type".to_owned() } else { name.clone() },
                from,
                to,
            }
        })
        .collect()
}

fn object<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        _ => unreachable!("a definition is an object in JSON"),
    }
}

/// The one line in which two texts of several lines differ, before and after.
fn changed_line(before: &str, after: &str) -> Option<(String, String)> {
    let is_long = before.contains('\n') && before.lines().count() == after.lines().count();
    let mut differing = before.lines().zip(after.lines()).filter(|(before, after)| before != after);
    let (before, after) = differing.next().filter(|_| is_long)?;
    differing.next().is_none().then(|| (before.trim().to_owned(), after.trim().to_owned()))
}

/// A text, or how long it is.
fn lines(text: &str) -> String {
    if text.contains('\n') { format!("{} lines", text.lines().count()) } else { text.to_owned() }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => lines(text),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name} {}", text(value)))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}
