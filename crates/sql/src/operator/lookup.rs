//! Looking events up in rows that do not change: a small hash table of our own in the place of a `HashJoinExec`,
//! which would build its side again for every epoch.
//!
//! Invariants: the table is built once, when the plan is; no part of it reads events. NULL finds nothing.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{PhysicalExpr, PhysicalExprRef};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, collect};
use foldhash::fast::FixedState;
use futures::StreamExt;
use futures::future::BoxFuture;

use crate::feed::Feed;

/// `plan` with every join whose built side reads no events made a look-up.
pub(super) fn with_lookups(
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
) -> BoxFuture<'static, Result<Arc<dyn ExecutionPlan>>> {
    Box::pin(async move {
        if let Some(join) = plan.downcast_ref::<HashJoinExec>().filter(|join| is_lookup(join)) {
            let rows = collect(Arc::clone(join.left()), Arc::clone(&context)).await?;
            let rows = concat_batches(&join.left().schema(), &rows)?;
            let events = with_lookups(Arc::clone(join.right()), context).await?;
            return Ok(Arc::new(Lookup::new(join, rows, events)?) as _);
        }
        let mut children = Vec::new();
        for child in plan.children() {
            children.push(with_lookups(Arc::clone(child), Arc::clone(&context)).await?);
        }
        let is_same = plan.children().into_iter().zip(&children).all(|(old, new)| Arc::ptr_eq(old, new));
        if is_same { Ok(plan) } else { plan.replace_children(children, recompute()) }
    })
}

fn recompute() -> ReplaceChildrenOptions {
    ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute)
}

/// Whether a join only looks up: events on the probing side, none on the other, equal keys and nothing else.
fn is_lookup(join: &HashJoinExec) -> bool {
    matches!(join.join_type(), JoinType::Inner | JoinType::Right)
        && join.filter().is_none()
        && join.null_equality() == NullEquality::NullEqualsNothing
        && !reads_events(join.left())
}

fn reads_events(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.exists(|node| Ok(node.downcast_ref::<Feed>().is_some())).expect("nothing in here fails")
}

/// A join of events with rows that were read when the plan was built.
#[derive(Debug)]
struct Lookup {
    events: Arc<dyn ExecutionPlan>,
    table: Arc<Table>,
}

impl Lookup {
    fn new(join: &HashJoinExec, rows: RecordBatch, events: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let (known, asked): (Vec<_>, Vec<_>) = join.on().iter().cloned().unzip();
        let sorts = known.iter().map(|key| Ok(SortField::new(key.data_type(&rows.schema())?)));
        let converter = RowConverter::new(sorts.collect::<Result<_>>()?)?;
        let mut places: HashMap<Box<[u8]>, Vec<u32>, FixedState> = HashMap::default();
        if let Some(keys) = encoded(&converter, &known, &rows)? {
            for row in keys.present() {
                let place = u32::try_from(row).expect("a reference table has fewer than 2^32 rows");
                places.entry(keys.rows.row(row).data().into()).or_default().push(place);
            }
        }
        let projection = join.projection.as_ref().map(|columns| columns.to_vec());
        let table = Table {
            keeps_all: *join.join_type() == JoinType::Right,
            schema: join.schema(),
            properties: Arc::clone(join.properties()),
            rows,
            asked,
            converter,
            places,
            projection,
        };
        Ok(Self { events, table: Arc::new(table) })
    }
}

/// What is looked up in.
struct Table {
    rows: RecordBatch,
    /// The keys of an event.
    asked: Vec<PhysicalExprRef>,
    converter: RowConverter,
    /// The rows of each key.
    places: HashMap<Box<[u8]>, Vec<u32>, FixedState>,
    /// Whether an event that finds nothing stays, with NULLs.
    keeps_all: bool,
    /// Which columns of row and event come out.
    projection: Option<Vec<usize>>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table {{ {} rows, {} keys }}", self.rows.num_rows(), self.places.len())
    }
}

impl Table {
    fn look_up(&self, events: &RecordBatch) -> Result<RecordBatch> {
        let (mut found, mut by) =
            (Vec::with_capacity(events.num_rows()), Vec::with_capacity(events.num_rows()));
        if let Some(keys) = encoded(&self.converter, &self.asked, events)? {
            for (event, at) in (0..).zip(0..events.num_rows()) {
                let places = keys.is_present[at].then(|| self.places.get(keys.rows.row(at).data())).flatten();
                match places {
                    Some(places) => places.iter().for_each(|place| {
                        found.push(Some(*place));
                        by.push(event);
                    }),
                    None if self.keeps_all => {
                        found.push(None);
                        by.push(event);
                    }
                    None => {}
                }
            }
        }
        let (found, by) = (UInt32Array::from(found), UInt32Array::from(by));
        let width = self.rows.num_columns();
        let column = |index: usize| match index.checked_sub(width) {
            None => take(self.rows.column(index), &found, None),
            Some(index) => take(events.column(index), &by, None),
        };
        let columns: Vec<ArrayRef> = match &self.projection {
            Some(columns) => columns.iter().map(|index| column(*index)).collect::<Result<_, _>>()?,
            None => (0..width + events.num_columns()).map(column).collect::<Result<_, _>>()?,
        };
        let options = RecordBatchOptions::new().with_row_count(Some(by.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

/// Keys in a form that can be compared, and which of them have no NULL.
struct Keys {
    rows: Rows,
    is_present: Vec<bool>,
}

impl Keys {
    fn present(&self) -> impl Iterator<Item = usize> {
        self.is_present.iter().enumerate().filter(|(_, is_present)| **is_present).map(|(row, _)| row)
    }
}

/// The keys of each row; `None` if there are no rows.
fn encoded(converter: &RowConverter, keys: &[PhysicalExprRef], batch: &RecordBatch) -> Result<Option<Keys>> {
    let count = batch.num_rows();
    if count == 0 {
        return Ok(None);
    }
    let columns = keys.iter().map(|key| key.evaluate(batch)?.into_array(count));
    let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
    let is_present = (0..count).map(|row| columns.iter().all(|column| column.is_valid(row))).collect();
    Ok(Some(Keys { rows: converter.convert_columns(&columns)?, is_present }))
}

impl DisplayAs for Lookup {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lookup: {:?}", self.table)
    }
}

impl ExecutionPlan for Lookup {
    fn name(&self) -> &'static str {
        "Lookup"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.table.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.events]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let events = children.pop().expect("a look-up has one child");
        Ok(Arc::new(Self { events, table: Arc::clone(&self.table) }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, recompute())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let table = Arc::clone(&self.table);
        let events = self.events.execute(partition, context)?;
        let joined = events.map(move |batch| table.look_up(&batch?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.table.schema), joined)))
    }
}
