//! Teams and events, as applied from the project.

mod asyncapi;
mod events;
mod example;
mod participants;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_governance::{self as governance, EventDefinition, TeamDefinition};
use factum_types::{Action, Resource};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::Caller;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;
pub(crate) use example::{contract, example};
pub(crate) use participants::Participants;

/// Every team.
#[derive(Serialize, ToSchema)]
pub(crate) struct TeamList {
    #[schema(value_type = Vec<Object>)]
    teams: Vec<Arc<TeamDefinition>>,
}

/// What is applied, and what is wrong with the folder that it came from.
#[derive(Serialize, ToSchema)]
pub(crate) struct CatalogueView {
    #[schema(value_type = Vec<Object>)]
    teams: Vec<Arc<TeamDefinition>>,
    /// Every event: topic, team, meaning, format, key, retention.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Arc<EventDefinition>>,
    /// While there are any, the last good state is the one in force.
    #[schema(value_type = Vec<Object>)]
    problems: Arc<Vec<governance::Problem>>,
}

/// The routes of the catalogue.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_teams))
        .routes(routes!(get_catalogue))
        .merge(events::routes())
        .merge(asyncapi::routes())
}

/// List teams
#[utoipa::path(get, path = "/api/v1/teams", tag = "catalogue",
    responses((status = 200, body = TeamList, example = json!({"teams": [{"name": "store", "project": "contoso",
        "summary": "Sells films.", "contact": "#store", "members": ["ann"]}]}))))]
async fn list_teams(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    document(&api, &caller, DocumentKind::List, |api| async move {
        Ok(TeamList { teams: api.state.catalogue.of() })
    })
    .await
}

/// Get the catalogue
///
/// Every team and event as applied from the project, and what is wrong with its folder at this moment.
#[utoipa::path(get, path = "/api/v1/catalogue", tag = "catalogue",
    responses((status = 200, body = CatalogueView, example = json!({"teams": [{"name": "store",
        "project": "contoso"}], "events": [{"topic": "store.orders", "team": "store", "project": "contoso",
        "format": "json", "key": "Email", "visibility": "company", "event_type": "contoso.store.orders",
        "source": "/contoso/store"}], "problems": []}))))]
async fn get_catalogue(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let show = |api: Arc<Api>| async move {
        let catalogue = &api.state.catalogue;
        Ok(CatalogueView { teams: catalogue.of(), events: catalogue.of(), problems: catalogue.problems() })
    };
    document(&api, &caller, DocumentKind::List, show).await
}
