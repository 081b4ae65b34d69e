//! `GET …/tail`: a topic as it grows, by server-sent events (WHATWG HTML §9.2).
//!
//! ```text
//!   id: 1c9f2a3b/0:42,3:7           where to read on in every partition: sent back as Last-Event-ID
//!   event: record
//!   data: {"partition":0,"offset":"41",…}
//! ```
//!
//! Invariants: the client sees each partition's records in order and, going by the ids, none twice; what cannot be
//! read is told and passed over; nothing is read until the client has taken what was written, and what it has not
//! taken is bounded over all tails ([`crate::http::streams`]); a tail ends when the server stops.

mod positions;
mod stream;
mod writer;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use factum_eventlog::Topic;
use factum_types::{Action, Offset, Resource, TopicPartition, TopicPosition};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::extract::{Caller, Params, TopicPath};
use crate::http::lookup;
use crate::http::parameter::Whole;
use crate::http::position;
use crate::http::problem::Problem;
use crate::http::server_sent;

pub(crate) use positions::Positions;
use stream::{Tail, TailStream};

/// How far a time may be ahead of this machine's clock and still mean now.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TailQuery {
    /// Where to start; `Last-Event-ID` wins over it.
    #[serde(default)]
    from: TopicPosition,
    /// End after this many records.
    limit: Option<Whole<0, { i64::MAX }, 10>>,
}

impl TailQuery {
    fn limit(&self) -> Option<u64> {
        self.limit.map(|limit| limit.get().unsigned_abs())
    }
}

/// The routes of tail.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(tail_topic))
}

/// Follow a topic
///
/// Server-sent events of all partitions: `record` with the same JSON as in browsing, `unreadable` where records
/// cannot be read, `gap` where records expired before they were read or the topic was created again, `error` before
/// the stream ends early. Every event's id holds the positions in all partitions: a client that reconnects with
/// `Last-Event-ID` goes on where it was.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/tail", tag = "topics",
    params(("topic" = String, Path, example = "store.orders"),
        ("from" = Option<String>, Query, description = "Where to start: `latest` (the default), `earliest`, an \
            offset (in every partition, or as near to it as there are records; `-5` is the fifth before the end), a \
            time that has come (RFC 3339), or `5m ago`; `Last-Event-ID` wins over it",
            example = "earliest"),
        ("limit" = Option<u64>, Query, description = "End after this many records"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event seen",
            example = "1c9f2a3b/0:42,3:7")),
    responses((status = 200, content_type = "text/event-stream", body = String,
            example = "id: 1c9f2a3b/0:42\nevent: record\ndata: {\"partition\":0,\"offset\":\"41\"}\n\n"),
        (status = 404, body = Problem), (status = 503, body = Problem, description = "Too many tails")))]
async fn tail_topic(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(topic): TopicPath,
    Params(query): Params<TailQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Action::Read, Resource::Topic(&topic))?;
    let found = lookup::topic(&api, &caller, &topic).await?;
    let place = api.streams.tail(caller.client())?;
    let tail = match headers.get("last-event-id").filter(|id| !id.is_empty()) {
        Some(id) => resume(found, &Positions::parse(id.as_bytes())?, query.limit())?,
        None => begin(&api, found, &query).await?,
    };
    let stream = TailStream::open(api, caller.clone(), tail, place)?;
    Ok(server_sent::response(stream, move || caller.still_may(Action::Read, Resource::Topic(&topic))))
}

/// Starts where the query says.
async fn begin(api: &Api, topic: Topic, query: &TailQuery) -> Result<Tail, Problem> {
    let now = api.state.clock.now();
    if let TopicPosition::Time(time) = query.from
        && time > now.plus(CLOCK_TOLERANCE)
    {
        let detail = format!(
            "from: {time} is to come (it is {now}): a tail begins at a time that has come, or with the next record \
             (latest)"
        );
        return Err(Problem::malformed(detail).with("in", "query"));
    }
    let mut positions = Positions::new(topic.id.into());
    for bounds in &topic.partitions {
        let partition = TopicPartition::new(topic.name.clone(), bounds.partition);
        let offset = position::resolve(api.log(), &partition, bounds, query.from, now).await?;
        let offset = match query.from {
            TopicPosition::Offset(_) => offset.min(bounds.high_watermark).max(bounds.log_start),
            _ => offset,
        };
        positions.set(bounds.partition, offset);
    }
    Ok(Tail { topic, positions, left_behind: Vec::new(), limit: query.limit() })
}

/// Goes on where the client was. If that was in another topic of this name, it starts with the first record of this
/// one.
fn resume(topic: Topic, sent: &Positions, limit: Option<u64>) -> Result<Tail, Problem> {
    let is_same = sent.topic() == topic.id.into();
    let has: HashSet<_> = topic.partitions.iter().map(|bounds| bounds.partition).collect();
    if let Some(missing) = sent.partitions().find(|partition| is_same && !has.contains(partition)) {
        let detail =
            format!("Last-Event-ID names partition {missing}, which topic {} does not have", topic.name);
        return Err(Problem::malformed(detail).with("header", "last-event-id"));
    }
    let (mut positions, mut left_behind) = (Positions::new(topic.id.into()), Vec::new());
    for bounds in &topic.partitions {
        let partition = bounds.partition;
        match is_same {
            true => positions.set(partition, sent.get(partition)),
            false => positions.set(partition, bounds.log_start),
        }
        if !is_same && sent.get(partition) > Offset::ZERO {
            left_behind.push((partition, sent.get(partition)));
        }
    }
    Ok(Tail { topic, positions, left_behind, limit })
}
