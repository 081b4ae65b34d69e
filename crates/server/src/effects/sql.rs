//! Governance's tables and files of SQL, run by the SQL engine.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use factum_eventlog::EventLog;
use factum_governance::{
    self as governance, Definitions, Effect, EffectError, EventDefinition, Format, PipelineDefinition,
    ResourceId, ResourceKind, TableDefinition,
};
use factum_registry::avro;
use factum_sql::{self as sql, ApplyError, Engine, Place, PlannedDefinitions, RelationName};
use tracing::info;

use crate::names::NameCheck;

/// The engine, as governance sees it.
pub(crate) struct SqlEffect {
    engine: Engine,
    names: NameCheck,
    /// What was found good last and is not in effect yet, so that it need not be planned again.
    checked: Mutex<Option<PlannedDefinitions>>,
}

impl SqlEffect {
    pub(crate) fn new(engine: Engine, log: Arc<dyn EventLog>) -> Self {
        Self { engine, names: NameCheck::new(log), checked: Mutex::default() }
    }

    /// The plan of these definitions, if they are those that were checked last.
    fn checked(&self, definitions: &sql::Definitions) -> Option<PlannedDefinitions> {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner).take();
        checked.filter(|checked| checked.definitions() == definitions)
    }
}

#[async_trait]
impl Effect for SqlEffect {
    fn kinds(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<TableDefinition>(), ResourceKind::of::<PipelineDefinition>()]
    }

    fn needs(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<EventDefinition>()]
    }

    async fn check(&self, wanted: &Definitions) -> Result<(), EffectError> {
        let mut problems = self.names.tables(wanted).await?;
        let checked = match self.engine.check(&definitions(wanted)).await {
            Ok(checked) => checked,
            Err(ApplyError::Refused(found)) => {
                problems.extend(found.into_iter().map(|found| problem(found, wanted)));
                return Err(EffectError::Refused(problems));
            }
            Err(error) => return Err(refusal(error, wanted)),
        };
        let views = self.names.views(checked.declared_views(), wanted).await?;
        problems.extend(views.into_iter().map(|found| problem(found, wanted)));
        if !problems.is_empty() {
            return Err(EffectError::Refused(problems));
        }
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(checked);
        Ok(())
    }

    async fn apply(&self, applied: &Definitions) -> Result<(), EffectError> {
        let definitions = definitions(applied);
        let done = match applied.is_complete() {
            true => match self.checked(&definitions) {
                Some(planned) => self.engine.apply_planned(planned).await,
                None => self.engine.apply(definitions).await,
            },
            false => self.engine.apply_keeping_others(definitions).await,
        };
        let done = done.map_err(|error| refusal(error, applied))?;
        info!(
            created = done.created.len(),
            changed = done.changed.len(),
            unchanged = done.unchanged.len(),
            dropped = done.dropped.len(),
            waiting = done.waiting.len(),
            "put pipelines into effect"
        );
        Ok(())
    }
}

/// What SQL may name.
fn definitions(declared: &Definitions) -> sql::Definitions {
    sql::Definitions {
        events: declared.of::<EventDefinition>().map(event).collect(),
        tables: declared.of::<TableDefinition>().map(table).collect(),
        pipelines: declared.of::<PipelineDefinition>().map(pipeline).collect(),
    }
}

fn event(event: &EventDefinition) -> sql::EventDefinition {
    sql::EventDefinition {
        topic: event.topic.clone(),
        schema: value_schema(event).map(Arc::new),
        time: event.time.clone(),
        lateness: event.lateness.unwrap_or(Duration::ZERO),
    }
}

/// The JSON Schema of an event's values as SQL reads them; without one the first of them show their columns.
fn value_schema(event: &EventDefinition) -> Option<serde_json::Value> {
    let text = event.contract.as_ref()?;
    match event.format {
        // Loading the project has parsed it already.
        Format::Json => serde_json::from_str(text).ok(),
        Format::Avro => avro::Schema::parse(text, &[]).ok()?.value_schema(),
        Format::Protobuf => None,
    }
}

fn table(table: &TableDefinition) -> sql::TableDefinition {
    sql::TableDefinition {
        name: RelationName::from(&table.name),
        key: table.key.clone(),
        origin: table.from.clone(),
        csv: table.rows.as_bytes().to_vec().into(),
    }
}

fn pipeline(pipeline: &PipelineDefinition) -> sql::PipelineDefinition {
    sql::PipelineDefinition {
        team: pipeline.team.clone(),
        file: pipeline.file.clone(),
        text: Arc::clone(&pipeline.sql),
    }
}

fn refusal(error: ApplyError, declared: &Definitions) -> EffectError {
    match error {
        ApplyError::Refused(problems) => {
            EffectError::Refused(problems.into_iter().map(|found| problem(found, declared)).collect())
        }
        error @ ApplyError::Unavailable { .. } => EffectError::Unavailable { reason: error.to_string() },
    }
}

/// The same problem in the user's file; one with an event's contract is told in the contract's own file, or, where the
/// event has none, in its manifest.
fn problem(found: sql::Problem, declared: &Definitions) -> governance::Problem {
    let sql::Problem { place, text, span, message, help } = found;
    let topic = match place {
        Place::File(file) => return governance::Problem::in_text(&file, text, span, message, help),
        Place::Contract(topic) => topic,
    };
    let event = declared.get::<EventDefinition>(topic.as_str());
    match event.and_then(|event| Some((event.schema.as_ref()?, event.contract.as_ref()?))) {
        Some((path, contract)) => {
            governance::Problem::in_text(path, Arc::clone(contract), 0..0, message, help)
        }
        None => {
            let manifest = ResourceId::named::<EventDefinition>(topic.as_str()).manifest();
            governance::Problem::in_text(Path::new(&manifest), "".into(), 0..0, message, help)
        }
    }
}
