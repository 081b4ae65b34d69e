//! Trials of calls: what cannot be computed whatever an event holds is an error of the statement.
//!
//! `date_part('yaer', at)` has types that fit, and DataFusion looks at its unit when it computes a row: a view of it would
//! send every event to its dead letters. So each call of a plan is computed once over values made up for its
//! columns, with its own constants:
//!
//! ```text
//!   date_part('yaer', date_trunc('day', at))  ─►  date_part('yaer', a timestamp)   fails for all of them alike: refused
//!                                                 date_trunc('day', a timestamp)   can be computed of one
//! ```
//!
//! Invariants: a call is refused only if it fails for each of the made-up values in the same words, or gives times in a
//! zone that there is not, or reads by a format that no text fits. One that can be computed of some value, or that says
//! something else of another value, is a matter of the rows; so are operators and constants in a branch of a
//! condition, which may never be computed.
//!
//! Not here: aggregates, whose constants are tried when their accumulators are made (`prepared`).

mod budget;
mod formats;
mod samples;

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion, TreeNodeVisitor};
use datafusion::common::{Column, DFSchema, DataFusionError, Result};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr::{Cast, Like, ScalarFunction};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

pub(super) use budget::TrialBudget;

use super::refuse::{CutError, Refusal};
use crate::checked;
use crate::limited_functions;
use crate::names::{Part, suggest};
use crate::wording;

/// Most different calls of a statement that are tried; a plan may hold a hundred thousand.
const MOST_TRIALS: usize = 2_000;
/// What `date_part` and `date_trunc` take.
const UNITS: [&str; 12] = [
    "microsecond",
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "dow",
    "epoch",
];
/// Rows of made-up values.
const ROWS: usize = 32;

/// Refuses calls that cannot be computed whatever their columns hold, as far as `budget` goes.
///
/// # Errors
/// The first of them.
pub(super) fn check(plan: &LogicalPlan, budget: &mut TrialBudget) -> Result<(), CutError> {
    let (mut tried, mut refused) = (HashSet::new(), None);
    plan.apply_with_subqueries(|node| {
        let columns = merge_schema(&node.inputs());
        node.apply_expressions(|expr| {
            let mut calls = Calls::default();
            expr.visit(&mut calls)?;
            for (part, is_conditional) in calls.found {
                let Some(trial) = Trial::of(part, &columns, None) else { continue };
                if is_conditional && trial.is_of_values() {
                    continue;
                }
                if tried.len() == MOST_TRIALS || tried.contains(&trial) || !budget.pay(part) {
                    continue;
                }
                if let Some(reason) = trial.failure() {
                    refused = Some(refusal(part, &columns, reason));
                    return Ok(TreeNodeRecursion::Stop);
                }
                tried.insert(trial);
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    refused.map_or(Ok(()), |refused| Err(refused.into()))
}

/// The parts of an expression, inner ones first: they are to blame. Each with whether it is computed for some rows only.
#[derive(Default)]
struct Calls<'n> {
    found: Vec<(&'n Expr, bool)>,
    conditions: usize,
}

impl<'n> TreeNodeVisitor<'n> for Calls<'n> {
    type Node = Expr;

    fn f_down(&mut self, part: &'n Expr) -> Result<TreeNodeRecursion> {
        self.conditions += usize::from(is_condition(part));
        Ok(TreeNodeRecursion::Continue)
    }

    fn f_up(&mut self, part: &'n Expr) -> Result<TreeNodeRecursion> {
        self.conditions -= usize::from(is_condition(part));
        self.found.push((part, self.conditions > 0));
        Ok(TreeNodeRecursion::Continue)
    }
}

/// Whether some arguments may not be computed.
fn is_condition(part: &Expr) -> bool {
    match part {
        Expr::Case(_) => true,
        Expr::ScalarFunction(call) => call.func.short_circuits(),
        Expr::BinaryExpr(BinaryExpr { op, .. }) => op.is_logic_operator(),
        _ => false,
    }
}

/// One call with its constants, and a column for each of its other arguments.
#[derive(PartialEq, Eq, Hash)]
struct Trial {
    call: Expr,
    columns: Vec<DataType>,
    /// Lengths that lists are given, beside the usual.
    lengths: Vec<usize>,
}

impl Trial {
    /// The trial of `part`, if it is a call that may fail by its constants or types; its argument at `replaced` is
    /// not taken for a constant.
    fn of(part: &Expr, schema: &DFSchema, replaced: Option<usize>) -> Option<Self> {
        let (mut columns, mut place) = (Vec::new(), 0);
        let mut argument = |argument: &Expr| {
            place += 1;
            if is_constant(argument) && replaced != Some(place - 1) {
                return Some(argument.clone());
            }
            columns.push(argument.get_type(schema).ok()?);
            Some(Expr::Column(Column::new_unqualified(name(columns.len() - 1))))
        };
        let call = match part {
            Expr::ScalarFunction(ScalarFunction { func, args }) if !args.is_empty() => {
                let args = args.iter().map(argument).collect::<Option<_>>()?;
                Expr::ScalarFunction(ScalarFunction { func: Arc::clone(func), args })
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if is_constant(right) && !op.is_logic_operator() =>
            {
                let (left, right) = (Box::new(argument(left)?), Box::new(argument(right)?));
                Expr::BinaryExpr(BinaryExpr { left, op: *op, right })
            }
            Expr::Like(like) if is_constant(&like.pattern) => Expr::Like(of_pattern(like, &mut argument)?),
            Expr::SimilarTo(like) if is_constant(&like.pattern) => {
                Expr::SimilarTo(of_pattern(like, &mut argument)?)
            }
            Expr::Cast(Cast { expr, field }) if is_constant(expr) || zone_of(field.data_type()).is_some() => {
                Expr::Cast(Cast { expr: Box::new(argument(expr)?), field: Arc::clone(field) })
            }
            _ => return None,
        };
        let lengths = if columns.is_empty() { Vec::new() } else { samples::lengths(part)? };
        Some(Self { call, columns, lengths })
    }

    /// Whether it computes with its constants as with any value: `CASE WHEN false THEN 1 / 0 END` is none.
    fn is_of_values(&self) -> bool {
        match &self.call {
            Expr::ScalarFunction(call) => {
                self.columns.is_empty()
                    || checked::operator_of(limited_functions::plain(&call.func)).is_some()
            }
            _ => true,
        }
    }

    /// Why it cannot be computed of any value.
    fn failure(&self) -> Option<String> {
        let rows = if self.columns.is_empty() { 1 } else { ROWS };
        let values = self.columns.iter().enumerate();
        let values = values.map(|(place, kind)| samples::column(kind, &self.lengths, place, rows));
        let batch = self.batch(values.collect::<Option<_>>()?, rows).ok()?;
        let call = match self.compiled() {
            Ok(call) => call,
            Err(error) => return Some(wording::reason(&error)),
        };
        let mut said: Option<String> = None;
        for row in 0..rows {
            let computed = call.evaluate(&batch.slice(row, 1)).and_then(|value| value.into_array(1));
            let reason = match computed {
                Ok(value) => return unknown_zone(value.data_type()),
                // Another value may need less: `range(quantity, 1000000000)`.
                Err(DataFusionError::ResourcesExhausted(_)) if !self.columns.is_empty() => return None,
                Err(error) => wording::reason(&error),
            };
            if said.as_ref().is_some_and(|said| *said != reason) {
                return formats::refused(&self.call);
            }
            said = Some(reason);
        }
        said
    }

    fn compiled(&self) -> Result<Arc<dyn PhysicalExpr>> {
        let columns = Arc::new(DFSchema::try_from(self.schema())?);
        // Some functions have no form of their own that can be computed (`coalesce` is a CASE).
        let simplify = SimplifyContext::builder().with_schema(Arc::clone(&columns)).build();
        let call = ExprSimplifier::new(simplify).simplify(self.call.clone())?;
        let planning = PhysicalPlanningContext::default();
        create_physical_expr(&call, &columns, &ExecutionProps::new(), &planning)
    }

    fn batch(&self, values: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::new(self.schema()), values, &options)?)
    }

    fn schema(&self) -> Schema {
        let fields = self.columns.iter().enumerate();
        let fields = fields.map(|(place, kind)| Field::new(name(place), kind.clone(), true));
        Schema::new(fields.collect::<Vec<_>>())
    }
}

fn of_pattern(like: &Like, argument: &mut impl FnMut(&Expr) -> Option<Expr>) -> Option<Like> {
    let expr = Box::new(argument(&like.expr)?);
    Some(Like { expr, pattern: Box::new(argument(&like.pattern)?), ..like.clone() })
}

/// The zone of a time.
fn zone_of(kind: &DataType) -> Option<&str> {
    match kind {
        DataType::Timestamp(_, zone) => zone.as_deref(),
        _ => None,
    }
}

/// The refusal of a time whose zone there is not: it could be computed, and not be shown.
fn unknown_zone(kind: &DataType) -> Option<String> {
    let zone = zone_of(kind)?;
    Tz::from_str(zone).is_err().then(|| format!("there is no time zone '{zone}'"))
}

fn name(column: usize) -> String {
    format!("column {column}")
}

/// Whether an expression has the same value in all rows, at any time.
fn is_constant(expr: &Expr) -> bool {
    let varies = |part: &Expr| match part {
        Expr::Literal(..)
        | Expr::Alias(_)
        | Expr::Cast(_)
        | Expr::TryCast(_)
        | Expr::Negative(_)
        | Expr::BinaryExpr(_) => false,
        Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Immutable,
        _ => true,
    };
    !expr.exists(|part| Ok(varies(part))).expect("looking never fails")
}

/// The refusal of a call, at the constant without which it could be computed, or would fail for something else.
fn refusal(part: &Expr, schema: &DFSchema, reason: String) -> Refusal {
    let names = names_of(part);
    let arguments = arguments_of(part);
    let without = |place: &usize| Trial::of(part, schema, Some(*place)).map(|trial| trial.failure());
    let constants: Vec<_> =
        (0..arguments.len()).rev().filter(|place| is_constant(arguments[*place])).collect();
    let mut to_blame: Vec<_> = constants.iter().filter(|place| without(place) == Some(None)).collect();
    if to_blame.is_empty() {
        to_blame.extend(
            constants
                .iter()
                .filter(|place| without(place).is_some_and(|said| said.as_ref() != Some(&reason))),
        );
    }
    let culprits = to_blame.into_iter().filter_map(|place| text_of(arguments[*place]));
    let culprits: Vec<_> = culprits.map(|text| text.to_lowercase()).collect();
    let in_calls = culprits.iter().flat_map(|value| {
        let argument =
            |function: &String| Part::Argument { function: function.clone(), value: value.clone() };
        names.iter().map(argument).collect::<Vec<_>>()
    });
    let anywhere = culprits.iter().map(|value| Part::Constant(value.clone()));
    let calls = names.iter().map(|name| Part::Function(name.clone()));
    let parts = in_calls.chain(anywhere).chain(calls).collect();
    let help = culprits.iter().filter(|value| value.chars().all(char::is_alphabetic)).find_map(|value| {
        let listed =
            reason.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.eq_ignore_ascii_case(value));
        let known = UNITS.into_iter().filter(|unit| has_unit(&names) && unit != value).chain(listed);
        suggest::nearest(value, known).map(|near| format!("did you mean '{near}'?"))
    });
    let is_function = |name: &&String| {
        matches!(part, Expr::ScalarFunction(_)) && name.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    let message = match names.first().filter(is_function) {
        Some(name) if !reason.to_lowercase().replace(' ', "_").contains(name.as_str()) => {
            format!("{name} cannot be computed: {reason}")
        }
        _ => reason,
    };
    Refusal::at_first(message, help, parts)
}

fn has_unit(names: &[String]) -> bool {
    names.iter().any(|name| matches!(name.as_str(), "date_part" | "date_trunc"))
}

/// The arguments of a call, in the order in which [`Trial::of`] takes them.
fn arguments_of(part: &Expr) -> Vec<&Expr> {
    match part {
        Expr::ScalarFunction(call) => call.args.iter().collect(),
        Expr::BinaryExpr(BinaryExpr { left, right, .. }) => vec![left, right],
        Expr::Like(like) | Expr::SimilarTo(like) => vec![&like.expr, &like.pattern],
        Expr::Cast(Cast { expr, .. }) => vec![expr],
        _ => Vec::new(),
    }
}

/// The names by which a call may be written, in lower case.
fn names_of(part: &Expr) -> Vec<String> {
    match part {
        Expr::ScalarFunction(call) => {
            let function = limited_functions::plain(&call.func);
            if let Some(operator) = checked::operator_of(function) {
                return vec![operator];
            }
            let names = std::iter::once(function.name()).chain(function.aliases().iter().map(String::as_str));
            names.map(str::to_lowercase).collect()
        }
        Expr::BinaryExpr(BinaryExpr { op, .. }) => vec![op.to_string().to_lowercase()],
        Expr::Like(_) => vec!["like".to_owned()],
        Expr::Cast(_) => vec!["cast".to_owned()],
        _ => Vec::new(),
    }
}

/// A constant as it was written, as far as that can be told.
fn text_of(argument: &Expr) -> Option<String> {
    match argument {
        Expr::Literal(value, _) => match value.try_as_str() {
            Some(text) => text.map(str::to_owned),
            None if value.is_null() => None,
            None => Some(value.to_string()),
        },
        Expr::Cast(Cast { expr, .. }) => text_of(expr),
        Expr::Negative(expr) => Some(format!("-{}", text_of(expr)?)),
        _ => None,
    }
}
