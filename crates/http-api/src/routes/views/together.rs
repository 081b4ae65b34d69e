//! `GET /api/v1/changes`: several views, each as it is and then whatever changes in it, over one connection.
//!
//! A browser holds six connections to a server for all its pages together, and a dashboard shows more views than that.
//!
//! Invariants:
//! - Each view goes at its own pace. What is wrong with one is told in an `error` and stops no other; that view is
//!   asked for again until it can be followed.
//! - The id of an event holds the place in every view, so that a client that comes back goes on in each.
//! - The next change of a view is taken from the engine only when the client has taken the one before. One large
//!   change at a time is rendered for a connection, so that its views do not use up the memory for each other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use factum_sql::{ChangeId, ChangeStream, RelationName};
use factum_types::{Action, Resource};
use futures::stream::{self, BoxStream, SelectAll, StreamExt};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::freshness::{FreshnessWatch, LOOK};
use super::sending::{Event, SendProgress};
use super::{changes, readable};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::change_text;
use crate::http::extract::{Caller, Params};
use crate::http::problem::Problem;
use crate::http::server_sent::{self, Frame, Frames, KEEP_ALIVE};
use crate::http::streams::StreamShare;
use crate::metrics::GaugeGuard;

/// The most views that one connection follows.
const MOST_VIEWS: usize = 64;
/// How soon a view that cannot be followed is asked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// The route of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(follow_views))
}

/// Follow several views
///
/// Server-sent events as for one view, each with its `view`: a `snapshot` of each, then each `change`, and `stale` and `live`. What is wrong
/// with one view is an `error` that names it; the others go on, and so does it once it can be followed again. A client
/// that reconnects with `Last-Event-ID` goes on behind that event in every view.
#[utoipa::path(get, path = "/api/v1/changes", tag = "views",
    params(("view" = Vec<String>, Query, description = "In full; given once for each view, at most 64 times",
            example = json!(["store.top_movies", "store.activity_today"])),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event seen",
            example = "store.activity_today=8f2a-41,store.top_movies=77-3")),
    responses((status = 200, content_type = "text/event-stream", body = String,
            example = "id: store.top_movies=77-3\nevent: change\ndata: {\"view\":\"store.top_movies\",\"removed\":[],\"added\":[{\"sold\":42}]}\n\n"),
        (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn follow_views(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(params): Params<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let views = asked(params)?;
    for view in &views {
        caller.may(Action::Read, Resource::view(view))?;
    }
    let places = Places::asked(&headers)?;
    let place = api.streams.follower(caller.client())?;
    let follower = caller.clone();
    let caller = Arc::new(caller);
    let large = Arc::new(Semaphore::new(1));
    let follow = |view: String| {
        let resume = places.0.get(&view).copied();
        let (api, caller) = (Arc::clone(&api), Arc::clone(&caller));
        let one = FollowedView {
            api,
            caller,
            view,
            resume,
            changes: None,
            name: None,
            freshness: FreshnessWatch::default(),
            large: Arc::clone(&large),
            refusal: None,
        };
        stream::unfold(one, |mut one| async { Some((one.next().await, one)) }).boxed()
    };
    let told = stream::select_all(views.into_iter().map(follow));
    let feed = ViewsStream {
        api,
        told,
        places,
        sending: SendProgress::default(),
        _place: place,
        _present: GaugeGuard::follower(),
    };
    Ok(server_sent::response(feed, move || follower.still_may(Action::Describe, Resource::Cluster)))
}

/// The views that the parameters name, each once.
fn asked(params: Vec<(String, String)>) -> Result<Vec<String>, Problem> {
    let mut views: Vec<String> = Vec::new();
    for (name, view) in params {
        if name != "view" {
            return Err(Problem::malformed(format_args!("there is no parameter {name}; it takes view"))
                .with("in", "query"));
        }
        if !views.contains(&view) {
            views.push(view);
        }
    }
    match views.len() {
        0 => Err(Problem::malformed("view is missing: name at least one view").with("in", "query")),
        1..=MOST_VIEWS => Ok(views),
        _ => Err(Problem::malformed(format_args!("at most {MOST_VIEWS} views are followed together"))
            .with("limit", MOST_VIEWS)),
    }
}

/// How far the client is in each view; written as `view=place,view=place`.
#[derive(Default)]
struct Places(BTreeMap<String, ChangeId>);

impl Places {
    fn asked(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(text) = headers.get("last-event-id").filter(|id| !id.is_empty()) else {
            return Ok(Self::default());
        };
        let shown = String::from_utf8_lossy(text.as_bytes());
        let one = |part: &str| {
            let (view, id) = part.split_once('=')?;
            Some((view.to_owned(), id.parse().ok()?))
        };
        let places: Option<_> = shown.split(',').map(one).collect();
        places.map(Self).ok_or_else(|| {
            let detail =
                format!("Last-Event-ID {shown:?} is not one that was sent, such as store.top=8f2a-41");
            Problem::malformed(detail).with("header", "last-event-id")
        })
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (view, id)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{view}={id}")?;
        }
        Ok(())
    }
}

/// One of the views, followed for as long as the client is there.
struct FollowedView {
    api: Arc<Api>,
    caller: Arc<Caller>,
    view: String,
    resume: Option<ChangeId>,
    changes: Option<ChangeStream>,
    /// Its full name, once it could be followed.
    name: Option<RelationName>,
    freshness: FreshnessWatch,
    /// Had by the view whose large change is rendered for the connection or sent.
    large: Arc<Semaphore>,
    /// What the client was told last, if the view cannot be followed.
    refusal: Option<Problem>,
}

/// What a view has to say that can be followed.
enum Update {
    Event(Event),
    News(&'static str, Value),
}

/// What a view has to say.
enum ViewUpdate {
    Event { view: String, event: Event },
    News { view: String, kind: &'static str, data: Value },
    Refused { view: String, problem: Problem },
}

impl FollowedView {
    /// The next change, or why there is none; the same reason is given once.
    async fn next(&mut self) -> ViewUpdate {
        loop {
            match self.followed().await {
                Ok(Update::News(kind, data)) => {
                    return ViewUpdate::News { view: self.view.clone(), kind, data };
                }
                Ok(Update::Event(event)) => {
                    self.refusal = None;
                    return ViewUpdate::Event { view: self.view.clone(), event };
                }
                Err(problem) => {
                    // What comes after the gap is not behind what the client has.
                    (self.changes, self.resume) = (None, None);
                    if self.refusal.as_ref() != Some(&problem) {
                        self.refusal = Some(problem.clone());
                        return ViewUpdate::Refused { view: self.view.clone(), problem };
                    }
                }
            }
        }
    }

    async fn followed(&mut self) -> Result<Update, Problem> {
        if self.changes.is_none() && self.refusal.is_some() {
            sleep(AGAIN).await;
        }
        let changes = match &mut self.changes {
            Some(changes) => changes,
            None => {
                let status = readable(&self.api, &self.caller, &self.view)?;
                let changes = self.api.state.engine.changes(&status.name, self.resume)?;
                self.name = Some(status.name);
                self.changes.insert(changes)
            }
        };
        // The client may have lost its right to this view, and keep that to others.
        let permitted = |name: &Option<RelationName>| match name {
            Some(name) => self.caller.may(Action::Read, Resource::view(&name.to_string())),
            None => Ok(()),
        };
        let change = loop {
            permitted(&self.name)?;
            if let Ok(change) = timeout(LOOK, changes.next()).await {
                permitted(&self.name)?;
                break change?;
            }
            let engine = &self.api.state.engine;
            let news = self.name.as_ref().and_then(|name| self.freshness.news(engine, name));
            if let Some((kind, data)) = news {
                return Ok(Update::News(kind, data));
            }
        };
        if let Some(problem) = changes::too_large(&change, self.api.options.max_rows) {
            return Err(problem);
        }
        let name = self.name.clone().expect("a view that is followed has a name");
        let turn = match change_text::is_large(&change) {
            true => Arc::clone(&self.large).acquire_owned().await.ok(),
            false => None,
        };
        match Event::of(&self.api, self.caller.client(), name, change).await {
            Some(event) => {
                permitted(&self.name)?;
                Ok(Update::Event(Event { turn, ..event }))
            }
            // The server stops, and ends the stream.
            None => std::future::pending().await,
        }
    }
}

/// A client under way.
struct ViewsStream {
    api: Arc<Api>,
    told: SelectAll<BoxStream<'static, ViewUpdate>>,
    places: Places,
    sending: SendProgress,
    _place: StreamShare,
    _present: GaugeGuard,
}

impl Frames for ViewsStream {
    fn begin(&mut self, frame: &mut Frame) {
        match self.places.0.is_empty() {
            true => frame.retry(),
            false => frame.position(&self.places),
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
        let stop = self.api.stop.clone();
        let told = tokio::select! {
            biased;
            () = stop.requested() => return None,
            told = timeout(KEEP_ALIVE, self.told.next()) => told,
        };
        let mut frame = Frame::default();
        match told {
            Err(_) => {
                frame.comment("keep-alive");
                Some(frame.finish())
            }
            Ok(told) => Some(self.write(told?, frame)),
        }
    }
}

impl ViewsStream {
    /// What is told, or the first part of it.
    fn write(&mut self, told: ViewUpdate, mut frame: Frame) -> Bytes {
        match told {
            ViewUpdate::Event { view, event } => {
                self.places.0.insert(view.clone(), event.id);
                let view = format!("{{\"view\":{},", Value::from(view));
                let head = frame.begin_event(event.kind, &self.places, &view);
                // `view` has its opening brace.
                self.sending.begin(event, 1);
                return head;
            }
            ViewUpdate::News { view, kind, data } => frame.event_without_id(kind, &of_view(&view, data)),
            ViewUpdate::Refused { view, problem } => {
                self.places.0.remove(&view);
                let problem = serde_json::to_value(&problem).expect("text and JSON values serialise");
                frame.event_without_id("error", &of_view(&view, problem));
            }
        }
        frame.finish()
    }
}

/// The data of an event, with the view that it is about before everything else.
fn of_view(view: &str, data: Value) -> Vec<u8> {
    let mut members = Map::new();
    members.insert("view".to_owned(), Value::from(view));
    if let Value::Object(data) = data {
        members.extend(data);
    }
    serde_json::to_vec(&members).expect("text and JSON values serialise")
}
