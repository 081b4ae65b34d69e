//! A physical plan that is built once and run for every epoch.
//!
//! Invariants: a run starts from a reset plan. Operators keep state between runs (a top-k returns nothing the
//! second time, a join keeps its first build side), and a reset costs half a microsecond.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use futures::TryStreamExt;

use crate::feed::Slot;
use crate::limited_functions::MOST_OF_AN_EVENT;

/// A plan over a slot.
#[derive(Debug)]
pub(crate) struct ReusedPlan {
    plan: Arc<dyn ExecutionPlan>,
    slot: Slot,
    context: Arc<TaskContext>,
}

impl ReusedPlan {
    pub(crate) fn new(plan: Arc<dyn ExecutionPlan>, slot: Slot, context: Arc<TaskContext>) -> Self {
        Self { plan, slot, context }
    }

    /// Runs the plan over `batches` of events.
    ///
    /// # Errors
    /// [`DataFusionError::ResourcesExhausted`] if more than [`MOST_OF_AN_EVENT`] rows come of them.
    pub(crate) async fn run_events(&self, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
        self.run_within(batches, MOST_OF_AN_EVENT).await
    }

    /// Runs the plan over `batches`.
    pub(crate) async fn run(&self, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
        self.run_within(batches, usize::MAX).await
    }

    async fn run_within(&self, batches: Vec<RecordBatch>, most: usize) -> Result<Vec<RecordBatch>> {
        let plan = reset_plan_states(Arc::clone(&self.plan))?;
        self.slot.fill(batches);
        let result = match plan.execute(0, Arc::clone(&self.context)) {
            Ok(stream) => collect(stream, most).await,
            Err(error) => Err(error),
        };
        self.slot.fill(Vec::new());
        result
    }
}

async fn collect(mut stream: SendableRecordBatchStream, most: usize) -> Result<Vec<RecordBatch>> {
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = stream.try_next().await? {
        rows += batch.num_rows();
        if rows > most {
            let reason = format!("a view would make more than {most} rows of one event");
            return Err(DataFusionError::ResourcesExhausted(reason));
        }
        batches.push(batch);
    }
    Ok(batches)
}
