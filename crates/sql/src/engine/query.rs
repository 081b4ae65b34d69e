//! Reading: a view, and ad-hoc queries over views, topics and tables.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use factum_base::clients::ClientAddress;
use factum_types::{Action, Timestamp, TopicName};
use futures::StreamExt;

use super::query_pool::Slot;
use super::{Effective, Engine, View, blocking};
use crate::access::{AccessCheck, RelationAccess};
use crate::clock_function::set_clock;
use crate::definitions::RelationName;
use crate::error::{ComputeError, QueryError, ReadError};
use crate::explain::{Explanation, explain, explain_query};
use crate::interrupt::Interrupt;
use crate::limited_functions::{self, FunctionsOfQuery};
use crate::names::Failure;
use crate::plan::{QueryPlan, table_reference};
use crate::row_errors::RowError;
use crate::session;
use crate::statement::{of_part, part};
use crate::topic_scan::{LeftOutCounter, LeftOutEvents, TopicTable};
use crate::view::{Freshness, Rows, bind, memory};

/// How long an explanation waits for its turn.
const EXPLAIN_WAIT: Duration = Duration::from_secs(10);
/// How long it may take to plan what is explained.
const EXPLAIN_TIME: Duration = Duration::from_secs(30);

/// Which rows of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// A condition over the view's columns, in SQL.
    pub filter: Option<String>,
    /// What to order by, in SQL; without it the view's own order stays.
    pub order: Option<String>,
    /// At most so many rows.
    pub limit: Option<usize>,
    /// Time that it may take; without it, as long as it takes.
    pub time: Option<Duration>,
    /// Whose share of the slots a filter or an order takes; without it, no one's.
    pub client: Option<ClientAddress>,
}

/// What one query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Rows that it may give.
    pub rows: usize,
    /// Time that it may run, and again that it may wait for its turn.
    pub time: Duration,
    /// Whose share of the slots it takes; without it, no one's.
    pub client: Option<ClientAddress>,
}

impl Engine {
    /// The rows of a view now.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read(&self, name: &RelationName, query: Query) -> Result<Rows, ReadError> {
        let view = self.find(name)?;
        let time = query.time.unwrap_or(Duration::MAX);
        let read = if query.filter.is_none() && query.order.is_none() {
            within(time, blocking(async move { Ok(view.read().await?) })).await
        } else {
            // Before the view is awaited: a wrong filter is wrong whatever the view holds.
            view.serving()?;
            self.select(name, &query, time).await?
        };
        match read {
            Ok(rows) => Ok(match query.limit {
                // All of them are one and the same for every reader.
                Some(limit) if limit < rows.count() => Rows { batches: first(&rows.batches, limit), ..rows },
                _ => rows,
            }),
            Err(QueryError::View(error)) => Err(error),
            Err(QueryError::Compute(source)) => {
                // The text is of the selection, which the user has not written.
                let source = ComputeError { place: None, ..source };
                Err(ReadError::Compute { view: name.to_string(), source })
            }
            Err(QueryError::TooLarge { reason }) => Err(ReadError::TooLarge { reason }),
            Err(QueryError::Busy { reason }) => Err(ReadError::Busy { reason }),
            Err(QueryError::Broken) => Err(ReadError::Broken { view: name.clone() }),
            // It reads no topic itself.
            Err(error @ (QueryError::UnknownTopic { .. } | QueryError::LogUnavailable { .. })) => {
                Err(ReadError::Busy { reason: error.to_string() })
            }
            Err(error @ (QueryError::Refused(_) | QueryError::Denied(_))) => {
                Err(ReadError::Invalid { message: error.to_string(), help: None })
            }
        }
    }

    /// Runs the selection of some rows of a view; an error of the second kind came of computing it.
    async fn select(
        &self,
        name: &RelationName,
        query: &Query,
        time: Duration,
    ) -> Result<Result<Rows, QueryError>, ReadError> {
        let text = selection(name, query)?;
        let (engine, view) = (self.clone(), name.clone());
        let planning = async move {
            let planned = engine.plan_query(RelationAccess::One(&view), &text);
            Ok(planned.and_then(|plan| of_one_view(plan, &view)))
        };
        let selected = within(time, async {
            let slot = self.0.selections.slot(query.client, time).await?;
            match slot.run(planning).await? {
                Ok(plan) => self.run(&slot, plan, None).await.map(Ok),
                Err(failure) => Ok(Err(failure)),
            }
        });
        match selected.await {
            Ok(Ok(rows)) => Ok(Ok(rows)),
            Ok(Err(failure)) => Err(invalid(name, failure)),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Runs one query of Factum's own over views, topics and tables as they are now: no access is asked about. Names have
    /// their team before them. Dropping the future ends the query.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn query(&self, sql: &str, limits: QueryLimits) -> Result<Rows, QueryError> {
        let slot = self.0.queries.slot(limits.client, limits.time).await?;
        within(limits.time, async {
            let plan = self.planned_in(&slot, sql).await?;
            self.run(&slot, plan, Some(limits.rows)).await
        })
        .await
    }

    /// How a query is computed: what is kept for the views that it reads, and what is computed when it is run. The name
    /// of a view stands for reading it. The caller may describe what `access` allows. It is planned in a slot of `client`'s
    /// share, as its queries are; without it, of no one's.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn explain(
        &self,
        client: Option<ClientAddress>,
        sql: &str,
        access: AccessCheck,
    ) -> Result<Explanation, QueryError> {
        let slot = self.0.queries.slot(client, EXPLAIN_WAIT).await?;
        let (engine, sql) = (self.clone(), Arc::from(sql));
        let explained = slot.run(async move { engine.explanation(&sql, &access) });
        tokio::time::timeout(EXPLAIN_TIME, explained).await.unwrap_or_else(|_| {
            let reason = format!("the query takes longer than {} s to plan", EXPLAIN_TIME.as_secs());
            Err(QueryError::TooLarge { reason })
        })
    }

    fn explanation(&self, sql: &Arc<str>, access: &AccessCheck) -> Result<Explanation, QueryError> {
        let effective = self.effective();
        let access = RelationAccess::Asked(Action::Describe, access);
        let view_of = |name: &RelationName| effective.planned.views.iter().find(|view| view.name == *name);
        let name = sql.trim();
        if let Some(name) = RelationName::parse(name).filter(|_| !name.contains(char::is_whitespace)) {
            let relation = effective.planned.planner.relations().get(&name);
            if !relation.is_some_and(|relation| access.sees(&name, relation)) {
                return Err(QueryError::View(ReadError::UnknownView { view: name }));
            }
            if let Some(view) = view_of(&name) {
                return Ok(explain(view));
            }
            // One that waits says for what.
            self.find(&name)?.serving()?;
        }
        let plan = self.plan_query(access, sql).map_err(|failure| self.refused(failure))?;
        let views = plan.views.iter().filter_map(view_of).map(Arc::as_ref);
        Ok(explain_query(&plan, views, self.0.environment.options.query_records))
    }

    /// Plans a query where it holds up no other work: what a stranger wrote may take long to plan.
    async fn planned_in(&self, slot: &Slot, sql: &str) -> Result<QueryPlan, QueryError> {
        let (engine, sql) = (self.clone(), Arc::from(sql));
        slot.run(async move {
            engine.plan_query(RelationAccess::All, &sql).map_err(|failure| engine.refused(failure))
        })
        .await
    }

    fn plan_query(&self, access: RelationAccess<'_>, sql: &Arc<str>) -> Result<QueryPlan, Failure> {
        self.effective().planned.planner.query(access, sql)
    }

    pub(super) fn refused(&self, failure: Failure) -> QueryError {
        let waiting = |view, reason| QueryError::View(ReadError::Waiting { view, reason });
        match failure {
            Failure::Problem(problem) => QueryError::Refused(vec![*problem]),
            Failure::Awaits(topic) => {
                let (team, name) = topic.split().unwrap_or(("", topic.as_str()));
                waiting(RelationName::new(team, name), self.effective().waits_for(&topic))
            }
            Failure::Needs(name) => waiting(name, "its definition".to_owned()),
            Failure::Denied(denied) => QueryError::Denied(denied),
        }
    }

    /// Reads the views that a query stands on as their own readers do, and computes the rest in `slot`.
    pub(super) async fn run(
        &self,
        slot: &Slot,
        query: QueryPlan,
        most: Option<usize>,
    ) -> Result<Rows, QueryError> {
        let now = self.0.environment.clock.now();
        let effective = self.effective();
        let (mut found, mut errors) = (HashMap::new(), Vec::new());
        let mut why_left_out = None;
        let (mut freshness, mut of_views) = (Freshness::at(now), LeftOutEvents::default());
        for name in &query.views {
            let view = self.find(name)?;
            let rows = blocking(async move { view.read().await }).await?;
            freshness = freshness.and(rows.freshness);
            of_views = of_views.plus(rows.left_out);
            why_left_out = why_left_out.or(rows.why_left_out);
            errors.extend(rows.errors.iter().cloned());
            found.insert(table_reference(name), rows.batches);
        }
        let counter = Arc::new(LeftOutCounter::default());
        let memory = usize::try_from(self.0.environment.options.query_memory.0).unwrap_or(usize::MAX);
        let limits = RunLimits { rows: most, memory };
        let (engine, interrupt, counting) = (self.clone(), slot.interrupt().clone(), Arc::clone(&counter));
        let text = Arc::clone(&query.text);
        // The plan is touched on that thread alone: to walk it takes a large stack.
        let computed = slot.run(async move {
            let failed = |error| failed(&error, &text);
            let plan = engine.bound(query, &effective, &found, now, &counting).map_err(failed)?;
            compute(&plan, &interrupt, limits, failed).await
        });
        let (schema, batches) = computed.await?;
        let left_out = counter.total().plus(of_views);
        let why_left_out = counter.reason().or(why_left_out);
        for (topic, spelling) in counter.spellings() {
            self.0.environment.spellings.warn(&topic, &spelling);
            errors.push(RowError::of_spelling(topic.as_str(), &topic, &spelling));
        }
        Ok(Rows { schema, batches: batches.into(), freshness, left_out, why_left_out, errors: errors.into() })
    }

    /// The plan of a query over what its relations hold.
    fn bound(
        &self,
        query: QueryPlan,
        effective: &Effective,
        found: &HashMap<TableReference, Arc<[RecordBatch]>>,
        now: Timestamp,
        left_out: &Arc<LeftOutCounter>,
    ) -> Result<LogicalPlan, DataFusionError> {
        let topics: HashMap<TableReference, TopicName> =
            query.topics.into_iter().map(|(name, topic)| (table_reference(&name), topic)).collect();
        let plan = bind(query.plan, &mut |scan| {
            if let Some(batches) = found.get(&scan.table_name) {
                return memory(&scan.source.schema(), batches).map(Some);
            }
            let schema = topics.get(&scan.table_name).and_then(|topic| effective.schemas.get(topic));
            Ok(schema.map(|schema| self.topic_source(schema.clone(), left_out)))
        })?;
        set_clock(plan, now)
    }

    fn topic_source(
        &self,
        schema: crate::schema::EventSchema,
        left_out: &Arc<LeftOutCounter>,
    ) -> Arc<dyn TableSource> {
        let environment = &self.0.environment;
        let limit = environment.options.query_records;
        provider_as_source(TopicTable::new(Arc::clone(&environment.log), schema, limit, Arc::clone(left_out)))
    }

    /// A view by its name.
    pub(super) fn find(&self, name: &RelationName) -> Result<Arc<View>, ReadError> {
        let effective = self.effective();
        effective.views.get(name).cloned().ok_or_else(|| ReadError::UnknownView { view: name.clone() })
    }
}

/// What computing one query may take.
#[derive(Debug, Clone, Copy)]
struct RunLimits {
    rows: Option<usize>,
    /// Bytes, of its operators and again of its answer.
    memory: usize,
}

/// The rows of a plan whose tables hold what they are to hold.
async fn compute(
    plan: &LogicalPlan,
    interrupt: &Interrupt,
    limits: RunLimits,
    failed: impl Fn(DataFusionError) -> QueryError,
) -> Result<(SchemaRef, Vec<RecordBatch>), QueryError> {
    let context = session::query(limits.memory);
    let state = context.state();
    let rules = interrupt.between(state.optimizers());
    let state = SessionStateBuilder::new_from_existing(state).with_optimizer_rules(rules).build();
    // Asked after optimising: a condition that asks is none that a join can be planned by.
    let functions = FunctionsOfQuery::new(interrupt.clone(), limits.memory);
    let plan = limited_functions::of_query(plan.clone(), &functions).and_then(|plan| state.optimize(&plan));
    // Again, for the functions that the optimiser put there.
    let plan = plan.and_then(|plan| limited_functions::of_query(plan, &functions));
    let plan = plan.and_then(|plan| interrupt.within(plan)).map_err(&failed)?;
    let plan = state.query_planner().create_physical_plan(&plan, &state).await;
    let plan = plan.and_then(yielding).map_err(&failed)?;
    let schema = plan.schema();
    let mut stream = execute_stream(plan, context.task_ctx()).map_err(&failed)?;
    let (mut batches, mut count, mut bytes) = (Vec::new(), 0, 0);
    while let Some(batch) = stream.next().await {
        let batch: RecordBatch = batch.map_err(&failed)?;
        count += batch.num_rows();
        if let Some(most) = limits.rows.filter(|most| count > *most) {
            let reason =
                format!("the query gives more than {most} rows (http.max_rows): select fewer, or add LIMIT");
            return Err(QueryError::TooLarge { reason });
        }
        bytes += batch.get_array_memory_size();
        if bytes > limits.memory {
            let most = limits.memory >> 20;
            let reason = format!(
                "the answer takes more than {most} MiB (sql.query_memory): select fewer rows or columns"
            );
            return Err(QueryError::TooLarge { reason });
        }
        batches.push(batch);
    }
    Ok((schema, batches))
}

/// `plan` with a pause now and then in what makes many rows of few, so that it can be ended.
fn yielding(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let yielding = plan.transform_up(|node| {
        if node.children().len() < 2 && node.downcast_ref::<UnnestExec>().is_none() {
            return Ok(Transformed::no(node));
        }
        Ok(Transformed::yes(Arc::new(CooperativeExec::new(node)) as _))
    })?;
    Ok(yielding.data)
}

/// The first rows.
fn first(batches: &[RecordBatch], limit: usize) -> Arc<[RecordBatch]> {
    let mut left = limit;
    let taken = batches.iter().map_while(|batch| {
        let taken = batch.slice(0, batch.num_rows().min(left));
        left -= taken.num_rows();
        (taken.num_rows() > 0).then_some(taken)
    });
    taken.collect()
}

/// The query that selects rows of a view. Filter and order are parsed by themselves, so that they cannot be more
/// than that.
fn selection(name: &RelationName, query: &Query) -> Result<Arc<str>, ReadError> {
    let mut text = format!("SELECT * FROM \"{}\".\"{}\"", name.team, name.name);
    let invalid = |what: &str, text: &str, error: ParserError| ReadError::Invalid {
        message: format!("the {what} is not SQL: {}", of_part(&error, text)),
        help: None,
    };
    if let Some(filter) = &query.filter {
        let parsed = part(filter, |parser| parser.parse_expr());
        let filter = parsed.map_err(|error| invalid("filter", filter, error))?;
        text.push_str(&format!(" WHERE {filter}"));
    }
    if let Some(order) = &query.order {
        let parsed = part(order, |parser| parser.parse_comma_separated(Parser::parse_order_by_expr));
        let order = parsed.map_err(|error| invalid("order", order, error))?;
        let order: Vec<String> = order.iter().map(ToString::to_string).collect();
        text.push_str(&format!(" ORDER BY {}", order.join(", ")));
    }
    if let Some(limit) = query.limit {
        text.push_str(&format!(" LIMIT {limit}"));
    }
    Ok(text.into())
}

/// Makes sure that a selection reads its view and nothing else.
fn of_one_view(query: QueryPlan, name: &RelationName) -> Result<QueryPlan, Failure> {
    let mut scans = 0;
    let counted = query.plan.apply_with_subqueries(|node| {
        scans += usize::from(matches!(node, LogicalPlan::TableScan(_)));
        Ok(TreeNodeRecursion::Continue)
    });
    counted.expect("counting never fails");
    if scans == 1 && query.views == [name.clone()] { Ok(query) } else { Err(Failure::Needs(name.clone())) }
}

fn invalid(name: &RelationName, failure: Failure) -> ReadError {
    let (message, help) = match failure {
        Failure::Problem(problem) => (problem.message, problem.help),
        Failure::Awaits(topic) => (format!("{topic} has no event yet"), None),
        Failure::Needs(_) | Failure::Denied(_) => (
            format!("filter and order can read {name} alone"),
            Some("run a query to read several relations".to_owned()),
        ),
    };
    ReadError::Invalid { message, help }
}

/// What `work` gives, unless that takes longer than `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, QueryError>>,
) -> Result<T, QueryError> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let limit = limit.as_secs();
        let reason =
            format!("the query ran for {limit} s and was ended: that is the limit (http.query_timeout)");
        Err(QueryError::TooLarge { reason })
    })
}

fn failed(error: &DataFusionError, text: &str) -> QueryError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(reason) => {
            // DataFusion's words for it name its own parts, which no user can act on.
            let is_memory = reason.contains("memory pool");
            let words = "the query needs more memory than one may take (sql.query_memory)";
            QueryError::TooLarge { reason: if is_memory { words.to_owned() } else { reason.clone() } }
        }
        _ => QueryError::of_log(error)
            .unwrap_or_else(|| QueryError::Compute(ComputeError::of_query(error, text))),
    }
}
