//! Groups and versions: their lists.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_api::registry::{AzureError, SchemaGroupNames, SchemaVersionNumbers};
use factum_registry::VersionFilter;
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::TAG;
use super::ask::{Ask, subject};
use super::error::Failure;
use crate::api::Api;
use crate::http::document::document;
use crate::http::json::Json;
use crate::http::responses::DocumentKind;
use crate::http::subject_access::{may, sees};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_schema_groups)).routes(routes!(list_schema_versions))
}

/// List schema groups
///
/// Those that the caller may see: all who may describe the cluster, else each by its context.
#[utoipa::path(get, path = "/$schemaGroups", tag = TAG,
    params(("api-version" = Option<String>, Query, example = "2022-10")),
    responses((status = 200, body = SchemaGroupNames, example = json!({"schemaGroups": ["$default", "orders"],
        "value": ["$default", "orders"], "Value": ["$default", "orders"]}))))]
async fn list_schema_groups(State(api): State<Arc<Api>>, ask: Ask<()>) -> Result<Response, Failure> {
    let caller = Arc::new(ask.caller);
    let asks = Arc::clone(&caller);
    let list = move |api: Arc<Api>| {
        let asks = Arc::clone(&asks);
        async move {
            let sees_all = asks.may(Action::Describe, Resource::Cluster).is_ok();
            let names = api
                .state
                .registry
                .group_names()
                .into_iter()
                .filter(|group| sees_all || sees(&asks, &group.scope()));
            Ok(SchemaGroupNames::new(names.map(|group| group.to_string()).collect()))
        }
    };
    Ok(document(&api, &caller, DocumentKind::List, list).await?)
}

/// List versions of a schema
#[utoipa::path(get, path = "/$schemaGroups/{group}/schemas/{schema}/versions", tag = TAG,
    params(("group" = String, Path, example = "orders"), ("schema" = String, Path, example = "example.User"),
        ("api-version" = Option<String>, Query, example = "2022-10")),
    responses((status = 200, body = SchemaVersionNumbers), (status = 404, body = AzureError)))]
async fn list_schema_versions(
    State(api): State<Arc<Api>>,
    ask: Ask<(String, String)>,
) -> Result<Json<SchemaVersionNumbers>, Failure> {
    let subject = subject(&ask.path.0, &ask.path.1)?;
    may(&ask.caller, Action::Describe, &subject)?;
    let found = api.state.registry.versions(&subject, VersionFilter::Live)?;
    Ok(Json(SchemaVersionNumbers::new(found.iter().map(|found| found.version).collect())))
}
