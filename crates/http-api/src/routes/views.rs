//! Views: list them, read their rows, follow their changes.

mod changes;
mod columns;
mod freshness;
mod row_limit;
mod sending;
mod together;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use factum_api::rows::RowsView;
use factum_api::views::{ViewLine, ViewList};
use factum_sql::ViewStatus;
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, NamePath, Params};
use crate::http::lookup;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;
use crate::http::rows::{self, Form};

pub(crate) use changes::parse_change_id;
pub(crate) use columns::{shown as columns_of, text};

/// The routes of views.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_views))
        .routes(routes!(get_view))
        .merge(changes::routes())
        .merge(together::routes())
}

/// List views
#[utoipa::path(get, path = "/api/v1/views", tag = "views",
    responses((status = 200, body = ViewList, example = json!({"views": [{"name": "store.top_movies",
        "team": "store", "state": "live", "reason": null, "columns": [{"name": "product_id", "type": "bigint",
        "nullable": true}, {"name": "sold", "type": "bigint", "nullable": true}],
        "depends_on": ["store.orders"], "rows": 10, "warning": null, "row_limit": null}]}))))]
async fn list_views(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        let views = api.state.engine.views();
        Ok(ViewList { views: views.iter().map(|view| view_line(view, api.options.max_rows)).collect() })
    };
    document(&api, &caller, DocumentKind::List, list).await
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
async fn get_view(
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
    (query.time, query.client) = (Some(api.options.query_timeout), Some(caller.client()));
    let read = Box::pin(api.state.engine.read(&status.name, query));
    let rows = api.responses.reading(caller.client(), read).await??;
    rows::response(&api.responses, caller.client(), form, rows, most).await
}

/// The view that the caller asks for and may read.
fn readable(api: &Api, caller: &Caller, asked: &str) -> Result<ViewStatus, Problem> {
    caller.may(Action::Read, Resource::view(asked))?;
    let status = lookup::view(api, caller, asked)?;
    let name = status.name.to_string();
    if name != asked {
        caller.may(Action::Read, Resource::view(&name))?;
    }
    Ok(status)
}

fn view_line(view: &ViewStatus, most: usize) -> ViewLine {
    let (state, reason) = rows::view_state(&view.state);
    let row_limit = row_limit::warning(view, most);
    ViewLine {
        name: view.name.to_string(),
        team: view.name.team.to_string(),
        state: state.to_owned(),
        reason,
        columns: columns::shown(view),
        depends_on: view.depends_on.clone(),
        rows: view.rows,
        warning: view.rejected_problem.clone().or_else(|| row_limit.clone()),
        row_limit,
    }
}
