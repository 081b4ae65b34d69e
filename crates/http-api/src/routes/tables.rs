//! One row of a reference table by its key.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use factum_api::rows::RowsView;
use factum_governance::TableDefinition;
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::extract::{Caller, TableRowPath};
use crate::http::lookup;
use crate::http::problem::Problem;
use crate::http::rows::{self, Form};
use crate::routes::{sql, views};

/// The routes of tables.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(get_row))
}

/// Look up a row of a table
#[utoipa::path(get, path = "/api/v1/tables/{table}/{key}", tag = "views",
    params(("table" = String, Path, example = "store.products"),
        ("key" = String, Path, description = "The row's key", example = "11")),
    responses((status = 200, body = RowsView, example = json!({"rows": [{"ItemId": 11, "ProductName": "Alien"}],
            "as_of": "2026-11-20T10:15:30.123Z", "lag": "0", "state": "live"})),
        (status = 404, body = Problem)))]
async fn get_row(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TableRowPath { table: asked, key }: TableRowPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Action::Read, Resource::table(&asked))?;
    let form = Form::asked(&headers)?;
    let tables = api.state.catalogue.of::<TableDefinition>();
    let table = lookup::by_name(
        "table",
        &tables,
        |table| &table.name,
        |name| caller.sees(Resource::table(name)),
        &asked,
    )?;
    caller.may(Action::Read, Resource::table(table.name.as_str()))?;
    let (team, name) = (table.name.team(), table.name.name());
    let (column, value) = (&table.key, views::text(&key));
    let query = format!("SELECT * FROM \"{team}\".\"{name}\" WHERE CAST({column} AS VARCHAR) = {value}");
    let rows = sql::run(&api, caller.client(), &query).await?;
    if rows.count() == 0 {
        return Err(Problem::not_found(format_args!("table {} has no row {key}", table.name)));
    }
    rows::response(&api.responses, caller.client(), form, rows, 1).await
}
