//! Views: list them, read their rows, follow their changes.

mod changes;
mod columns;
mod freshness;
mod renderer;
mod row_limit;
mod sending;
mod text;
mod text_memory;
mod together;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use factum_api::views::{ViewLine, ViewList};
use factum_sql::{RelationName, ViewState, ViewStatus};
use factum_types::suggest;
use factum_types::{Action, Resource};

use crate::answers::Content;
use crate::extract::{Caller, NamePath, Params};
use crate::json::document;
use crate::problem::Problem;
use crate::rows::{self, Form, RowsView};
use crate::state::Api;

pub(crate) use changes::{__path_follow_view, follow_view, parse_change_id};
pub(crate) use columns::{shown as columns_of, text};
pub(crate) use renderer::Renderer;
pub(crate) use together::{__path_follow_views, follow_views};

/// List views
#[utoipa::path(get, path = "/api/v1/views", tag = "views",
    responses((status = 200, body = ViewList, example = json!({"views": [{"name": "store.top_movies",
        "team": "store", "state": "live", "reason": null, "columns": [{"name": "product_id", "type": "bigint",
        "nullable": true}, {"name": "sold", "type": "bigint", "nullable": true}],
        "depends_on": ["store.orders"], "rows": 10, "warning": null}]}))))]
pub(crate) async fn list_views(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        let views = api.state.engine.views();
        Ok(ViewList { views: views.iter().map(|view| view_line(view, api.options.max_rows)).collect() })
    };
    document(&api, &caller, Content::List, list).await
}

/// Read a view
///
/// The rows as they are at this moment, in the view's order, with how far they are behind the log: a view that is stuck
/// answers with the rows that it had, and says so. Any column can be a parameter and selects the rows
/// with that value; a column given several times selects any of them.
#[utoipa::path(get, path = "/api/v1/views/{view}", tag = "views",
    params(("view" = String, Path, description = "In full, or its bare name where only one team has it",
            example = "store.top_movies"),
        ("limit" = Option<usize>, Query, description = "The most rows to give"),
        ("order" = Option<String>, Query, description = "Columns to order by, each with `-` before it for the \
            largest first, instead of the view's own order", example = "-sold,product_id"),
        ("filter" = Option<String>, Query, description = "A condition in SQL", example = "sold > 10"),
        ("Accept" = Option<String>, Header, description = "`application/json`, `text/csv` or \
            `application/vnd.apache.arrow.stream`")),
    responses((status = 200, body = RowsView, example = json!({"rows": [{"product_id": 11, "sold": 42}],
            "as_of": "2026-11-20T10:15:30.123Z", "lag": "0", "state": "live"})),
        (status = 404, body = Problem), (status = 422, body = Problem, description = "The rows cannot be computed, \
            or take more time than one query may"),
        (status = 503, body = Problem, description = "It waits for its first event")))]
pub(crate) async fn get_view(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(asked): NamePath,
    Params(params): Params<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let status = readable(&api, &caller, &asked)?;
    let form = Form::asked(&headers)?;
    let most = api.options.max_rows;
    let mut query = columns::query(&status, params)?;
    query.limit = Some(query.limit.unwrap_or(most + 1).min(most + 1));
    query.time = Some(api.options.query_timeout);
    let read = Box::pin(api.state.engine.read(&status.name, query));
    let rows = api.answers.reading(caller.client(), read).await??;
    rows::answer(&api.answers, caller.client(), form, rows, most).await
}

/// The view that the caller asks for and may read.
fn readable(api: &Api, caller: &Caller, asked: &str) -> Result<ViewStatus, Problem> {
    caller.may(Action::Read, Resource::view(asked))?;
    let status = find(api, asked)?;
    let name = status.name.to_string();
    if name != asked {
        caller.may(Action::Read, Resource::view(&name))?;
    }
    Ok(status)
}

/// A view by its full name, or by its bare one where only one team has it.
pub(crate) fn find(api: &Api, asked: &str) -> Result<ViewStatus, Problem> {
    let engine = &api.state.engine;
    if let Some(name) = RelationName::parse(asked) {
        return Ok(engine.view(&name)?);
    }
    let views = engine.views();
    let mut same: Vec<_> = views.iter().filter(|view| *view.name.name == *asked).collect();
    match same.pop() {
        Some(view) if same.is_empty() => Ok(view.clone()),
        Some(view) => {
            let names: Vec<_> = same.iter().chain([&view]).map(|view| view.name.to_string()).collect();
            let detail = format!("several teams have a view {asked}: {}; say which", names.join(", "));
            Err(Problem::malformed(detail))
        }
        None => {
            let problem = Problem::not_found(format_args!("there is no view {asked}"));
            let names = views.iter().map(|view| &*view.name.name);
            Err(match suggest::nearest(asked, names) {
                Some(near) => problem.also(format_args!("did you mean {near}?")).with("near", near),
                None => problem,
            })
        }
    }
}

fn view_line(view: &ViewStatus, most: usize) -> ViewLine {
    let (state, reason) = state(&view.state);
    ViewLine {
        name: view.name.to_string(),
        team: view.name.team.to_string(),
        state: state.to_owned(),
        reason,
        columns: columns::shown(view),
        depends_on: view.depends_on.clone(),
        rows: view.rows,
        warning: row_limit::warning(view, most),
    }
}

/// A word for what a view is doing, and the reason where there is one.
pub(crate) fn state(state: &ViewState) -> (&'static str, Option<String>) {
    match state {
        ViewState::Building { .. } => ("building", None),
        ViewState::Live => ("live", None),
        ViewState::Waiting(reason) => ("waiting", Some(reason.clone())),
        ViewState::Failed(reason) => ("failed", Some(reason.clone())),
    }
}
