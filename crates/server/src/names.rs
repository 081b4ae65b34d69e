//! The one space of names that topics, views and tables share, seen from each side.
//!
//! ```text
//!   a client creates a topic ──► ViewAndTableNames: refused where a view or table has the name
//!   a project declares a view or table ──► NameCheck: a problem at its place where a topic has the name
//!   an older version left both ──► both stay as they are, and readiness says so
//! ```
//!
//! Not here: names of two events, or of an event and a table, of one project's folder, which `governance` compares.

use std::path::Path;
use std::sync::Arc;

use factum_broker::{Broker, NameRegistry};
use factum_eventlog::{AdminError, EventLog};
use factum_governance::{Definitions, EffectError, EventDefinition, Problem, ResourceId, TableDefinition};
use factum_sql::{self as sql, DeclaredView, Engine, RelationName};
use factum_types::TopicName;

/// The names that views and tables have, for the broker to give none of them to a topic.
pub(crate) struct ViewAndTableNames(pub(crate) Engine);

impl NameRegistry for ViewAndTableNames {
    fn owner(&self, name: &TopicName) -> Option<String> {
        let kind = self.0.relation(&RelationName::parse(name.as_str())?)?;
        Some(format!("a {kind}"))
    }
}

/// Looks for topics that have the names of views and tables.
pub(crate) struct NameCheck {
    log: Arc<dyn EventLog>,
}

impl NameCheck {
    pub(crate) fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log }
    }

    /// Tables of `wanted` whose names topics have, as problems of their manifests.
    ///
    /// # Errors
    /// [`EffectError::Unavailable`], where the log does not answer.
    pub(crate) async fn tables(&self, wanted: &Definitions) -> Result<Vec<Problem>, EffectError> {
        let mut problems = Vec::new();
        for table in wanted.of::<TableDefinition>() {
            if let Some((message, help)) = self.conflict("table", table.name.as_str(), wanted).await? {
                let manifest = ResourceId::named::<TableDefinition>(table.name.as_str()).manifest();
                problems.push(Problem::of_file(Path::new(&manifest), message).help(help));
            }
        }
        Ok(problems)
    }

    /// The same for views, at the places of their names.
    ///
    /// # Errors
    /// [`EffectError::Unavailable`], where the log does not answer.
    pub(crate) async fn views(
        &self,
        views: &[DeclaredView],
        wanted: &Definitions,
    ) -> Result<Vec<sql::Problem>, EffectError> {
        let mut problems = Vec::new();
        for view in views {
            if let Some((message, help)) = self.conflict("view", &view.name.to_string(), wanted).await? {
                problems.push(sql::Problem { help: Some(help), ..view.problem(message) });
            }
        }
        Ok(problems)
    }

    /// What is wrong with the name of a `noun`, and what to do, where a topic has it or will have it.
    async fn conflict(
        &self,
        noun: &str,
        name: &str,
        wanted: &Definitions,
    ) -> Result<Option<(String, String)>, EffectError> {
        let message = format!("{name} is a topic already");
        let rule = "topics, views and tables share one space of names";
        if wanted.get::<EventDefinition>(name).is_some() {
            let manifest = ResourceId::named::<EventDefinition>(name).manifest();
            return Ok(Some((message, format!("{manifest} declares it; {rule}: rename one of the two"))));
        }
        let Ok(topic) = TopicName::new(name) else { return Ok(None) };
        match self.log.topic(&topic).await {
            Ok(_) | Err(AdminError::UnusableTopic { .. }) => {
                let help = format!(
                    "{rule}: give the {noun} another name, or delete the topic with all its records \
                     (`factum topic delete {name}`) and save this file again"
                );
                Ok(Some((message, help)))
            }
            Err(AdminError::UnknownTopic { .. }) => Ok(None),
            Err(error) => Err(EffectError::Unavailable { reason: error.to_string() }),
        }
    }
}

/// Names that a topic has and a view or table in effect too, a sentence each: an earlier version gave them to both.
pub(crate) fn shared_names(broker: &Broker, engine: &Engine) -> Vec<String> {
    let taken = engine.relations().into_iter().filter(|(name, _)| broker.topic(&name.to_string()).is_some());
    let told = taken.map(|(name, kind)| {
        format!("{name} is a {kind} and a topic too: rename the {kind} in the project, or delete the topic")
    });
    told.collect()
}
