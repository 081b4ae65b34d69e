//! Plans of views: what is kept for each event, and what is computed on reading.
//!
//! ```text
//!   text ─► statement ─► names ─► DataFusion's planner and analyser ─► cut ─► ViewPlan { cuts, top }
//! ```
//!
//! Not here: running any of it.

mod closing;
mod comparisons;
mod cut;
pub(crate) mod extent;
mod fingerprint;
mod planner;
mod prepared;
mod refuse;
pub(crate) mod relations;
mod slot_scan;
mod temporal;
#[cfg(test)]
mod tests;
mod topic_reads;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, TableReference};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use factum_types::{Timestamp, TopicName};

use crate::clock_function::set_clock_in;
use crate::definitions::RelationName;
use crate::operator::HIDDEN;
use crate::row_errors::KeyColumns;
pub(crate) use closing::Closing;
pub(crate) use fingerprint::Fingerprint;
pub(crate) use planner::{PlanResult, plan};
pub(crate) use relations::table_reference;

/// A materialized view.
#[derive(Debug)]
pub(crate) struct ViewPlan {
    pub(crate) name: RelationName,
    /// Its statement as it was written.
    pub(crate) sql: Arc<str>,
    /// What is kept; nothing for a view over views.
    pub(crate) cuts: Vec<Cut>,
    /// The view's rows, over the cuts' tables, views and reference tables, at the time of a reading.
    pub(crate) top: LogicalPlan,
    pub(crate) columns: SchemaRef,
    /// Views that `top` reads.
    pub(crate) depends_on: Vec<RelationName>,
    /// Reference tables that `top` or a cut reads.
    pub(crate) tables: Vec<RelationName>,
    /// Whether its rows change as time passes, without events.
    pub(crate) uses_clock: bool,
    /// Of all of it; the state of a cut goes by the cut's own.
    pub(crate) fingerprint: Fingerprint,
}

impl ViewPlan {
    /// The name of the pipeline that keeps a cut. Equal names have equal state.
    pub(crate) fn pipeline(&self, cut: usize) -> String {
        format!("{}@{}", self.name, self.cuts[cut].fingerprint)
    }

    /// The columns that the groups of its cuts go by, in the plan above them.
    pub(crate) fn keys(&self) -> KeyColumns {
        keys(&self.cuts)
    }

    /// How long events of a cut's topic may stay behind the latest.
    pub(crate) fn lateness(&self, cut: usize) -> Duration {
        self.cuts[cut].lateness
    }

    /// Everything that it reads: topics, views and tables.
    pub(crate) fn reads(&self) -> Vec<String> {
        let topics = self.cuts.iter().map(|cut| cut.topic.to_string());
        let others = self.depends_on.iter().chain(&self.tables).map(ToString::to_string);
        let mut all: Vec<_> = topics.chain(others).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The columns that the groups of `cuts` go by, in the plan above them.
fn keys(cuts: &[Cut]) -> KeyColumns {
    let of_groups = |cut: &Cut| match &cut.plan {
        LogicalPlan::Aggregate(aggregate) => {
            let hidden = aggregate.schema.fields().iter().filter(|field| field.name().starts_with(HIDDEN));
            Some((cut.kept.clone(), hidden.count()..aggregate.group_expr.len()))
        }
        _ => None,
    };
    cuts.iter().filter_map(of_groups).collect()
}

/// The part of a view that is kept while events come.
#[derive(Debug)]
pub(crate) struct Cut {
    /// What it reads.
    pub(crate) topic: TopicName,
    /// The columns of an event that it needs, in order.
    pub(crate) projection: Vec<usize>,
    /// An aggregate or a stateless plan, over a [`crate::feed::FeedTable`] with those columns.
    pub(crate) plan: LogicalPlan,
    /// What its rows go by in the plan above: their columns have other names there, in the same order.
    pub(crate) kept: TableReference,
    pub(crate) closing: Option<Closing>,
    /// Of what is kept: equal fingerprints have equal state.
    pub(crate) fingerprint: Fingerprint,
    lateness: Duration,
    lifted: Option<Expr>,
    /// The hidden key that is the end of a window.
    window_end: Option<String>,
}

impl Cut {
    /// How long events may stay behind the latest.
    pub(crate) fn lateness(&self) -> Duration {
        self.lateness
    }

    /// Which groups count, as a condition that reads the clock, over hidden keys.
    pub(crate) fn condition_of_clock(&self) -> Option<&Expr> {
        self.lifted.as_ref()
    }

    /// Whether which groups count depends on the clock.
    pub(crate) fn uses_clock(&self) -> bool {
        self.lifted.is_some()
    }

    /// What partial states have to fulfil to count, for [`crate::operator::Operator::read`]: filters of the
    /// clock at the moment `now`, and, where windows close, that theirs ended at `closed` (microseconds) or before.
    pub(crate) fn lifted_at(
        &self,
        now: Timestamp,
        closed: Option<i64>,
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let mut conditions = Vec::new();
        if let Some(lifted) = &self.lifted {
            conditions.push(set_clock_in(lifted.clone(), now)?.data);
        }
        if let Some(end) = &self.window_end {
            let closed =
                ScalarValue::TimestampMicrosecond(Some(closed.unwrap_or(i64::MIN)), Some("UTC".into()));
            let end = Expr::Column(Column::new_unqualified(end));
            conditions.push(end.lt_eq(Expr::Literal(closed, None)));
        }
        let Some(condition) = conjunction(conditions) else { return Ok(None) };
        // Hidden keys are the first columns, so that nothing else of the keys need be known.
        let hidden = self.plan.schema().fields().iter().filter(|field| field.name().starts_with(HIDDEN));
        let schema = DFSchema::try_from(Schema::new(hidden.cloned().collect::<Vec<_>>()))?;
        let planning = PhysicalPlanningContext::default();
        create_physical_expr(&condition, &schema, &ExecutionProps::new(), &planning).map(Some)
    }
}

/// A query that is run once.
#[derive(Debug)]
pub(crate) struct QueryPlan {
    /// Over topics, views and tables, under their names; the clock is not set.
    pub(crate) plan: LogicalPlan,
    /// Its text.
    pub(crate) text: Arc<str>,
    pub(crate) topics: Vec<(RelationName, TopicName)>,
    pub(crate) views: Vec<RelationName>,
}
