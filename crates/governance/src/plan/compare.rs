//! Finding what differs between a project, what was applied before, and the topics that exist.

use std::collections::{BTreeMap, BTreeSet};

use factum_eventlog::{Topic, TopicConfig};
use factum_types::TopicName;

use super::change::{Action, Change, FieldChange, TopicChange};
use super::{fields, topics};
use crate::definitions::{Definitions, SharedDefinition};
use crate::kind::{DeclaredTopic, Definition};
use crate::problem::Problem;
use crate::project::Project;
use crate::record::AppliedDefinitions;
use crate::resource_id::{ResourceId, ResourceKind};

pub(super) struct Comparison<'a> {
    pub(super) project: &'a Project,
    pub(super) recorded: &'a AppliedDefinitions,
    /// What is recorded.
    pub(super) before: &'a Definitions,
    pub(super) topics: &'a BTreeMap<TopicName, Topic>,
}

impl Comparison<'_> {
    /// What changes, kind by kind; and what cannot be done about the definitions that are named beside it.
    pub(super) fn changes(&self) -> (Vec<Change>, Vec<(ResourceId, Problem)>) {
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        for definition in self.project.definitions.iter() {
            match self.change(definition) {
                Ok(change) => changes.extend(change),
                Err(problem) => problems.push((ResourceId::of(&**definition), problem)),
            }
        }
        changes.extend(self.forgotten());
        (changes, problems)
    }

    /// How a definition of the project differs from what was applied, if it does.
    fn change(&self, definition: &SharedDefinition) -> Result<Option<Change>, Problem> {
        let id = ResourceId::of(&**definition);
        let before = self.before.find(&id);
        let (action, definition, topic, drift) = match definition.topic() {
            None => (None, definition.clone(), None, Vec::new()),
            Some(declared) => match self.topics.get(declared.name) {
                // Also where it was there once: whatever is recorded, there is nothing to go on from.
                None => (Some(Action::Add), definition.clone(), Some(TopicChange::Create), Vec::new()),
                Some(topic) => {
                    let (exist, count) = (count(topic), self.partitions(&id, &declared, topic)?);
                    let definition = definition.with_partitions(count);
                    let before = before.and_then(|before| before.topic());
                    let (config, mut drift) = configuration(&*definition, before.as_ref(), &topic.config);
                    let partitions = (count > exist).then_some(count);
                    drift.extend(partitions.map(|more| FieldChange {
                        name: "partitions".to_owned(),
                        from: Some(exist.to_string()),
                        to: Some(more.to_string()),
                    }));
                    let change = match before {
                        None => {
                            Some(TopicChange::Adopt { records: topics::records(topic), config, partitions })
                        }
                        Some(_) => (config.is_some() || partitions.is_some())
                            .then_some(TopicChange::Alter { config, partitions }),
                    };
                    (None, definition, change, drift)
                }
            },
        };
        let Some(before) = before.filter(|_| action.is_none()) else {
            return Ok(Some(Change { action: Action::Add, definition, fields: Vec::new(), topic }));
        };
        let mut fields = fields::between(&**before, &*definition);
        let named: BTreeSet<String> = fields.iter().map(|field| field.name.clone()).collect();
        fields.extend(drift.into_iter().filter(|field| !named.contains(&field.name)));
        let is_change = self.recorded.is_doubtful(&id) || !fields.is_empty();
        Ok(is_change.then_some(Change { action: Action::Update, definition, fields, topic }))
    }

    /// How many partitions the topic has when the plan is applied: what the definition's file says, or what it has.
    fn partitions(
        &self,
        id: &ResourceId,
        declared: &DeclaredTopic<'_>,
        topic: &Topic,
    ) -> Result<i32, Problem> {
        let exist = count(topic);
        let origin = self.project.origin(id).filter(|origin| origin.places.contains_key("partitions"));
        let (Some(origin), Some(asked)) = (origin, declared.partitions.filter(|asked| *asked != exist))
        else {
            return Ok(exist);
        };
        if asked > exist {
            return Ok(asked);
        }
        let name = declared.name;
        let message = format!("topic {name} has {exist} partitions; their number can only grow");
        let help = format!("write `partitions: {exist}`, or move the facts to a new event with {asked}");
        Err(origin.problem("partitions", message).label("asked for here").help(help))
    }

    /// What this project applied once and does not have any more; what refers to others goes before them.
    fn forgotten(&self) -> Vec<Change> {
        let mut gone: BTreeMap<ResourceKind, Vec<Change>> = BTreeMap::new();
        for before in self.before.iter().filter(|before| before.project() == self.project.name) {
            let id = ResourceId::of(&**before);
            if self.project.definitions.find(&id).is_some() || self.project.is_withheld(&id) {
                continue;
            }
            let topic = before.topic().and_then(|declared| self.topics.get(declared.name));
            gone.entry(id.kind).or_default().push(Change {
                action: Action::Forget,
                definition: before.clone(),
                fields: Vec::new(),
                topic: topic.map(|topic| TopicChange::Stay { records: topics::records(topic) }),
            });
        }
        gone.into_values().rev().flatten().collect()
    }
}

/// How many partitions a topic has.
fn count(topic: &Topic) -> i32 {
    i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX)
}

/// The configuration of a topic that exists, where it must change, and how it differs.
fn configuration(
    definition: &dyn Definition,
    before: Option<&DeclaredTopic<'_>>,
    now: &TopicConfig,
) -> (Option<TopicConfig>, Vec<FieldChange>) {
    let Some(declared) = definition.topic() else { return (None, Vec::new()) };
    let config = topics::desired_config(&declared, before, now);
    let drift = topics::drift(now, &config);
    ((!drift.is_empty()).then_some(config), drift)
}
