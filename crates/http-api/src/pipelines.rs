//! Pipelines: what keeps each view true, and how far it is.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_sql::{PartitionStatus, ViewState, ViewStatus};
use factum_types::{Action, Resource};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{Caller, NamePath};
use crate::json::{Json, document};
use crate::problem::Problem;
use crate::state::Api;
use crate::views::{self, ColumnView};

/// How a pipeline is.
#[derive(Serialize, ToSchema)]
struct PipelineLine {
    /// The view that it keeps.
    #[schema(example = "store.top_movies")]
    name: String,
    #[schema(example = "store")]
    team: String,
    /// `live`, `building`, `waiting` or `failed`.
    #[schema(example = "live")]
    state: &'static str,
    /// Why it waits or failed.
    reason: Option<String>,
    /// While it is built from what the log holds already.
    progress: Option<ProgressView>,
    /// Events in the log that it has not taken in, a 64-bit number as text.
    #[schema(example = "0")]
    lag: String,
    /// Events per second that it takes in.
    #[schema(example = 12.5)]
    rate: f64,
    /// No event before this time is expected.
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    watermark: Option<String>,
    /// Bytes of its state in memory.
    state_bytes: u64,
    /// Events that could not be taken in and went to its dead-letter topic, a 64-bit number as text.
    #[schema(example = "0")]
    poisoned: String,
    /// Rows that came after their window had closed, a 64-bit number as text.
    #[schema(example = "0")]
    late: String,
    /// Events whose time was too far ahead to move the watermark, a 64-bit number as text.
    #[schema(example = "0")]
    ahead: String,
    /// Offsets that could not be read from the log, and went to its dead-letter topic as ranges; a 64-bit number as
    /// text.
    #[schema(example = "0")]
    unreadable: String,
    /// Dead letters that wait because their topic cannot be written, a 64-bit number as text.
    #[schema(example = "0")]
    letters_waiting: String,
    /// Dead letters that were given up, a 64-bit number as text; the events themselves are still in their topic.
    #[schema(example = "0")]
    letters_lost: String,
    /// What went wrong last since the start.
    last_error: Option<String>,
}

/// Events taken in, of those that the log held when the definition was applied; 64-bit numbers as text.
#[derive(Serialize, ToSchema)]
struct ProgressView {
    #[schema(example = "1200")]
    done: String,
    #[schema(example = "50000")]
    total: String,
}

/// Every pipeline.
#[derive(Serialize, ToSchema)]
pub(crate) struct PipelineList {
    pipelines: Vec<PipelineLine>,
}

/// One pipeline.
#[derive(Serialize, ToSchema)]
pub(crate) struct PipelineView {
    #[serde(flatten)]
    line: PipelineLine,
    /// Its statement, as it was written.
    sql: String,
    columns: Vec<ColumnView>,
    /// The views, tables and topics that it reads.
    depends_on: Vec<String>,
    /// Where it stands in each partition; none for a view that only stands on others.
    partitions: Vec<PartitionLine>,
}

#[derive(Serialize, ToSchema)]
struct PartitionLine {
    #[schema(example = "store.orders")]
    topic: String,
    partition: i32,
    /// The offset to be read next, a 64-bit number as text.
    #[schema(example = "41")]
    next: String,
    /// Behind the last record, a 64-bit number as text.
    #[schema(example = "41")]
    end: String,
    /// Commits of its state, ever.
    #[schema(example = 7)]
    epoch: u64,
    watermark: Option<String>,
}

/// List pipelines
#[utoipa::path(get, path = "/api/v1/pipelines", tag = "views", responses((status = 200, body = PipelineList)))]
pub(crate) async fn list_pipelines(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        Ok(PipelineList { pipelines: api.state.engine.views().iter().map(line).collect() })
    };
    document(&api, list).await
}

/// Show a pipeline
#[utoipa::path(get, path = "/api/v1/pipelines/{pipeline}", tag = "views",
    params(("pipeline" = String, Path, description = "The view that it keeps", example = "store.top_movies")),
    responses((status = 200, body = PipelineView), (status = 404, body = Problem)))]
pub(crate) async fn get_pipeline(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(asked): NamePath,
) -> Result<Json<PipelineView>, Problem> {
    caller.may(Action::Describe, Resource::view(&asked))?;
    let view = views::find(&api, &asked)?;
    caller.may(Action::Describe, Resource::view(&view.name.to_string()))?;
    Ok(Json(PipelineView {
        line: line(&view),
        sql: view.sql.to_string(),
        columns: views::columns_of(&view),
        partitions: view.partitions.iter().map(partition).collect(),
        depends_on: view.depends_on,
    }))
}

fn line(view: &ViewStatus) -> PipelineLine {
    let (state, reason) = views::state(&view.state);
    let progress = match view.state {
        ViewState::Building { done, total } => {
            Some(ProgressView { done: done.to_string(), total: total.to_string() })
        }
        _ => None,
    };
    PipelineLine {
        name: view.name.to_string(),
        team: view.name.team.to_string(),
        state,
        reason,
        progress,
        lag: view.lag.to_string(),
        rate: (view.rate * 10.0).round() / 10.0,
        watermark: view.watermark.and_then(instant),
        state_bytes: view.state_bytes,
        poisoned: view.poisoned.to_string(),
        late: view.late.to_string(),
        ahead: view.ahead.to_string(),
        unreadable: view.unreadable.to_string(),
        letters_waiting: view.letters_waiting.to_string(),
        letters_lost: view.letters_lost.to_string(),
        last_error: view.letters_problem.clone().or_else(|| view.last_error.clone()),
    }
}

fn partition(status: &PartitionStatus) -> PartitionLine {
    PartitionLine {
        topic: status.topic.clone(),
        partition: status.partition,
        next: status.next.to_string(),
        end: status.end.to_string(),
        epoch: status.epoch,
        watermark: status.watermark.and_then(instant),
    }
}

/// A time in microseconds, where the calendar has it.
fn instant(micros: i64) -> Option<String> {
    jiff::Timestamp::from_microsecond(micros).ok().map(|instant| instant.to_string())
}
