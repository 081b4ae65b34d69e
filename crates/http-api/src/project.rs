//! The project's folder, and what the last attempt to apply it said.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_governance::{self as governance, Severity};
use factum_types::{Action, Resource};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::Caller;
use crate::json::document;
use crate::problem::Problem;
use crate::state::Api;

/// The project that is in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectView {
    /// Absent where none was ever applied, or several are.
    #[schema(example = "contoso")]
    name: Option<String>,
    /// Its folder, where this server watches one.
    #[schema(example = "examples/movies")]
    path: Option<String>,
    /// When what is in force was applied.
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    applied_at: Option<String>,
    /// Why the folder is not in force as it stands, or not all of it; null when it is.
    #[schema(example = "the project has a problem")]
    failure: Option<String>,
    /// What is wrong with its files; empty when all is well.
    problems: Vec<ProjectProblem>,
}

/// Something that is wrong with a file of the project.
#[derive(Serialize, ToSchema)]
struct ProjectProblem {
    /// `error` where this part stays as it was applied last until it is put right, `warning` where it has no effect.
    #[schema(example = "error")]
    severity: &'static str,
    #[schema(example = "there is no column `quantty` in d")]
    message: String,
    /// Relative to the project's folder.
    #[schema(example = "teams/store/pipelines/top_movies.sql")]
    file: String,
    /// From 1.
    #[schema(example = 3)]
    line: Option<usize>,
    /// From 1, in characters.
    #[schema(example = 53)]
    column: Option<usize>,
    /// What to do.
    #[schema(example = "did you mean `Quantity`?")]
    help: Option<String>,
    /// The lines around the place with marks under it, to be set in a typewriter's face.
    excerpt: Option<String>,
}

/// Show the project
///
/// What is in force, and what is wrong with the folder at this moment. While there is a `failure`, the last good
/// project stays in force.
#[utoipa::path(get, path = "/api/v1/project", tag = "catalogue", responses((status = 200, body = ProjectView)))]
pub(crate) async fn get_project(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    document(&api, |api| async move { Ok(view(&api)) }).await
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
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: found.message().to_owned(),
        file: found.file().display().to_string(),
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
        help: found.advice().map(str::to_owned),
        excerpt: found.excerpt(),
    }
}
