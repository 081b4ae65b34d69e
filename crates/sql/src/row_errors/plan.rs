//! A plan whose rows fail one by one.
//!
//! What can fail is found as the query wrote it, before anything is optimised: an item of a SELECT list, a condition, a
//! key. Whichever way the plan is run, its value is null in the rows that it cannot be computed for, and NULL is what
//! the rest of the query takes it for.
//!
//! Not here: parts with a query of their own, or with columns of the query around them. Where these fail, all fails.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunctionDefinition};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, merge_schema, split_conjunction_owned};
use datafusion::logical_expr::{
    Aggregate, AggregateUDF, BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, Projection, ScalarUDF,
    Window,
};
use datafusion::prelude::lit;

use super::aggregate::{ValueOfPair, WithReason};
use super::expression::{self, ErrorTarget};
use super::{KeyColumns, RowErrors, keys};
use crate::checked::as_written;

/// `plan` with a null in the place of each value that cannot be computed, told to `errors`. `tables` has the keys of
/// its tables, where they are known. Its columns keep names and types; more of them may be null.
///
/// # Errors
/// If an expression cannot be compiled.
pub(crate) fn row_by_row(plan: LogicalPlan, tables: &KeyColumns, errors: &RowErrors) -> Result<LogicalPlan> {
    let tolerant = plan.transform_up_with_subqueries(|node| {
        let node = node.recompute_schema()?;
        let schema = merge_schema(&node.inputs());
        let inputs = node.inputs().into_iter().map(|input| keys::of(input, tables));
        let key: Vec<_> = inputs.flatten().flatten().collect();
        let key = (!key.is_empty()).then_some(key);
        Rewrite { schema, key, errors }.of_node(node)
    })?;
    Ok(tolerant.data)
}

/// How the expressions of one node are rewritten.
struct Rewrite<'a> {
    /// The columns that they may read.
    schema: DFSchema,
    /// Those that rows go by.
    key: Option<Vec<Column>>,
    errors: &'a RowErrors,
}

impl Rewrite<'_> {
    fn of_node(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let node = match node {
            LogicalPlan::Filter(mut filter) => {
                filter.predicate = self.condition(filter.predicate)?;
                return Ok(Transformed::yes(LogicalPlan::Filter(filter)));
            }
            LogicalPlan::Join(mut join) => {
                join.filter = join.filter.map(|filter| self.condition(filter)).transpose()?;
                for (left, right) in &mut join.on {
                    *left = self.expression(left.clone(), None, "; it is joined with nothing")?;
                    *right = self.expression(right.clone(), None, "; it is joined with nothing")?;
                }
                return Ok(Transformed::yes(LogicalPlan::Join(join)));
            }
            node => node,
        };
        let consequence = match node {
            LogicalPlan::Projection(_) => "",
            LogicalPlan::Sort(_) => "; it is sorted as NULL",
            LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) => "; it counts as NULL",
            node => return Ok(Transformed::no(node)),
        };
        let names = NamePreserver::new(&node);
        let node = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let column = consequence.is_empty().then(|| expr.qualified_name().1);
            let rewritten = self.expression(expr, column.as_deref(), consequence)?;
            Ok(Transformed::yes(name.restore(rewritten)))
        })?;
        Ok(Transformed::yes(match node.data.recompute_schema()? {
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate)?,
            LogicalPlan::Window(window) => self.window(window)?,
            node => node,
        }))
    }

    /// The largest parts of `expr` that may fail, each or null; `column` is what the reader knows it by.
    fn expression(&self, expr: Expr, column: Option<&str>, consequence: &'static str) -> Result<Expr> {
        let rewritten = expr.transform_down(|part| {
            if is_rooted(&part) {
                let next = match part {
                    Expr::GroupingSet(_) | Expr::HigherOrderFunction(_) => TreeNodeRecursion::Jump,
                    _ => TreeNodeRecursion::Continue,
                };
                return Ok(Transformed::new(part, false, next));
            }
            if matches!(part, Expr::Alias(_)) {
                return Ok(Transformed::no(part));
            }
            if !may_fail(&part) || part.column_refs().is_empty() {
                return Ok(Transformed::new(part, false, TreeNodeRecursion::Jump));
            }
            let column = column.map_or_else(|| shown(&part), |column| Ok(column.to_owned()))?;
            Ok(Transformed::new(self.or_null(part, &column, consequence)?, true, TreeNodeRecursion::Jump))
        })?;
        Ok(rewritten.data)
    }

    /// A condition that leaves out the rows that it cannot be computed for. Conditions beside one that may fail, over
    /// columns that it reads as well, are asked before it: `b <> 0 AND a / b > 1` fails nowhere.
    fn condition(&self, condition: Expr) -> Result<Expr> {
        let parts = split_conjunction_owned(condition);
        let (failing, safe): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| !is_rooted(part) && may_fail(part));
        let mut conditions = Vec::with_capacity(failing.len() + safe.len());
        for part in failing {
            let read = part.column_refs();
            let guards =
                safe.iter().filter(|guard| !is_rooted(guard) && guard.column_refs().is_subset(&read));
            let column = shown(&part)?;
            let Some(guarded) = conjunction(guards.cloned().chain([part.clone()])) else { continue };
            let is_constant = part.column_refs().is_empty();
            let consequence = "; the row is left out";
            conditions.push(if is_constant { guarded } else { self.or_null(guarded, &column, consequence)? });
        }
        for part in safe {
            conditions.push(self.expression(part, None, "; it counts as NULL")?);
        }
        Ok(conjunction(conditions).unwrap_or_else(|| lit(true)))
    }

    fn or_null(&self, expr: Expr, column: &str, consequence: &'static str) -> Result<Expr> {
        expression::or_null(expr, &self.schema, self.key.clone(), self.told(column, consequence))
    }

    fn told(&self, column: &str, consequence: &'static str) -> ErrorTarget {
        let key = self.key.iter().flatten().map(|column| column.name.clone()).collect();
        ErrorTarget { column: column.to_owned(), consequence, key, errors: self.errors.clone() }
    }

    /// An aggregate whose groups fail one by one.
    fn aggregate(&self, aggregate: Aggregate) -> Result<LogicalPlan> {
        let Aggregate { input, group_expr, aggr_expr, .. } = aggregate;
        let (with_reasons, changed) = self.with_reasons(aggr_expr)?;
        let aggregate = Aggregate::try_new(input, group_expr, with_reasons)?;
        let keys = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
        let key = (0..keys).map(|place| Column::from(aggregate.schema.qualified_field(place)));
        let key: Vec<_> = key.collect();
        self.unpacked(LogicalPlan::Aggregate(aggregate), keys, &changed, &key)
    }

    /// Window functions that fail one row after the other.
    fn window(&self, window: Window) -> Result<LogicalPlan> {
        let (with_reasons, changed) = self.with_reasons(window.window_expr)?;
        let from = window.input.schema().fields().len();
        let window = LogicalPlan::Window(Window::try_new(with_reasons, window.input)?);
        self.unpacked(window, from, &changed, self.key.as_deref().unwrap_or_default())
    }

    /// Calls of aggregates that may fail give their reasons; which of them do.
    fn with_reasons(&self, calls: Vec<Expr>) -> Result<(Vec<Expr>, Vec<bool>)> {
        let calls = calls.into_iter().map(|call| {
            let (_, result) = call.to_field(&self.schema)?;
            let (table, name) = call.qualified_name();
            let with_reasons = call.transform_down(|part| {
                let Some(function) = aggregate_function(&part) else { return Ok(Transformed::no(part)) };
                let Some(function) = WithReason::of(function, result.data_type()) else {
                    return Ok(Transformed::new(part, false, TreeNodeRecursion::Stop));
                };
                let part = with_function(part, function);
                Ok(Transformed::new(part, true, TreeNodeRecursion::Stop))
            })?;
            let call = match (with_reasons.data, with_reasons.transformed) {
                (call @ Expr::Alias(_), _) | (call, false) => call,
                (call, true) => call.alias_qualified(table, name),
            };
            Ok((call, with_reasons.transformed))
        });
        let calls: Vec<(Expr, bool)> = calls.collect::<Result<_>>()?;
        Ok(calls.into_iter().unzip())
    }

    /// The values of the columns from `from` on that have been changed to pairs.
    fn unpacked(
        &self,
        plan: LogicalPlan,
        from: usize,
        changed: &[bool],
        key: &[Column],
    ) -> Result<LogicalPlan> {
        if !changed.contains(&true) {
            return Ok(plan);
        }
        let columns = plan.schema().iter().enumerate().map(|(place, (table, field))| {
            let column = Expr::Column(Column::new(table.cloned(), field.name()));
            if place < from || !changed[place - from] {
                return column;
            }
            let names = key.iter().map(|column| column.name.clone()).collect();
            let told = ErrorTarget { key: names, ..self.told(field.name(), "") };
            let arguments = [column].into_iter().chain(key.iter().cloned().map(Expr::Column)).collect();
            let value = ScalarUDF::new_from_impl(ValueOfPair::new(told)).call(arguments);
            value.alias_qualified(table.cloned(), field.name())
        });
        let columns = columns.collect();
        Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?))
    }
}

/// An expression as it is written.
fn shown(expr: &Expr) -> Result<String> {
    let written = as_written(expr.clone())?.transform_up(|part| {
        let Expr::Literal(value, _) = &part else { return Ok(Transformed::no(part)) };
        // DataFusion shows a literal with the name of its type around it, and a name as it is.
        let text = match value.try_as_str() {
            Some(Some(text)) => format!("'{text}'"),
            _ => value.to_string(),
        };
        Ok(Transformed::yes(Expr::Column(Column::new_unqualified(text))))
    })?;
    Ok(written.data.to_string())
}

fn aggregate_function(call: &Expr) -> Option<&Arc<AggregateUDF>> {
    match call {
        Expr::AggregateFunction(AggregateFunction { func, .. }) => Some(func),
        Expr::WindowFunction(window) => match &window.fun {
            WindowFunctionDefinition::AggregateUDF(function) => Some(function),
            WindowFunctionDefinition::WindowUDF(_) => None,
        },
        _ => None,
    }
}

fn with_function(call: Expr, function: AggregateUDF) -> Expr {
    let function = Arc::new(function);
    match call {
        Expr::AggregateFunction(call) => {
            Expr::AggregateFunction(AggregateFunction { func: function, params: call.params })
        }
        Expr::WindowFunction(mut window) => {
            window.fun = WindowFunctionDefinition::AggregateUDF(function);
            Expr::WindowFunction(window)
        }
        other => other,
    }
}

/// Whether a part of `expr` means something only where it stands in its plan.
fn is_rooted(expr: &Expr) -> bool {
    let is_rooted = |part: &Expr| {
        matches!(
            part,
            Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::ScalarSubquery(_)
                | Expr::GroupingSet(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::Placeholder(_)
                | Expr::Unnest(_)
        )
    };
    expr.exists(|part| Ok(is_rooted(part))).expect("looking never fails")
}

/// Whether `expr` may have no value for some rows.
fn may_fail(expr: &Expr) -> bool {
    let may_fail = |part: &Expr| match part {
        Expr::Negative(_)
        | Expr::Cast(_)
        | Expr::ScalarFunction(_)
        | Expr::HigherOrderFunction(_)
        | Expr::Like(_)
        | Expr::SimilarTo(_) => true,
        Expr::BinaryExpr(BinaryExpr { op, .. }) => !op.is_logic_operator() && !is_comparison(*op),
        _ => false,
    };
    expr.exists(|part| Ok(may_fail(part))).expect("looking never fails")
}

fn is_comparison(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}
