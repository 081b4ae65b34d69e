//! How the whole does, in one answer: for the first page of the console.
//!
//! Always holds: however many look, topics and groups are listed at most twice a second; a client that reads slowly
//! is sent the next overview when it has taken the one before, never an older one.

mod sampler;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use factum_types::{Action, Resource};
use serde::Serialize;
use tokio::time::sleep;
use utoipa::ToSchema;

use crate::extract::Caller;
use crate::health;
use crate::json::Json;
use crate::metrics::Present;
use crate::problem::Problem;
use crate::server_sent::{self, Frame, Frames};
use crate::state::Api;
use crate::streams::StreamPlace;
use crate::{KafkaAddress, RoleHealth};

pub(crate) use sampler::Sampler;

/// How often the stream says how things are.
const EVERY: Duration = Duration::from_secs(1);

/// How the whole does. Topics that Factum keeps for itself are not counted. Rates are per second, and absent in the
/// first answer after nobody has looked for a while.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    #[schema(example = "0.1.0")]
    version: &'static str,
    uptime_seconds: u64,
    kafka: KafkaAddress,
    health: HealthView,
    topics: usize,
    /// Records kept, a 64-bit number as text.
    #[schema(example = "1200")]
    records: String,
    /// Bytes on disk, a 64-bit number as text.
    #[schema(example = "65536")]
    bytes: String,
    views: usize,
    pipelines: usize,
    groups: usize,
    /// What is wrong with the project's files, warnings included; `/api/v1/project` has them.
    problems: usize,
    /// Records that came.
    #[schema(example = 20.5)]
    records_per_second: Option<f64>,
    /// Bytes that came.
    #[schema(example = 5120.0)]
    bytes_per_second: Option<f64>,
    by_topic: Vec<TopicActivity>,
    by_pipeline: Vec<PipelineActivity>,
}

/// Whether every role serves.
#[derive(Debug, Serialize, ToSchema)]
struct HealthView {
    ready: bool,
    roles: Vec<RoleHealth>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TopicActivity {
    #[schema(example = "store.orders")]
    name: String,
    /// Records kept, a 64-bit number as text.
    #[schema(example = "1200")]
    records: String,
    #[schema(example = 20.5)]
    records_per_second: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PipelineActivity {
    #[schema(example = "store.top_movies")]
    name: String,
    /// Events in the log that it has not taken in, a 64-bit number as text.
    #[schema(example = "0")]
    lag: String,
    /// Events per second that it takes in.
    #[schema(example = 20.5)]
    rate: f64,
}

/// Show how the whole does
#[utoipa::path(get, path = "/api/v1/overview", tag = "health", responses((status = 200, body = Overview)))]
pub(crate) async fn get_overview(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<Arc<Overview>>, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    Ok(Json(api.sampler.overview(&api).await?))
}

/// Follow how the whole does
///
/// Server-sent events: `overview` at once and then each second, with the same JSON as `/api/v1/overview`; `error`
/// before the stream ends early.
#[utoipa::path(get, path = "/api/v1/overview/stream", tag = "health",
    responses((status = 200, content_type = "text/event-stream", body = String,
        example = "event: overview\ndata: {\"version\":\"0.1.0\",\"uptime_seconds\":12}\n\n")))]
pub(crate) async fn follow_overview(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let place = api.streams.tail(caller.client())?;
    let feed = Feed { api, is_begun: false, is_over: false, _place: place, _present: Present::overview() };
    Ok(server_sent::answer(feed))
}

/// A follower under way.
struct Feed {
    api: Arc<Api>,
    is_begun: bool,
    is_over: bool,
    _place: StreamPlace,
    _present: Present,
}

impl Frames for Feed {
    async fn next_frame(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let mut frame = Frame::default();
        if self.is_begun {
            tokio::select! {
                biased;
                () = self.api.stop.requested() => return None,
                () = sleep(EVERY) => {}
            }
        } else {
            self.is_begun = true;
            frame.retry();
        }
        match self.api.sampler.overview(&self.api).await {
            Ok(overview) => frame.event_without_id("overview", &to_line(&*overview)),
            Err(problem) => {
                frame.event_without_id("error", &to_line(&problem));
                self.is_over = true;
            }
        }
        Some(frame.finish())
    }
}

fn to_line(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("text and JSON values serialise")
}

fn health_of(api: &Api) -> HealthView {
    let report = (api.state.health)();
    HealthView { ready: health::is_ready(api, &report), roles: report.roles }
}
