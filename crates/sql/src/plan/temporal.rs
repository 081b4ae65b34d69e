//! Filters that read the clock, lifted from below an aggregate to where it is read.
//!
//! ```text
//!   count(*) … WHERE order_date >= date_trunc('day', now())
//!       below:   GROUP BY …, date_trunc('day', order_date) AS __hidden_0
//!       reading: of the partial states, those with __hidden_0 >= date_trunc('day', <the moment>)
//! ```
//!
//! Invariants: the condition on the hidden key is true exactly where the filter is. A key is truncated only
//! where that changes nothing: `a >= t` and `a < t`, with `t` at the beginning of a unit.

use std::sync::Arc;

use arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{Between, BinaryExpr, Cast, ScalarFunction};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Filter, LogicalPlan, Operator, Projection, ScalarUDF, SubqueryAlias,
};

use super::cut::{rebuilt, with_column};
use super::refuse::{CutError, Refusal};
use crate::clock_function::{is_current_date, is_now, plan_reads_clock, reads_clock};
use crate::operator::HIDDEN;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Conditions lifted out of one plan.
pub(super) struct Lift {
    date_trunc: Option<Arc<ScalarUDF>>,
    conditions: Vec<Expr>,
}

impl Lift {
    pub(super) fn new(date_trunc: Option<Arc<ScalarUDF>>) -> Self {
        Self { date_trunc, conditions: Vec::new() }
    }

    /// What the hidden keys have to fulfil, by their bare names.
    pub(super) fn condition(self) -> Option<Expr> {
        conjunction(self.conditions)
    }

    /// The plan without filters that read the clock, and with a column for each of them.
    pub(super) fn lower(&mut self, plan: LogicalPlan) -> Result<LogicalPlan, CutError> {
        if !plan_reads_clock(&plan) {
            return Ok(plan);
        }
        match plan {
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Projection(projection) => {
                refuse_clock(&projection.expr)?;
                let input = self.lower(Arc::unwrap_or_clone(projection.input))?;
                let hidden = hidden_columns(input.schema());
                let exprs = projection.expr.into_iter().chain(hidden).collect();
                Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?))
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let input = self.lower(Arc::unwrap_or_clone(alias.input))?;
                Ok(LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias.alias)?))
            }
            LogicalPlan::Unnest(_) | LogicalPlan::Join(_) => {
                refuse_clock(&plan.expressions())?;
                let inputs = plan.inputs().into_iter().cloned();
                let inputs = inputs.map(|input| self.lower(input)).collect::<Result<Vec<_>, _>>()?;
                rebuilt(&plan, inputs)
            }
            _ => Err(only_compared().into()),
        }
    }

    fn filter(&mut self, filter: Filter) -> Result<LogicalPlan, CutError> {
        let mut plan = self.lower(Arc::unwrap_or_clone(filter.input))?;
        let conjuncts = split_conjunction_owned(filter.predicate).into_iter().flat_map(without_between);
        let (of_clock, others): (Vec<_>, Vec<_>) = conjuncts.partition(reads_clock);
        if let Some(predicate) = conjunction(others) {
            plan = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(plan))?);
        }
        for comparison in of_clock {
            let hidden = self.lift(comparison, plan.schema())?;
            plan = with_column(plan, hidden)?;
        }
        Ok(plan)
    }

    /// Notes a comparison with the clock; the column that it needs.
    fn lift(&mut self, comparison: Expr, schema: &DFSchema) -> Result<Expr, CutError> {
        let (of_event, operator, of_clock) = sides(comparison)?;
        let key = self.truncated(&of_event, operator, &of_clock, schema)?.unwrap_or(of_event);
        let name = format!("{HIDDEN}{}", self.conditions.len());
        let hidden = Expr::Column(Column::new_unqualified(name.clone()));
        self.conditions.push(Expr::BinaryExpr(BinaryExpr::new(
            Box::new(hidden),
            operator,
            Box::new(of_clock),
        )));
        Ok(key.alias(name))
    }

    fn truncated(
        &self,
        of_event: &Expr,
        operator: Operator,
        of_clock: &Expr,
        schema: &DFSchema,
    ) -> Result<Option<Expr>, CutError> {
        let (Some(unit), Some(date_trunc)) = (unit(of_clock), &self.date_trunc) else { return Ok(None) };
        let is_utc = match of_event.get_type(schema)? {
            DataType::Timestamp(_, zone) => zone.is_none_or(|zone| matches!(&*zone, "UTC" | "+00:00")),
            _ => false,
        };
        if !is_utc || !matches!(operator, Operator::GtEq | Operator::Lt) {
            return Ok(None);
        }
        let unit = Expr::Literal(ScalarValue::Utf8(Some(unit)), None);
        let call = ScalarFunction::new_udf(Arc::clone(date_trunc), vec![unit, of_event.clone()]);
        Ok(Some(Expr::ScalarFunction(call)))
    }
}

/// The hidden columns of a schema.
pub(super) fn hidden_columns(schema: &DFSchema) -> Vec<Expr> {
    let columns = schema.columns().into_iter();
    columns.filter(|column| column.name.starts_with(HIDDEN)).map(Expr::Column).collect()
}

pub(super) fn refuse_clock(exprs: &[Expr]) -> Result<(), CutError> {
    if exprs.iter().any(reads_clock) { Err(only_compared().into()) } else { Ok(()) }
}

fn only_compared() -> Refusal {
    Refusal::of_clock("below an aggregate of events, the clock can only be compared with a column in WHERE")
        .with_help("for example WHERE order_date >= date_trunc('day', now())")
}

/// What of the event is compared, how, and what it is compared with.
fn sides(comparison: Expr) -> Result<(Expr, Operator, Expr), CutError> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = comparison else {
        return Err(only_compared().into());
    };
    let is_comparison = matches!(
        op,
        Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq
    );
    let (of_event, operator, of_clock) = match (reads_clock(&left), op.swap()) {
        (false, _) => (*left, op, *right),
        (true, Some(swapped)) => (*right, swapped, *left),
        (true, None) => return Err(only_compared().into()),
    };
    let is_apart =
        !reads_clock(&of_event) && !of_event.column_refs().is_empty() && of_clock.column_refs().is_empty();
    if is_comparison && is_apart { Ok((of_event, operator, of_clock)) } else { Err(only_compared().into()) }
}

fn without_between(conjunct: Expr) -> Vec<Expr> {
    match conjunct {
        Expr::Between(Between { expr, negated: false, low, high }) => vec![
            Expr::BinaryExpr(BinaryExpr::new(expr.clone(), Operator::GtEq, low)),
            Expr::BinaryExpr(BinaryExpr::new(expr, Operator::LtEq, high)),
        ],
        other => vec![other],
    }
}

/// The unit of time that `of_clock` is at the beginning of, whenever it is read.
fn unit(of_clock: &Expr) -> Option<String> {
    match of_clock {
        expr if is_current_date(expr) => Some("day".to_owned()),
        Expr::ScalarFunction(call) if call.func.name() == "date_trunc" => match &call.args[..] {
            [Expr::Literal(unit, _), clock] if is_now(clock) => {
                unit.try_as_str().flatten().map(str::to_lowercase)
            }
            _ => None,
        },
        Expr::Cast(Cast { expr, field }) if matches!(field.data_type(), DataType::Timestamp(_, _)) => {
            unit(expr)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus | Operator::Minus, right }) => {
            let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) = right.as_ref() else {
                return None;
            };
            unit(left).filter(|unit| is_whole(unit, *interval))
        }
        _ => None,
    }
}

/// Whether an interval is a whole number of units, wherever in the calendar it begins.
fn is_whole(unit: &str, interval: IntervalMonthDayNano) -> bool {
    let span = i128::from(interval.days) * 86_400 * NANOS_PER_SECOND + i128::from(interval.nanoseconds);
    let divides = |seconds: i128| span % (seconds * NANOS_PER_SECOND) == 0;
    let months = |count: i32| span == 0 && interval.months % count == 0;
    match unit {
        "second" => divides(1),
        "minute" => divides(60),
        "hour" => divides(3_600),
        "day" => divides(86_400),
        "week" => interval.months == 0 && divides(7 * 86_400),
        "month" => months(1),
        "quarter" => months(3),
        "year" => months(12),
        _ => false,
    }
}
