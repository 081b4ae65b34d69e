//! Aggregation of a stream: partial states kept per group, merged when somebody reads.
//!
//! ```text
//!   epoch   rows ─► group ids ─► accumulators ◄─ old states        (one hash pass, no aggregate plan is run)
//!                                     └────────► new states ─► one commit
//!   read    states of all partitions ─► lifted filters ─► merged by visible key ─► final values
//! ```
//!
//! Always holds: a group's state is a function of the rows seen, in their order, however they were cut into
//! epochs. States are kept by position and not by name: names hold the text of the SQL.
//!
//! Any aggregate function works whose state can be merged, which is all of them; those whose state grows with
//! the rows (`array_agg`, `median`, `count(DISTINCT …)`) pay for it here.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::{filter, take};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::row::Rows;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator, LogicalPlan};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::{GroupsAccumulatorAdapter, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::group_values::new_group_values;
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::aggregates::{
    AggregateExec, AggregateMode, aggregate_expressions, evaluate_group_by, evaluate_many,
};
use datafusion::prelude::SessionContext;
use factum_state::{Changes, Found, TableId};

use super::lookup::with_lookups;
use super::reused_plan::ReusedPlan;
use super::row_codec::RowCodec;
use crate::feed::{Feed, Slot};
use crate::row_errors::{self, GroupError};

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
    states: RowCodec,
    /// What the optimiser put above the aggregate: renames and reorders, no more.
    above: ReusedPlan,
    /// The rows that `above` reads.
    finals: SchemaRef,
}

/// Rows of an epoch with the group of each.
pub(crate) struct Grouped {
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

/// Groups in the order that accumulators meet them: those with an old state, then the others as they appear.
///
/// A call of an accumulator tells how many groups there are, and none of them may be yet to come: without nulls
/// in a batch it takes all of them for groups that have a value, and a sum of nulls would be 0.
struct Order {
    /// The group at each place.
    groups: Vec<usize>,
    /// The place of each group.
    places: Vec<usize>,
    known: usize,
}

impl Order {
    fn new(known: &[usize], count: usize) -> Self {
        let mut is_known = vec![false; count];
        known.iter().for_each(|group| is_known[*group] = true);
        let mut groups = known.to_vec();
        groups.extend((0..count).filter(|group| !is_known[*group]));
        let mut places = vec![0; count];
        groups.iter().enumerate().for_each(|(place, group)| places[*group] = place);
        Self { groups, places, known: known.len() }
    }

    /// How many places are taken once the first `appeared` groups have appeared.
    fn met(&self, appeared: usize) -> usize {
        self.known + self.groups[self.known..].partition_point(|group| *group < appeared)
    }
}

impl Grouped {
    /// The encoded keys, by group.
    pub(crate) fn keys(&self) -> Vec<&[u8]> {
        (0..self.count).map(|group| self.encoded.row(group).data()).collect()
    }
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
            groups,
            visible,
            above,
            finals,
            exec,
        })
    }

    /// Runs the stateless part and finds the group of each row.
    pub(crate) async fn group(&self, batches: Vec<RecordBatch>) -> Result<Grouped> {
        let rows = self.input.run(batches).await?;
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
        Ok(Grouped { inputs, count, encoded })
    }

    fn one_group(&self, rows: Vec<RecordBatch>) -> Result<Grouped> {
        let rows = rows.into_iter().filter(|batch| batch.num_rows() > 0);
        let inputs = rows.map(|batch| Input { ids: vec![0; batch.num_rows()], batch, appeared: 1 });
        let inputs: Vec<_> = inputs.collect();
        let count = usize::from(!inputs.is_empty());
        Ok(Grouped { inputs, count, encoded: self.keys.encode(&[], count)? })
    }

    /// Folds the rows into the old states and writes the new ones. Old comes before new: order counts for some
    /// functions.
    pub(crate) fn fold(
        &self,
        grouped: &Grouped,
        old: &Found,
        table: TableId,
        changes: &mut Changes,
    ) -> Result<()> {
        if grouped.count == 0 {
            // Some accumulators cannot tell the state of no groups.
            return Ok(());
        }
        let (known, states): (Vec<usize>, Vec<&[u8]>) = old.present().unzip();
        let states = self.states.decode(states.into_iter())?;
        let order = Order::new(&known, grouped.count);
        let mut accumulators = self.accumulators()?;
        let mut from = 0;
        for (accumulator, function) in accumulators.iter_mut().zip(self.exec.aggr_expr()) {
            let width = function.state_fields()?.len();
            if !known.is_empty() {
                let places: Vec<_> = (0..known.len()).collect();
                accumulator.merge_batch(&states[from..from + width], &places, known.len())?;
            }
            from += width;
        }
        for input in &grouped.inputs {
            self.update(&mut accumulators, input, &order)?;
        }
        let mut columns = Vec::new();
        for accumulator in &mut accumulators {
            columns.extend(accumulator.state(EmitTo::All)?);
        }
        let values = self.states.encode(&columns, grouped.count)?;
        for (place, group) in order.groups.iter().enumerate() {
            changes.put(table, grouped.encoded.row(*group).data(), values.row(place).data());
        }
        Ok(())
    }

    fn update(
        &self,
        accumulators: &mut [Box<dyn GroupsAccumulator>],
        Input { batch, ids, appeared }: &Input,
        order: &Order,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let arguments = aggregate_expressions(self.exec.aggr_expr(), &AggregateMode::Partial, 0)?;
        let values = evaluate_many(&arguments, batch)?;
        let places: Vec<_> = ids.iter().map(|id| order.places[*id]).collect();
        let met = order.met(*appeared);
        for ((accumulator, values), condition) in
            accumulators.iter_mut().zip(&values).zip(self.exec.filter_expr())
        {
            let condition = evaluate_condition(condition.as_ref(), batch)?;
            let condition = condition.as_ref().map(|array| array.as_boolean());
            accumulator.update_batch(values, &places, condition, met)?;
        }
        Ok(())
    }

    /// Merges the states of all partitions and gives the final rows of the aggregate, hidden keys included (with
    /// some value of their group). `lifted` keeps the partial states that it is true for.
    pub(crate) async fn merge(
        &self,
        rows: &Kept,
        lifted: Option<&Arc<dyn PhysicalExpr>>,
    ) -> Result<Vec<RecordBatch>> {
        let mut keys = self.keys.decode(rows.keys())?;
        let mut states = self.states.decode(rows.values())?;
        let mut count = rows.len();
        if let Some(lifted) = lifted {
            let batch = RecordBatch::try_new(nullable(&self.groups), keys.clone())?;
            let mask = lifted.evaluate(&batch)?.into_array(count)?;
            let mask = mask.as_boolean();
            keys = keys.iter().map(|column| filter(column, mask)).collect::<Result<_, _>>()?;
            states = states.iter().map(|column| filter(column, mask)).collect::<Result<_, _>>()?;
            count = mask.true_count();
        }
        let (ids, groups) = self.merged_groups(&keys, count)?;
        if groups == 0 {
            return Ok(Vec::new());
        }
        let first = first_rows(&ids, groups);
        let mut columns = Vec::with_capacity(self.finals.fields().len());
        for key in &keys {
            columns.push(take(key, &first, None)?);
        }
        let mut from = 0;
        for (mut accumulator, function) in self.accumulators()?.into_iter().zip(self.exec.aggr_expr()) {
            let width = function.state_fields()?.len();
            if count == 0 {
                // The one row over nothing: an accumulator of groups has none to tell of.
                columns.push(function.create_accumulator()?.evaluate()?.to_array()?);
                continue;
            }
            accumulator.merge_batch(&states[from..from + width], &ids, groups)?;
            let (values, errors) = row_errors::collect(|| accumulator.evaluate(EmitTo::All));
            self.tell(function.name(), &columns, errors)?;
            columns.push(values?);
            from += width;
        }
        let finals = RecordBatch::try_new(Arc::clone(&self.finals), columns)?;
        self.above.run(vec![finals]).await
    }

    /// Tells the reader which groups have no value of `function`; `columns` begin with their keys.
    fn tell(&self, function: &str, columns: &[ArrayRef], errors: Vec<GroupError>) -> Result<()> {
        if !errors.is_empty() {
            let names = Arc::new(self.groups.project(&self.visible)?);
            let keys: Vec<_> = self.visible.iter().map(|key| Arc::clone(&columns[*key])).collect();
            row_errors::tell(function, &names, &keys, errors);
        }
        Ok(())
    }

    /// The merged group of each partial state, and how many groups there are.
    fn merged_groups(&self, keys: &[ArrayRef], count: usize) -> Result<(Vec<usize>, usize)> {
        if self.visible.is_empty() {
            // Without keys there is one row even over nothing, as SQL has it.
            return Ok((vec![0; count], 1));
        }
        if count == 0 {
            return Ok((Vec::new(), 0));
        }
        let schema = Arc::new(self.groups.project(&self.visible)?);
        let columns: Vec<_> = self.visible.iter().map(|key| Arc::clone(&keys[*key])).collect();
        let mut values = new_group_values(schema, &GroupOrdering::None)?;
        let mut ids = Vec::with_capacity(count);
        values.intern(&columns, &mut ids)?;
        Ok((ids, values.len()))
    }

    fn accumulators(&self) -> Result<Vec<Box<dyn GroupsAccumulator>>> {
        self.exec.aggr_expr().iter().map(accumulator).collect()
    }
}

/// Rows of one table from every partition of a source, as they are kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: Vec<u8>,
    /// Ends of key and value of each row.
    ends: Vec<(usize, usize)>,
}

impl Kept {
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((key_end, self.bytes.len()));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.rows().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.rows().map(|(_, value)| value)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(key_end, end)| {
            let row = (&self.bytes[start..*key_end], &self.bytes[*key_end..*end]);
            start = *end;
            row
        })
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
    let function = Arc::clone(function);
    Ok(Box::new(GroupsAccumulatorAdapter::new(move || function.create_accumulator())))
}
