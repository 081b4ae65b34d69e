//! Schemas: register, get by id or version, find by definition.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use factum_api::registry::AzureError;
use factum_registry::{LookUpError, SubjectVersion, VersionFilter, VersionId, is_schema_name};
use factum_types::Action;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::extract::read_schemas;
use super::super::registration::register;
use super::ask::{Ask, Links, subject};
use super::error::Failure;
use super::{TAG, definition, headers};
use crate::api::Api;
use crate::http::subject_access::{may, sees};

/// What a schema's name ends in where its id is asked for.
const GET_ID: &str = ":get-id";

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(register_schema, find_schema))
        .routes(routes!(get_schema_by_id))
        .routes(routes!(get_schema_by_version))
}

/// Register a schema
///
/// The body is its definition. One that the schema has already, byte for byte, gives the version that it is.
#[utoipa::path(put, path = "/$schemaGroups/{group}/schemas/{schema}", tag = TAG,
    params(("group" = String, Path, example = "orders"), ("schema" = String, Path, example = "example.User"),
        ("api-version" = Option<String>, Query, example = "2022-10")),
    request_body(content = String, content_type = "application/json; serialization=Avro"),
    responses((status = 204, description = "The version is in the headers Schema-Id, Schema-Version and Location"),
        (status = 400, body = AzureError, description = "InvalidRequest: no schema"),
        (status = 409, body = AzureError, description = "Conflict: incompatible with earlier versions"),
        (status = 415, body = AzureError, description = "InvalidSchemaType: another format than the group's, or unknown")))]
async fn register_schema(
    State(api): State<Arc<Api>>,
    ask: Ask<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let (group, name) = &ask.path;
    let subject = subject(group, name)?;
    may(&ask.caller, Action::Write, &subject)?;
    if !is_schema_name(name) {
        let message = format!("invalid name {name:?}: a letter or digit, then anything but / \\ $ and :");
        return Err(Failure::invalid(message));
    }
    let new = definition::read(&api, request).await?;
    let registered = register(&api, &ask.caller, &subject, &new).await?;
    let busy = || Failure::busy(format_args!("schema {name} keeps changing: try again"));
    Ok(described(&registered.ok_or_else(busy)?, &ask.links))
}

/// Find the version that has a definition
#[utoipa::path(post, path = "/$schemaGroups/{group}/schemas/{schema}", tag = TAG,
    params(("group" = String, Path, example = "orders"),
        ("schema" = String, Path, description = "Its name and `:get-id`", example = "example.User:get-id"),
        ("api-version" = Option<String>, Query, example = "2022-10")),
    request_body(content = String, content_type = "application/json; serialization=Avro"),
    responses((status = 204, description = "The version is in the headers Schema-Id, Schema-Version and Location"),
        (status = 400, body = AzureError), (status = 404, body = AzureError, description = "ItemNotFound"),
        (status = 415, body = AzureError)))]
async fn find_schema(
    State(api): State<Arc<Api>>,
    ask: Ask<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let (group, action) = &ask.path;
    let name = action.strip_suffix(GET_ID);
    let subject = subject(group, name.unwrap_or(action))?;
    may(&ask.caller, Action::Describe, &subject)?;
    if name.is_none() {
        return Err(Failure::invalid(format_args!("POST is for {action}{GET_ID}; PUT registers a schema")));
    }
    let new = definition::read(&api, request).await?;
    let find = move |registry: &factum_registry::Registry| registry.find_definition(&subject, &new);
    Ok(described(&read_schemas(&api, &ask.caller, find).await?, &ask.links))
}

/// Get a schema by its id
#[utoipa::path(get, path = "/$schemaGroups/$schemas/{id}", tag = TAG,
    params(("id" = String, Path, description = "32 hexadecimal digits"),
        ("api-version" = Option<String>, Query, example = "2022-10")),
    responses((status = 200, body = String, description = "The definition, byte for byte",
            content_type = "application/json; serialization=Avro"),
        (status = 400, body = AzureError, description = "InvalidRequest: no id"),
        (status = 404, body = AzureError, description = "ItemNotFound")))]
async fn get_schema_by_id(State(api): State<Arc<Api>>, ask: Ask<String>) -> Result<Response, Failure> {
    let id: VersionId = ask.path.parse().map_err(Failure::invalid)?;
    let found = api.state.registry.by_version_id(id)?;
    if !sees(&ask.caller, &found.subject) {
        ask.caller.is_logged_in()?;
        return Err(LookUpError::UnknownSchema { id: ask.path }.into());
    }
    Ok(shown(&found, &ask.links))
}

/// Get a version of a schema
#[utoipa::path(get, path = "/$schemaGroups/{group}/schemas/{schema}/versions/{version}", tag = TAG,
    params(("group" = String, Path, example = "orders"), ("schema" = String, Path, example = "example.User"),
        ("version" = i32, Path, example = 1), ("api-version" = Option<String>, Query, example = "2022-10")),
    responses((status = 200, body = String, description = "The definition, byte for byte",
            content_type = "application/json; serialization=Avro"),
        (status = 400, body = AzureError, description = "InvalidRequest: no version"),
        (status = 404, body = AzureError, description = "ItemNotFound")))]
async fn get_schema_by_version(
    State(api): State<Arc<Api>>,
    ask: Ask<(String, String, String)>,
) -> Result<Response, Failure> {
    let (group, name, version) = &ask.path;
    let subject = subject(group, name)?;
    may(&ask.caller, Action::Describe, &subject)?;
    let number = version.parse().ok().filter(|number: &i32| *number > 0);
    let no_number = || Failure::invalid(format_args!("version {version:?} is not a whole number from 1 on"));
    let number = number.ok_or_else(no_number)?;
    // A name of the default context could be found in another one too, which is another group.
    let versions = api.state.registry.versions(&subject, VersionFilter::Live)?;
    let found = versions.into_iter().find(|found| found.version == number);
    let absent = || Failure::not_found(format_args!("schema {group}/{name} has no version {number}"));
    Ok(shown(&found.ok_or_else(absent)?, &ask.links))
}

/// What is said of a version, without its definition.
fn described(found: &SubjectVersion, links: &Links) -> Response {
    (StatusCode::NO_CONTENT, headers::of(found, links)).into_response()
}

fn shown(found: &SubjectVersion, links: &Links) -> Response {
    let media_type = HeaderValue::from_static(definition::media_type(found.schema().schema_type));
    let kind = [(header::CONTENT_TYPE, media_type)];
    (headers::of(found, links), kind, found.definition().to_owned()).into_response()
}
