//! The project's folder, and what the last attempt to apply it said.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_api::project::{ProjectProblem, ProjectView};
use factum_governance::{self as governance, Severity};
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::Caller;
use crate::http::problem::Problem;
use crate::http::responses::Content;

/// The routes of the project.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(get_project))
}

/// Show the project
///
/// What is in force, and what is wrong with the folder at this moment. While there is a `failure`, the last good
/// project stays in force.
#[utoipa::path(get, path = "/api/v1/project", tag = "catalogue", responses((status = 200, body = ProjectView)))]
async fn get_project(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    document(&api, &caller, Content::List, |api| async move { Ok(view(&api)) }).await
}

fn view(api: &Api) -> ProjectView {
    let project = api.state.catalogue.project();
    ProjectView {
        name: project.name,
        path: project.folder.map(|folder| folder.display().to_string()),
        applied_at: project.applied_at.map(|at| at.to_string()),
        failure: project.failure,
        problems: project.problems.iter().map(problem).collect(),
    }
}

fn problem(found: &governance::Problem) -> ProjectProblem {
    let place = found.line_and_column();
    ProjectProblem {
        severity: match found.severity() {
            Severity::Error => "error".to_owned(),
            Severity::Warning => "warning".to_owned(),
        },
        message: found.message().to_owned(),
        file: found.file().display().to_string(),
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
        help: found.advice().map(str::to_owned),
        excerpt: found.excerpt(),
    }
}
