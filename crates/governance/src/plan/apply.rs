//! Applying a plan: topics first, then whatever must be in effect, then the record of what was applied.
//!
//! Invariants: cut short anywhere, the next plan finds what is left: a topic without a recorded event is adopted, and
//! what was not recorded is a change again.

use std::cmp::Ordering;
use std::fmt;

use factum_eventlog::{AdminError, EventLog, NewRecord, NewTopic, ProduceError, TopicConfig};
use factum_types::TopicName;

use super::{Action, Change, Plan, TopicChange, topics};
use crate::definitions::SharedDefinition;
use crate::kind::DeclaredTopic;
use crate::record::{self, AppliedDefinitions};
use crate::resource_id::ResourceId;

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyResult {
    /// Topics that were made.
    pub created: Vec<TopicName>,
    /// What came in, events of topics that existed included.
    pub added: usize,
    /// What changed.
    pub changed: usize,
    /// What left.
    pub forgotten: usize,
}

impl fmt::Display for ApplyResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} added, {} changed, {} forgotten", self.added, self.changed, self.forgotten)
    }
}

/// Why a plan was not applied to its end. What was done before stays; planning again finds the rest.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A topic could not be made.
    #[error("create topic {topic}")]
    CreateTopic {
        /// The topic.
        topic: TopicName,
        /// Why.
        #[source]
        source: AdminError,
    },
    /// A topic's configuration could not be changed.
    #[error("change topic {topic}")]
    AlterTopic {
        /// The topic.
        topic: TopicName,
        /// Why.
        #[source]
        source: AdminError,
    },
    /// Someone else made the topic since the plan, or gave it partitions: it has others than planned.
    #[error("topic {topic} has {partitions} partitions since the plan was made; plan again")]
    Overtaken {
        /// The topic.
        topic: TopicName,
        /// How many it has.
        partitions: usize,
    },
    /// What was applied could not be recorded.
    #[error("record what was applied")]
    Record(#[source] ProduceError),
}

impl ApplyError {
    /// Whether the same plan can be applied later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::CreateTopic { source, .. } | Self::AlterTopic { source, .. } => source.is_transient(),
            Self::Overtaken { .. } => false,
            Self::Record(error) => error.is_transient(),
        }
    }
}

/// A plan whose topics are made, and that is not recorded yet.
#[derive(Debug)]
pub struct PreparedPlan {
    /// The definitions that change, as they will be; without one, it is forgotten.
    resources: Vec<(ResourceId, Option<SharedDefinition>)>,
    applied: ApplyResult,
}

impl Plan {
    /// Makes and configures topics. Dropping the future leaves a part done, which planning again completes.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub async fn prepare(&self, log: &dyn EventLog) -> Result<PreparedPlan, ApplyError> {
        let mut applied = ApplyResult::default();
        let mut resources = Vec::with_capacity(self.changes.len());
        for change in &self.changes {
            let definition = make(change, log, &mut applied).await?;
            let is_forgotten = change.action == Action::Forget;
            resources.push((change.id(), (!is_forgotten).then_some(definition)));
            match change.action {
                Action::Add => applied.added += 1,
                Action::Update => applied.changed += 1,
                Action::Forget => applied.forgotten += 1,
            }
        }
        Ok(PreparedPlan { resources, applied })
    }

    /// Makes the changes where nothing needs to be put into effect. Dropping the future leaves a plan half applied,
    /// which planning again repairs.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub async fn apply(&self, log: &dyn EventLog) -> Result<ApplyResult, ApplyError> {
        self.prepare(log).await?.record(log).await
    }
}

impl PreparedPlan {
    /// What `before` will be once this is recorded.
    pub(crate) fn after(&self, mut before: AppliedDefinitions) -> AppliedDefinitions {
        self.resources.iter().for_each(|(id, definition)| before.set(id, definition.clone()));
        before
    }

    /// Records what was applied.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub async fn record(self, log: &dyn EventLog) -> Result<ApplyResult, ApplyError> {
        let resources = self.resources.iter();
        let records = resources.map(|(id, definition)| record::resource_record(id, definition.as_ref()));
        write(records.collect(), log).await?;
        Ok(self.applied)
    }
}

/// Appends records of what is applied.
pub(crate) async fn write(records: Vec<NewRecord>, log: &dyn EventLog) -> Result<(), ApplyError> {
    if records.is_empty() {
        return Ok(());
    }
    let topic = record::topic();
    let create = |source| ApplyError::CreateTopic { topic: record::topic(), source };
    record::ensure_topic(log).await.map_err(create)?;
    for batch in record::batches(records) {
        log.produce(&topic, batch).await.map_err(ApplyError::Record)?;
    }
    Ok(())
}

/// Does what a change does to topics, and gives the definition as it is now.
async fn make(
    change: &Change,
    log: &dyn EventLog,
    applied: &mut ApplyResult,
) -> Result<SharedDefinition, ApplyError> {
    let definition = &change.definition;
    let Some(topic) = definition.topic() else { return Ok(definition.clone()) };
    match &change.topic {
        Some(TopicChange::Create) => {
            let partitions = create(&topic, log, applied).await?;
            return Ok(definition.with_partitions(partitions));
        }
        Some(TopicChange::Alter { config, partitions } | TopicChange::Adopt { config, partitions, .. }) => {
            if let Some(config) = config {
                alter(topic.name, config.clone(), log).await?;
            }
            if let Some(count) = partitions {
                grow(topic.name, *count, log).await?;
            }
        }
        Some(TopicChange::Stay { .. }) | None => {}
    }
    Ok(definition.clone())
}

/// Makes a topic and gives the number of partitions that it got.
async fn create(
    declared: &DeclaredTopic<'_>,
    log: &dyn EventLog,
    applied: &mut ApplyResult,
) -> Result<i32, ApplyError> {
    let topic = declared.name;
    let failed = |source| ApplyError::CreateTopic { topic: topic.clone(), source };
    let config = topics::new_config(declared);
    let new = NewTopic { name: topic.clone(), partitions: declared.partitions, config: config.clone() };
    let made = match log.create_topic(new).await {
        Ok(made) => {
            applied.created.push(topic.clone());
            made
        }
        // A producer's first record may have made it a moment ago.
        Err(AdminError::TopicExists { .. }) => {
            alter(topic, config, log).await?;
            log.topic(topic).await.map_err(failed)?
        }
        Err(source) => return Err(failed(source)),
    };
    let partitions = i32::try_from(made.partitions.len()).unwrap_or(i32::MAX);
    if declared.partitions.is_some_and(|asked| asked != partitions) {
        return Err(ApplyError::Overtaken { topic: topic.clone(), partitions: made.partitions.len() });
    }
    Ok(partitions)
}

/// Gives a topic partitions. One that someone else has given as many since the plan is as it should be.
async fn grow(topic: &TopicName, count: i32, log: &dyn EventLog) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::AlterTopic { topic: topic.clone(), source };
    let Err(refused) = log.create_partitions(topic, count).await else { return Ok(()) };
    let partitions = log.topic(topic).await.map_err(failed)?.partitions.len();
    match i32::try_from(partitions).unwrap_or(i32::MAX).cmp(&count) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(ApplyError::Overtaken { topic: topic.clone(), partitions }),
        Ordering::Less => Err(failed(refused)),
    }
}

async fn alter(topic: &TopicName, config: TopicConfig, log: &dyn EventLog) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::AlterTopic { topic: topic.clone(), source };
    log.alter_topic(topic, config).await.map(drop).map_err(failed)
}
