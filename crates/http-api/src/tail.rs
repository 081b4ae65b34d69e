//! `GET …/tail`: a topic as it grows, by server-sent events (WHATWG HTML §9.2).
//!
//! ```text
//!   id: 0:42,3:7                    where to read on in every partition: sent back as Last-Event-ID
//!   event: record
//!   data: {"partition":0,"offset":"41",…}
//! ```
//!
//! Always holds: the client sees each partition's records in order and, going by the ids, none twice; a slow
//! client makes the server hold one chunk of records and one frame, since nothing is read until it has taken
//! what was written; a tail ends when the server stops.

mod feed;
mod positions;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use factum_eventlog::Position;
use factum_types::{Action, Resource, TopicPartition};
use serde::Deserialize;

use crate::extract::{Caller, Params, TopicPath};
use crate::problem::Problem;
use crate::server_sent;
use crate::state::Api;
use crate::topics;

use feed::Feed;
use positions::Positions;

/// Where a tail starts when the client has no position yet.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
enum From {
    /// With the first record kept.
    Earliest,
    /// With the next record to come.
    #[default]
    Latest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TailQuery {
    /// Where to start: `latest` (the default) or `earliest`. `Last-Event-ID` wins over it.
    #[serde(default)]
    from: From,
    /// End after this many records.
    limit: Option<u64>,
}

/// Follow a topic
///
/// Server-sent events of all partitions: `record` with the same JSON as in browsing, `gap` where records were
/// dropped by retention before they were read, `error` before the stream ends early. Every event's id holds the
/// positions in all partitions: a client that reconnects with `Last-Event-ID` goes on where it was.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/tail", tag = "topics",
    params(("topic" = String, Path, example = "store.orders"),
        ("from" = Option<String>, Query, description = "Where to start: `latest` (the default) or `earliest`; \
            `Last-Event-ID` wins over it", example = "earliest"),
        ("limit" = Option<u64>, Query, description = "End after this many records"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event seen", example = "0:42,3:7")),
    responses((status = 200, content_type = "text/event-stream", body = String,
            example = "id: 0:42\nevent: record\ndata: {\"partition\":0,\"offset\":\"41\"}\n\n"),
        (status = 404, body = Problem)))]
pub(crate) async fn tail_topic(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(topic): TopicPath,
    Params(query): Params<TailQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Action::Read, Resource::Topic(&topic))?;
    let bounds = topics::existing(&api, &topic).await?.partitions;
    let mut positions = match headers.get("last-event-id").filter(|id| !id.is_empty()) {
        Some(id) => Positions::parse(id.as_bytes())?,
        None => Positions::default(),
    };
    if !headers.contains_key("last-event-id") {
        let position = match query.from {
            From::Earliest => Position::Earliest,
            From::Latest => Position::Latest,
        };
        for bounds in &bounds {
            let partition = TopicPartition::new(topic.clone(), bounds.partition);
            positions.set(bounds.partition, api.log().offset_of(&partition, position).await?);
        }
    }
    let partitions = bounds.iter().map(|bounds| bounds.partition).collect();
    let feed =
        Feed::new(Arc::clone(&api.state.log), topic, partitions, positions, query.limit, api.stop.clone());
    Ok(server_sent::answer(feed))
}
