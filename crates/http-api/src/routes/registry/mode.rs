//! Modes of subjects, of contexts, and of all of them.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use factum_api::registry::{ErrorMessage, ModeSetting};
use factum_registry::{Mode, Subject};
use factum_types::Action;
use serde::Deserialize;
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
        .routes(routes!(get_global_mode, set_global_mode, delete_global_mode))
        .routes(routes!(get_mode, set_mode, delete_mode))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ModeParams {
    #[serde(deserialize_with = "flag")]
    default_to_global: bool,
    #[serde(deserialize_with = "flag")]
    force: bool,
}

/// Get the mode of all subjects
#[utoipa::path(get, path = "/mode", tag = TAG, responses((status = 200, body = ModeSetting)))]
async fn get_global_mode(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<ModeSetting>, Failure> {
    may_in(&caller, Action::DescribeConfigs, None)?;
    Ok(shown(api.state.registry.mode(None).unwrap_or_default()))
}

/// Set the mode of all subjects
#[utoipa::path(put, path = "/mode", tag = TAG, params(("force" = Option<bool>, Query)),
    request_body(content = ModeSetting), responses((status = 200, body = ModeSetting),
        (status = 422, body = ErrorMessage, description = "42204 not a mode, 42205 there are subjects")))]
async fn set_global_mode(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Query(params): Query<ModeParams>,
    request: Request,
) -> Result<Json<ModeSetting>, Failure> {
    set(&api, &caller, None, params.force, request).await
}

/// Take the mode of all subjects back
#[utoipa::path(delete, path = "/mode", tag = TAG, responses((status = 200, body = ModeSetting)))]
async fn delete_global_mode(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<ModeSetting>, Failure> {
    take_back(&api, &caller, None).await
}

/// Get the mode of a subject or a context
#[utoipa::path(get, path = "/mode/{subject}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("defaultToGlobal" = Option<bool>, Query)),
    responses((status = 200, body = ModeSetting), (status = 404, body = ErrorMessage, description = "40409 it has none of its own")))]
async fn get_mode(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(params): Query<ModeParams>,
) -> Result<Json<ModeSetting>, Failure> {
    may_in(&caller, Action::DescribeConfigs, Some(&subject))?;
    let registry = &api.state.registry;
    let mode = match params.default_to_global {
        true => registry.mode_in_effect(&subject),
        false => registry.mode(Some(&subject)).ok_or_else(|| Failure::no_mode(&subject))?,
    };
    Ok(shown(mode))
}

/// Set the mode of a subject or a context
#[utoipa::path(put, path = "/mode/{subject}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("force" = Option<bool>, Query)),
    request_body(content = ModeSetting), responses((status = 200, body = ModeSetting),
        (status = 422, body = ErrorMessage, description = "42204 not a mode, 42205 there are versions")))]
async fn set_mode(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(params): Query<ModeParams>,
    request: Request,
) -> Result<Json<ModeSetting>, Failure> {
    set(&api, &caller, Some(&subject), params.force, request).await
}

/// Take the mode of a subject or a context back
#[utoipa::path(delete, path = "/mode/{subject}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value")),
    responses((status = 200, body = ModeSetting), (status = 404, body = ErrorMessage, description = "40401 it has none")))]
async fn delete_mode(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
) -> Result<Json<ModeSetting>, Failure> {
    take_back(&api, &caller, Some(&subject)).await
}

fn shown(mode: Mode) -> Json<ModeSetting> {
    Json(ModeSetting { mode: mode.as_str().to_owned() })
}

async fn take_back(
    api: &Api,
    caller: &Caller,
    scope: Option<&Subject>,
) -> Result<Json<ModeSetting>, Failure> {
    may_in(caller, Action::AlterConfigs, scope)?;
    Ok(shown(api.state.registry.delete_mode(scope).await?))
}

async fn set(
    api: &Api,
    caller: &Caller,
    scope: Option<&Subject>,
    force: bool,
    request: Request,
) -> Result<Json<ModeSetting>, Failure> {
    may_in(caller, Action::AlterConfigs, scope)?;
    let wanted: ModeSetting = body(api, request).await?;
    let mode = Mode::from_str(&wanted.mode).map_err(Failure::invalid_mode)?;
    api.state.registry.set_mode(scope, mode, force).await?;
    Ok(shown(mode))
}
