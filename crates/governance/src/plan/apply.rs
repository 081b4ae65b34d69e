//! Applying a plan: topics first, then whatever must be in effect, then the record of what was applied.
//!
//! Always holds: cut short anywhere, the next plan finds what is left: a topic without a recorded event is adopted, and
//! what was not recorded is a change again.

use std::fmt;

use factum_eventlog::{AdminError, EventLog, NewRecord, NewTopic, ProduceError, TopicConfig};
use factum_types::TopicName;

use super::{Change, Plan, compare};
use crate::project::EventDefinition;
use crate::resources::{self, Recorded};

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Topics that were made.
    pub created: Vec<TopicName>,
    /// What came in, events of topics that existed included.
    pub added: usize,
    /// What changed.
    pub changed: usize,
    /// What left.
    pub forgotten: usize,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} added, {} changed, {} forgotten", self.added, self.changed, self.forgotten)
    }
}

/// Why a plan was not applied to its end. What was done before stays; planning again finds the rest.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A topic could not be made.
    #[error("make topic {topic}")]
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
    /// Someone else made the topic since the plan, with other partitions.
    #[error("topic {topic} was made with {partitions} partitions since the plan; plan again")]
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
pub struct Prepared {
    records: Vec<NewRecord>,
    applied: Applied,
}

impl Plan {
    /// Makes and configures topics. Dropping the future leaves a part done, which planning again completes.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub async fn prepare(&self, log: &dyn EventLog) -> Result<Prepared, ApplyError> {
        let mut applied = Applied::default();
        let mut records = Vec::with_capacity(self.changes.len());
        for change in &self.changes {
            records.push(make(change, log, &mut applied).await?);
            match change.mark() {
                '+' => applied.added += 1,
                '~' => applied.changed += 1,
                _ => applied.forgotten += 1,
            }
        }
        Ok(Prepared { records, applied })
    }

    /// Makes the changes where nothing needs to be put into effect. Dropping the future leaves a plan half applied,
    /// which planning again repairs.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub async fn apply(&self, log: &dyn EventLog) -> Result<Applied, ApplyError> {
        self.prepare(log).await?.record(log).await
    }
}

impl Prepared {
    /// What `before` will be once this is recorded.
    pub(crate) fn after(&self, mut before: Recorded) -> Recorded {
        self.records.iter().for_each(|record| before.take_new(record));
        before
    }

    /// Records what was applied.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub async fn record(self, log: &dyn EventLog) -> Result<Applied, ApplyError> {
        write(self.records, log).await?;
        Ok(self.applied)
    }
}

/// Appends records of what is applied.
pub(crate) async fn write(records: Vec<NewRecord>, log: &dyn EventLog) -> Result<(), ApplyError> {
    if records.is_empty() {
        return Ok(());
    }
    let topic = resources::topic();
    let create = |source| ApplyError::CreateTopic { topic: resources::topic(), source };
    resources::ensure_topic(log).await.map_err(create)?;
    for batch in resources::batches(records) {
        log.produce(&topic, batch).await.map_err(ApplyError::Record)?;
    }
    Ok(())
}

/// Does what a change does to topics, and gives the record of it.
async fn make(change: &Change, log: &dyn EventLog, applied: &mut Applied) -> Result<NewRecord, ApplyError> {
    Ok(match change {
        Change::AddTeam(team) | Change::UpdateTeam { team, .. } => {
            resources::team_record(&team.name, Some(team))
        }
        Change::ForgetTeam(team) => resources::team_record(&team.name, None),
        Change::AddEvent(event) => {
            let event = create(event, log, applied).await?;
            resources::event_record(&event.topic, Some(&event))
        }
        Change::AdoptTopic { event, config, .. } | Change::UpdateEvent { event, config, .. } => {
            if let Some(config) = config {
                alter(&event.topic, config.clone(), log).await?;
            }
            resources::event_record(&event.topic, Some(event))
        }
        Change::ForgetEvent { event, .. } => resources::event_record(&event.topic, None),
        Change::Add(definition) | Change::Update { definition, .. } => {
            resources::definition_record(definition, false)
        }
        Change::Forget(definition) => resources::definition_record(definition, true),
    })
}

/// Makes the event's topic and gives the event with the number of partitions that it got.
async fn create(
    event: &EventDefinition,
    log: &dyn EventLog,
    applied: &mut Applied,
) -> Result<EventDefinition, ApplyError> {
    let topic = &event.topic;
    let failed = |source| ApplyError::CreateTopic { topic: topic.clone(), source };
    let config = compare::new_config(event);
    let new = NewTopic { name: topic.clone(), partitions: event.partitions, config: config.clone() };
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
    if event.partitions.is_some_and(|asked| asked != partitions) {
        return Err(ApplyError::Overtaken { topic: topic.clone(), partitions: made.partitions.len() });
    }
    Ok(EventDefinition { partitions: Some(partitions), ..event.clone() })
}

async fn alter(topic: &TopicName, config: TopicConfig, log: &dyn EventLog) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::AlterTopic { topic: topic.clone(), source };
    log.alter_topic(topic, config).await.map(drop).map_err(failed)
}
