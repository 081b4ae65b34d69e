//! `POST /api/v1/sql`: one query over views, topics and tables.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use factum_api::rows::RowsView;
use factum_api::sql::{Explanation, SqlRequest};
use factum_base::clients::ClientAddress;
use factum_sql::{QueryError, QueryLimits, ReadError};
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Options;
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::json::Json;
use crate::http::lookup;
use crate::http::problem::Problem;
use crate::http::rows::{self, Form};

/// The routes of queries.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(post_sql)).routes(routes!(explain_sql))
}

/// Run an SQL query
///
/// Runs over what views, topics and reference tables hold at this moment. Events that the columns named cannot be read
/// from are left out and counted in `left_out`. `SHOW TABLES` lists what can be queried, and `DESCRIBE store.orders` the
/// columns of one. The caller needs `read` of each topic, view and table that the query names; what it may not describe is
/// not there for it.
#[utoipa::path(post, path = "/api/v1/sql", tag = "views",
    request_body(content = SqlRequest, example = json!({"query": "SELECT count(*) AS orders FROM store.orders"})),
    params(("Accept" = Option<String>, Header, description = "`application/json`, `text/csv` or \
        `application/vnd.apache.arrow.stream`")),
    responses((status = 200, body = RowsView, example = json!({"rows": [{"orders": 42}],
            "as_of": "2026-11-20T10:15:30.123Z", "lag": "0", "state": "live"})),
        (status = 400, body = Problem, description = "The query is wrong; `line` and `column` say where"),
        (status = 422, body = Problem, description = "It takes more rows or time than one query may, or fails")))]
async fn post_sql(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::AnyTopic)?;
    let (head, body) = request.into_parts();
    let form = Form::asked(&head.headers)?;
    let wish: SqlRequest = api.bodies.read_json(&head, body).await?;
    let statement = api.state.engine.statement(&wish.query, limits(&api, caller.client()), caller.access());
    let rows = api.responses.reading(caller.client(), Box::pin(statement)).await?;
    let rows = rows.map_err(|error| caller.query_problem(error))?;
    rows::response(&api.responses, caller.client(), form, rows, api.options.max_rows).await
}

/// Explain a query or a view
///
/// Says what is kept as events arrive and what is computed on reading.
#[utoipa::path(post, path = "/api/v1/sql/explain", tag = "views",
    request_body(content = SqlRequest, example = json!({"query": "SELECT * FROM store.top_movies"})),
    responses((status = 200, body = Explanation), (status = 400, body = Problem)))]
async fn explain_sql(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Json<Explanation>, Problem> {
    caller.may(Action::Describe, Resource::AnyTopic)?;
    let (head, body) = request.into_parts();
    let wish: SqlRequest = api.bodies.read_json(&head, body).await?;
    let explained = api.state.engine.explain(Some(caller.client()), &wish.query, caller.access()).await;
    let explained = explained.map_err(|error| match error {
        QueryError::View(ReadError::UnknownView { view }) => {
            lookup::unknown_view(&api, &caller, &view.to_string())
        }
        error => caller.query_problem(error),
    })?;
    Ok(Json(Explanation { plan: explained.words, raw: explained.raw }))
}

/// Runs one query of Factum's own within the limits of the HTTP API: no rule is asked.
pub(crate) async fn run(api: &Api, client: ClientAddress, query: &str) -> Result<factum_sql::Rows, Problem> {
    let limits = limits(api, client);
    Ok(api.responses.reading(client, Box::pin(api.state.engine.query(query, limits))).await??)
}

fn limits(api: &Api, client: ClientAddress) -> QueryLimits {
    let Options { max_rows: rows, query_timeout: time, .. } = api.options;
    QueryLimits { rows, time, client: Some(client) }
}
