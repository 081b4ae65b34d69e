//! The overview of the server, for the first page of the console.
//!
//! Invariants: however many look, topics and groups are listed at most twice a second; a client that reads slowly
//! is sent the next overview when it has taken the one before, never an older one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use factum_api::overview::Overview;
use factum_base::clients::ClientAddress;
use factum_types::{Action, Resource};
use tokio::time::sleep;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::problem::Problem;
use crate::http::responses::CountedMarker;
use crate::http::server_sent::{self, END_OF_EVENT, FRAME_BYTES, Frame, Frames};
use crate::http::streams::StreamShare;
use crate::metrics::GaugeGuard;

/// How often the stream says how things are.
const EVERY: Duration = Duration::from_secs(1);

/// The routes of the overview.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(get_overview)).routes(routes!(follow_overview))
}

/// Get the overview of the server
#[utoipa::path(get, path = "/api/v1/overview", tag = "health", responses((status = 200, body = Overview)))]
async fn get_overview(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let text = api.sampler.overview().await?;
    let text = api.responses.lent(caller.client(), text).await?;
    Ok((Extension(CountedMarker), [(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// Follow the overview of the server
///
/// Server-sent events: `overview` at once and then each second, with the same JSON as `/api/v1/overview`; `error`
/// before the stream ends early.
#[utoipa::path(get, path = "/api/v1/overview/stream", tag = "health",
    responses((status = 200, content_type = "text/event-stream", body = String,
        example = "event: overview\ndata: {\"version\":\"0.1.0\",\"uptime_seconds\":12}\n\n")))]
async fn follow_overview(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let place = api.streams.tail(caller.client())?;
    let rest = VecDeque::new();
    let (client, present) = (caller.client(), GaugeGuard::overview());
    let feed = OverviewStream {
        api,
        client,
        rest,
        has_overview: false,
        is_over: false,
        _place: place,
        _present: present,
    };
    Ok(server_sent::response(feed, move || caller.still_may(Action::Describe, Resource::Cluster)))
}

/// A follower under way.
struct OverviewStream {
    api: Arc<Api>,
    client: ClientAddress,
    /// What is still to be sent of an event: the text is the same for all who follow.
    rest: VecDeque<Bytes>,
    /// Whether the client was sent one.
    has_overview: bool,
    is_over: bool,
    _place: StreamShare,
    _present: GaugeGuard,
}

impl Frames for OverviewStream {
    fn begin(&mut self, frame: &mut Frame) {
        frame.retry();
    }

    fn is_within_event(&self) -> bool {
        !self.rest.is_empty()
    }

    async fn next_frame(&mut self) -> Option<Bytes> {
        if let Some(part) = self.rest.pop_front() {
            return Some(part);
        }
        if self.is_over {
            return None;
        }
        if self.has_overview {
            tokio::select! {
                biased;
                () = self.api.stop.requested() => return None,
                () = sleep(EVERY) => {}
            }
        }
        self.has_overview = true;
        let mut frame = Frame::default();
        match self.api.sampler.overview().await {
            Ok(overview) => self.write(overview, &mut frame).await,
            Err(problem) => self.end(&problem, &mut frame),
        }
        Some(frame.finish())
    }
}

impl OverviewStream {
    /// Writes an overview, or the beginning of a large one.
    async fn write(&mut self, overview: Bytes, frame: &mut Frame) {
        let line = overview.slice(..overview.len().saturating_sub(1));
        if line.len() <= FRAME_BYTES {
            return frame.event_without_id("overview", &line);
        }
        // What is large is sent as it is kept, and not copied for each.
        match self.api.responses.lent(self.client, line).await {
            Ok(line) => {
                self.rest.extend([line, Bytes::from_static(END_OF_EVENT)]);
                frame.begin_event_without_id("overview");
            }
            Err(problem) if problem.is_transient() => frame.comment("no memory for this overview"),
            Err(problem) => self.end(&problem, frame),
        }
    }

    fn end(&mut self, problem: &Problem, frame: &mut Frame) {
        let problem = serde_json::to_vec(problem).expect("text and JSON values serialise");
        frame.event_without_id("error", &problem);
        self.is_over = true;
    }
}
