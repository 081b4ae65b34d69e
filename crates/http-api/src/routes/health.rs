//! Liveness and readiness.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use factum_api::health::{Live, Ready};
use factum_types::Resource;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::state::HealthReport;

/// The routes of health.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Liveness
///
/// Answers 200 as long as requests are served at all.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, body = Live)))]
async fn live() -> Json<Live> {
    Json(Live { status: "live".to_owned() })
}

/// Readiness
///
/// 200 only when every role serves, otherwise 503; with the roles, their reasons and the listeners for those who may
/// describe the cluster.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, body = Ready), (status = 503, body = Ready, description = "A role does not serve")))]
async fn ready(State(api): State<Arc<Api>>, caller: Result<Caller, Problem>) -> Response {
    let report = (api.state.health)();
    let (code, status) = match report.is_ready(&api.stop) {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let sees_roles = caller.is_ok_and(|caller| caller.sees(Resource::Cluster));
    let HealthReport { roles, listeners } = if sees_roles { report } else { HealthReport::default() };
    (code, Json(Ready { status: status.to_owned(), roles, listeners })).into_response()
}
