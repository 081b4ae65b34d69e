//! Browsing: records of a topic, decoded.
//!
//! Invariants: one response holds at most [`MAX_RECORDS`] records and about [`MAX_BYTES`] bytes, and says for
//! each partition where to read on; what cannot be read is listed and passed over.

mod resend;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use factum_api::records::{ReadOn, Records, UnreadableView};
use factum_eventlog::{PartitionBounds, Position};
use factum_types::{Action, Offset, PartitionId, Resource, Timestamp, TopicName, TopicPartition};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, Params, TopicPath};
use crate::http::log_item::{LogItem, unreadable_view};
use crate::http::lookup;
use crate::http::parameter::Whole;
use crate::http::problem::Problem;
use crate::http::record_view::RecordView;
use crate::http::responses::DocumentKind;
use crate::http::schema_reader::SchemaReader;
use crate::http::time::parse_time;

const DEFAULT_RECORDS: usize = 100;
const MAX_RECORDS: i64 = 1_000;
const LARGEST_PARTITION: i64 = PartitionId::MAX as i64;
const MAX_BYTES: usize = 8 << 20;
/// The most bytes asked of the log at once.
const READ_BYTES: usize = 256 << 10;
/// How many are asked for each record that is wanted: of a topic with many partitions each gives few.
const RECORD_BYTES: usize = 2 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsQuery {
    /// The partition; without it, records of all partitions are merged by time.
    partition: Option<Whole<0, LARGEST_PARTITION, 0>>,
    /// The first offset, or, if negative, how many records before the end; needs `partition`.
    offset: Option<Whole<{ i64::MIN }, { i64::MAX }, 41>>,
    /// Start at the first record at or after this time: RFC 3339, or milliseconds since 1970.
    timestamp: Option<String>,
    /// The most records, 1 to 1000; 100 by default.
    limit: Option<Whole<1, MAX_RECORDS, 100>>,
}

impl RecordsQuery {
    fn partition(&self) -> Option<PartitionId> {
        PartitionId::try_from(self.partition?.get()).ok()
    }
}

/// The routes of records.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_records)).merge(resend::routes())
}

/// Browse a topic's records
///
/// Keys and headers are shown as text or base64, values as JSON, text or base64, and the attributes of
/// CloudEvents beside them.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/records", tag = "topics",
    params(("topic" = String, Path, example = "store.orders"),
        ("partition" = Option<i32>, Query, description = "Without it, records of all partitions are merged by time"),
        ("offset" = Option<i64>, Query, description = "The first offset, or, if negative, how many records before \
            the end; needs `partition`", example = 0),
        ("timestamp" = Option<String>, Query, description = "Start at the first record at or after this time: RFC \
            3339, or milliseconds since 1970", example = "2026-11-20T10:00:00Z"),
        ("limit" = Option<usize>, Query, description = "The most records, 1 to 1000; 100 by default")),
    responses((status = 200, body = Records, example = json!({
        "records": [{"partition": 0, "offset": "41", "timestamp": "2026-11-20T10:15:30.123Z",
            "key": "ann@contoso.com", "key_encoding": "text", "value": {"OrderId": 1}, "value_encoding": "json",
            "headers": [{"key": "ce_id", "value": "1", "encoding": "text"}],
            "event": {"specversion": "1.0", "id": "1", "source": "/shop", "type": "store.orders"}}],
        "unreadable": [],
        "partitions": [{"partition": 0, "next": "42", "log_start": "0", "high_watermark": "42"}]})),
        (status = 404, body = Problem, description = "No such topic, partition or offset")))]
async fn list_records(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(topic): TopicPath,
    Params(query): Params<RecordsQuery>,
) -> Result<Response, Problem> {
    caller.may(Action::Read, Resource::Topic(&topic))?;
    let limit = query.limit.and_then(|limit| usize::try_from(limit.get()).ok()).unwrap_or(DEFAULT_RECORDS);
    let bounds = lookup::topic(&api, &caller, &topic).await?.partitions;
    let (bounds, query) = (Arc::new(wanted(&topic, bounds, query.partition())?), Arc::new(query));
    let asks = caller.clone();
    let browse = move |api: Arc<Api>| {
        let (topic, bounds, query) = (topic.clone(), Arc::clone(&bounds), Arc::clone(&query));
        let schemas = SchemaReader::new(api.state.registry.clone(), asks.clone());
        async move { browse(&api, schemas, &topic, limit, &bounds, &query).await }
    };
    document(&api, &caller, DocumentKind::Records, browse).await
}

async fn browse(
    api: &Api,
    schemas: SchemaReader,
    topic: &TopicName,
    limit: usize,
    partitions: &[PartitionBounds],
    query: &RecordsQuery,
) -> Result<Records, Problem> {
    let (found, unreadable, cursors) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut browse = Browse { api, schemas, topic, limit, bytes: 0, found, unreadable, cursors };
    for bounds in partitions {
        let next = browse.start(query, bounds).await?;
        browse.cursors.push(Cursor { bounds: *bounds, next, is_done: false });
    }
    browse.run().await?;
    Ok(browse.into_records())
}

fn wanted(
    topic: &TopicName,
    bounds: Vec<PartitionBounds>,
    partition: Option<PartitionId>,
) -> Result<Vec<PartitionBounds>, Problem> {
    let Some(partition) = partition else { return Ok(bounds) };
    let found = bounds.into_iter().find(|bounds| bounds.partition == partition);
    let missing = || Problem::not_found(format_args!("topic {topic} has no partition {partition}"));
    Ok(vec![found.ok_or_else(missing)?])
}

/// One response in the making.
struct Browse<'a> {
    api: &'a Api,
    schemas: SchemaReader,
    topic: &'a TopicName,
    limit: usize,
    bytes: usize,
    /// Rendered at once, so that no record keeps the batch that it came in.
    found: BTreeMap<(Timestamp, PartitionId, Offset), String>,
    unreadable: Vec<UnreadableView>,
    cursors: Vec<Cursor>,
}

struct Cursor {
    bounds: PartitionBounds,
    next: Offset,
    is_done: bool,
}

impl Browse<'_> {
    async fn start(&self, query: &RecordsQuery, bounds: &PartitionBounds) -> Result<Offset, Problem> {
        let partition = TopicPartition::new(self.topic.clone(), bounds.partition);
        match (query.offset.map(Whole::get), &query.timestamp) {
            (Some(_), Some(_)) => {
                Err(Problem::malformed("give offset or timestamp, not both").with("in", "query"))
            }
            (Some(_), None) if query.partition.is_none() => {
                Err(Problem::malformed("offset needs partition: each partition counts for itself")
                    .with("in", "query"))
            }
            (Some(offset), None) if offset < 0 => {
                let back = bounds.high_watermark.get().saturating_add(offset);
                Ok(Offset::new(back.max(bounds.log_start.get())))
            }
            (Some(offset), None) => Ok(Offset::new(offset)),
            (None, Some(time)) => {
                let time = parse_time("timestamp", time)?;
                Ok(self.api.log().offset_of(&partition, Position::Time(time)).await?)
            }
            (None, None) => Ok(bounds.log_start),
        }
    }

    /// Takes an even share of what is still wanted from each partition that has more, until enough is found.
    async fn run(&mut self) -> Result<(), Problem> {
        let mut cursors = std::mem::take(&mut self.cursors);
        while !self.is_full() {
            let mut open: Vec<&mut Cursor> = cursors.iter_mut().filter(|cursor| !cursor.is_done).collect();
            if open.is_empty() {
                break;
            }
            let share = (self.limit - self.items()).div_ceil(open.len());
            for cursor in &mut open {
                if !self.is_full() {
                    self.read_share(cursor, share.min(self.limit - self.items())).await?;
                }
            }
        }
        self.cursors = cursors;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.items() >= self.limit || self.bytes >= MAX_BYTES
    }

    fn items(&self) -> usize {
        self.found.len() + self.unreadable.len()
    }

    async fn read_share(&mut self, cursor: &mut Cursor, share: usize) -> Result<(), Problem> {
        let partition = TopicPartition::new(self.topic.clone(), cursor.bounds.partition);
        let bytes = share.saturating_mul(RECORD_BYTES).min(READ_BYTES);
        let chunk = self.api.log().read(&partition, cursor.next, bytes, Duration::ZERO).await?;
        cursor.bounds.log_start = chunk.log_start;
        cursor.bounds.high_watermark = chunk.high_watermark;
        let (before, behind) = (cursor.next, chunk.next);
        let mut items = LogItem::of(chunk).peekable();
        let mut left = share;
        while left > 0 && !self.is_full() {
            let Some(item) = items.next() else { break };
            cursor.next = item.next();
            left -= 1;
            self.show(partition.partition, item);
        }
        if items.peek().is_none() {
            // What lies between the last item and `behind` holds none that is shown.
            cursor.next = behind;
            cursor.is_done = cursor.next == before || cursor.next >= cursor.bounds.high_watermark;
        }
        Ok(())
    }

    fn show(&mut self, partition: PartitionId, item: LogItem) {
        match item {
            LogItem::Record(record) => {
                let line = RecordView::of(partition, &record, &mut self.schemas).to_line();
                self.bytes += line.len();
                let line = String::from_utf8(line).expect("JSON is UTF-8");
                self.found.insert((record.timestamp, partition, record.offset), line);
            }
            LogItem::Unreadable(range) => self.unreadable.push(unreadable_view(partition, &range)),
        }
    }

    fn into_records(self) -> Records {
        let raw = |line| RawValue::from_string(line).expect("a rendered record is JSON");
        let partitions = self.cursors.iter().map(|cursor| ReadOn {
            partition: cursor.bounds.partition,
            next: cursor.next.get().into(),
            log_start: cursor.bounds.log_start.get().into(),
            high_watermark: cursor.bounds.high_watermark.get().into(),
        });
        let (partitions, unreadable) = (partitions.collect(), self.unreadable);
        Records { records: self.found.into_values().map(raw).collect(), unreadable, partitions }
    }
}
