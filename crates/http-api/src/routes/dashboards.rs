//! Dashboards with their panels, and what is wrong with these.

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
use crate::http::responses::DocumentKind;

/// The routes of dashboards.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_dashboards)).routes(routes!(get_dashboard))
}

/// List dashboards
#[utoipa::path(get, path = "/api/v1/dashboards", tag = "dashboards", responses((status = 200, body = DashboardList)))]
async fn list_dashboards(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        // Who may see the cluster may see the names of all.
        let views = kept(&api, &|_| true);
        let dashboards = api.state.catalogue.of::<DashboardDefinition>();
        Ok(DashboardList { dashboards: dashboards.iter().map(|found| shown(found, &views)).collect() })
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Get a dashboard
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
    let found = lookup::by_name(
        "dashboard",
        &dashboards,
        |dashboard| &dashboard.name,
        |name| caller.sees(Resource::dashboard(name)),
        &asked,
    )?;
    caller.may(Action::Describe, Resource::dashboard(found.name.as_str()))?;
    let is_visible = caller.visibility();
    let one = move |api: Arc<Api>| {
        let (found, is_visible) = (Arc::clone(&found), Arc::clone(&is_visible));
        async move { Ok(shown(&found, &kept(&api, &*is_visible))) }
    };
    document(&api, &caller, DocumentKind::List, one).await
}

/// The views that panels can show, of those that the caller may know of.
fn kept(api: &Api, is_visible: &dyn Fn(Resource<'_>) -> bool) -> Vec<KeptView> {
    let columns = |view: &ViewStatus| {
        let columns = view.columns.as_ref()?;
        Some(columns.fields().iter().map(|field| field.name().clone()).collect())
    };
    let views = api.state.engine.views();
    let views = views.iter().map(|view| KeptView { name: view.name.to_string(), columns: columns(view) });
    views.filter(|view| is_visible(Resource::view(&view.name))).collect()
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
