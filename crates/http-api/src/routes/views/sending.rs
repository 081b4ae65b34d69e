//! A change on its way to one client.

use std::sync::Arc;

use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_sql::{Change, ChangeId, RelationName};
use tokio::sync::OwnedSemaphorePermit;

use crate::api::Api;
use crate::http::change_text::{Part, Text};
use crate::http::server_sent::END_OF_EVENT;

/// A change as a server-sent event.
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) id: ChangeId,
    /// Its data.
    pub(super) text: Arc<Text>,
    /// The connection's turn for large ones, until it was sent.
    pub(super) turn: Option<OwnedSemaphorePermit>,
}

impl Event {
    /// Renders a change of `view` for a client; `None` when the server stops.
    pub(super) fn of(
        api: &Api,
        client: ClientAddress,
        view: RelationName,
        change: Change,
    ) -> impl Future<Output = Option<Self>> + Send + use<> {
        let id = change.id();
        let kind = match change {
            Change::Snapshot { .. } => "snapshot",
            Change::Changed { .. } => "change",
        };
        let text = api.renderer.render(client, view, change);
        async move { Some(Self { kind, id, text: text.await?, turn: None }) }
    }
}

/// How far the event that is being sent was sent.
#[derive(Default)]
pub(super) struct SendProgress(Option<EventInFlight>);

struct EventInFlight {
    text: Arc<Text>,
    bytes: usize,
    _turn: Option<OwnedSemaphorePermit>,
}

/// The text was given up before the client had taken all of it: the stream has to end.
pub(super) struct AbandonedText;

impl SendProgress {
    /// Goes on with the data of `event` without its first `skip` bytes.
    pub(super) fn begin(&mut self, event: Event, skip: usize) {
        self.0 = Some(EventInFlight { text: event.text, bytes: skip, _turn: event.turn });
    }

    /// Whether an event is being sent.
    pub(super) fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// What is to be sent next of the event; `None` if all of it was.
    pub(super) fn next_part(&mut self) -> Option<Result<Bytes, AbandonedText>> {
        let sent = self.0.as_mut()?;
        match sent.text.part(sent.bytes) {
            Part::Bytes(part) => {
                sent.bytes += part.len();
                Some(Ok(part))
            }
            Part::End => {
                self.0 = None;
                Some(Ok(Bytes::from_static(END_OF_EVENT)))
            }
            Part::GivenUp => Some(Err(AbandonedText)),
        }
    }
}
