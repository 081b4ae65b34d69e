//! Reading: a view, and ad-hoc queries over views, topics and tables.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use factum_types::{Timestamp, TopicName};
use futures::StreamExt;

use super::{Effective, Engine, View, blocking};
use crate::clock_function::set_clock;
use crate::definitions::RelationName;
use crate::error::{QueryError, ReadError};
use crate::explain::explain;
use crate::names::Failure;
use crate::plan::{QueryPlan, table_reference};
use crate::session;
use crate::statement::part;
use crate::topic_scan::{LeftOut, LeftOutCounter, TopicTable};
use crate::view::{Freshness, Rows, bind, memory};

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
}

/// What one query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Rows that it may give.
    pub rows: usize,
    /// Time that it may run.
    pub time: Duration,
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
            blocking(within(time, async move { Ok(view.read().await?) })).await
        } else {
            // Before the view is awaited: a wrong filter is wrong whatever the view holds.
            view.serving()?;
            let text = selection(name, &query)?;
            let found = self.plan_query(&text).and_then(|plan| of_one_view(plan, name));
            let plan = found.map_err(|failure| invalid(name, failure))?;
            let engine = self.clone();
            blocking(within(time, async move { engine.run(plan, None).await })).await
        };
        match read {
            Ok(rows) => Ok(match query.limit {
                Some(limit) => Rows { batches: first(&rows.batches, limit), ..rows },
                None => rows,
            }),
            Err(QueryError::View(error)) => Err(error),
            Err(QueryError::Compute(source)) => Err(ReadError::Compute { view: name.to_string(), source }),
            Err(QueryError::TooLarge { reason }) => Err(ReadError::TooLarge { reason }),
            Err(error) => Err(ReadError::Invalid { message: error.to_string(), help: None }),
        }
    }

    /// Runs one query over views, topics and tables as they are now. Names have their team before them.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn query(&self, sql: &str, limits: QueryLimits) -> Result<Rows, QueryError> {
        let plan = self.plan_query(&sql.into()).map_err(|failure| self.refused(failure))?;
        let engine = self.clone();
        blocking(within(limits.time, async move { engine.run(plan, Some(limits.rows)).await })).await
    }

    /// A query in words: what is kept for the views that it reads, and what is computed when it is run. The name
    /// of a view stands for reading it.
    ///
    /// # Errors
    /// [`QueryError::Refused`].
    pub async fn explain(&self, sql: &str) -> Result<String, QueryError> {
        let effective = self.effective();
        let view_of = |name: &RelationName| effective.planned.views.iter().find(|view| view.name == *name);
        let named = sql.trim().split_once('.').map(|(team, name)| RelationName::new(team, name));
        if let Some(view) = named.as_ref().and_then(view_of) {
            return Ok(explain(view));
        }
        let plan = self.plan_query(&sql.into()).map_err(|failure| self.refused(failure))?;
        let mut text = format!("{}\n", plan.plan.display_indent());
        for view in plan.views.iter().filter_map(view_of) {
            text.push('\n');
            text.push_str(&explain(view));
        }
        Ok(text)
    }

    fn plan_query(&self, sql: &Arc<str>) -> Result<QueryPlan, Failure> {
        self.effective().planned.planner.query("", sql)
    }

    fn refused(&self, failure: Failure) -> QueryError {
        let waiting = |view, reason| QueryError::View(ReadError::Waiting { view, reason });
        match failure {
            Failure::Problem(problem) => QueryError::Refused(vec![*problem]),
            Failure::Awaits(topic) => {
                let (team, name) = topic.split().unwrap_or(("", topic.as_str()));
                waiting(RelationName::new(team, name), self.effective().waits_for(&topic))
            }
            Failure::Needs(name) => waiting(name, "its definition".to_owned()),
        }
    }

    async fn run(&self, query: QueryPlan, most: Option<usize>) -> Result<Rows, QueryError> {
        let now = self.0.environment.clock.now();
        let effective = self.effective();
        let (mut found, mut freshness, mut of_views) =
            (HashMap::new(), Freshness::at(now), LeftOut::default());
        for name in &query.views {
            let rows = self.find(name)?.read().await?;
            freshness = freshness.and(rows.freshness);
            of_views = of_views.plus(rows.left_out);
            found.insert(table_reference(name), rows.batches);
        }
        let left_out = Arc::new(LeftOutCounter::default());
        let plan = self.bound(query, &effective, &found, now, &left_out).map_err(failed)?;
        let (context, mut count) = (session::query(), 0);
        let plan = context.state().create_physical_plan(&plan).await.and_then(yielding).map_err(failed)?;
        let schema = plan.schema();
        let mut stream = execute_stream(plan, context.task_ctx()).map_err(failed)?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await {
            let batch: RecordBatch = batch.map_err(failed)?;
            count += batch.num_rows();
            if let Some(most) = most.filter(|most| count > *most) {
                let reason = format!("the query gives more than {most} rows: select fewer, or add LIMIT");
                return Err(QueryError::TooLarge { reason });
            }
            batches.push(batch);
        }
        Ok(Rows { schema, batches: batches.into(), freshness, left_out: left_out.total().plus(of_views) })
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
        effective.views.get(name).cloned().ok_or_else(|| {
            let known: Vec<String> = effective.views.keys().map(ToString::to_string).collect();
            let nearest = super::suggest::nearest(&name.to_string(), known.iter().map(String::as_str));
            let nearest = nearest.and_then(|nearest| nearest.split_once('.'));
            let nearest = nearest.map(|(team, name)| RelationName::new(team, name));
            ReadError::UnknownView { view: name.clone(), nearest }
        })
    }
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
    let invalid = |what: &str, error: ParserError| ReadError::Invalid {
        message: format!("the {what} is not SQL: {error}"),
        help: None,
    };
    if let Some(filter) = &query.filter {
        let filter = part(filter, |parser| parser.parse_expr()).map_err(|error| invalid("filter", error))?;
        text.push_str(&format!(" WHERE {filter}"));
    }
    if let Some(order) = &query.order {
        let order = part(order, |parser| parser.parse_comma_separated(Parser::parse_order_by_expr));
        let order = order.map_err(|error| invalid("order", error))?;
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
        Failure::Needs(_) => (
            format!("filter and order can read {name} alone"),
            Some("run a query to read several relations".to_owned()),
        ),
    };
    ReadError::Invalid { message, help }
}

/// What `work` gives, unless that takes longer than `limit`.
async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, QueryError>>,
) -> Result<T, QueryError> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let reason = format!("the query ran for {} s and was ended", limit.as_secs());
        Err(QueryError::TooLarge { reason })
    })
}

fn failed(error: DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(reason) => QueryError::TooLarge { reason: reason.clone() },
        _ => QueryError::Compute(Box::new(error)),
    }
}
