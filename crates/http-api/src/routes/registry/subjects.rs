//! Subjects: list, look a schema up, delete.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use factum_api::registry::{ErrorMessage, RegisteredSchema, SchemaRequest};
use factum_registry::Subject;
use factum_types::Action;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Failure;
use super::extract::{Page, PathNames, Query, body, filter, flag, new_schema, read_schemas, seen};
use super::{TAG, reply};
use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::Caller;
use crate::http::json::Json;
use crate::http::responses::DocumentKind;
use crate::http::subject_access::{may, may_refer, sees};

/// Every context.
const EVERYWHERE: &str = ":*:";

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_subjects))
        .routes(routes!(look_up_schema, delete_subject))
        .routes(routes!(get_by_metadata))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListParams {
    subject_prefix: String,
    #[serde(deserialize_with = "flag")]
    deleted: bool,
    #[serde(deserialize_with = "flag")]
    deleted_only: bool,
    offset: i64,
    limit: Option<i64>,
}

impl Default for ListParams {
    fn default() -> Self {
        Self {
            subject_prefix: EVERYWHERE.to_owned(),
            deleted: false,
            deleted_only: false,
            offset: 0,
            limit: None,
        }
    }
}

/// List subjects
#[utoipa::path(get, path = "/subjects", tag = TAG,
    params(("subjectPrefix" = Option<String>, Query, description = "How they begin; `:*:` for every context"),
        ("deleted" = Option<bool>, Query, description = "Deleted ones too"),
        ("deletedOnly" = Option<bool>, Query, description = "Deleted ones alone"),
        ("offset" = Option<i64>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Vec<String>, example = json!(["orders-value"]))))]
async fn list_subjects(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Response, Failure> {
    let caller = Arc::new(caller);
    let (asks, params) = (Arc::clone(&caller), Arc::new(params));
    let list = move |api: Arc<Api>| {
        let (asks, params) = (Arc::clone(&asks), Arc::clone(&params));
        async move {
            let found = api
                .state
                .registry
                .subjects(&params.subject_prefix, filter(params.deleted, params.deleted_only));
            let page = Page::new(params.offset, params.limit);
            let seen = found.iter().filter(|subject| sees(&asks, subject));
            Ok(page.of(seen.map(Subject::to_string), usize::MAX).collect::<Vec<_>>())
        }
    };
    Ok(document(&api, &caller, DocumentKind::List, list).await?)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LookUpParams {
    #[serde(deserialize_with = "flag")]
    normalize: bool,
    #[serde(deserialize_with = "flag")]
    deleted: bool,
}

/// Look a schema up under a subject
#[utoipa::path(post, path = "/subjects/{subject}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("normalize" = Option<bool>, Query),
        ("deleted" = Option<bool>, Query)),
    request_body(content = SchemaRequest),
    responses((status = 200, body = RegisteredSchema),
        (status = 404, body = ErrorMessage, description = "40401 no such subject, 40403 it does not have the schema"),
        (status = 422, body = ErrorMessage, description = "42201 the schema is invalid")))]
async fn look_up_schema(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(params): Query<LookUpParams>,
    request: Request,
) -> Result<Json<RegisteredSchema>, Failure> {
    may(&caller, Action::Describe, &subject)?;
    let new = new_schema(body(&api, request).await?, params.normalize)?;
    let filter = filter(params.deleted, false);
    may_refer(&api.state.registry, &caller, &subject, &new.references)?;
    let asked = subject.clone();
    let found = read_schemas(&api, &caller, move |registry| registry.find(&subject, &new, filter)).await?;
    Ok(Json(reply::version(&seen(&caller, &asked, found)?)))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DeleteParams {
    #[serde(deserialize_with = "flag")]
    permanent: bool,
}

/// Delete a subject
///
/// It can be registered again with the same versions, until it is deleted a second time with `permanent=true`.
#[utoipa::path(delete, path = "/subjects/{subject}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("permanent" = Option<bool>, Query)),
    responses((status = 200, body = Vec<i32>, description = "The versions that were deleted", example = json!([1, 2])),
        (status = 404, body = ErrorMessage), (status = 422, body = ErrorMessage, description = "42206 schemas refer to it")))]
async fn delete_subject(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(params): Query<DeleteParams>,
) -> Result<Json<Vec<i32>>, Failure> {
    may(&caller, Action::Delete, &subject)?;
    Ok(Json(api.state.registry.delete_subject(&subject, params.permanent).await?))
}

/// Get the latest version with metadata
#[utoipa::path(get, path = "/subjects/{subject}/metadata", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"),
        ("key" = Vec<String>, Query, description = "Names of properties, in the order of their values"),
        ("value" = Vec<String>, Query), ("deleted" = Option<bool>, Query)),
    responses((status = 200, body = RegisteredSchema), (status = 404, body = ErrorMessage)))]
async fn get_by_metadata(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<RegisteredSchema>, Failure> {
    may(&caller, Action::Describe, &subject)?;
    let all = |wanted: &str| {
        pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let properties: Vec<_> = all("key").into_iter().zip(all("value")).collect();
    let deleted = all("deleted").iter().any(|value| value.eq_ignore_ascii_case("true"));
    let filter = filter(deleted, false);
    api.state.registry.versions(&subject, filter)?;
    let found = api.state.registry.with_metadata(&subject, &properties, filter);
    let found = found.ok_or_else(|| Failure::unknown_schema("Schema not found"))?;
    Ok(Json(reply::version(&found)))
}
