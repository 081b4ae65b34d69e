//! Settings of subjects, of contexts, and of all of them.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use factum_api::registry::ErrorMessage;
use factum_registry::{CompatibilityLevel, Config, Subject};
use factum_types::Action;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::TAG;
use super::error::Failure;
use super::extract::{PathNames, Query, body, flag, may_in};
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::json::Json;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(get_global_config, set_global_config, delete_global_config))
        .routes(routes!(get_config, set_config, delete_config))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ConfigParams {
    #[serde(deserialize_with = "flag")]
    default_to_global: bool,
}

/// Get the settings of all subjects
#[utoipa::path(get, path = "/config", tag = TAG,
    responses((status = 200, body = Object, example = json!({"compatibilityLevel": "BACKWARD"}))))]
async fn get_global_config(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Config>, Failure> {
    may_in(&caller, Action::DescribeConfigs, None)?;
    Ok(Json(with_level(api.state.registry.config(None).unwrap_or_default())))
}

/// Change settings of all subjects
#[utoipa::path(put, path = "/config", tag = TAG,
    request_body(content = Object, example = json!({"compatibility": "FULL"})),
    responses((status = 200, body = Object, example = json!({"compatibility": "FULL"})),
        (status = 422, body = ErrorMessage, description = "42203 not a compatibility level")))]
async fn set_global_config(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Json<Map<String, Value>>, Failure> {
    set(&api, &caller, None, request).await
}

/// Take the settings of all subjects back
#[utoipa::path(delete, path = "/config", tag = TAG, responses((status = 200, body = Object)))]
async fn delete_global_config(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Config>, Failure> {
    take_back(&api, &caller, None).await
}

/// Get the settings of a subject or a context
#[utoipa::path(get, path = "/config/{subject}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"),
        ("defaultToGlobal" = Option<bool>, Query, description = "What holds for it, where it has none of its own")),
    responses((status = 200, body = Object, example = json!({"compatibilityLevel": "FULL"})),
        (status = 404, body = ErrorMessage, description = "40408 it has none of its own")))]
async fn get_config(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(params): Query<ConfigParams>,
) -> Result<Json<Config>, Failure> {
    may_in(&caller, Action::DescribeConfigs, Some(&subject))?;
    let registry = &api.state.registry;
    if params.default_to_global {
        return Ok(Json(with_level(registry.config_in_effect(&subject))));
    }
    let config = registry.config(Some(&subject)).ok_or_else(|| Failure::no_config(&subject))?;
    Ok(Json(with_level(config)))
}

/// Change settings of a subject or a context
#[utoipa::path(put, path = "/config/{subject}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value")),
    request_body(content = Object, example = json!({"compatibility": "FULL"})),
    responses((status = 200, body = Object, example = json!({"compatibility": "FULL"})),
        (status = 422, body = ErrorMessage, description = "42203 not a compatibility level")))]
async fn set_config(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    request: Request,
) -> Result<Json<Map<String, Value>>, Failure> {
    set(&api, &caller, Some(&subject), request).await
}

/// Take the settings of a subject or a context back
#[utoipa::path(delete, path = "/config/{subject}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value")),
    responses((status = 200, body = Object), (status = 404, body = ErrorMessage, description = "40401 it has none")))]
async fn delete_config(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
) -> Result<Json<Config>, Failure> {
    take_back(&api, &caller, Some(&subject)).await
}

async fn take_back(api: &Api, caller: &Caller, scope: Option<&Subject>) -> Result<Json<Config>, Failure> {
    may_in(caller, Action::AlterConfigs, scope)?;
    Ok(Json(with_level(api.state.registry.delete_config(scope).await?)))
}

/// A level is always shown, as clients rely on it.
fn with_level(config: Config) -> Config {
    Config { compatibility_level: Some(config.level()), ..config }
}

/// Requests name the level `compatibility`, and what is kept names it `compatibilityLevel`.
async fn set(
    api: &Api,
    caller: &Caller,
    scope: Option<&Subject>,
    request: Request,
) -> Result<Json<Map<String, Value>>, Failure> {
    may_in(caller, Action::AlterConfigs, scope)?;
    let mut changes: Map<String, Value> = body(api, request).await?;
    if let Some(level) = changes.remove("compatibility") {
        let level = match level {
            Value::String(word) => {
                CompatibilityLevel::from_str(&word).map_err(Failure::invalid_level)?.as_str().into()
            }
            Value::Null => Value::Null,
            _ => return Err(Failure::invalid_level(factum_registry::InvalidCompatibilityLevel)),
        };
        changes.insert("compatibilityLevel".to_owned(), level);
    }
    let config = api.state.registry.set_config(scope, changes).await?;
    let mut shown = match serde_json::to_value(config) {
        Ok(Value::Object(shown)) => shown,
        _ => Map::new(),
    };
    if let Some(level) = shown.remove("compatibilityLevel") {
        shown.insert("compatibility".to_owned(), level);
    }
    Ok(Json(shown))
}
