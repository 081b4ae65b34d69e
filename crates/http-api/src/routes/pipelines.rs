//! Pipelines, which keep views up to date, and their progress.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_api::pipelines::{
    PartitionLine, PipelineLine, PipelineList, PipelineView, ProgressView, RejectedView,
};
use factum_sql::{PartitionStatus, RejectedEvents, ViewState, ViewStatus};
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, NamePath};
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;
use crate::http::{lookup, rows};
use crate::routes::views;

/// The routes of pipelines.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_pipelines)).routes(routes!(get_pipeline))
}

/// List pipelines
#[utoipa::path(get, path = "/api/v1/pipelines", tag = "views", responses((status = 200, body = PipelineList)))]
async fn list_pipelines(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        Ok(PipelineList { pipelines: api.state.engine.views().iter().map(line).collect() })
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Get a pipeline
#[utoipa::path(get, path = "/api/v1/pipelines/{pipeline}", tag = "views",
    params(("pipeline" = String, Path, description = "The view that it keeps", example = "store.top_movies")),
    responses((status = 200, body = PipelineView), (status = 404, body = Problem)))]
async fn get_pipeline(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(asked): NamePath,
) -> Result<Json<PipelineView>, Problem> {
    caller.may(Action::Describe, Resource::view(&asked))?;
    let view = lookup::view(&api, &caller, &asked)?;
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
    let (state, reason) = rows::view_state(&view.state);
    let progress = match view.state {
        ViewState::Building { done, total } => Some(ProgressView { done: done.into(), total: total.into() }),
        _ => None,
    };
    PipelineLine {
        name: view.name.to_string(),
        team: view.name.team.to_string(),
        state: state.to_owned(),
        reason,
        progress,
        lag: view.lag.into(),
        rate: (view.rate * 10.0).round() / 10.0,
        watermark: view.watermark.and_then(instant),
        state_bytes: view.state_bytes,
        poisoned: view.poisoned.into(),
        late: view.late.into(),
        ahead: view.ahead.into(),
        unreadable: view.unreadable.into(),
        letters_waiting: view.letters_waiting.into(),
        letters_lost: view.letters_lost.into(),
        rejected: view.rejected.as_ref().map(rejected),
        last_error: last_error(view),
    }
}

fn rejected(rejected: &RejectedEvents) -> RejectedView {
    RejectedView {
        topic: rejected.topic.to_string(),
        count: rejected.count.into(),
        in_a_row: rejected.in_a_row.into(),
        first: rejected.first.to_string(),
        last: rejected.last.to_string(),
        reason: rejected.reason.clone(),
    }
}

/// What an operator sees first: letters that wait, then events that became letters, then what else went wrong.
fn last_error(view: &ViewStatus) -> Option<String> {
    let rejected = view.rejected.as_ref().map(ToString::to_string);
    view.letters_problem.clone().or(rejected).or_else(|| view.last_error.clone())
}

fn partition(status: &PartitionStatus) -> PartitionLine {
    PartitionLine {
        topic: status.topic.clone(),
        partition: status.partition,
        next: status.next.into(),
        end: status.end.into(),
        epoch: status.epoch,
        watermark: status.watermark.and_then(instant),
    }
}

/// A time in microseconds, where the calendar has it.
fn instant(micros: i64) -> Option<String> {
    jiff::Timestamp::from_microsecond(micros).ok().map(|instant| instant.to_string())
}
