//! `GET /api/v1/views/{view}/changes`: a view as it is, and then whatever changes in it.
//!
//! Invariants: the next change is taken from the engine only when the client has taken the one before, so a slow
//! client costs nothing but its place; if that is gone, it gets a snapshot again.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_sql::{Change, ChangeId, ChangeStream, RelationName};
use factum_types::{Action, Resource};
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::time::timeout;

use super::freshness::{FreshnessWatch, LOOK};
use super::readable;
use super::sending::{Event, SendProgress};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::extract::{Caller, NamePath};
use crate::http::problem::Problem;
use crate::http::server_sent::{self, Frame, Frames, KEEP_ALIVE};
use crate::http::streams::StreamShare;
use crate::metrics::GaugeGuard;

/// The route of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(follow_view))
}

/// Follow a view
///
/// Server-sent events: a `snapshot` with all rows, then a `change` with the rows that went and the rows that came,
/// whenever there are some; `stale` with the reason when the view stands still, and `live` when it goes on; `error` before
/// the stream ends early. A client that reconnects with `Last-Event-ID` goes
/// on behind that event, or gets a snapshot if the changes since are no longer known.
#[utoipa::path(get, path = "/api/v1/views/{view}/changes", tag = "views",
    params(("view" = String, Path, example = "store.top_movies"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event seen", example = "8f2a-41")),
    responses((status = 200, content_type = "text/event-stream", body = String,
            example = "id: 8f2a-41\nevent: change\ndata: {\"removed\":[],\"added\":[{\"sold\":42}]}\n\n"),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn follow_view(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(asked): NamePath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = readable(&api, &caller, &asked)?;
    let resume = match headers.get("last-event-id").filter(|id| !id.is_empty()) {
        Some(id) => Some(parse_change_id(id.as_bytes())?),
        None => None,
    };
    let place = api.streams.follower(caller.client())?;
    let changes = api.state.engine.changes(&view.name, resume)?;
    let name = view.name.to_string();
    let feed = ViewStream {
        api,
        client: caller.client(),
        view: view.name,
        freshness: FreshnessWatch::default(),
        rendering: None,
        sending: SendProgress::default(),
        changes,
        resume,
        is_over: false,
        _place: place,
        _present: GaugeGuard::follower(),
    };
    Ok(server_sent::response(feed, move || caller.still_may(Action::Read, Resource::view(&name))))
}

/// Reads an id that was sent.
pub(crate) fn parse_change_id(id: &[u8]) -> Result<ChangeId, Problem> {
    let shown = String::from_utf8_lossy(id);
    let detail = || format!("Last-Event-ID {shown:?} is not one that was sent, such as 8f2a-41");
    shown.parse().map_err(|_| Problem::malformed(detail()).with("header", "last-event-id"))
}

/// A follower under way.
struct ViewStream {
    api: Arc<Api>,
    client: ClientAddress,
    view: RelationName,
    freshness: FreshnessWatch,
    /// The change that was taken last, until it is rendered.
    rendering: Option<BoxFuture<'static, Option<Event>>>,
    sending: SendProgress,
    changes: ChangeStream,
    resume: Option<ChangeId>,
    is_over: bool,
    _place: StreamShare,
    _present: GaugeGuard,
}

impl Frames for ViewStream {
    fn begin(&mut self, frame: &mut Frame) {
        match &self.resume {
            Some(id) => frame.position(id),
            None => frame.retry(),
        }
    }

    fn is_within_event(&self) -> bool {
        self.sending.is_under_way()
    }

    async fn next_frame(&mut self) -> Option<Bytes> {
        if let Some(part) = self.sending.next_part() {
            // What was given up cannot be gone on with: the client comes back.
            return part.ok();
        }
        if self.is_over {
            return None;
        }
        let stop = self.api.stop.clone();
        let told = tokio::select! {
            biased;
            () = stop.requested() => return None,
            told = timeout(KEEP_ALIVE, self.told()) => told,
        };
        let mut frame = Frame::default();
        match told {
            Err(_) => frame.comment("keep-alive"),
            Ok(Update::News(kind, data)) => {
                let data = serde_json::to_vec(&data).expect("text and JSON values serialise");
                frame.event_without_id(kind, &data);
            }
            Ok(Update::Event(event)) => {
                let event = event?;
                let head = frame.begin_event(event.kind, &event.id, "");
                self.sending.begin(event, 0);
                return Some(head);
            }
            Ok(Update::Refused(problem)) => self.end(&problem, &mut frame),
        }
        Some(frame.finish())
    }
}

/// What is to be told next.
enum Update {
    /// A change; nothing if the server stops.
    Event(Option<Event>),
    News(&'static str, Value),
    Refused(Problem),
}

impl ViewStream {
    /// The next change, or that the view stands still or goes on. Dropping the future loses nothing.
    async fn told(&mut self) -> Update {
        loop {
            if let Some(rendering) = &mut self.rendering {
                let event = rendering.await;
                self.rendering = None;
                return Update::Event(event);
            }
            match timeout(LOOK, self.changes.next()).await {
                Ok(Ok(change)) => match too_large(&change, self.api.options.max_rows) {
                    Some(problem) => return Update::Refused(problem),
                    None => {
                        let event = Event::of(&self.api, self.client, self.view.clone(), change);
                        self.rendering = Some(Box::pin(event));
                    }
                },
                Ok(Err(error)) => return Update::Refused(error.into()),
                Err(_) => {
                    if let Some((kind, data)) = self.freshness.news(&self.api.state.engine, &self.view) {
                        return Update::News(kind, data);
                    }
                }
            }
        }
    }

    fn end(&mut self, problem: &Problem, frame: &mut Frame) {
        let problem = serde_json::to_vec(problem).expect("text and JSON values serialise");
        frame.event_without_id("error", &problem);
        self.is_over = true;
    }
}

/// Why a change is not told: a snapshot of more than `most` rows.
pub(super) fn too_large(change: &Change, most: usize) -> Option<Problem> {
    let Change::Snapshot { rows, .. } = change else { return None };
    let count = rows.count();
    if count <= most {
        return None;
    }
    let detail =
        format!("the view has {count} rows, and no more than {most} can be followed (http.max_rows)");
    Some(Problem::refused(detail).with("limit", most).also("follow a view that selects or sums them"))
}
