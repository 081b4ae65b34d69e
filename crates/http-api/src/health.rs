//! Whether it lives, and whether it serves.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use factum_api::health::{Live, Ready, RoleHealth};

use crate::json::Json;
use crate::state::Api;

/// What each role says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthReport {
    /// Every role of this process.
    pub roles: Vec<RoleHealth>,
}

/// Whether the process lives
///
/// Answers 200 as long as requests are served at all.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, body = Live)))]
pub(crate) async fn live() -> Json<Live> {
    Json(Live { status: "live".to_owned() })
}

/// Whether every role serves
///
/// 200 only when every role serves; otherwise 503 with the reasons.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, body = Ready), (status = 503, body = Ready, description = "A role does not serve")))]
pub(crate) async fn ready(State(api): State<Arc<Api>>) -> Response {
    let report = (api.state.health)();
    let (code, status) = match is_ready(&api, &report) {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    (code, Json(Ready { status: status.to_owned(), roles: report.roles })).into_response()
}

/// Whether every role serves, and will go on to.
pub(crate) fn is_ready(api: &Api, report: &HealthReport) -> bool {
    !api.stop.is_requested() && report.roles.iter().all(|role| role.ready)
}
