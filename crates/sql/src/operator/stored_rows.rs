//! A stream without an aggregate: each row that the stateless part gives is kept.
//!
//! Invariants: a row's key is (first offset of its epoch, place in the epoch), so that keys rise with the log
//! and a row kept twice would be kept under the same key.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use factum_state::{Changes, TableId};
use factum_types::Offset;

use super::aggregate::HIDDEN;
use super::kept_rows::KeptRows;
use super::lookup::with_lookups;
use super::reused_plan::ReusedPlan;
use super::row_codec::RowCodec;
use crate::feed::Slot;

/// Rows of a stateless plan.
#[derive(Debug)]
pub(crate) struct StoredRows {
    input: ReusedPlan,
    codec: RowCodec,
    schema: SchemaRef,
}

impl StoredRows {
    /// Prepares `plan`, a stateless plan over a table made of `slot`.
    pub(crate) async fn prepare(context: &SessionContext, plan: &LogicalPlan, slot: Slot) -> Result<Self> {
        let plan = context.state().create_physical_plan(plan).await?;
        let schema = plan.schema();
        let codec = RowCodec::new(schema.fields())?;
        let plan = with_lookups(plan, context.task_ctx()).await?;
        Ok(Self { input: ReusedPlan::new(plan, slot, context.task_ctx()), codec, schema })
    }

    /// Runs the plan over an epoch that begins at `first`, and writes what comes out.
    pub(crate) async fn run(
        &self,
        batches: Vec<RecordBatch>,
        first: Offset,
        table: TableId,
        changes: &mut Changes,
    ) -> Result<()> {
        let mut place = 0_u32;
        for batch in self.input.run_events(batches).await? {
            let rows = self.codec.encode(batch.columns(), batch.num_rows())?;
            for row in &rows {
                let mut key = [0; 12];
                key[..8].copy_from_slice(&first.get().to_be_bytes());
                key[8..].copy_from_slice(&place.to_be_bytes());
                changes.put(table, &key, row.data());
                place += 1;
            }
        }
        Ok(())
    }

    /// The kept rows that `lifted` is true for, in the order of the log, without hidden columns.
    pub(crate) fn read(
        &self,
        rows: &KeptRows,
        lifted: Option<&Arc<dyn PhysicalExpr>>,
    ) -> Result<RecordBatch> {
        let mut ordered: Vec<_> = rows.rows().collect();
        ordered.sort_unstable_by_key(|(key, _)| *key);
        let columns = self.codec.decode(ordered.iter().map(|(_, value)| *value))?;
        let mut batch = self.batch(columns)?;
        if let Some(lifted) = lifted {
            let mask = lifted.evaluate(&batch)?.into_array(batch.num_rows())?;
            batch = filter_record_batch(&batch, mask.as_boolean())?;
        }
        let visible: Vec<_> = (0..batch.num_columns())
            .filter(|column| !self.schema.field(*column).name().starts_with(HIDDEN))
            .collect();
        Ok(batch.project(&visible)?)
    }

    fn batch(&self, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
        let fields = self.schema.fields().iter().zip(&columns);
        let fields = fields.map(|(field, column)| {
            arrow::datatypes::Field::new(field.name(), column.data_type().clone(), true)
        });
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)?)
    }
}
