//! Checks that what is planned can be run: aggregates as they are written, and the plan's compiled form.
//!
//! DataFusion finds some things out when it compiles a plan (`LIKE` in a form that it has no kernel for) and others
//! when it makes the first accumulator (`count(DISTINCT a, b)`), and a few it never tells (`corr(DISTINCT …)` computes
//! as if DISTINCT were not there). Here all of that is a problem of the statement, before it is put into effect.
//!
//! Not here: evaluating anything. What fails for some rows only is a matter of those rows.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunctionDefinition};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use factum_types::Timestamp;
use futures::FutureExt;

use super::refuse::{CutError, Refusal};
use crate::clock_function::set_clock;
use crate::names::Part;
use crate::view::{bind, memory};

/// Aggregates that heed DISTINCT, or cannot tell with it from without.
const HEED_DISTINCT: [&str; 23] = [
    "any_value",
    "approx_distinct",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "count",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "mean",
    "median",
    "min",
    "percentile_cont",
    "string_agg",
    "sum",
    "var",
    "var_pop",
    "var_samp",
];

/// Aggregates whose value depends on the order of rows, unless they have an ORDER BY.
const DEPEND_ON_ORDER: [&str; 5] = ["array_agg", "first_value", "last_value", "nth_value", "string_agg"];

/// Refuses aggregates that would not compute what they say.
pub(super) fn check_aggregates(plan: &LogicalPlan) -> Result<(), CutError> {
    let mut refused = None;
    plan.apply_with_subqueries(|node| {
        for expr in node.expressions() {
            expr.apply(|part| {
                refused = refused.take().or_else(|| refusal(part));
                Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })?;
        }
        Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    refused.map_or(Ok(()), |refused| Err(refused.into()))
}

fn refusal(part: &Expr) -> Option<Refusal> {
    let (name, is_distinct, arguments) = match part {
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            (func.name(), params.distinct, params.args.len())
        }
        Expr::WindowFunction(window) => match &window.fun {
            WindowFunctionDefinition::AggregateUDF(function) => {
                (function.name(), window.params.distinct, window.params.args.len())
            }
            WindowFunctionDefinition::WindowUDF(_) => return None,
        },
        _ => return None,
    };
    if !is_distinct {
        return None;
    }
    let function = Part::Function(name.to_owned());
    if name == "count" && arguments > 1 {
        let refused = Refusal::new("count(DISTINCT …) takes one expression", function);
        return Some(refused.with_help("count the rows of a subquery: FROM (SELECT DISTINCT a, b FROM …)"));
    }
    if HEED_DISTINCT.contains(&name) {
        return None;
    }
    let refused = Refusal::new(format!("{name}(DISTINCT …) is not supported"), function);
    Some(refused.with_help("aggregate a subquery of the distinct values: FROM (SELECT DISTINCT a, b FROM …)"))
}

/// Compiles a plan over no rows and makes each of its accumulators once.
pub(super) fn check_runs(plan: &LogicalPlan, state: &SessionState) -> Result<(), CutError> {
    check_compiled(plan, state, |aggregate| {
        aggregate.aggr_expr().iter().find_map(|function| {
            make_accumulator(function).err().map(|error| cannot_be_made(function, &error))
        })
    })
}

/// Makes sure that the functions of a kept aggregate are given rows in the order of the log if they depend on it: where
/// one of them has its rows sorted, the rows of each epoch are, for all of them.
pub(super) fn check_order(plan: &LogicalPlan, state: &SessionState) -> Result<(), CutError> {
    check_compiled(plan, state, |aggregate| {
        let is_sorted = aggregate.input().exists(|node| Ok(node.downcast_ref::<SortExec>().is_some()));
        let is_open = |function: &&Arc<AggregateFunctionExpr>| {
            let is_ordered = function.is_distinct() || !function.order_bys().is_empty();
            !is_ordered && DEPEND_ON_ORDER.contains(&function.fun().name())
        };
        let function = aggregate.aggr_expr().iter().find(is_open).filter(|_| is_sorted.unwrap_or(true))?;
        let name = function.fun().name();
        let message =
            format!("{name} without ORDER BY beside an aggregate with one has no order that it can keep");
        let refused = Refusal::new(message, Part::Function(name.to_owned()));
        Some(refused.with_help("give it an ORDER BY of its own, or a view of its own"))
    })
}

/// Compiles a plan over no rows and asks whether an aggregate of it is refused.
fn check_compiled(
    plan: &LogicalPlan,
    state: &SessionState,
    refusal: impl Fn(&AggregateExec) -> Option<Refusal>,
) -> Result<(), CutError> {
    let plan = bind(plan.clone(), &mut |scan| memory(&scan.source.schema(), &[]).map(Some))?;
    let plan = set_clock(plan, Timestamp::from_millis(0))?;
    // Over tables in memory nothing is waited for; the budget of the task that asks does not count either.
    let compiled = tokio::task::unconstrained(state.create_physical_plan(&plan)).now_or_never();
    let Some(compiled) = compiled else { return Ok(()) };
    let mut refused = None;
    compiled?.apply(|node: &Arc<dyn ExecutionPlan>| {
        if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
            refused = refused.take().or_else(|| refusal(aggregate));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    refused.map_or(Ok(()), |refused| Err(refused.into()))
}

fn make_accumulator(function: &AggregateFunctionExpr) -> Result<()> {
    if function.groups_accumulator_supported() {
        function.create_groups_accumulator().map(drop)?;
    }
    // The one that a reader of no rows asks.
    function.create_accumulator()?.evaluate().map(drop)
}

fn cannot_be_made(function: &AggregateFunctionExpr, error: &DataFusionError) -> Refusal {
    let name = function.fun().name();
    let reason = crate::wording::reason(error);
    let refused = Refusal::new(
        format!("{name} cannot be computed in this form: {reason}"),
        Part::Function(name.to_owned()),
    );
    match name {
        "string_agg" => refused.with_help("the separator is a constant: string_agg(name, ', ')"),
        "percentile_cont" | "approx_percentile_cont" => {
            refused.with_help("write percentile_cont(0.5) WITHIN GROUP (ORDER BY price)")
        }
        "stddev" | "stddev_pop" => {
            refused.with_help("leave DISTINCT out, or aggregate a subquery of the distinct values")
        }
        _ => refused,
    }
}
