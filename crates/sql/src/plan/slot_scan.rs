//! The bottom of what is kept: a scan of a topic that becomes the scan of a slot, with no column too many.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, internal_err};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, TableScanBuilder};
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{Optimizer, OptimizerContext};
use factum_types::TopicName;

use super::relations::{Kind, Relations};
use crate::feed::{FeedTable, Slot};

/// A column that costs nothing to decode, for plans that need rows and no column of them.
const CHEAPEST: &str = "_offset";

/// What a scan of a topic reads.
#[derive(Debug, Clone)]
pub(super) struct SlotScan {
    pub(super) topic: TopicName,
    /// Columns of the event, in order.
    pub(super) projection: Vec<usize>,
    /// Those columns.
    pub(super) schema: SchemaRef,
}

/// The plan without columns that nothing needs.
pub(super) fn pruned(plan: LogicalPlan, relations: &Relations) -> Result<LogicalPlan> {
    let options = Arc::clone(relations.state().config_options());
    let context = OptimizerContext::new_with_config_options(options);
    Optimizer::with_rules(vec![Arc::new(OptimizeProjections::new())]).optimize(plan, &context, |_, _| {})
}

/// The plan over a slot in place of its topic.
pub(super) fn over_slot(plan: LogicalPlan, relations: &Relations) -> Result<(LogicalPlan, SlotScan)> {
    let mut found = None;
    let plan = plan.transform_up(|node| {
        let LogicalPlan::TableScan(scan) = node else { return node.recompute_schema().map(Transformed::yes) };
        let relation = relations.of_scan(&scan.table_name).map(|(_, relation)| relation);
        let Some((Kind::Stream { topic, .. }, schema)) = relation.map(|one| (&one.kind, &one.schema)) else {
            return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
        };
        let mut projection = scan.projection.unwrap_or_else(|| (0..schema.fields().len()).collect());
        if projection.is_empty() {
            projection.push(schema.index_of(CHEAPEST).unwrap_or(0));
        }
        let columns = Arc::new(schema.project(&projection)?);
        let table = FeedTable::new(Arc::clone(&columns), Slot::default());
        found = Some(SlotScan { topic: topic.clone(), projection, schema: columns });
        let scan = TableScanBuilder::new(scan.table_name, provider_as_source(table)).build()?;
        Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
    })?;
    match found {
        Some(scan) => Ok((plan.data, scan)),
        None => internal_err!("a cut reads no topic"),
    }
}
