//! Extent of a plan with everything that it names written out: the planner and the optimiser walk it so.
//!
//! ```text
//!   CREATE VIEW b AS SELECT x + x AS x FROM a         a plan shares `a`; a walk visits `a` at every name
//!   CREATE VIEW c AS SELECT x + x AS x FROM b
//!   SELECT * FROM c WHERE x > 0                       the filter moves down to `a`: (x + x) + (x + x) > 0
//! ```
//!
//! Invariants:
//! - Counting costs no more than the limit, whatever the plan stands for.
//! - A plan within the limits is walked without an end of the stack (32 MiB where queries and definitions are planned,
//!   16 MiB where views are read), and no optimiser rule makes an expression of it that is much larger than its limit.

use std::collections::HashMap;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion, TreeNodeVisitor};
use datafusion::common::{Column, DataFusionError};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The most columns, expressions and steps of a plan.
const MOST_PARTS: usize = 100_000;
/// The most of what each node's expressions, times all parts of the plan below it, come to. To find out which column one
/// means, the planner looks through all of the plan below for joins by USING (`LogicalPlan::using_columns`).
const MOST_WORK: usize = 50_000_000;
/// The most steps of a plan one upon the other.
const MOST_DEPTH: usize = 200;
/// The most operators and calls one within the other, through subqueries and plain views.
const MOST_NESTED: u32 = 600;
/// The most parts of a condition, with each of its columns as it is computed in subqueries and plain views.
const MOST_CONDITION: u64 = 50_000;

/// A limit that a plan passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    Parts,
    Work,
    Depth,
    Nested,
    Condition,
}

impl Excess {
    /// What is too much.
    pub(crate) fn message(self) -> String {
        let written_out = "with its WITH queries, subqueries and plain views written out";
        match self {
            Self::Parts => {
                format!("{written_out}, the statement has more than {MOST_PARTS} columns and expressions")
            }
            Self::Work => format!(
                "{written_out}, the columns of each SELECT times all columns and expressions below it are more than \
                 {MOST_WORK}"
            ),
            Self::Depth => format!(
                "{written_out}, the statement has more than {MOST_DEPTH} steps one upon the other (joins, selections, \
                 groupings, windows)"
            ),
            Self::Nested => format!(
                "{written_out}, an expression has more than {MOST_NESTED} operators one within the other"
            ),
            Self::Condition => format!(
                "{written_out}, a condition has more than {MOST_CONDITION} parts: it is computed from columns that are \
                 computed from others many times over"
            ),
        }
    }

    /// What to do.
    pub(crate) fn help(self) -> String {
        "make a materialized view of a part of it: what that computes is stored, and not written out"
            .to_owned()
    }
}

/// Makes sure that a plan is small enough to be walked. To be asked of each plan that a larger one is made of.
///
/// # Errors
/// The first limit that it passes.
pub(crate) fn check(plan: &LogicalPlan) -> Result<(), Excess> {
    count(plan, 1, &mut PlanSize::default())
}

#[derive(Debug, Default)]
struct PlanSize {
    parts: usize,
    work: usize,
}

fn count(plan: &LogicalPlan, depth: usize, size: &mut PlanSize) -> Result<(), Excess> {
    if depth > MOST_DEPTH {
        return Err(Excess::Depth);
    }
    size.parts += 1 + plan.schema().fields().len();
    let (mut excess, mut expressions) = (None, 0_usize);
    let walked = plan.apply_expressions(|expr| {
        expressions += 1;
        expr.apply(|part| {
            size.parts += 1;
            let inner = match subquery(part) {
                Some(plan) => count(plan, depth + 1, size),
                None => Ok(()),
            };
            excess = inner.err().or((size.parts > MOST_PARTS).then_some(Excess::Parts));
            Ok(if excess.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    });
    walked.expect("counting never fails");
    if let Some(excess) = excess {
        return Err(excess);
    }
    if size.parts > MOST_PARTS {
        return Err(Excess::Parts);
    }
    let above = size.parts;
    plan.inputs().into_iter().try_for_each(|input| count(input, depth + 1, size))?;
    size.work = size.work.saturating_add(expressions.saturating_mul(size.parts - above));
    if size.work > MOST_WORK { Err(Excess::Work) } else { Ok(()) }
}

fn subquery(part: &Expr) -> Option<&LogicalPlan> {
    match part {
        Expr::ScalarSubquery(subquery) => Some(&subquery.subquery),
        Expr::Exists(exists) => Some(&exists.subquery.subquery),
        Expr::InSubquery(within) => Some(&within.subquery.subquery),
        Expr::SetComparison(comparison) => Some(&comparison.subquery.subquery),
        _ => None,
    }
}

/// An expression with each of its columns as it is computed below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ExpandedSize {
    parts: u64,
    depth: u32,
}

const SINGLE: ExpandedSize = ExpandedSize { parts: 1, depth: 0 };

type Columns = HashMap<Column, ExpandedSize>;

/// Makes sure that no expression of a plan becomes too large where the optimiser moves conditions down and puts
/// selections together. The plan is analysed, and has passed [`check`].
///
/// # Errors
/// The first limit that it passes.
pub(crate) fn check_written_out(plan: &LogicalPlan) -> Result<(), Excess> {
    columns(plan).map(drop)
}

/// The columns of a plan as they are computed.
fn columns(plan: &LogicalPlan) -> Result<Columns, Excess> {
    let mut below = Columns::new();
    for input in plan.inputs() {
        for (column, written) in columns(input)? {
            let known = below.entry(column).or_insert(written);
            *known =
                ExpandedSize { parts: known.parts.max(written.parts), depth: known.depth.max(written.depth) };
        }
    }
    let is_condition = matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::Join(_));
    let mut excess = None;
    let walked = plan.apply_expressions(|expr| {
        let written = written_out(expr, &below);
        excess = written.err().or(match written {
            Ok(written) if is_condition && written.parts > MOST_CONDITION => Some(Excess::Condition),
            _ => None,
        });
        Ok(if excess.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.expect("counting never fails");
    match excess {
        Some(excess) => Err(excess),
        None => outputs(plan, &below),
    }
}

fn outputs(plan: &LogicalPlan, below: &Columns) -> Result<Columns, Excess> {
    let names = plan.schema().columns();
    let computed: &[Expr] = match plan {
        LogicalPlan::Projection(projection) => &projection.expr,
        LogicalPlan::Aggregate(aggregate) if !matches!(&aggregate.group_expr[..], [Expr::GroupingSet(_)]) => {
            &aggregate.group_expr
        }
        _ => &[],
    };
    let renamed: Vec<Column> = match plan {
        LogicalPlan::SubqueryAlias(alias) => alias.input.schema().columns(),
        LogicalPlan::Union(union) => {
            union.inputs.first().map(|input| input.schema().columns()).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let mut columns = Columns::with_capacity(names.len());
    for (place, name) in names.into_iter().enumerate() {
        let written = match (computed.get(place), renamed.get(place)) {
            (Some(expr), _) => written_out(expr, below)?,
            (None, Some(before)) => below.get(before).copied().unwrap_or(SINGLE),
            // A column that goes through as it is, or one that no condition is moved below.
            (None, None) => below.get(&name).copied().unwrap_or(SINGLE),
        };
        columns.insert(name, written);
    }
    Ok(columns)
}

/// How large an expression is over columns that are computed `below`; subqueries are looked at by themselves.
fn written_out(expr: &Expr, below: &Columns) -> Result<ExpandedSize, Excess> {
    let mut counter = Counter { below, parts: 0, depth: 0, deepest: 0, excess: None };
    expr.visit(&mut counter).expect("counting never fails");
    match counter.excess {
        Some(excess) => Err(excess),
        None => Ok(ExpandedSize { parts: counter.parts, depth: counter.deepest }),
    }
}

struct Counter<'a> {
    below: &'a Columns,
    parts: u64,
    depth: u32,
    deepest: u32,
    excess: Option<Excess>,
}

impl<'n> TreeNodeVisitor<'n> for Counter<'_> {
    type Node = Expr;

    fn f_down(&mut self, part: &'n Expr) -> Result<TreeNodeRecursion, DataFusionError> {
        let here = match part {
            Expr::Column(column) => self.below.get(column).copied().unwrap_or(SINGLE),
            _ => SINGLE,
        };
        self.depth += 1;
        self.parts = self.parts.saturating_add(here.parts);
        self.deepest = self.deepest.max(self.depth.saturating_add(here.depth));
        if self.deepest > MOST_NESTED {
            self.excess = Some(Excess::Nested);
        } else if let Some(plan) = subquery(part) {
            self.excess = columns(plan).err();
        }
        Ok(if self.excess.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    }

    fn f_up(&mut self, _: &'n Expr) -> Result<TreeNodeRecursion, DataFusionError> {
        self.depth -= 1;
        Ok(TreeNodeRecursion::Continue)
    }
}
