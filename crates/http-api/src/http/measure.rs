//! Middleware that measures requests, and reports failures of the server's own to the log.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use factum_base::clients::ClientAddress;
use tracing::warn;

use crate::api::Api;
use crate::http::problem::Report;
use crate::metrics;

/// Measures a request by its route and status; a line of the log is written for each client and minute at most.
pub(crate) async fn measure(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let started = api.state.clock.monotonic();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let client = request.extensions().get().copied().unwrap_or(ClientAddress::UNKNOWN);
    let response = next.run(request).await;
    if let Some(Report { what, subject, reason }) = response.extensions().get()
        && let Some(left_out) = api.may_log(client)
    {
        warn!(%client, subject, reason, left_out, "{what}");
    }
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    let elapsed = api.state.clock.monotonic().saturating_duration_since(started);
    metrics::observe_request(route, response.status().as_u16(), elapsed);
    response
}
