//! Versions of a subject: list, get, register, delete, and who refers to them.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use factum_api::registry::{ErrorMessage, RegisteredSchema, SchemaRequest};
use factum_registry::{Subject, VersionFilter, VersionSelector};
use factum_types::Action;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Failure;
use super::extract::{Page, PathNames, Query, body, filter, flag, new_schema, seen, text_in};
use super::registration::register;
use super::{TAG, reply};
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::json::{Json, MEDIA_TYPE};
use crate::http::subject_access::{may, may_refer};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_versions, register_schema))
        .routes(routes!(get_version, delete_version))
        .routes(routes!(get_schema_text))
        .routes(routes!(list_referrers))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct VersionParams {
    #[serde(deserialize_with = "flag")]
    deleted: bool,
    #[serde(deserialize_with = "flag")]
    deleted_only: bool,
    format: String,
    offset: i64,
    limit: Option<i64>,
}

/// List versions of a subject
#[utoipa::path(get, path = "/subjects/{subject}/versions", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("deleted" = Option<bool>, Query),
        ("deletedOnly" = Option<bool>, Query), ("offset" = Option<i64>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Vec<i32>, example = json!([1, 2])), (status = 404, body = ErrorMessage)))]
async fn list_versions(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(params): Query<VersionParams>,
) -> Result<Json<Vec<i32>>, Failure> {
    may(&caller, Action::Describe, &subject)?;
    let found = api.state.registry.versions(&subject, filter(params.deleted, params.deleted_only))?;
    let page = Page::new(params.offset, params.limit);
    Ok(Json(page.of(found.iter().map(|found| found.version), usize::MAX).collect()))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RegisterParams {
    #[serde(deserialize_with = "flag")]
    normalize: bool,
}

/// Register a schema
///
/// One that the subject has already gives the version that it is.
#[utoipa::path(post, path = "/subjects/{subject}/versions", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("normalize" = Option<bool>, Query)),
    request_body(content = SchemaRequest),
    responses((status = 200, body = RegisteredSchema),
        (status = 409, body = ErrorMessage, description = "It is incompatible with versions of the subject"),
        (status = 422, body = ErrorMessage, description = "42201 it is invalid, 42205 the mode does not allow it")))]
async fn register_schema(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(params): Query<RegisterParams>,
    request: Request,
) -> Result<Json<RegisteredSchema>, Failure> {
    may(&caller, Action::Write, &subject)?;
    let new = new_schema(body(&api, request).await?, params.normalize)?;
    may_refer(&api.state.registry, &caller, &subject, &new.references)?;
    let registered = register(&api, &caller, &subject, &new).await?;
    let busy = || Failure::busy(format!("subject {subject} keeps changing: try again"));
    Ok(Json(reply::registration(&registered.ok_or_else(busy)?)))
}

/// Get a version
#[utoipa::path(get, path = "/subjects/{subject}/versions/{version}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("version" = String, Path, example = "latest"),
        ("format" = Option<String>, Query, description = "`resolved` of Avro: with its references written out; `serialized` of \
            Protobuf: its descriptor in base64"),
        ("deleted" = Option<bool>, Query)),
    responses((status = 200, body = RegisteredSchema),
        (status = 404, body = ErrorMessage, description = "40401 no such subject, 40402 no such version"),
        (status = 422, body = ErrorMessage, description = "42202 not a version")))]
async fn get_version(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames((subject, version)): PathNames<(Subject, VersionSelector)>,
    Query(params): Query<VersionParams>,
) -> Result<Json<RegisteredSchema>, Failure> {
    may(&caller, Action::Describe, &subject)?;
    let found = api.state.registry.version(&subject, version, filter(params.deleted, false))?;
    let found = seen(&caller, &subject, found)?;
    let schema = Some(text_in(&api, &caller, &found, &params.format).await?);
    Ok(Json(RegisteredSchema { schema, ..reply::version(&found) }))
}

/// Get the text of a version's schema
#[utoipa::path(get, path = "/subjects/{subject}/versions/{version}/schema", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("version" = String, Path, example = "latest"),
        ("format" = Option<String>, Query, description = "`resolved` of Avro: with its references written out; `serialized` of \
            Protobuf: its descriptor in base64"),
        ("deleted" = Option<bool>, Query)),
    responses((status = 200, body = String), (status = 404, body = ErrorMessage)))]
async fn get_schema_text(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames((subject, version)): PathNames<(Subject, VersionSelector)>,
    Query(params): Query<VersionParams>,
) -> Result<Response, Failure> {
    may(&caller, Action::Describe, &subject)?;
    let found = api.state.registry.version(&subject, version, filter(params.deleted, false))?;
    let found = seen(&caller, &subject, found)?;
    let text = text_in(&api, &caller, &found, &params.format).await?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

/// List the ids of schemas that refer to a version
#[utoipa::path(get, path = "/subjects/{subject}/versions/{version}/referencedby", tag = TAG,
    params(("subject" = String, Path, example = "money-value"), ("version" = String, Path, example = "1"),
        ("deleted" = Option<bool>, Query)),
    responses((status = 200, body = Vec<i32>), (status = 404, body = ErrorMessage)))]
async fn list_referrers(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames((subject, version)): PathNames<(Subject, VersionSelector)>,
    Query(params): Query<VersionParams>,
) -> Result<Json<Vec<i32>>, Failure> {
    may(&caller, Action::Describe, &subject)?;
    let found = api.state.registry.version(&subject, version, VersionFilter::All)?;
    let subject = seen(&caller, &subject, found)?.subject;
    let found = api.state.registry.referenced_by(&subject, version, filter(params.deleted, false))?;
    Ok(Json(Page::new(params.offset, params.limit).of(found.into_iter(), usize::MAX).collect()))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DeleteParams {
    #[serde(deserialize_with = "flag")]
    permanent: bool,
}

/// Delete a version
#[utoipa::path(delete, path = "/subjects/{subject}/versions/{version}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("version" = String, Path, example = "1"),
        ("permanent" = Option<bool>, Query)),
    responses((status = 200, body = i32, description = "The version that was deleted"), (status = 404, body = ErrorMessage),
        (status = 422, body = ErrorMessage, description = "42206 schemas refer to it")))]
async fn delete_version(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames((subject, version)): PathNames<(Subject, VersionSelector)>,
    Query(params): Query<DeleteParams>,
) -> Result<Json<i32>, Failure> {
    may(&caller, Action::Delete, &subject)?;
    Ok(Json(api.state.registry.delete_version(&subject, version, params.permanent).await?))
}
