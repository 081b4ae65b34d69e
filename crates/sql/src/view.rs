//! Reading a view: what its pipelines keep, the plan above, and the views that it stands on.
//!
//! ```text
//!   states of each cut ─► merged ─► __kept_0, __kept_1 … ─┐
//!   views it stands on, read the same way ────────────────┼─► plan above the cuts, at the clock's time ─► rows
//!   reference tables ─────────────────────────────────────┘
//! ```
//!
//! Invariants: the rows answer for one moment of the clock; each partition's part of them is of one epoch.
//! Rows are computed again only if something that they stand on has moved.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result as PlanResult, TableReference};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, TableScan, TableSource};
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use factum_types::Timestamp;
use futures::future::BoxFuture;
use tokio::sync::{Mutex, watch};

use crate::clock_function::set_clock;
use crate::decode::spelling::OtherSpelling;
use crate::engine::ViewState;
use crate::error::{ComputeError, ReadError};
use crate::metrics;
use crate::pipeline::Pipeline;
use crate::plan::{ViewPlan, table_reference};
use crate::row_errors::{self, RowError};
use crate::session;
use crate::task::{Environment, RejectedEvents};
use crate::topic_scan::LeftOutEvents;

/// The rows have not been read yet.
const UNCOUNTED: u64 = u64::MAX;

/// Rows as they were at a moment.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Their columns.
    pub schema: SchemaRef,
    /// The rows, in order where the query has one.
    pub batches: Arc<[RecordBatch]>,
    /// How far they are behind the log.
    pub freshness: Freshness,
    /// What they do not contain of topics that were read for them.
    pub left_out: LeftOutEvents,
    /// Why events are left out.
    pub why_left_out: Option<String>,
    /// Values among them that are null because they cannot be computed, a hundred at most for each view; and columns that are
    /// null in events that spell their field otherwise.
    pub errors: Arc<[RowError]>,
}

/// How far rows are behind the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// The time up to which the log was read for them; the moment of the reading where nothing is left to read.
    pub as_of: Timestamp,
    /// Events in the log that they do not contain yet.
    pub lag: u64,
    /// What the view is doing; the worst of them where there are several.
    pub state: ViewState,
}

impl Freshness {
    /// Of rows that are up to date at `now`.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self { as_of: now, lag: 0, state: ViewState::Live }
    }

    /// Of rows that were made from both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            as_of: self.as_of.min(other.as_of),
            lag: self.lag + other.lag,
            state: self.state.worse(other.state),
        }
    }
}

impl Rows {
    /// Rows that lack nothing.
    pub(crate) fn of(freshness: Freshness, batch: RecordBatch) -> Self {
        Self {
            schema: batch.schema(),
            batches: [batch].into(),
            freshness,
            left_out: LeftOutEvents::default(),
            why_left_out: None,
            errors: [].into(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// About how many bytes of memory they have.
    pub fn memory(&self) -> usize {
        self.batches.iter().map(RecordBatch::get_array_memory_size).sum()
    }
}

/// One definition of a view, and what keeps its state.
pub(crate) struct Version {
    pub(crate) plan: Arc<ViewPlan>,
    /// One for each cut.
    pub(crate) pipelines: Vec<Arc<Pipeline>>,
    /// The views it stands on.
    pub(crate) depends_on: Vec<Arc<Version>>,
    environment: Arc<Environment>,
    context: SessionContext,
    cached: Mutex<Option<CachedRows>>,
    /// How many rows were computed last, or [`UNCOUNTED`].
    counted: AtomicU64,
}

struct CachedRows {
    stamp: Stamp,
    rows: Rows,
}

/// What rows depend on; equal stamps have equal rows.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    /// What each partition is read on from. A commit shows here before it is announced: without it, rows of before would
    /// be given as those of now.
    next: Vec<i64>,
    moves: Vec<u64>,
    closed: Vec<Option<i64>>,
    now: Option<Timestamp>,
}

impl Version {
    pub(crate) fn new(
        environment: &Arc<Environment>,
        plan: Arc<ViewPlan>,
        pipelines: Vec<Arc<Pipeline>>,
        depends_on: Vec<Arc<Self>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            plan,
            pipelines,
            depends_on,
            environment: Arc::clone(environment),
            context: session::batch(),
            cached: Mutex::new(None),
            counted: AtomicU64::new(UNCOUNTED),
        })
    }

    /// Every pipeline below this view, through the views it stands on; one may come twice.
    pub(crate) fn all_pipelines(&self) -> Vec<&Arc<Pipeline>> {
        let mut all: Vec<_> = self.pipelines.iter().collect();
        all.extend(self.depends_on.iter().flat_map(|view| view.all_pipelines()));
        all
    }

    /// Whether the rows change with the clock alone.
    pub(crate) fn moves_with_time(&self) -> bool {
        self.plan.uses_clock
            || self.pipelines.iter().any(|pipeline| pipeline.closes_windows())
            || self.depends_on.iter().any(|view| view.moves_with_time())
    }

    /// What moves when the rows may have changed.
    pub(crate) fn inputs(&self) -> Vec<watch::Receiver<u64>> {
        self.all_pipelines().into_iter().map(|pipeline| pipeline.subscribe()).collect()
    }

    /// The rows at `now`. Computes for as long as the state is large: call it where blocking is allowed.
    pub(crate) fn rows(&self, now: Timestamp) -> BoxFuture<'_, Result<Rows, ReadError>> {
        Box::pin(async move {
            // One computes, the others wait and find its rows.
            let mut cached = self.cached.lock().await;
            for pipeline in self.all_pipelines() {
                pipeline.close_windows().await?;
            }
            let stamp = self.stamp(now);
            // Before the rows: what is committed while they are computed may be in them or not.
            let (freshness, left_out) = (self.freshness(now), self.left_out());
            let why_left_out = self.why_left_out();
            if let Some(CachedRows { rows, .. }) = cached.as_ref().filter(|cached| cached.stamp == stamp) {
                return Ok(Rows { freshness, left_out, why_left_out, ..rows.clone() });
            }
            let started = self.environment.clock.monotonic();
            let (rows, errors) = row_errors::of_rows(self.compute(now)).await;
            let rows = Rows { freshness, left_out, why_left_out, ..self.with_errors(rows?, errors) };
            let took = self.environment.clock.monotonic().duration_since(started);
            metrics::read(&self.plan.name, took, rows.count());
            self.counted.store(rows.count() as u64, Ordering::Relaxed);
            *cached = Some(CachedRows { stamp, rows: rows.clone() });
            Ok(rows)
        })
    }

    /// How far the state below is behind the log, at `now`.
    pub(crate) fn freshness(&self, now: Timestamp) -> Freshness {
        let pipelines = self.all_pipelines();
        let statuses: Vec<_> = pipelines.iter().flat_map(|pipeline| pipeline.statuses()).collect();
        let read_to = statuses.iter().filter_map(|(_, status)| status.read_to(now)).min();
        Freshness {
            as_of: read_to.unwrap_or(now).min(now),
            lag: statuses.iter().map(|(_, status)| status.lag()).sum(),
            state: ViewState::of(self, None),
        }
    }

    /// How many rows there were when they were computed last; `None` if they never were.
    pub(crate) fn counted_rows(&self) -> Option<u64> {
        Some(self.counted.load(Ordering::Relaxed)).filter(|count| *count != UNCOUNTED)
    }

    /// What the state below does not contain.
    fn left_out(&self) -> LeftOutEvents {
        let pipelines = self.all_pipelines();
        let statuses = pipelines.iter().flat_map(|pipeline| pipeline.statuses());
        let counts = statuses.map(|(_, status)| status.counts());
        counts.fold(LeftOutEvents::default(), |left_out, counts| {
            left_out.plus(LeftOutEvents { undecodable: counts.poisoned, unreadable: counts.unreadable })
        })
    }

    /// Where the events are that the state below does not contain, and why.
    fn why_left_out(&self) -> Option<String> {
        let (mut rejected, mut others): (BTreeMap<_, RejectedEvents>, BTreeSet<_>) = Default::default();
        for pipeline in self.all_pipelines() {
            for (_, status) in pipeline.statuses() {
                match status.rejected() {
                    Some(added) => {
                        let topic = added.topic.clone();
                        let before = rejected.remove(&topic);
                        rejected.insert(topic, RejectedEvents::sum(before, added));
                    }
                    // An earlier version kept no more of them than their number.
                    None if status.counts().poisoned > 0 => drop(others.insert(pipeline.letters())),
                    None => {}
                }
            }
        }
        let known = rejected.values().map(ToString::to_string);
        let others = others.iter().filter(|topic| !rejected.contains_key(*topic));
        let told: Vec<_> = known.chain(others.map(|topic| format!("some are in {topic}"))).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn stamp(&self, now: Timestamp) -> Stamp {
        let pipelines = self.all_pipelines();
        let statuses = pipelines.iter().flat_map(|pipeline| pipeline.statuses());
        Stamp {
            next: statuses.map(|(_, status)| status.next()).collect(),
            closed: pipelines.iter().map(|pipeline| pipeline.closed_until()).collect(),
            moves: pipelines.iter().map(|pipeline| pipeline.moves()).collect(),
            now: self.uses_clock().then_some(now),
        }
    }

    fn uses_clock(&self) -> bool {
        self.plan.uses_clock || self.depends_on.iter().any(|view| view.uses_clock())
    }

    /// Rows with the errors of this view's own groups beside those of the views that it stands on.
    fn with_errors(&self, rows: Rows, errors: Vec<RowError>) -> Rows {
        metrics::row_errors(&self.plan.name, errors.len());
        let view = self.plan.name.to_string();
        let own = errors.into_iter().map(|error| RowError { view: view.clone(), ..error });
        let errors: Vec<_> = rows.errors.iter().cloned().chain(own).chain(self.spellings()).collect();
        Rows { errors: errors.into(), ..rows }
    }

    /// Columns that are null in events that spell their field otherwise.
    fn spellings(&self) -> Vec<RowError> {
        let view = self.plan.name.to_string();
        let of_pipeline = |pipeline: &Arc<Pipeline>| {
            let statuses = pipeline.statuses().into_iter();
            let found: BTreeMap<String, OtherSpelling> = statuses
                .flat_map(|(_, status)| status.spellings())
                .map(|spelling| (spelling.field.clone(), spelling))
                .collect();
            let of = |spelling| RowError::of_spelling(&view, pipeline.topic(), spelling);
            found.values().map(of).collect::<Vec<_>>()
        };
        let mut spellings: Vec<_> = self.pipelines.iter().flat_map(of_pipeline).collect();
        spellings.dedup();
        spellings
    }

    async fn compute(&self, now: Timestamp) -> Result<Rows, ReadError> {
        let (mut found, mut errors) = (HashMap::new(), Vec::new());
        for (pipeline, cut) in self.pipelines.iter().zip(&self.plan.cuts) {
            found.insert(cut.kept.clone(), pipeline.read(now).await?);
        }
        for view in &self.depends_on {
            let rows = view.rows(now).await?;
            errors.extend(rows.errors.iter().cloned());
            found.insert(table_reference(&view.plan.name), rows.batches.to_vec());
        }
        let computed = self.run_above(&found, now).await;
        let (schema, batches) = computed.map_err(|source| ReadError::Compute {
            view: self.plan.name.to_string(),
            source: ComputeError::of(&source),
        })?;
        let freshness = Freshness::at(now);
        let (left_out, errors) = (LeftOutEvents::default(), errors.into());
        Ok(Rows { schema, batches: batches.into(), freshness, left_out, why_left_out: None, errors })
    }

    /// Runs the plan above the cuts at `now`, with `found` in the place of the tables of these names.
    async fn run_above(
        &self,
        found: &HashMap<TableReference, Vec<RecordBatch>>,
        now: Timestamp,
    ) -> PlanResult<(SchemaRef, Vec<RecordBatch>)> {
        let plan = bind(self.plan.top.clone(), &mut |scan| match found.get(&scan.table_name) {
            Some(batches) => Ok(Some(memory(&scan.source.schema(), batches)?)),
            None => Ok(None),
        })?;
        let mut plan = set_clock(plan, now)?;
        if let Some(errors) = row_errors::of_reading() {
            plan = row_errors::row_by_row(plan, &self.plan.keys(), &errors)?;
        }
        let plan = self.context.state().create_physical_plan(&plan).await?;
        let schema = plan.schema();
        Ok((schema, collect(plan, self.context.task_ctx()).await?))
    }
}

/// Gives the source that a scan is to read, where it is to be another.
pub(crate) type SourceOf<'f> = dyn FnMut(&TableScan) -> PlanResult<Option<Arc<dyn TableSource>>> + 'f;

/// `plan` over the sources that `source` gives for its scans.
pub(crate) fn bind(plan: LogicalPlan, source: &mut SourceOf<'_>) -> PlanResult<LogicalPlan> {
    let bound = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(mut scan) = node else { return Ok(Transformed::no(node)) };
        let Some(source) = source(&scan)? else {
            return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
        };
        scan.source = source;
        Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
    })?;
    Ok(bound.data)
}

/// Rows as a table of these columns, which are theirs by position.
pub(crate) fn memory(schema: &SchemaRef, batches: &[RecordBatch]) -> PlanResult<Arc<dyn TableSource>> {
    let renamed = batches.iter().map(|batch| {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
    });
    let renamed = renamed.collect::<Result<Vec<_>, _>>().map_err(DataFusionError::from)?;
    Ok(provider_as_source(Arc::new(MemTable::try_new(Arc::clone(schema), vec![renamed])?)))
}
