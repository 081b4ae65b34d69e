//! Plans of views: what is kept for each event, and what is computed when somebody reads.
//!
//! ```text
//!   text ─► statement ─► names ─► DataFusion's planner and analyser ─► cut ─► ViewPlan { cuts, top }
//! ```
//!
//! Not here: running any of it.

pub(crate) mod cut;
pub(crate) mod fingerprint;
mod planner;
mod refuse;
pub(crate) mod relations;
mod slot_scan;
mod temporal;
#[cfg(test)]
mod tests;
mod window_close;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::PhysicalExpr;
use factum_types::{Timestamp, TopicName};

use crate::clock_function::{set_clock, set_clock_in};
use crate::definitions::RelationName;
use crate::feed::Slot;
use crate::operator::HIDDEN;
pub(crate) use fingerprint::Fingerprint;
pub(crate) use planner::{Planned, Planner, Sources};
use slot_scan::SlotScan;
pub(crate) use window_close::WindowClose;

/// A materialized view.
#[derive(Debug)]
pub(crate) struct ViewPlan {
    pub(crate) name: RelationName,
    /// Where it is declared.
    pub(crate) file: PathBuf,
    /// Its statement as it was written.
    pub(crate) sql: Arc<str>,
    /// What is kept; nothing for a view over views.
    pub(crate) cuts: Vec<Cut>,
    /// The view's rows, over the tables `__kept_<cut>`, views and reference tables; see [`bind`].
    pub(crate) top: LogicalPlan,
    pub(crate) columns: SchemaRef,
    /// Views that `top` reads.
    pub(crate) depends_on: Vec<RelationName>,
    /// Reference tables that `top` or a cut reads.
    pub(crate) tables: Vec<RelationName>,
    pub(crate) emit: Emit,
    /// Whether its rows change as time passes.
    pub(crate) uses_clock: bool,
    /// Whether its rows come in an order that was asked for.
    pub(crate) is_ordered: bool,
    /// Of all of it; the state of a cut goes by its own.
    pub(crate) fingerprint: Fingerprint,
}

/// When rows of a view are shown.
#[derive(Debug, Clone)]
pub(crate) enum Emit {
    /// At once, and again whenever they change.
    Changes,
    /// Once, when no more events of their window are expected.
    OnWindowClose(WindowClose),
}

/// The part of a view that is kept while events come.
#[derive(Debug)]
pub(crate) struct Cut {
    scan: SlotScan,
    /// Where the plan finds its events, which have the columns `projection`.
    pub(crate) slot: Slot,
    /// An aggregate, or a stateless plan.
    pub(crate) plan: LogicalPlan,
    lifted: Option<Expr>,
    /// The columns of `__kept_<n>`: those of what the operator reads, in order, under other names.
    pub(crate) kept_schema: SchemaRef,
    /// Of what is kept: equal fingerprints have equal state.
    pub(crate) fingerprint: Fingerprint,
}

impl Cut {
    /// The topic that it reads.
    pub(crate) fn topic(&self) -> &TopicName {
        &self.scan.topic
    }

    /// The columns of an event that it needs.
    pub(crate) fn projection(&self) -> &[usize] {
        &self.scan.projection
    }

    /// The names of those columns.
    pub(crate) fn scan_columns(&self) -> Vec<&str> {
        self.scan.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// Whether which groups count depends on the clock.
    pub(crate) fn uses_clock(&self) -> bool {
        self.lifted.is_some()
    }

    /// The same cut with a slot of its own, to run beside this one.
    pub(crate) fn beside(&self) -> Result<Self> {
        let slot = Slot::default();
        Ok(Self {
            plan: slot_scan::over_another_slot(&self.plan, &self.scan, &slot)?,
            scan: self.scan.clone(),
            slot,
            lifted: self.lifted.clone(),
            kept_schema: Arc::clone(&self.kept_schema),
            fingerprint: self.fingerprint,
        })
    }

    /// What the keys of partial states have to fulfil at the moment `now`, for [`crate::operator::Operator::read`].
    pub(crate) fn lifted_at(
        &self,
        state: &SessionState,
        now: Timestamp,
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let Some(lifted) = &self.lifted else { return Ok(None) };
        let lifted = set_clock_in(lifted.clone(), now)?.data;
        // Hidden keys are the first columns, so that nothing else of the keys need be known.
        let hidden = self.plan.schema().fields().iter().filter(|field| field.name().starts_with(HIDDEN));
        let schema = DFSchema::try_from(Schema::new(hidden.cloned().collect::<Vec<_>>()))?;
        state.create_physical_expr(lifted, &schema).map(Some)
    }
}

/// A query that is run once.
#[derive(Debug)]
pub(crate) struct QueryPlan {
    /// Over topics, views and tables; see [`bind`].
    pub(crate) plan: LogicalPlan,
    pub(crate) topics: Vec<(RelationName, TopicName)>,
    pub(crate) views: Vec<RelationName>,
}

/// A plan at the moment `now`, with a provider for each table that `provide` has one for.
pub(crate) fn bind(
    plan: &LogicalPlan,
    now: Timestamp,
    provide: impl Fn(&TableReference) -> Option<Arc<dyn TableProvider>>,
) -> Result<LogicalPlan> {
    let plan = plan.clone().transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(mut scan) = node else { return Ok(Transformed::no(node)) };
        if let Some(provider) = provide(&scan.table_name) {
            scan.source = provider_as_source(provider);
        }
        Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
    })?;
    set_clock(plan.data, now)
}
