//! A topic as a table of an ad-hoc query: its records from the first kept to the last durable one.
//!
//! Invariants: a query sees the topic as it was when it was planned; what arrives meanwhile is not shown.
//! Records that are no events of their topic, and offsets that cannot be read, are left out, as they are from views,
//! and counted. No more records are in memory than are being decoded.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use factum_eventlog::{EventLog, PartitionBounds, ReadError};
use factum_types::{Offset, Record, TopicName, TopicPartition};
use futures::stream;
use parking_lot::Mutex;

use crate::decode::Decoder;
use crate::decode::Poison;
use crate::decode::spelling::OtherSpelling;
use crate::schema::EventSchema;

/// How much of a partition is read at once.
const READ_BYTES: usize = 4 << 20;
/// Records decoded at once.
const CHUNK: usize = 2_048;

/// What an answer does not contain of the topics that it was computed from: of a view all that it ever left out, of a
/// topic what this query did. A topic that is read twice counts twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOutEvents {
    /// Events whose columns, as far as they are named, could not be decoded, or that a view could not compute.
    pub undecodable: u64,
    /// Offsets that could not be read from the log: damaged, or expired before they were read.
    pub unreadable: u64,
}

impl LeftOutEvents {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            undecodable: self.undecodable + other.undecodable,
            unreadable: self.unreadable + other.unreadable,
        }
    }
}

/// Counts what the scans of one query leave out.
#[derive(Debug, Default)]
pub(crate) struct LeftOutCounter {
    undecodable: AtomicU64,
    unreadable: AtomicU64,
    /// Why the first event was left out, with its place.
    reason: Mutex<Option<String>>,
    /// Fields that events spell otherwise: nothing of them is left out but the value.
    spellings: Mutex<BTreeSet<(TopicName, OtherSpelling)>>,
}

impl LeftOutCounter {
    /// Fields of topics that their events spell otherwise.
    pub(crate) fn spellings(&self) -> BTreeSet<(TopicName, OtherSpelling)> {
        std::mem::take(&mut self.spellings.lock())
    }

    /// The count so far.
    pub(crate) fn total(&self) -> LeftOutEvents {
        LeftOutEvents {
            undecodable: self.undecodable.load(Ordering::Relaxed),
            unreadable: self.unreadable.load(Ordering::Relaxed),
        }
    }

    /// Why the first event was left out, with its place.
    pub(crate) fn reason(&self) -> Option<String> {
        self.reason.lock().clone()
    }

    fn undecodable(&self, events: usize, first: impl FnOnce() -> String) {
        self.undecodable.fetch_add(events as u64, Ordering::Relaxed);
        if events > 0 {
            self.reason.lock().get_or_insert_with(first);
        }
    }

    fn unreadable(&self, from: Offset, next: Offset) {
        let offsets = u64::try_from(next.since(from)).unwrap_or(0);
        self.unreadable.fetch_add(offsets, Ordering::Relaxed);
    }
}

/// A topic that a query reads.
pub(crate) struct TopicTable {
    log: Arc<dyn EventLog>,
    schema: EventSchema,
    /// A query that would read more records is refused.
    limit: usize,
    left_out: Arc<LeftOutCounter>,
}

impl fmt::Debug for TopicTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicTable({})", self.schema.topic)
    }
}

impl TopicTable {
    /// A table of at most `limit` records; what it leaves out is counted in `left_out`.
    pub(crate) fn new(
        log: Arc<dyn EventLog>,
        schema: EventSchema,
        limit: usize,
        left_out: Arc<LeftOutCounter>,
    ) -> Arc<Self> {
        Arc::new(Self { log, schema, limit, left_out })
    }

    /// The partitions as they are now.
    async fn bounds(&self) -> Result<Vec<PartitionBounds>> {
        let topic = self.log.topic(&self.schema.topic).await.map_err(failed)?;
        let records: i64 =
            topic.partitions.iter().map(|bounds| bounds.high_watermark.since(bounds.log_start)).sum();
        if usize::try_from(records).unwrap_or(usize::MAX) > self.limit {
            let (topic, limit) = (&self.schema.topic, self.limit);
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{topic} holds {records} records, more than the {limit} that one query may read (sql.query_records): \
                 declare a materialized view instead"
            )));
        }
        Ok(topic.partitions)
    }
}

/// The records of a topic between bounds, decoded as they are asked for.
struct Scan {
    log: Arc<dyn EventLog>,
    schema: EventSchema,
    projection: Vec<usize>,
    projected: SchemaRef,
    bounds: Vec<PartitionBounds>,
    left_out: Arc<LeftOutCounter>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scan({})", self.schema.topic)
    }
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.projected
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reading = Reading {
            log: Arc::clone(&self.log),
            topic: self.schema.topic.clone(),
            decoder: Decoder::new(&self.schema, &self.projection),
            bounds: self.bounds.clone().into(),
            next: None,
            pending: VecDeque::new(),
            left_out: Arc::clone(&self.left_out),
        };
        let batches = stream::try_unfold(reading, |mut reading| async {
            Ok(reading.batch().await?.map(|batch| (batch, reading)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.projected), batches))
    }
}

/// A scan under way.
struct Reading {
    log: Arc<dyn EventLog>,
    topic: TopicName,
    decoder: Decoder,
    /// The partition that is read, and those to come.
    bounds: VecDeque<PartitionBounds>,
    /// Where it is read on, once it was begun.
    next: Option<Offset>,
    /// Records of it that were read and not yet decoded.
    pending: VecDeque<Record>,
    left_out: Arc<LeftOutCounter>,
}

impl Reading {
    async fn batch(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(bounds) = self.bounds.front().copied() {
            if !self.pending.is_empty() {
                let count = self.pending.len().min(CHUNK);
                let records: Vec<_> = self.pending.drain(..count).collect();
                let decoded = self.decoder.decode(bounds.partition, &records);
                let (topic, partition) = (&self.topic, bounds.partition);
                self.left_out.undecodable(decoded.poisoned.len(), || {
                    let Poison { index, reason } = &decoded.poisoned[0];
                    format!("the first is {topic}/{partition}/{}: {reason}", records[*index].offset)
                });
                let spellings = decoded.spellings.into_iter().map(|spelling| (self.topic.clone(), spelling));
                self.left_out.spellings.lock().extend(spellings);
                return Ok(Some(decoded.batch));
            }
            let next = self.next.unwrap_or(bounds.log_start);
            if next < bounds.high_watermark && self.read(&bounds, next).await? {
                continue;
            }
            self.bounds.pop_front();
            self.next = None;
        }
        Ok(None)
    }

    /// Reads some of a partition from `next` on; whether it went forward.
    async fn read(&mut self, bounds: &PartitionBounds, next: Offset) -> Result<bool> {
        let place = TopicPartition::new(self.topic.clone(), bounds.partition);
        let mut chunk = match self.log.read(&place, next, READ_BYTES, Duration::ZERO).await {
            Ok(chunk) => chunk,
            // Retention went on while we read: what is gone is gone.
            Err(ReadError::OutOfRange { log_start, .. }) if log_start > next => {
                self.left_out.unreadable(next, log_start.min(bounds.high_watermark));
                self.next = Some(log_start);
                return Ok(true);
            }
            Err(error) => return Err(failed(error)),
        };
        chunk.records.retain(|record| record.offset < bounds.high_watermark);
        for range in chunk.unreadable.iter().filter(|range| range.from < bounds.high_watermark) {
            self.left_out.unreadable(range.from, range.next.min(bounds.high_watermark));
        }
        self.pending = chunk.records.into();
        self.next = Some(chunk.next);
        Ok(chunk.next > next)
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl TableProvider for TopicTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let every = || (0..self.schema.schema.fields().len()).collect();
        let projection = projection.cloned().unwrap_or_else(every);
        let projected = Arc::new(self.schema.schema.project(&projection)?);
        let scan = Scan {
            log: Arc::clone(&self.log),
            schema: self.schema.clone(),
            projection,
            projected: Arc::clone(&projected),
            bounds: self.bounds().await?,
            left_out: Arc::clone(&self.left_out),
        };
        Ok(Arc::new(StreamingTableExec::try_new(projected, vec![Arc::new(scan)], None, [], false, limit)?))
    }
}
