//! A topic as a table of an ad-hoc query: its records from the first kept to the last durable one.
//!
//! Always holds: a query sees the topic as it was when it was planned; what arrives meanwhile is not shown.
//! Records that are no events of their topic are left out, as they are from views.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use factum_eventlog::{EventLog, PartitionBounds, ReadError};
use factum_types::TopicPartition;

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

    async fn read(&self, projection: &[usize]) -> Result<Vec<RecordBatch>> {
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
        let mut batches = Vec::new();
        for bounds in topic.partitions {
            self.read_partition(&bounds, projection, &mut batches).await?;
        }
        Ok(batches)
    }

    async fn read_partition(
        &self,
        bounds: &PartitionBounds,
        projection: &[usize],
        batches: &mut Vec<RecordBatch>,
    ) -> Result<()> {
        let place = TopicPartition::new(self.schema.topic.clone(), bounds.partition);
        let mut decoder = Decoder::new(&self.schema, projection);
        let mut next = bounds.log_start;
        while next < bounds.high_watermark {
            let mut chunk = match self.log.read(&place, next, READ_BYTES, Duration::ZERO).await {
                Ok(chunk) => chunk,
                // Retention went on while we read: what is gone is gone.
                Err(ReadError::OutOfRange { log_start, .. }) if log_start > next => {
                    next = log_start;
                    continue;
                }
                Err(error) => return Err(failed(error)),
            };
            chunk.records.retain(|record| record.offset < bounds.high_watermark);
            for records in chunk.records.chunks(CHUNK) {
                batches.push(decoder.decode(bounds.partition, records).batch);
                tokio::task::yield_now().await;
            }
            if chunk.next <= next {
                break;
            }
            next = chunk.next;
        }
        Ok(())
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
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let every: Vec<usize> = (0..self.schema.schema.fields().len()).collect();
        let projection = projection.unwrap_or(&every);
        let batches = self.read(projection).await?;
        let schema = Arc::new(self.schema.schema.project(projection)?);
        MemTable::try_new(schema, vec![batches])?.scan(session, None, &[], None).await
    }
}
