//! Server-sent events (WHATWG HTML §9.2), as bytes.

use std::convert::Infallible;
use std::fmt::Display;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::time::timeout;

use crate::http::problem::Problem;
use crate::http::responses::with_room;

/// A frame is closed once it is this large; one event may make it larger.
pub(crate) const FRAME_BYTES: usize = 64 << 10;
/// A comment is sent after this long without an event, so that a client that is gone is found out.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What ends an event.
pub(crate) const END_OF_EVENT: &[u8] = b"\n\n";

/// How often a stream that says nothing asks whether its client may still be sent it.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What one client is sent, a frame at a time.
pub(crate) trait Frames: Send + 'static {
    /// Writes what the first frame says: how soon to come back, and the position of a client that has one.
    fn begin(&mut self, frame: &mut Frame);

    /// The next frame: waits until there is something to say; `None` at the end. Not asked for before the client
    /// has taken the one before.
    fn next_frame(&mut self) -> impl Future<Output = Option<Bytes>> + Send;

    /// Whether the next frame goes on with an event whose beginning was sent.
    fn is_within_event(&self) -> bool {
        false
    }
}

/// The response that sends `frames` until they end, the client goes, or `permission` says that it may not have them any
/// more: then the last event is an `error`. It is asked about every event before that is sent, and each second.
pub(crate) fn response(
    mut frames: impl Frames,
    permission: impl Fn() -> Result<(), Problem> + Send + Sync + 'static,
) -> Response {
    let mut first = Frame::default();
    frames.begin(&mut first);
    let first = stream::iter([Ok::<_, Infallible>(first.finish())]);
    let rest = stream::unfold(Some((frames, permission)), |state| async {
        let (mut frames, permission) = state?;
        match next_permitted(&mut frames, &permission).await {
            Ok(frame) => Some((Ok(frame?), Some((frames, permission)))),
            Err(problem) => {
                let mut last = Frame::default();
                let problem = serde_json::to_vec(&problem).expect("text and JSON values serialise");
                last.event_without_id("error", &problem);
                Some((Ok(last.finish()), None))
            }
        }
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(first.chain(rest))).into_response()
}

/// The next frame, if the client may have it when it comes.
async fn next_permitted(
    frames: &mut impl Frames,
    permission: &(impl Fn() -> Result<(), Problem> + Send + Sync),
) -> Result<Option<Bytes>, Problem> {
    if frames.is_within_event() {
        return Ok(frames.next_frame().await);
    }
    permission()?;
    let mut next = pin!(frames.next_frame());
    loop {
        match timeout(ASK_EVERY, &mut next).await {
            Ok(frame) => {
                permission()?;
                return Ok(frame);
            }
            Err(_) => permission()?,
        }
    }
}

/// Bytes in the form of server-sent events.
#[derive(Default)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back what was written behind the first `length` bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// An event; `data` is one line.
    pub(crate) fn event(&mut self, kind: &str, id: &impl Display, data: &[u8]) {
        self.0.extend_from_slice(format!("id: {id}\n").as_bytes());
        self.event_without_id(kind, data);
    }

    /// The beginning of an event whose data comes in frames of its own, the last of them [`END_OF_EVENT`].
    pub(crate) fn begin_event(mut self, kind: &str, id: &impl Display, data: &str) -> Bytes {
        self.0.extend_from_slice(format!("id: {id}\nevent: {kind}\ndata: {data}").as_bytes());
        self.finish()
    }

    /// An id without an event, and how soon to come back.
    pub(crate) fn position(&mut self, id: &impl Display) {
        self.0.extend_from_slice(format!("retry: 1000\nid: {id}\n\n").as_bytes());
    }

    /// How soon to come back.
    pub(crate) fn retry(&mut self) {
        self.0.extend_from_slice(b"retry: 1000\n\n");
    }

    /// The beginning of an event that moves nothing, as [`Frame::begin_event`].
    pub(crate) fn begin_event_without_id(&mut self, kind: &str) {
        self.0.extend_from_slice(format!("event: {kind}\ndata: ").as_bytes());
    }

    /// An event that moves nothing; `data` is one line.
    pub(crate) fn event_without_id(&mut self, kind: &str, data: &[u8]) {
        self.begin_event_without_id(kind);
        self.0.extend_from_slice(data);
        self.0.extend_from_slice(END_OF_EVENT);
    }

    /// What clients pass over.
    pub(crate) fn comment(&mut self, text: &str) {
        self.0.extend_from_slice(format!(": {text}\n\n").as_bytes());
    }

    /// The bytes, to be sent, and `room`, which is given back when the client has them.
    pub(crate) fn finish_with(self, room: impl Send + 'static) -> Bytes {
        with_room(self.0, room)
    }

    /// The bytes, to be sent.
    pub(crate) fn finish(self) -> Bytes {
        Bytes::from(self.0)
    }
}
