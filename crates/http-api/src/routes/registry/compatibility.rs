//! Checks of compatibility, with nothing registered.

use std::sync::Arc;

use axum::extract::{Request, State};
use factum_api::registry::{CompatibilityCheck, ErrorMessage, SchemaRequest};
use factum_registry::{CheckError, Subject, VersionSelector};
use factum_types::Action;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::TAG;
use super::error::{Failure, messages};
use super::extract::{PathNames, Query, body, flag, new_schema, read_schemas};
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::json::Json;
use crate::http::subject_access::{may, may_refer};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(check_against_subject)).routes(routes!(check_against_version))
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct CheckParams {
    #[serde(deserialize_with = "flag")]
    normalize: bool,
    #[serde(deserialize_with = "flag")]
    verbose: bool,
}

/// Check a schema against the versions that its subject's compatibility level asks for
#[utoipa::path(post, path = "/compatibility/subjects/{subject}/versions", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("normalize" = Option<bool>, Query),
        ("verbose" = Option<bool>, Query, description = "Reasons too")),
    request_body(content = SchemaRequest),
    responses((status = 200, body = CompatibilityCheck), (status = 422, body = ErrorMessage, description = "42201")))]
async fn check_against_subject(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames(subject): PathNames<Subject>,
    Query(params): Query<CheckParams>,
    request: Request,
) -> Result<Json<CompatibilityCheck>, Failure> {
    check(&api, &caller, subject, None, params, request).await
}

/// Check a schema against one version
#[utoipa::path(post, path = "/compatibility/subjects/{subject}/versions/{version}", tag = TAG,
    params(("subject" = String, Path, example = "orders-value"), ("version" = String, Path, example = "latest"),
        ("normalize" = Option<bool>, Query), ("verbose" = Option<bool>, Query, description = "Reasons too")),
    request_body(content = SchemaRequest),
    responses((status = 200, body = CompatibilityCheck), (status = 404, body = ErrorMessage, description = "40402"),
        (status = 422, body = ErrorMessage, description = "42201, 42202")))]
async fn check_against_version(
    State(api): State<Arc<Api>>,
    caller: Caller,
    PathNames((subject, version)): PathNames<(Subject, VersionSelector)>,
    Query(params): Query<CheckParams>,
    request: Request,
) -> Result<Json<CompatibilityCheck>, Failure> {
    check(&api, &caller, subject, Some(version), params, request).await
}

async fn check(
    api: &Arc<Api>,
    caller: &Caller,
    subject: Subject,
    version: Option<VersionSelector>,
    params: CheckParams,
    request: Request,
) -> Result<Json<CompatibilityCheck>, Failure> {
    may(caller, Action::Describe, &subject)?;
    let new = new_schema(body::<SchemaRequest>(api, request).await?, params.normalize)?;
    let level = api.state.registry.config_in_effect(&subject).level();
    let referred = may_refer(&api.state.registry, caller, &subject, &new.references);
    let verdicts = match referred {
        Ok(()) => read_schemas(api, caller, move |registry| registry.check(&subject, &new, version)).await,
        Err(error) => Err(error.into()),
    };
    let reasons = match verdicts {
        Ok(verdicts) => {
            let mut reasons = messages(&verdicts);
            if !reasons.is_empty() {
                reasons.push(format!("{{validateFields: 'false', compatibility: '{level}'}}"));
            }
            reasons
        }
        // A client that asks for reasons is told of an invalid schema as of one.
        Err(error @ (CheckError::Schema(_) | CheckError::Reference(_))) if params.verbose => {
            vec![format!("Invalid schema: {error}")]
        }
        Err(error) => return Err(error.into()),
    };
    let is_compatible = reasons.is_empty();
    Ok(Json(CompatibilityCheck { is_compatible, messages: params.verbose.then_some(reasons) }))
}
