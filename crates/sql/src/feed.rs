//! A leaf that yields whatever lies in its slot: how a plan built once is run again and again.
//!
//! Invariants: a [`Feed`] says that it is endless, so that no join ever builds its hash table from it.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use parking_lot::Mutex;

/// Where the next run finds its rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Vec<RecordBatch>>>);

impl Slot {
    /// What the next runs will read.
    pub(crate) fn fill(&self, batches: Vec<RecordBatch>) {
        *self.0.lock() = batches;
    }

    fn batches(&self) -> Vec<RecordBatch> {
        self.0.lock().clone()
    }
}

/// A table made of a slot.
#[derive(Debug)]
pub(crate) struct FeedTable {
    schema: SchemaRef,
    slot: Slot,
}

impl FeedTable {
    pub(crate) fn new(schema: SchemaRef, slot: Slot) -> Arc<Self> {
        Arc::new(Self { schema, slot })
    }
}

#[async_trait]
impl TableProvider for FeedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Feed::new(&self.schema, self.slot.clone(), projection.cloned())?))
    }
}

/// The leaf itself.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    schema: SchemaRef,
    slot: Slot,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl Feed {
    pub(crate) fn new(schema: &SchemaRef, slot: Slot, projection: Option<Vec<usize>>) -> Result<Self> {
        let projected = match &projection {
            Some(columns) => Arc::new(schema.project(columns)?),
            None => Arc::clone(schema),
        };
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&projected)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Ok(Self { schema: projected, slot, projection, properties })
    }
}

impl DisplayAs for Feed {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}

impl ExecutionPlan for Feed {
    fn name(&self) -> &'static str {
        "Feed"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn partition_statistics(&self, _: Option<usize>) -> Result<Arc<Statistics>> {
        let mut endless = Statistics::new_unknown(&self.schema);
        endless.num_rows = Precision::Inexact(1 << 40);
        endless.total_byte_size = Precision::Inexact(1 << 50);
        Ok(Arc::new(endless))
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batches = self.slot.batches();
        Ok(Box::pin(MemoryStream::try_new(batches, Arc::clone(&self.schema), self.projection.clone())?))
    }
}
