//! Rewriting each expression of a plan, by its node's own inputs.
//!
//! Invariant: columns keep their names, whatever their expressions become, and each node's schema is computed again.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The plan with every part of every expression as `part` gives it, inner parts first. `part` is told the columns that
/// the expression may name; subqueries are rewritten as well.
///
/// # Errors
/// The first that `part` gives, or a schema that does not fit.
pub(crate) fn expressions(
    plan: LogicalPlan,
    mut part: impl FnMut(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    Ok(plan.transform_up_with_subqueries(|node| of_node(node, &mut part))?.data)
}

fn of_node(
    node: LogicalPlan,
    part: &mut impl FnMut(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&node.inputs());
    if let LogicalPlan::TableScan(scan) = &node {
        let table = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
        schema.merge(&table);
    }
    let names = NamePreserver::new(&node);
    let node = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let expr = expr.transform_up(|inner| part(inner, &schema))?;
        Ok(expr.update_data(|expr| name.restore(expr)))
    })?;
    node.map_data(LogicalPlan::recompute_schema)
}
