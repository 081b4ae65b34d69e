//! Schemas: list, get by id or GUID, and the versions that have them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use factum_api::registry::{ContextId, ErrorMessage, RegisteredSchema, SubjectVersion};
use factum_registry::{Guid, SchemaFilter, SchemaType, Subject};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Failure;
use super::extract::{FromPath, Page, PathNames, Query, filter, flag, text_in};
use super::{TAG, reply};
use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::Caller;
use crate::http::json::{Json, MEDIA_TYPE};
use crate::http::responses::DocumentKind;
use crate::http::subject_access::{seen_by_guid, seen_by_id, sees};

/// Schemas in one response, at most; as by Confluent's registry.
const MOST: usize = 1000;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_schemas))
        .routes(routes!(list_types))
        .routes(routes!(get_by_id))
        .routes(routes!(get_text_by_id))
        .routes(routes!(list_subjects_of_id))
        .routes(routes!(list_versions_of_id))
        .routes(routes!(get_by_guid))
        .routes(routes!(list_ids_of_guid))
}

/// An id in a path.
struct Id(i32);

impl FromPath for Id {
    type Segments = String;

    fn from_segments(text: String) -> Result<Self, Failure> {
        let id = text.parse().map_err(|_| Failure::new(StatusCode::NOT_FOUND, 404, "HTTP 404 Not Found"))?;
        Ok(Self(id))
    }
}

impl FromPath for Guid {
    type Segments = String;

    fn from_segments(text: String) -> Result<Self, Failure> {
        text.parse().map_err(|_| Failure::unknown_schema(format!("Schema {text} not found")))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ListParams {
    subject_prefix: String,
    #[serde(deserialize_with = "flag")]
    deleted: bool,
    #[serde(deserialize_with = "flag")]
    latest_only: bool,
    offset: i64,
    limit: Option<i64>,
}

/// List schemas
#[utoipa::path(get, path = "/schemas", tag = TAG,
    params(("subjectPrefix" = Option<String>, Query, description = "How their subjects begin; `:*:` for every context"),
        ("deleted" = Option<bool>, Query), ("latestOnly" = Option<bool>, Query),
        ("offset" = Option<i64>, Query), ("limit" = Option<i64>, Query, description = "At most 1000")),
    responses((status = 200, body = Vec<RegisteredSchema>)))]
async fn list_schemas(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Response, Failure> {
    let caller = Arc::new(caller);
    let wanted = Arc::new(SchemaFilter {
        subject_prefix: params.subject_prefix,
        versions: filter(params.deleted, false),
        latest_only: params.latest_only,
    });
    let page = Arc::new(Page::new(params.offset, params.limit));
    let asks = Arc::clone(&caller);
    let list = move |api: Arc<Api>| {
        let (asks, wanted, page) = (Arc::clone(&asks), Arc::clone(&wanted), Arc::clone(&page));
        async move {
            let found = api.state.registry.schemas(&wanted);
            let seen = found.iter().filter(|found| sees(&asks, &found.subject));
            Ok(page.of(seen.map(reply::version), MOST).collect::<Vec<_>>())
        }
    };
    Ok(document(&api, &caller, DocumentKind::List, list).await?)
}

/// List the formats of schemas
#[utoipa::path(get, path = "/schemas/types", tag = TAG,
    responses((status = 200, body = Vec<String>, example = json!(["AVRO", "JSON", "PROTOBUF"]))))]
async fn list_types(_caller: Caller) -> Json<[&'static str; 3]> {
    Json(SchemaType::ALL.map(SchemaType::as_str))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct IdParams {
    subject: String,
    format: String,
    #[serde(deserialize_with = "flag")]
    fetch_max_id: bool,
    #[serde(deserialize_with = "flag")]
    deleted: bool,
    offset: i64,
    limit: Option<i64>,
}

impl IdParams {
    fn subject(&self) -> Result<Option<Subject>, Failure> {
        match self.subject.is_empty() {
            true => Ok(None),
            false => Ok(Some(Subject::parse(&self.subject)?)),
        }
    }
}

/// A version that has the schema with an id, and that the caller may see.
fn by_id(
    api: &Api,
    caller: &Caller,
    id: i32,
    subject: Option<&Subject>,
) -> Result<factum_registry::SubjectVersion, Failure> {
    let registry = &api.state.registry;
    let subject = subject.map(|subject| registry.follow_alias(subject.clone()));
    seen_by_id(registry, caller, id, subject.as_ref()).or_else(|error| {
        caller.is_logged_in()?;
        Err(error.into())
    })
}

/// The same, by its fingerprint.
fn by_guid(api: &Api, caller: &Caller, guid: Guid) -> Result<factum_registry::SubjectVersion, Failure> {
    seen_by_guid(&api.state.registry, caller, guid).or_else(|error| {
        caller.is_logged_in()?;
        Err(error.into())
    })
}

/// Get a schema by its id
#[utoipa::path(get, path = "/schemas/ids/{id}", tag = TAG,
    params(("id" = i32, Path, example = 1), ("subject" = Option<String>, Query, description = "A subject that has it, or its context"),
        ("format" = Option<String>, Query, description = "`resolved` of Avro: with its references written out; `serialized` of \
            Protobuf: its descriptor in base64"),
        ("fetchMaxId" = Option<bool>, Query)),
    responses((status = 200, body = RegisteredSchema), (status = 404, body = ErrorMessage, description = "40403")))]
async fn get_by_id(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(Id(id)): PathNames<Id>,
    Query(params): Query<IdParams>,
) -> Result<Json<RegisteredSchema>, Failure> {
    let subject = params.subject()?;
    let found = by_id(&api, &caller, id, subject.as_ref())?;
    let max_id = params.fetch_max_id.then(|| api.state.registry.last_id(Some(&found.subject)));
    let schema = Some(text_in(&api, &caller, &found, &params.format).await?);
    Ok(Json(RegisteredSchema { schema, ..reply::of_id(&found, max_id) }))
}

/// Get the text of a schema by its id
#[utoipa::path(get, path = "/schemas/ids/{id}/schema", tag = TAG,
    params(("id" = i32, Path, example = 1), ("subject" = Option<String>, Query),
        ("format" = Option<String>, Query, description = "`resolved` of Avro: with its references written out; `serialized` of \
            Protobuf: its descriptor in base64")),
    responses((status = 200, body = String), (status = 404, body = ErrorMessage, description = "40403")))]
async fn get_text_by_id(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(Id(id)): PathNames<Id>,
    Query(params): Query<IdParams>,
) -> Result<Response, Failure> {
    let found = by_id(&api, &caller, id, params.subject()?.as_ref())?;
    let text = text_in(&api, &caller, &found, &params.format).await?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

/// The versions that have the schema with an id, and that the caller may see.
fn uses(
    api: &Api,
    caller: &Caller,
    id: i32,
    params: &IdParams,
) -> Result<Vec<factum_registry::SubjectVersion>, Failure> {
    let subject = params.subject()?;
    by_id(api, caller, id, subject.as_ref())?;
    let found = api.state.registry.uses(id, subject.as_ref(), filter(params.deleted, false))?;
    Ok(found.into_iter().filter(|found| sees(caller, &found.subject)).collect())
}

/// List the subjects that have a schema
#[utoipa::path(get, path = "/schemas/ids/{id}/subjects", tag = TAG,
    params(("id" = i32, Path, example = 1), ("subject" = Option<String>, Query), ("deleted" = Option<bool>, Query)),
    responses((status = 200, body = Vec<String>), (status = 404, body = ErrorMessage, description = "40403")))]
async fn list_subjects_of_id(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(Id(id)): PathNames<Id>,
    Query(params): Query<IdParams>,
) -> Result<Json<Vec<String>>, Failure> {
    let found = uses(&api, &caller, id, &params)?;
    let mut subjects: Vec<_> = found.into_iter().map(|found| found.subject.to_string()).collect();
    subjects.dedup();
    Ok(Json(Page::new(params.offset, params.limit).of(subjects.into_iter(), usize::MAX).collect()))
}

/// List the versions that have a schema
#[utoipa::path(get, path = "/schemas/ids/{id}/versions", tag = TAG,
    params(("id" = i32, Path, example = 1), ("subject" = Option<String>, Query), ("deleted" = Option<bool>, Query)),
    responses((status = 200, body = Vec<SubjectVersion>), (status = 404, body = ErrorMessage, description = "40403")))]
async fn list_versions_of_id(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(Id(id)): PathNames<Id>,
    Query(params): Query<IdParams>,
) -> Result<Json<Vec<SubjectVersion>>, Failure> {
    let found = uses(&api, &caller, id, &params)?.into_iter();
    let versions =
        found.map(|found| SubjectVersion { subject: found.subject.to_string(), version: found.version });
    Ok(Json(Page::new(params.offset, params.limit).of(versions, usize::MAX).collect()))
}

/// Get a schema by its GUID
#[utoipa::path(get, path = "/schemas/guids/{guid}", tag = TAG,
    params(("guid" = String, Path),
        ("format" = Option<String>, Query, description = "`resolved` of Avro: with its references written out; `serialized` of \
            Protobuf: its descriptor in base64")),
    responses((status = 200, body = RegisteredSchema), (status = 404, body = ErrorMessage, description = "40403")))]
async fn get_by_guid(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(guid): PathNames<Guid>,
    Query(params): Query<IdParams>,
) -> Result<Json<RegisteredSchema>, Failure> {
    let found = by_guid(&api, &caller, guid)?;
    let schema = Some(text_in(&api, &caller, &found, &params.format).await?);
    Ok(Json(RegisteredSchema { schema, ..reply::of_id(&found, None) }))
}

/// List the ids of a schema by its GUID
#[utoipa::path(get, path = "/schemas/guids/{guid}/ids", tag = TAG, params(("guid" = String, Path)),
    responses((status = 200, body = Vec<ContextId>), (status = 404, body = ErrorMessage, description = "40403")))]
async fn list_ids_of_guid(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(guid): PathNames<Guid>,
) -> Result<Json<Vec<ContextId>>, Failure> {
    by_guid(&api, &caller, guid)?;
    let ids = api.state.registry.ids_of(guid);
    Ok(Json(ids.into_iter().map(|(context, id)| ContextId { context, id }).collect()))
}
