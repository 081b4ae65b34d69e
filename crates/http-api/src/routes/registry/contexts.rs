//! Contexts: list, delete; and what the server is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use factum_api::registry::ErrorMessage;
use factum_registry::Subject;
use factum_types::{Action, Resource};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::TAG;
use super::error::Failure;
use super::extract::{Page, PathNames, Query};
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::json::Json;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_contexts))
        .routes(routes!(delete_context))
        .routes(routes!(get_server_version))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ListParams {
    context_prefix: String,
    offset: i64,
    limit: Option<i64>,
}

/// List contexts
#[utoipa::path(get, path = "/contexts", tag = TAG,
    params(("contextPrefix" = Option<String>, Query), ("offset" = Option<i64>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Vec<String>, example = json!([".", ".staging"]))))]
async fn list_contexts(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<Vec<String>>, Failure> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let contexts = api.state.registry.contexts().into_iter();
    let wanted = contexts.filter(|context| context.starts_with(&params.context_prefix));
    Ok(Json(Page::new(params.offset, params.limit).of(wanted, usize::MAX).collect()))
}

/// Delete a context that has no subjects
#[utoipa::path(delete, path = "/contexts/{context}", tag = TAG,
    params(("context" = String, Path, example = ".staging")),
    responses((status = 204), (status = 422, body = ErrorMessage, description = "42211 it has subjects")))]
async fn delete_context(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(context): PathNames<ContextName>,
) -> Result<StatusCode, Failure> {
    caller.may(Action::Delete, Resource::Cluster)?;
    api.state.registry.delete_context(&context.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A context in a path, with or without the colons that stand before a subject.
struct ContextName(String);

impl super::extract::FromPath for ContextName {
    type Segments = String;

    fn from_segments(text: String) -> Result<Self, Failure> {
        let qualified = if text.starts_with(':') { text } else { format!(":{text}:") };
        Ok(Self(Subject::parse(&qualified)?.context().to_owned()))
    }
}

/// Get the version of the server
#[utoipa::path(get, path = "/v1/metadata/version", tag = TAG,
    responses((status = 200, body = Object, example = json!({"version": "0.1.0", "commitId": ""}))))]
async fn get_server_version(_caller: Caller) -> Json<Value> {
    Json(json!({"version": env!("CARGO_PKG_VERSION"), "commitId": ""}))
}
