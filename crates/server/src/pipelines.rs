//! Governance's pipelines, run by the SQL engine.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use factum_governance::resources::Recorded;
use factum_governance::{self as governance, Format, KeptView, Pipelines, PipelinesError};
use factum_sql::{self as sql, ApplyError, Definitions, Engine, RelationName, ViewStatus};
use tracing::info;

/// The engine, as governance sees it.
pub(crate) struct EnginePipelines(pub(crate) Engine);

#[async_trait]
impl Pipelines for EnginePipelines {
    async fn check(&self, wanted: &Recorded) -> Result<(), PipelinesError> {
        let checked = self.0.check(&definitions(wanted)).await;
        checked.map_err(|error| refusal(error, wanted))
    }

    async fn apply(&self, applied: &Recorded) -> Result<(), PipelinesError> {
        let definitions = definitions(applied);
        let done = match applied.is_complete() {
            true => self.0.apply(definitions).await,
            false => self.0.apply_keeping_others(definitions).await,
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

    fn views(&self) -> Vec<KeptView> {
        self.0.views().iter().map(kept).collect()
    }
}

fn kept(view: &ViewStatus) -> KeptView {
    let columns = view.columns.as_ref();
    KeptView {
        name: view.name.to_string(),
        columns: columns.map(|columns| columns.fields().iter().map(|field| field.name().clone()).collect()),
    }
}

/// What SQL may name. Events in formats that it does not read yet are left out: naming one is an unknown table.
fn definitions(recorded: &Recorded) -> Definitions {
    let events = recorded.events.values().filter(|event| event.format == Format::Json);
    Definitions {
        events: events.map(event).collect(),
        tables: recorded.tables.values().map(table).collect(),
        pipelines: recorded.pipelines.values().map(pipeline).collect(),
    }
}

fn event(event: &governance::EventDefinition) -> sql::EventDefinition {
    sql::EventDefinition {
        topic: event.topic.clone(),
        // Loading the project has parsed it already.
        schema: event.contract.as_ref().and_then(|text| serde_json::from_str(text).ok()).map(Arc::new),
        time: event.time.clone(),
        lateness: event.lateness.unwrap_or(Duration::ZERO),
    }
}

fn table(table: &governance::TableDefinition) -> sql::TableDefinition {
    sql::TableDefinition {
        name: relation(&table.name),
        key: table.key.clone(),
        origin: table.from.clone(),
        csv: table.rows.as_bytes().to_vec().into(),
    }
}

fn pipeline(pipeline: &governance::PipelineDefinition) -> sql::PipelineDefinition {
    sql::PipelineDefinition {
        team: pipeline.team.clone(),
        file: pipeline.file.clone(),
        text: Arc::clone(&pipeline.sql),
    }
}

fn relation(full: &str) -> RelationName {
    let (team, name) = full.split_once('.').unwrap_or(("", full));
    RelationName::new(team, name)
}

fn refusal(error: ApplyError, recorded: &Recorded) -> PipelinesError {
    match error {
        ApplyError::Refused(problems) => {
            PipelinesError::Refused(problems.into_iter().map(|found| problem(found, recorded)).collect())
        }
        error @ ApplyError::Unavailable { .. } => PipelinesError::Unavailable { reason: error.to_string() },
    }
}

/// The same problem at its place; one with an event's contract is told in the contract's own file.
fn problem(found: sql::Problem, recorded: &Recorded) -> governance::Problem {
    let sql::Problem { file, text, span, message, help } = found;
    let event = recorded.events.values().find(|event| file.as_os_str() == event.topic.as_str());
    match event.and_then(|event| Some((event.schema.as_ref()?, event.contract.as_ref()?))) {
        Some((path, contract)) => {
            governance::Problem::in_text(path, Arc::clone(contract), 0..0, message, help)
        }
        None => governance::Problem::in_text(&file, text, span, message, help),
    }
}
