//! Sending a stored record once more: the same key, value and headers, at the end of its topic or of another one.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use factum_api::events::{AppendResponse, EventOffset};
use factum_api::records::ResendRecord;
use factum_eventlog::NewRecord;
use factum_types::{Action, Offset, Record, Resource, TopicName, TopicPartition};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::extract::{Caller, TopicPath};
use crate::http::json::Json;
use crate::http::lookup;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The route of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(resend_record))
}

/// Send a record again
///
/// Appends a copy with the same key, value and headers, and the current time: to the same partition, or to another topic, where the key
/// decides. The topic's contract holds as for any other record.
#[utoipa::path(post, path = "/api/v1/topics/{topic}/records/resend", tag = "topics",
    params(("topic" = String, Path, example = "store.orders")),
    request_body(content = ResendRecord, example = json!({"partition": 0, "offset": "41"})),
    responses((status = 202, body = AppendResponse, description = "On disk"),
        (status = 404, body = Problem, description = "No such topic, partition or record"),
        (status = 422, body = Problem, description = "Refused by the topic's contract, or the record cannot be read")))]
pub(super) async fn resend_record(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(topic): TopicPath,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::Read, Resource::Topic(&topic))?;
    let (head, body) = request.into_parts();
    let wish: ResendRecord = api.bodies.read_json(&head, body).await?;
    let to = match &wish.to {
        Some(to) => TopicName::new(to.as_str())?,
        None => topic.clone(),
    };
    caller.may(Action::Write, Resource::Topic(&to))?;
    lookup::refuse_internal(&to)?;
    // A misspelt name is to create no topic.
    lookup::topic(&api, &caller, &to).await?;
    let partition = (to == topic).then_some(wish.partition);
    let from = TopicPartition::new(topic, wish.partition);
    let shared = Arc::clone(&api);
    let send = move || async move {
        let record = read(&shared, &from, Offset::new(wish.offset.0)).await?;
        let Record { key, value, headers, .. } = record;
        let copy = NewRecord { partition, key, value, headers, timestamp: None };
        Ok(shared.log().produce(&to, vec![copy]).await?)
    };
    let placed = api.responses.made(caller.client(), DocumentKind::Records, send).await?;
    let offset = |at: factum_eventlog::RecordMetadata| EventOffset {
        partition: at.partition,
        offset: at.offset.get().into(),
    };
    let offsets = placed.into_iter().map(offset).collect();
    Ok((StatusCode::ACCEPTED, Json(AppendResponse { offsets })))
}

/// The record at an offset.
async fn read(api: &Api, partition: &TopicPartition, offset: Offset) -> Result<Record, Problem> {
    let chunk = api.log().read(partition, offset, 1, Duration::ZERO).await?;
    if let Some(range) = chunk.unreadable.iter().find(|range| (range.from..range.next).contains(&offset)) {
        let detail = format!("offset {offset} of {partition} cannot be read: {}", range.reason);
        return Err(Problem::refused(detail).with("field", "offset"));
    }
    let found = chunk.records.into_iter().find(|record| record.offset == offset);
    found.ok_or_else(|| Problem::not_found(format_args!("no record is at offset {offset} of {partition}")))
}
