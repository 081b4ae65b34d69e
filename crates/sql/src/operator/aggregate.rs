//! Aggregation of a stream: partial states kept per group, merged on reading.
//!
//! ```text
//!   epoch   rows ─► group ids ─► accumulators ◄─ old states        (one hash pass, no aggregate plan is run)
//!                                     └────────► new states ─► one commit
//!   read    states of all partitions ─► lifted filters ─► merged by visible key ─► final values
//! ```
//!
//! Invariants: a group's state is a function of the rows seen, in their order, however they were cut into
//! epochs. States are kept by position and not by name: names hold the text of the SQL.
//!
//! Any aggregate function works whose state can be merged, which is all of them. What an epoch writes is bounded by
//! what it read, however much a group holds: see `layout`.

mod fold;
mod layout;
mod merge;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::row::Rows;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator, LogicalPlan};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::{GroupsAccumulatorAdapter, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::group_values::new_group_values;
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, evaluate_group_by};
use datafusion::prelude::SessionContext;

use super::lookup::with_lookups;
use super::reused_plan::ReusedPlan;
use super::row_codec::RowCodec;
use crate::feed::{Feed, Slot};
use crate::row_errors::GroupAccumulator;
use layout::Layout;

pub(crate) use merge::KeptStates;

/// Group keys that the planner adds for lifted filters begin with this.
pub(crate) const HIDDEN: &str = "__hidden_";

/// An aggregate over a stateless plan.
#[derive(Debug)]
pub(crate) struct Aggregate {
    /// What feeds the aggregate: filter, project, unnest, look up.
    input: ReusedPlan,
    /// Describes groups and functions; it is never executed.
    exec: AggregateExec,
    /// The schema of group keys, hidden ones included.
    groups: SchemaRef,
    /// The positions of the keys that the user wrote.
    visible: Vec<usize>,
    keys: RowCodec,
    /// The states of all functions in one row: all that there is where no state grows, and what earlier versions kept
    /// where one does.
    states: RowCodec,
    layout: Layout,
    /// What the optimiser put above the aggregate: renames and reorders, no more.
    above: ReusedPlan,
    /// The rows that `above` reads.
    finals: SchemaRef,
}

/// Rows of an epoch with the group of each.
pub(crate) struct GroupedRows {
    inputs: Vec<Input>,
    count: usize,
    encoded: Rows,
}

/// A batch, the group of each row, and how many groups have appeared up to its end.
struct Input {
    batch: RecordBatch,
    ids: Vec<usize>,
    appeared: usize,
}

impl Aggregate {
    /// Prepares `plan`, an aggregate over a table made of `slot`.
    pub(crate) async fn prepare(context: &SessionContext, plan: &LogicalPlan, slot: Slot) -> Result<Self> {
        let plan = context.state().create_physical_plan(plan).await?;
        let exec = partial(&plan)?;
        let state_schema = exec.schema();
        let keys = exec.group_expr().output_exprs().len();
        let groups = exec.group_expr().group_schema(&exec.input_schema())?;
        let visible = (0..keys).filter(|key| !groups.field(*key).name().starts_with(HIDDEN)).collect();
        let task = context.task_ctx();
        let (above, finals) = above(&plan, &task)?;
        let input = with_lookups(Arc::clone(exec.input()), Arc::clone(&task)).await?;
        Ok(Self {
            input: ReusedPlan::new(input, slot, task),
            keys: RowCodec::new(&state_schema.fields()[..keys])?,
            states: RowCodec::new(&state_schema.fields()[keys..])?,
            layout: Layout::new(exec.aggr_expr(), &exec.input_schema())?,
            groups,
            visible,
            above,
            finals,
            exec,
        })
    }

    /// Runs the stateless part and finds the group of each row.
    pub(crate) async fn group(&self, batches: Vec<RecordBatch>) -> Result<GroupedRows> {
        let rows = self.input.run_events(batches).await?;
        if self.groups.fields().is_empty() {
            return self.one_group(rows);
        }
        let mut values = new_group_values(Arc::clone(&self.groups), &GroupOrdering::None)?;
        let mut inputs = Vec::with_capacity(rows.len());
        for batch in rows {
            for keys in evaluate_group_by(self.exec.group_expr(), &batch)? {
                let mut ids = Vec::with_capacity(batch.num_rows());
                values.intern(&keys, &mut ids)?;
                inputs.push(Input { batch: batch.clone(), ids, appeared: values.len() });
            }
        }
        let count = values.len();
        let keys = if count == 0 { Vec::new() } else { values.emit(EmitTo::All)? };
        let encoded = match count {
            0 => self.keys.encode(&empty_columns(&self.groups), 0)?,
            _ => self.keys.encode(&keys, count)?,
        };
        Ok(GroupedRows { inputs, count, encoded })
    }

    fn one_group(&self, rows: Vec<RecordBatch>) -> Result<GroupedRows> {
        let rows = rows.into_iter().filter(|batch| batch.num_rows() > 0);
        let inputs = rows.map(|batch| Input { ids: vec![0; batch.num_rows()], batch, appeared: 1 });
        let inputs: Vec<_> = inputs.collect();
        let count = usize::from(!inputs.is_empty());
        Ok(GroupedRows { inputs, count, encoded: self.keys.encode(&[], count)? })
    }

    /// Whether what is kept has parts, in a table of their own.
    pub(crate) fn has_parts(&self) -> bool {
        self.layout.grows
    }
}

/// The one partial aggregate of a plan.
fn partial(plan: &Arc<dyn ExecutionPlan>) -> Result<AggregateExec> {
    let mut found = Vec::new();
    plan.apply(|node| {
        if let Some(exec) = node.downcast_ref::<AggregateExec>()
            && *exec.mode() == AggregateMode::Partial
        {
            found.push(exec.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    match <[AggregateExec; 1]>::try_from(found) {
        Ok([exec]) => Ok(exec),
        Err(found) => internal_err!("a cut has {} aggregates", found.len()),
    }
}

/// What stands above the final aggregate, over a slot of its rows.
fn above(plan: &Arc<dyn ExecutionPlan>, task: &Arc<TaskContext>) -> Result<(ReusedPlan, SchemaRef)> {
    let slot = Slot::default();
    let mut finals = None;
    let above = Arc::clone(plan).transform_down(|node| {
        if node.downcast_ref::<AggregateExec>().is_none() {
            return Ok(Transformed::no(node));
        }
        let schema = nullable(&node.schema());
        let feed = Feed::new(&schema, slot.clone(), None)?;
        finals = Some(schema);
        Ok(Transformed::new(Arc::new(feed), true, TreeNodeRecursion::Jump))
    })?;
    match finals {
        Some(finals) => Ok((ReusedPlan::new(above.data, slot, Arc::clone(task)), finals)),
        None => internal_err!("a cut has no final aggregate"),
    }
}

/// The same columns, each of which may be null: states of an outer key set need not keep the promise of their plan.
fn nullable(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::clone(field).with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn empty_columns(schema: &SchemaRef) -> Vec<ArrayRef> {
    schema.fields().iter().map(|field| arrow::array::new_empty_array(field.data_type())).collect()
}

/// For each group the first row that belongs to it; a group without rows (the empty global one) has none.
fn first_rows(ids: &[usize], groups: usize) -> UInt64Array {
    let mut first = vec![None; groups];
    for (row, group) in ids.iter().enumerate().rev() {
        first[*group] = Some(row as u64);
    }
    first.into()
}

fn evaluate_condition(
    condition: Option<&Arc<dyn PhysicalExpr>>,
    batch: &RecordBatch,
) -> Result<Option<ArrayRef>> {
    condition.map(|condition| condition.evaluate(batch)?.into_array(batch.num_rows())).transpose()
}

fn accumulator(function: &Arc<AggregateFunctionExpr>) -> Result<Box<dyn GroupsAccumulator>> {
    if function.groups_accumulator_supported() {
        return function.create_groups_accumulator();
    }
    accumulator_for_each(function)
}

/// One accumulator for each group.
fn accumulator_for_each(function: &Arc<AggregateFunctionExpr>) -> Result<Box<dyn GroupsAccumulator>> {
    let null = ScalarValue::try_new_null(function.field().data_type())?;
    let function = Arc::clone(function);
    let each = GroupAccumulator::each(null, move || function.create_accumulator());
    Ok(Box::new(GroupsAccumulatorAdapter::new(each)))
}
