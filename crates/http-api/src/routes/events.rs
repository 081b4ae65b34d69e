//! `POST /events/{topic}`: events in, offsets out, nothing in between that is not on disk.
//!
//! ```text
//!   binary (ce-*) ─┐
//!   structured ────┤                   ┌ key ┐
//!   batch ─────────┼──▶ Event ──▶ Intake ─────┼──▶ NewRecord ──▶ EventLog::produce_whole ──▶ 202
//!   plain JSON ────┤                   └ id, time, type, source
//!   NDJSON ────────┘
//! ```
//!
//! Invariants: a request is read to its end and every event in it accepted before the first is appended; the
//! data is stored as the bytes that were sent, sliced from the body; the response is in the order of the events.

mod form;
mod headers;
mod intake;
mod key;

use std::fmt::Write;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use factum_api::events::AppendResponse;
use factum_base::random::Random;
use factum_eventlog::{AdminError, NewRecord, ProduceError, RecordMetadata};
use factum_types::{Action, Resource, Timestamp, TopicName};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::body::{ReceivedBody, without_byte_order_mark};
use crate::http::extract::{Caller, Params, TopicPath};
use crate::http::lookup;
use crate::http::problem::Problem;
use crate::http::responses::{CountedMarker, UNCOUNTED};
use crate::metrics;

use form::Form;
use intake::Intake;

/// A body of at most this size is read where it arrives: about a millisecond of work.
const READ_AT_ONCE: usize = 256 << 10;

/// About the bytes of a response for one event.
const PLACED_BYTES: usize = 40;

/// How events are taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// The field of the data whose value is the key, instead of the one that the topic's project names.
    key: Option<String>,
}

/// The routes of events.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(post_events))
}

/// Append events to a topic
///
/// Takes CloudEvents in binary, structured and batch mode, one plain JSON document (wrapped: `type` and `source`
/// come from the event's manifest), or NDJSON (each line wrapped). Answers only once everything is on disk; a
/// batch is stored whole or not at all.
#[utoipa::path(post, path = "/events/{topic}", tag = "events",
    params(
        ("topic" = String, Path, description = "The topic, such as `store.orders`", example = "store.orders"),
        ("ce-id" = Option<String>, Header, description = "Binary mode: `ce-specversion`, `ce-id`, `ce-source`, \
            `ce-type` and further attributes. With plain JSON each is optional"),
        ("key" = Option<String>, Query, description = "The field of the data whose value is the key, instead of \
            the one that the topic's project names", example = "Email")),
    request_body(
        content(
            (Object = "application/json", example = json!({"OrderId": 1, "Email": "ann@contoso.com"})),
            (Object = "application/cloudevents+json", example = json!({"specversion": "1.0", "id": "1",
                "source": "/shop", "type": "store.orders", "data": {"OrderId": 1, "Email": "ann@contoso.com"}})),
            (Vec<Object> = "application/cloudevents-batch+json", example = json!([{"specversion": "1.0", "id": "1",
                "source": "/shop", "type": "store.orders", "data": {"OrderId": 1, "Email": "ann@contoso.com"}}])),
            (String = "application/x-ndjson", example = "{\"OrderId\":1}\n{\"OrderId\":2}\n"),
        ),
    ),
    responses(
        (status = 202, body = AppendResponse, description = "On disk",
            example = json!({"offsets": [{"partition": 0, "offset": "41"}]})),
        (status = 400, body = Problem, description = "Malformed: says where"),
        (status = 404, body = Problem, description = "No such topic, where topics are not created by their first use"),
        (status = 413, body = Problem, description = "Too large: names the limit"),
        (status = 415, body = Problem, description = "Unsupported media type"),
        (status = 422, body = Problem, description = "Refused by the topic's contract: names event and field"),
        (status = 503, body = Problem, description = "Not durable at the moment; see `Retry-After`"),
    ))]
async fn post_events(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(topic): TopicPath,
    Params(query): Params<EventsQuery>,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Action::Write, Resource::Topic(&topic))?;
    lookup::refuse_internal(&topic)?;
    let (head, body) = request.into_parts();
    let form = Form::of(&head.headers)?;
    let received = api.bodies.read(&head, body).await?;
    let (intake, size) = (Intake::new(&api, topic.clone(), query.key), received.bytes.len());
    let (records, mut received) = records(form, head.headers, received, intake).await?;
    if records.is_empty() {
        return Ok(accepted(&[], received));
    }
    let response_bytes = records.len() * PLACED_BYTES;
    if response_bytes > UNCOUNTED {
        // Before anything is appended: later there is no telling that there was no room.
        received.make_room(response_bytes).await?;
    }
    check_creation(&api, &caller, &topic).await?;
    let placed = append(&api, &caller, &topic, records).await?;
    metrics::observe_ingest(placed.len(), size);
    Ok(accepted(&placed, received))
}

/// The records that a body brings, and the body, whose room they keep. A large one is read on a thread that may be
/// busy for a while, so that small requests are not behind it.
async fn records(
    form: Form,
    headers: HeaderMap,
    received: ReceivedBody,
    intake: Intake,
) -> Result<(Vec<NewRecord>, ReceivedBody), Problem> {
    let bytes = match form.is_json(&headers) {
        true => without_byte_order_mark(&received.bytes),
        false => received.bytes.clone(),
    };
    if bytes.len() <= READ_AT_ONCE {
        return Ok((form.records(&headers, &bytes, &intake)?, received));
    }
    let read = move || form.records(&headers, &bytes, &intake);
    Ok((spawn_blocking(read).await.expect("reading a body does not panic")?, received))
}

/// The records of a whole body, for a topic that no project names.
pub(crate) fn decode(
    headers: &HeaderMap,
    body: &Bytes,
    random: Random,
    now: Timestamp,
) -> Result<Vec<NewRecord>, Problem> {
    let form = Form::of(headers)?;
    let body = if form.is_json(headers) { without_byte_order_mark(body) } else { body.clone() };
    form.records(headers, &body, &Intake::without_project(random, now))
}

/// Refuses a topic that would be created by its first use to one who may not create it.
async fn check_creation(api: &Arc<Api>, caller: &Caller, topic: &TopicName) -> Result<(), Problem> {
    let Err(refused) = caller.may_create(Resource::Topic(topic)) else { return Ok(()) };
    match api.log().topic(topic).await {
        Err(error @ AdminError::UnknownTopic { .. }) => {
            let unknown = lookup::unknown_topic(api, caller, topic, error.into()).await;
            Err(unknown.also(refused.detail()))
        }
        // Of what else is wrong with it the append has more to say.
        _ => Ok(()),
    }
}

async fn append(
    api: &Arc<Api>,
    caller: &Caller,
    topic: &TopicName,
    records: Vec<NewRecord>,
) -> Result<Vec<RecordMetadata>, Problem> {
    match api.log().produce_whole(topic, records).await {
        Ok(placed) => Ok(placed),
        Err(error @ ProduceError::UnknownTopic { .. }) => {
            Err(lookup::unknown_topic(api, caller, topic, error.into()).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// The response, [`AppendResponse`] written by hand: with a hundred thousand events it is the larger part of the cost. It
/// keeps the room of what was received until it is sent.
fn accepted(placed: &[RecordMetadata], received: ReceivedBody) -> Response {
    let mut body = String::with_capacity(16 + placed.len() * PLACED_BYTES);
    body.push_str(r#"{"offsets":["#);
    for (i, RecordMetadata { partition, offset }) in placed.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(body, r#"{comma}{{"partition":{partition},"offset":"{offset}"}}"#)
            .expect("a string takes text");
    }
    body.push_str("]}\n");
    let (kind, body) =
        ([(header::CONTENT_TYPE, "application/json")], received.give_room_to(body.into_bytes()));
    (StatusCode::ACCEPTED, Extension(CountedMarker), kind, body).into_response()
}
