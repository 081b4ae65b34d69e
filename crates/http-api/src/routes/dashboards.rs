//! Dashboards: what they show, and whether that is there.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_api::dashboards::{DashboardList, DashboardView, PanelView};
use factum_governance::{DashboardDefinition, KeptView, Panel};
use factum_sql::ViewStatus;
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, NamePath};
use crate::http::lookup;
use crate::http::problem::Problem;
use crate::http::responses::Content;

/// The routes of dashboards.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_dashboards)).routes(routes!(get_dashboard))
}

/// List dashboards
#[utoipa::path(get, path = "/api/v1/dashboards", tag = "dashboards", responses((status = 200, body = DashboardList)))]
async fn list_dashboards(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        let views = kept(&api);
        let dashboards = api.state.catalogue.of::<DashboardDefinition>();
        Ok(DashboardList { dashboards: dashboards.iter().map(|found| shown(found, &views)).collect() })
    };
    document(&api, &caller, Content::List, list).await
}

/// Show a dashboard
///
/// Its panels with the views and columns to read; the rows are those of the views.
#[utoipa::path(get, path = "/api/v1/dashboards/{dashboard}", tag = "dashboards",
    params(("dashboard" = String, Path, description = "In full, or its bare name where only one team has it",
        example = "store.movies")),
    responses((status = 200, body = DashboardView), (status = 404, body = Problem)))]
async fn get_dashboard(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(asked): NamePath,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::dashboard(&asked))?;
    let dashboards = api.state.catalogue.of::<DashboardDefinition>();
    let found = lookup::by_name("dashboard", &dashboards, |dashboard| &dashboard.name, &asked)?;
    caller.may(Action::Describe, Resource::dashboard(found.name.as_str()))?;
    let one = move |api: Arc<Api>| {
        let found = Arc::clone(&found);
        async move { Ok(shown(&found, &kept(&api))) }
    };
    document(&api, &caller, Content::List, one).await
}

/// The views that panels can show.
fn kept(api: &Api) -> Vec<KeptView> {
    let columns = |view: &ViewStatus| {
        let columns = view.columns.as_ref()?;
        Some(columns.fields().iter().map(|field| field.name().clone()).collect())
    };
    let views = api.state.engine.views();
    views.iter().map(|view| KeptView { name: view.name.to_string(), columns: columns(view) }).collect()
}

fn shown(dashboard: &DashboardDefinition, views: &[KeptView]) -> DashboardView {
    DashboardView {
        name: dashboard.name.to_string(),
        team: dashboard.team.to_string(),
        title: dashboard.title.clone(),
        summary: dashboard.summary.clone(),
        panels: dashboard.panels.iter().map(|panel| panel_view(panel, views)).collect(),
    }
}

fn panel_view(panel: &Panel, views: &[KeptView]) -> PanelView {
    let (panel, problem) = match panel.resolve(views) {
        Ok(panel) => (panel, None),
        Err(fault) => (panel.clone(), Some(fault.to_string())),
    };
    PanelView {
        kind: panel.kind.as_str().to_owned(),
        title: panel.title,
        view: panel.view,
        columns: panel.columns,
        over: panel.over,
        by: panel.by,
        unit: panel.unit,
        last: panel.last,
        wide: panel.wide,
        problem,
    }
}
