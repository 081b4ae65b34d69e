//! Refusals: views that this version cannot keep up to date, in words.

use datafusion::common::DataFusionError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use super::relations::{Kind, Relations};
use crate::clock_function;
use crate::definitions::Problem;
use crate::names::{Part, Places};

/// Estimates that depend on the order in which values come, and what to write instead.
const SKETCHES: [(&str, &str); 3] = [
    ("approx_median", "write median(price)"),
    ("approx_percentile_cont", "write percentile_cont(0.9) WITHIN GROUP (ORDER BY price)"),
    ("approx_percentile_cont_with_weight", "write percentile_cont(0.9) WITHIN GROUP (ORDER BY price)"),
];

/// Why a plan cannot be cut.
#[derive(Debug)]
pub(crate) enum CutError {
    Refused(Refusal),
    Plan(DataFusionError),
}

impl From<DataFusionError> for CutError {
    fn from(error: DataFusionError) -> Self {
        Self::Plan(error)
    }
}

impl From<Refusal> for CutError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A no, and which part of the query it is about.
#[derive(Debug)]
pub(crate) struct Refusal {
    message: String,
    help: Option<String>,
    parts: Vec<Part>,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, part: Part) -> Self {
        Self { message: message.into(), help: None, parts: vec![part] }
    }

    pub(crate) fn with_help(self, help: &str) -> Self {
        Self { help: Some(help.to_owned()), ..self }
    }

    /// About the first of `parts` that has a place.
    pub(super) fn at_first(message: String, help: Option<String>, parts: Vec<Part>) -> Self {
        Self { message, help, parts }
    }

    /// About the clock, by whichever name it is read.
    pub(crate) fn of_clock(message: impl Into<String>) -> Self {
        let names = ["now", "current_timestamp", "current_date", "today"];
        let parts = names.iter().map(|name| Part::Function((*name).to_owned())).collect();
        Self { message: message.into(), help: None, parts }
    }

    /// As a problem; `fallback` is shown where the part has no place.
    pub(crate) fn problem(self, places: &Places, fallback: Problem) -> Problem {
        let part = self.parts.iter().find_map(|part| places.find(part));
        let span = part.or_else(|| places.constant_in(&self.message)).unwrap_or(fallback.span.clone());
        Problem { span, message: self.message, help: self.help, ..fallback }
    }
}

pub(super) fn joined_streams() -> Refusal {
    Refusal::new("joining two streams of events is not supported by this version yet", Part::Joined)
        .with_help("aggregate at least the one of them in a view of its own, and join that")
}

pub(super) fn joined_with_aggregate() -> Refusal {
    Refusal::new(
        "joining single events with an aggregate of events in one view is not supported by this version yet",
        Part::Joined,
    )
    .with_help("declare the aggregate as a materialized view and join that")
}

pub(super) fn preserved_table() -> Refusal {
    Refusal::new(
        "an outer join that keeps rows of a table without events is not supported by this version yet",
        Part::Joined,
    )
    .with_help("keep the events instead: FROM events LEFT JOIN table ON …")
}

pub(super) fn union_of_streams() -> Refusal {
    Refusal::new(
        "UNION, INTERSECT and EXCEPT of streams of events are not supported by this version yet",
        Part::SetOperation,
    )
    .with_help("aggregate each in a view of its own, and combine those")
}

pub(super) fn grouping_sets() -> Refusal {
    Refusal::new(
        "ROLLUP, CUBE and GROUPING SETS of single events are not supported by this version yet",
        Part::GroupBy,
    )
    .with_help("group by all the keys in a subquery, and roll that up")
}

pub(super) fn nothing_to_close() -> Refusal {
    Refusal::new(
        "EMIT ON WINDOW CLOSE needs one aggregate, with window_start or window_end in GROUP BY",
        Part::GroupBy,
    )
}

pub(super) fn subquery() -> Refusal {
    Refusal::new("a query within an expression cannot read a stream of events", Part::Subquery)
        .with_help("declare it as a materialized view and read that")
}

pub(super) fn subquery_below() -> Refusal {
    Refusal::new(
        "a query within an expression over single events is not supported by this version yet",
        Part::Subquery,
    )
    .with_help("join the table instead")
}

/// Refuses what no view can keep true: functions with another result each time, and streams in expressions.
pub(super) fn check_node(plan: &LogicalPlan, relations: &Relations) -> Result<(), CutError> {
    for expr in plan.expressions() {
        if let Some(name) = unsteady_function(&expr)? {
            let message =
                format!("{name}() gives another result each time, so that no view of it can stay true");
            let refused = Refusal::new(message, Part::Function(name.clone()));
            let help = SKETCHES.iter().find_map(|(sketch, help)| (*sketch == name).then_some(*help));
            return Err(match help {
                Some(help) => refused.with_help(help).into(),
                None => refused.into(),
            });
        }
        let mut reads_stream = false;
        expr_subqueries(&expr, &mut |subquery| reads_stream |= has_stream(subquery, relations))?;
        if reads_stream {
            return Err(subquery().into());
        }
    }
    Ok(())
}

/// Whether a query stands within an expression of this node.
pub(super) fn has_subquery(plan: &LogicalPlan) -> Result<bool, DataFusionError> {
    let mut found = false;
    for expr in plan.expressions() {
        expr_subqueries(&expr, &mut |_| found = true)?;
    }
    Ok(found)
}

/// Whether a topic is read somewhere in `plan`, subqueries included.
pub(super) fn has_stream(plan: &LogicalPlan, relations: &Relations) -> bool {
    let mut found = false;
    let looked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let kind = relations.of_scan(&scan.table_name).map(|(_, relation)| &relation.kind);
            found |= matches!(kind, Some(Kind::Stream { .. }));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    looked.expect("looking never fails");
    found
}

fn expr_subqueries(expr: &Expr, visit: &mut impl FnMut(&LogicalPlan)) -> Result<(), DataFusionError> {
    use datafusion::common::tree_node::TreeNode;
    expr.apply(|part| {
        match part {
            Expr::ScalarSubquery(subquery) => visit(&subquery.subquery),
            Expr::InSubquery(part) => visit(&part.subquery.subquery),
            Expr::Exists(part) => visit(&part.subquery.subquery),
            Expr::SetComparison(part) => visit(&part.subquery.subquery),
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn unsteady_function(expr: &Expr) -> Result<Option<String>, DataFusionError> {
    use datafusion::common::tree_node::TreeNode;
    let mut found = None;
    expr.apply(|part| {
        let volatility = match part {
            Expr::ScalarFunction(call) => call.func.signature().volatility,
            Expr::AggregateFunction(call) => call.func.signature().volatility,
            _ => Volatility::Immutable,
        };
        let is_clock = clock_function::is_now(part) || clock_function::is_current_date(part);
        let name = match part {
            Expr::ScalarFunction(call) => call.func.name(),
            Expr::AggregateFunction(call) => call.func.name(),
            _ => "",
        };
        let is_sketch = SKETCHES.iter().any(|(sketch, _)| *sketch == name);
        if is_sketch || (volatility != Volatility::Immutable && !is_clock) {
            found = Some(name.to_owned());
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}
