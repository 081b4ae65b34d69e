//! Operators below the cut of a view, run once per event.
//!
//! ```text
//!   batches of an epoch ─► Operator::run ─► Changes ─► (the task commits them)
//!   state of all tasks  ─► Operator::read ─► rows for the plan above the cut
//! ```

mod aggregate;
mod kept_rows;
mod lookup;
mod reused_plan;
mod row_codec;
mod stored_rows;

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use factum_state::{Changes, Owner, Progress, ReadError, StateStore, TableId, TaskId};
use factum_types::Offset;

use crate::feed::Slot;
use aggregate::{Aggregate, KeptStates};
use kept_rows::KeptRows;
use stored_rows::StoredRows;

pub(crate) use aggregate::HIDDEN;

/// Whose tasks those of views are.
pub(crate) const OWNER: Owner = Owner::from_static("sql");
/// Who owns what the engine notes for itself beside the state of pipelines.
pub(crate) const NOTES_OWNER: Owner = Owner::from_static("sql-notes");

/// The table that a cut keeps its rows in; a task has one cut.
const TABLE: TableId = 0;
/// The table of groups whose states have parts; table 1 has the task's own counts.
const PARTS: TableId = 2;

/// The kept part of a view.
#[derive(Debug)]
pub(crate) enum Operator {
    /// Partial states per group.
    Aggregate(Box<Aggregate>),
    /// Every row.
    Rows(StoredRows),
}

/// Why an operator failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The rows cannot be computed: an overflow, a division by zero.
    #[error(transparent)]
    Compute(#[from] DataFusionError),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] ReadError),
}

impl Operator {
    /// Prepares the plan of a cut over a table made of `slot`.
    pub(crate) async fn prepare(
        context: &SessionContext,
        plan: &LogicalPlan,
        slot: Slot,
    ) -> Result<Self, DataFusionError> {
        Ok(match plan {
            LogicalPlan::Aggregate(_) => {
                Self::Aggregate(Box::new(Aggregate::prepare(context, plan, slot).await?))
            }
            _ => Self::Rows(StoredRows::prepare(context, plan, slot).await?),
        })
    }

    /// Runs one epoch, which begins at `first`; what to commit for it.
    pub(crate) async fn run(
        &self,
        batches: Vec<RecordBatch>,
        first: Offset,
        state: &dyn StateStore,
        task: &TaskId,
    ) -> Result<Changes, Error> {
        let mut changes = Changes::new();
        match self {
            Self::Aggregate(aggregate) => {
                let grouped = aggregate.group(batches).await?;
                let (keys, table) =
                    (aggregate.keys(&grouped)?, if aggregate.has_parts() { PARTS } else { TABLE });
                let old = state.get_many(task, table, &keys.all()).await?;
                aggregate.fold(&grouped, &keys, &old, first, table, &mut changes)?;
            }
            Self::Rows(rows) => rows.run(batches, first, TABLE, &mut changes).await?,
        }
        Ok(changes)
    }

    /// The rows at the cut, merged over `tasks`, and how far each task is with them.
    pub(crate) async fn read(
        &self,
        state: &dyn StateStore,
        tasks: &[TaskId],
        lifted: Option<&Arc<dyn PhysicalExpr>>,
    ) -> Result<(Vec<RecordBatch>, Vec<Progress>), Error> {
        let (mut kept, mut progress) = (KeptStates::default(), Vec::with_capacity(tasks.len()));
        for task in tasks {
            // Where there are parts, whole rows are of an earlier version and change no more.
            let rows = &mut kept.whole;
            let mut told = state.scan(task, TABLE, &mut |key, value| rows.push(key, value)).await?;
            if matches!(self, Self::Aggregate(aggregate) if aggregate.has_parts()) {
                let mut parts = KeptRows::default();
                told = state.scan(task, PARTS, &mut |key, value| parts.push(key, value)).await?;
                kept.parts.push_sorted(&parts);
            }
            progress.push(told);
        }
        let rows = match self {
            Self::Aggregate(aggregate) => aggregate.merge(&kept, lifted).await?,
            Self::Rows(rows) => vec![rows.read(&kept.whole, lifted)?],
        };
        Ok((rows, progress))
    }
}
