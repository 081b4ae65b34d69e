//! A topic as a table of an ad-hoc query: its records from the first kept to the last durable one.
//!
//! Always holds: a query sees the topic as it was when it was planned; what arrives meanwhile is not shown.
//! Records that are no events of their topic are left out, as they are from views. No more of them are in memory
//! than are being decoded.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
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

use crate::decode::Decoder;
use crate::schema::EventSchema;

/// How much of a partition is read at once.
const READ_BYTES: usize = 4 << 20;
/// Records decoded at once.
const CHUNK: usize = 2_048;

/// A topic that a query reads.
pub(crate) struct TopicTable {
    log: Arc<dyn EventLog>,
    schema: EventSchema,
    /// A query that would read more records is refused.
    limit: usize,
}

impl fmt::Debug for TopicTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicTable({})", self.schema.topic)
    }
}

impl TopicTable {
    /// A table of at most `limit` records.
    pub(crate) fn new(log: Arc<dyn EventLog>, schema: EventSchema, limit: usize) -> Arc<Self> {
        Arc::new(Self { log, schema, limit })
    }

    /// The partitions as they are now.
    async fn bounds(&self) -> Result<Vec<PartitionBounds>> {
        let topic = self.log.topic(&self.schema.topic).await.map_err(failed)?;
        let records: i64 =
            topic.partitions.iter().map(|bounds| bounds.high_watermark.since(bounds.log_start)).sum();
        if usize::try_from(records).unwrap_or(usize::MAX) > self.limit {
            let (topic, limit) = (&self.schema.topic, self.limit);
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{topic} holds {records} records, more than the {limit} that one query may read; \
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
}

impl Reading {
    async fn batch(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(bounds) = self.bounds.front().copied() {
            if !self.pending.is_empty() {
                let count = self.pending.len().min(CHUNK);
                let records: Vec<_> = self.pending.drain(..count).collect();
                return Ok(Some(self.decoder.decode(bounds.partition, &records).batch));
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
                self.next = Some(log_start);
                return Ok(true);
            }
            Err(error) => return Err(failed(error)),
        };
        chunk.records.retain(|record| record.offset < bounds.high_watermark);
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
        };
        Ok(Arc::new(StreamingTableExec::try_new(projected, vec![Arc::new(scan)], None, [], false, limit)?))
    }
}
