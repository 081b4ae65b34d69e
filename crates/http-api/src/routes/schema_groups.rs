//! Schema groups: list, create, delete.
//!
//! Azure's clients cannot: there they are resources of Azure's manager.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use factum_api::schema_groups::{NewSchemaGroup, SchemaGroupList, SchemaGroupView};
use factum_registry::{
    CompatibilityLevel, CreateGroupError, DeleteError, GroupName, SchemaGroup, SchemaType, StoreError,
};
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, NamePath};
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The routes of schema groups.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_groups, create_group)).routes(routes!(delete_group))
}

/// List schema groups with their format and compatibility level
///
/// Each context of the registry is one; `$default` is the default context.
#[utoipa::path(get, path = "/api/v1/schema-groups", tag = "subjects",
    responses((status = 200, body = SchemaGroupList)))]
async fn list_groups(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        Ok(SchemaGroupList { groups: api.state.registry.groups().iter().map(view).collect() })
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Create a schema group
///
/// A group that a schema is registered in is created too, with the format of that schema.
#[utoipa::path(post, path = "/api/v1/schema-groups", tag = "subjects",
    request_body(content = NewSchemaGroup),
    responses((status = 201, body = SchemaGroupView), (status = 409, body = Problem, description = "There is one"),
        (status = 422, body = Problem, description = "Not a name, a format or a level")))]
async fn create_group(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Action::Create, Resource::Cluster)?;
    let (head, body) = request.into_parts();
    let new: NewSchemaGroup = api.bodies.read_json(&head, body).await?;
    let name = GroupName::from_str(&new.name).map_err(|error| refused(error, "name"))?;
    let format = new.schema_type.as_deref().map(SchemaType::from_str).transpose();
    let format = format.map_err(|error| refused(error, "schema_type"))?;
    let level = new.compatibility.as_deref().map(CompatibilityLevel::from_str).transpose();
    let level = level.map_err(|error| refused(error, "compatibility"))?;
    let created = api.state.registry.create_group(&name, format, level).await;
    let created = created.map_err(|error| match error {
        CreateGroupError::Exists { .. } | CreateGroupError::TooMany => Problem::conflict(error),
        CreateGroupError::Store(error) => not_durable(&error),
    })?;
    Ok((StatusCode::CREATED, Json(view(&created))).into_response())
}

/// Delete a schema group that has no schemas
#[utoipa::path(delete, path = "/api/v1/schema-groups/{group}", tag = "subjects",
    params(("group" = String, Path, example = "orders")),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has schemas, or is the default context")))]
async fn delete_group(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(name): NamePath,
) -> Result<StatusCode, Problem> {
    caller.may(Action::Delete, Resource::Cluster)?;
    let unknown = || Problem::not_found(format_args!("there is no schema group {name}"));
    let group = GroupName::from_str(&name).map_err(|_| unknown())?;
    if group.is_default() {
        return Err(Problem::conflict("the default context cannot be deleted"));
    }
    if !api.state.registry.group_names().contains(&group) {
        return Err(unknown());
    }
    match api.state.registry.delete_context(&group.context()).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(DeleteError::Store(error)) => Err(not_durable(&error)),
        Err(DeleteError::ContextNotEmpty { .. }) => {
            let help = "delete its schemas for good first";
            Err(Problem::conflict(format_args!("schema group {name} has schemas")).helped(Some(help)))
        }
        Err(error) => Err(Problem::conflict(error)),
    }
}

fn refused(error: impl std::fmt::Display, field: &str) -> Problem {
    Problem::refused(error).with("field", field)
}

fn not_durable(error: &StoreError) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "schema groups could not be changed");
    Problem::unavailable("not-durable", format_args!("the change could not be written: {error}"))
}

fn view(group: &SchemaGroup) -> SchemaGroupView {
    SchemaGroupView {
        name: group.name.to_string(),
        context: group.name.context(),
        schema_type: group.schema_type.map(|format| format.as_str().to_owned()),
        compatibility: group.compatibility.as_str().to_owned(),
        schemas: group.schemas,
    }
}
