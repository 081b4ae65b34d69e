//! A plan cut at its lowest aggregates over streams of events.
//!
//! ```text
//!   Sort                              Sort                               top: batch SQL
//!    Projection                        Projection
//!     Aggregate                 ─►      Projection (old names)
//!      Projection                        TableScan __kept_0   ◄── state ◄── Aggregate        kept, incrementally
//!       TableScan store.orders                                               Projection
//!                                                                             TableScan (a slot)
//! ```
//!
//! Invariants: what is kept is a function of the events and of reference tables alone; the clock and other views
//! are read above. Cut the analysed plan and not the optimised one: the optimiser moves things over the cut.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError, TableReference, internal_err, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Join, JoinType, LogicalPlan, LogicalPlanBuilder, LogicalTableSource,
    Projection, TableScan,
};

use super::refuse::{self, CutError, Refusal, check_node, has_stream, has_subquery};
use super::relations::{Kind, Relations, renamed};
use super::slot_scan::pruned;
use super::temporal::{Lift, hidden_columns, refuse_clock};
use crate::clock_function::plan_reads_clock;
use crate::names::Part;
use crate::operator::HIDDEN;
use crate::tumble::{Size, WINDOW_END, WINDOW_START};

/// What is kept under a cut.
#[derive(Debug)]
pub(super) struct StatePlan {
    /// An aggregate over a stateless plan, or a stateless plan.
    pub(super) plan: LogicalPlan,
    /// Which of the hidden keys count at a moment.
    pub(super) lifted: Option<Expr>,
    /// The hidden key that is the end of a window, if windows close.
    pub(super) window_end: Option<String>,
}

/// A plan taken apart.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) top: LogicalPlan,
    pub(super) kept: Vec<StatePlan>,
}

/// Cuts an analysed plan; `closing` is the size of its windows if they close.
pub(super) fn cut(
    plan: LogicalPlan,
    relations: &Relations,
    closing: Option<Size>,
) -> Result<Parts, CutError> {
    let unpruned = plan.clone();
    let parts = cut_once(plan, relations, closing)?;
    if !parts.kept.iter().any(|kept| !matches!(kept.plan, LogicalPlan::Aggregate(_))) {
        return Ok(parts);
    }
    // Of rows that are kept for a join or a window, what nothing above them reads need not be kept: with it, an event
    // whose other fields are wrong would be left out.
    let narrow = cut_once(pruned(unpruned, relations)?, relations, closing)?;
    // Rows without a column are not kept: `count(*)` of them is asked above.
    let has_columns = |kept: &StatePlan| !kept.plan.schema().fields().is_empty();
    Ok(if narrow.kept.iter().all(has_columns) { narrow } else { parts })
}

fn cut_once(plan: LogicalPlan, relations: &Relations, closing: Option<Size>) -> Result<Parts, CutError> {
    let mut cutter = Cutter { relations, closing, kept: Vec::new() };
    let top = match cutter.split(plan)? {
        Piece::Stream(plan) => cutter.keep_rows(plan)?,
        Piece::Batch { plan, .. } => plan,
    };
    if closing.is_some() && !matches!(&cutter.kept[..], [StatePlan { window_end: Some(_), .. }]) {
        return Err(refuse::nothing_to_close().into());
    }
    let is_rows = |kept: &StatePlan| !matches!(kept.plan, LogicalPlan::Aggregate(_));
    if cutter.kept.len() > 1 && cutter.kept.iter().any(is_rows) {
        return Err(refuse::joined_with_aggregate().into());
    }
    Ok(Parts { top, kept: cutter.kept })
}

/// The name of the table that stands for a cut.
pub(super) fn kept_table(cut: usize) -> TableReference {
    TableReference::bare(format!("__kept_{cut}"))
}

/// A part of a plan.
enum Piece {
    /// Stateless, over one topic.
    Stream(LogicalPlan),
    /// Ordinary batch SQL.
    Batch {
        plan: LogicalPlan,
        /// Nothing but reference tables is below.
        is_static: bool,
    },
}

struct Cutter<'a> {
    relations: &'a Relations,
    closing: Option<Size>,
    kept: Vec<StatePlan>,
}

impl Cutter<'_> {
    fn split(&mut self, plan: LogicalPlan) -> Result<Piece, CutError> {
        check_node(&plan, self.relations)?;
        match plan {
            LogicalPlan::TableScan(scan) => Ok(self.scan(scan)),
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Unnest(_) => self.stateless(&plan),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => self.distinct(Arc::unwrap_or_clone(input)),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(_) => self.union(&plan),
            LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => {
                Ok(Piece::Batch { plan, is_static: true })
            }
            LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Distinct(_)
            | LogicalPlan::Repartition(_) => self.batch(&plan),
            _ if has_stream(&plan, self.relations) => {
                let message = "this form of query is not supported over events by this version";
                Err(Refusal::new(message, Part::Subquery).into())
            }
            _ => Ok(Piece::Batch { plan, is_static: false }),
        }
    }

    fn scan(&self, scan: TableScan) -> Piece {
        let kind = self.relations.of_scan(&scan.table_name).map(|(_, relation)| &relation.kind);
        let (is_stream, is_static) = match kind {
            Some(Kind::Stream { .. }) => (true, false),
            Some(Kind::Table) => (false, true),
            _ => (false, false),
        };
        let plan = LogicalPlan::TableScan(scan);
        if is_stream { Piece::Stream(plan) } else { Piece::Batch { plan, is_static } }
    }

    /// A node that is as good below the cut as above.
    fn stateless(&mut self, plan: &LogicalPlan) -> Result<Piece, CutError> {
        let input = plan.inputs()[0].clone();
        match self.split(input)? {
            Piece::Stream(_) if has_subquery(plan)? => Err(refuse::subquery_below().into()),
            Piece::Stream(input) => Ok(Piece::Stream(rebuilt(plan, vec![input])?)),
            Piece::Batch { plan: input, is_static } => {
                let plan = rebuilt(plan, vec![input])?;
                let is_static = is_static && !has_subquery(&plan)? && !plan_reads_clock(&plan);
                Ok(Piece::Batch { plan, is_static })
            }
        }
    }

    /// A node that needs all rows, over any number of inputs.
    fn batch(&mut self, plan: &LogicalPlan) -> Result<Piece, CutError> {
        let mut inputs = Vec::new();
        for input in plan.inputs() {
            let input = self.split(input.clone())?;
            inputs.push(self.in_batch(input)?);
        }
        Ok(Piece::Batch { plan: rebuilt(plan, inputs)?, is_static: false })
    }

    fn in_batch(&mut self, piece: Piece) -> Result<LogicalPlan, CutError> {
        match piece {
            Piece::Stream(plan) => self.keep_rows(plan),
            Piece::Batch { plan, .. } => Ok(plan),
        }
    }

    fn union(&mut self, plan: &LogicalPlan) -> Result<Piece, CutError> {
        let mut inputs = Vec::new();
        for input in plan.inputs() {
            match self.split(input.clone())? {
                Piece::Stream(_) => return Err(refuse::union_of_streams().into()),
                Piece::Batch { plan, .. } => inputs.push(plan),
            }
        }
        Ok(Piece::Batch { plan: rebuilt(plan, inputs)?, is_static: false })
    }

    fn distinct(&mut self, input: LogicalPlan) -> Result<Piece, CutError> {
        match self.split(input)? {
            Piece::Stream(input) => {
                let keys = input.schema().columns().into_iter().map(Expr::Column).collect();
                self.keep_groups(input, keys, Vec::new())
            }
            Piece::Batch { plan, is_static } => {
                Ok(Piece::Batch { plan: LogicalPlan::Distinct(Distinct::All(Arc::new(plan))), is_static })
            }
        }
    }

    fn aggregate(&mut self, aggregate: Aggregate) -> Result<Piece, CutError> {
        let input = self.split(aggregate.input.as_ref().clone())?;
        let plan = LogicalPlan::Aggregate(aggregate);
        match input {
            Piece::Stream(_) if has_subquery(&plan)? => Err(refuse::subquery_below().into()),
            Piece::Stream(input) => {
                refuse_clock(&plan.expressions())?;
                let LogicalPlan::Aggregate(aggregate) = plan else { unreachable!("it was made above") };
                self.keep_groups(input, aggregate.group_expr, aggregate.aggr_expr)
            }
            Piece::Batch { plan: input, .. } => {
                Ok(Piece::Batch { plan: rebuilt(&plan, vec![input])?, is_static: false })
            }
        }
    }

    fn join(&mut self, join: Join) -> Result<Piece, CutError> {
        let left = self.split(join.left.as_ref().clone())?;
        let right = self.split(join.right.as_ref().clone())?;
        let join_type = join.join_type;
        let plan = LogicalPlan::Join(join);
        let (left, right) = match (left, right) {
            (Piece::Stream(_), Piece::Stream(_)) => return Err(refuse::joined_streams().into()),
            (Piece::Stream(stream), Piece::Batch { plan: table, is_static: true }) => {
                let keeps_events = matches!(
                    join_type,
                    JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti
                );
                return stateless_join(&plan, stream, table, keeps_events, true);
            }
            (Piece::Batch { plan: table, is_static: true }, Piece::Stream(stream)) => {
                let keeps_events = matches!(
                    join_type,
                    JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti
                );
                return stateless_join(&plan, stream, table, keeps_events, false);
            }
            (left, right) => (self.in_batch(left)?, self.in_batch(right)?),
        };
        Ok(Piece::Batch { plan: rebuilt(&plan, vec![left, right])?, is_static: false })
    }

    /// Keeps partial states.
    fn keep_groups(
        &mut self,
        input: LogicalPlan,
        keys: Vec<Expr>,
        functions: Vec<Expr>,
    ) -> Result<Piece, CutError> {
        if keys.iter().any(|key| matches!(key, Expr::GroupingSet(_))) {
            return Err(refuse::grouping_sets().into());
        }
        let date_trunc = self.relations.state().scalar_functions().get("date_trunc").cloned();
        let mut lift = Lift::new(date_trunc);
        let mut input = lift.lower(input)?;
        let mut window_end_name = None;
        if let Some(end) = self.closing.and_then(|size| window_end(&keys, size)) {
            let name = window_end_name.insert(format!("{HIDDEN}window_end"));
            // A column below, for of two keys that depend on each other the optimiser keeps one.
            input = with_column(input, end.alias(name.as_str()))?;
        }
        let hidden = hidden_columns(input.schema());
        // Hidden keys come first: whatever is optimised away among the others, their places stay.
        let keys = hidden.into_iter().chain(keys).collect();
        let aggregate = Aggregate::try_new(Arc::new(input), keys, functions)?;
        let plan = self.keep(LogicalPlan::Aggregate(aggregate), lift.condition(), window_end_name)?;
        Ok(Piece::Batch { plan, is_static: false })
    }

    /// Keeps rows, up to where the clock is read.
    fn keep_rows(&mut self, plan: LogicalPlan) -> Result<LogicalPlan, CutError> {
        let plan = pruned(plan, self.relations)?;
        self.keep_below_clock(plan)
    }

    fn keep_below_clock(&mut self, plan: LogicalPlan) -> Result<LogicalPlan, CutError> {
        if !plan_reads_clock(&plan) {
            return self.keep(plan, None, None);
        }
        let mut inputs = Vec::new();
        for input in plan.inputs() {
            inputs.push(if has_stream(input, self.relations) {
                self.keep_below_clock(input.clone())?
            } else {
                input.clone()
            });
        }
        rebuilt(&plan, inputs)
    }

    /// Keeps what a plan gives; the plan that reads it.
    fn keep(
        &mut self,
        plan: LogicalPlan,
        lifted: Option<Expr>,
        window_end: Option<String>,
    ) -> Result<LogicalPlan, CutError> {
        let is_hidden = |name: &str| name.starts_with(HIDDEN);
        let schema = renamed(
            plan.schema().as_arrow(),
            |place, _| format!("k{place}"),
            // Over no events a global aggregate has one row all the same, and its hidden keys are null.
            |field| is_hidden(field.name()),
        );
        let table = kept_table(self.kept.len());
        let source = Arc::new(LogicalTableSource::new(Arc::clone(&schema)));
        let columns = plan.schema().iter().enumerate().filter(|(_, (_, field))| !is_hidden(field.name()));
        let columns = columns.map(|(place, (qualifier, field))| {
            let kept = Column::new(Some(table.clone()), format!("k{place}"));
            Expr::Column(kept).alias_qualified(qualifier.cloned(), field.name())
        });
        let columns: Vec<_> = columns.collect();
        let top = LogicalPlanBuilder::scan(table, source, None)?;
        let top = top.project(columns)?.build()?;
        self.kept.push(StatePlan { plan, lifted, window_end });
        Ok(top)
    }
}

/// The end of the window among the keys of a group, or what it is counted from one.
fn window_end(keys: &[Expr], size: Size) -> Option<Expr> {
    let of_name = |wanted: &str| {
        keys.iter().find(|key| matches!(key, Expr::Column(column) if column.name == wanted)).cloned()
    };
    of_name(WINDOW_END).or_else(|| Some(of_name(WINDOW_START)? + size.literal()))
}

/// A plan with one column more.
pub(super) fn with_column(input: LogicalPlan, column: Expr) -> Result<LogicalPlan, DataFusionError> {
    let columns = input.schema().columns().into_iter().map(Expr::Column).chain([column]).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?))
}

/// Makes sure that optimising leaves the hidden keys where they are sought: before all others.
pub(super) fn check_hidden_keys(plan: &LogicalPlan, state: &SessionState) -> Result<(), DataFusionError> {
    let is_hidden = |name: &str| name.starts_with(HIDDEN);
    let hidden = plan.schema().fields().iter().filter(|field| is_hidden(field.name())).count();
    if hidden == 0 {
        return Ok(());
    }
    let mut found = 0;
    state.optimize(plan)?.apply(|node| {
        if let LogicalPlan::Aggregate(aggregate) = node {
            let keys = aggregate.schema.fields().iter();
            found = keys.take_while(|key| is_hidden(key.name())).count();
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    if found == hidden {
        Ok(())
    } else {
        internal_err!("the keys of {hidden} lifted filters are optimised away")
    }
}

/// Makes sure that each column has the type when it is computed that it has now: the types of some functions
/// follow from constants that only the optimiser computes.
pub(super) fn check_types(plan: &LogicalPlan, state: &SessionState) -> Result<(), DataFusionError> {
    let optimized = state.optimize(plan)?;
    let columns = plan.schema().fields().iter().zip(optimized.schema().fields());
    for (planned, computed) in columns {
        if planned.data_type() != computed.data_type() {
            return plan_err!(
                "the type of `{}` depends on a constant that is written as an expression: write its value",
                planned.name()
            );
        }
    }
    Ok(())
}

fn stateless_join(
    plan: &LogicalPlan,
    stream: LogicalPlan,
    table: LogicalPlan,
    keeps_events: bool,
    is_left: bool,
) -> Result<Piece, CutError> {
    if !keeps_events {
        return Err(refuse::preserved_table().into());
    }
    if has_subquery(plan)? {
        return Err(refuse::subquery_below().into());
    }
    let inputs = if is_left { vec![stream, table] } else { vec![table, stream] };
    Ok(Piece::Stream(rebuilt(plan, inputs)?))
}

/// The same node over other inputs. (`with_new_exprs` panics on some nodes.)
pub(super) fn rebuilt(plan: &LogicalPlan, inputs: Vec<LogicalPlan>) -> Result<LogicalPlan, CutError> {
    let mut inputs = inputs.into_iter();
    let rebuilt = plan.clone().map_children(|input| {
        Ok(match inputs.next() {
            Some(other) => Transformed::yes(other),
            None => Transformed::no(input),
        })
    })?;
    Ok(rebuilt.data.recompute_schema()?)
}
