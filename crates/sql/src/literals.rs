//! Constants whose type is settled.
//!
//! The type of some functions follows from the value of an argument: `round(x, 1)` has one digit behind the point.
//! Type coercion hides the value behind a cast until the optimiser folds it, and the column would have one type
//! where the view is planned and another where it is computed. An analyzer rule folds such casts at once.
//!
//! Invariants: a cast that fails is left where it is, and fails when it is evaluated.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// The rule; it comes after types are settled.
#[derive(Debug)]
pub(crate) struct SettledLiterals;

impl AnalyzerRule for SettledLiterals {
    fn name(&self) -> &'static str {
        "settled_literals"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(settled)?.data)
    }
}

fn settled(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&node);
    let node = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let expr = expr.transform_up(|part| Ok(folded(part)))?;
        Ok(expr.update_data(|expr| name.restore(expr)))
    })?;
    node.map_data(LogicalPlan::recompute_schema)
}

fn folded(part: Expr) -> Transformed<Expr> {
    let value = match &part {
        Expr::Cast(Cast { expr, field }) => match expr.as_ref() {
            Expr::Literal(value, None) => value.cast_to(field.data_type()).ok(),
            _ => None,
        },
        _ => None,
    };
    match value {
        Some(value) => Transformed::yes(Expr::Literal(value, None)),
        None => Transformed::no(part),
    }
}
