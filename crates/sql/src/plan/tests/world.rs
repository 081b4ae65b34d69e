//! A small shop: its contracts, its events, views of it kept over many epochs, and plain DataFusion beside.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::TableReference;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::{MemTable, provider_as_source, source_as_provider};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::collect;
use datafusion::prelude::{SessionConfig, SessionContext};
use factum_base::clock::SystemClock;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_log::{Committer, Disk, Environment, EnvironmentOptions, LocalDisk};
use factum_state::{EmbeddedStore, Epoch, StateStore, TaskId};
use factum_types::{Offset, TeamName, Timestamp, TopicName};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clock_function::set_clock;
use crate::definitions::{
    Definitions, EventDefinition, PipelineDefinition, Problem, RelationName, TableDefinition,
};
use crate::feed::{FeedTable, Slot};
use crate::operator::{OWNER, Operator};
use crate::plan::{Cut, PlanResult, ViewPlan, plan, table_reference};
use crate::row_errors::{self, RowErrors};
use crate::schema::EventSchema;
use crate::session;

/// 2024-05-05T12:34:56Z, a Sunday.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_714_912_496_000);

fn topic(name: &str) -> TopicName {
    TopicName::new(name).expect("a valid name")
}

fn event(name: &str, contract: Value, time: &str) -> EventDefinition {
    EventDefinition {
        topic: topic(name),
        schema: Some(Arc::new(contract)),
        time: Some(time.to_owned()),
        lateness: Duration::from_secs(10),
    }
}

/// Everything that the shop has but pipelines.
pub(super) fn shop() -> Definitions {
    let money = json!({"type": "number", "multipleOf": 0.01});
    let whole = json!({"type": "integer"});
    let text = json!({"type": "string"});
    let orders = json!({"type": "object", "required": ["id", "order_date"], "properties": {
        "id": whole, "customer": text, "total": money, "quantity": whole,
        "order_date": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": text},
        "address": {"type": "object", "properties": {"city": text, "zip": text}},
        "details": {"type": "array", "items": {"type": "object", "properties": {
            "product_id": whole, "pieces": whole, "price": money, "colours": {"type": "array", "items": text},
        }}},
    }});
    let sales = json!({"type": "object", "properties": {
        "OrderId": whole, "Total": money, "OrderDate": {"type": "string", "format": "date-time"},
        "shipped": {"type": "boolean"}, "Shipped_": {"type": "boolean"},
        "Details": {"type": "array", "items": {"type": "object", "properties": {
            "ProductId": whole, "Quantity": whole,
        }}},
    }});
    let clicks = json!({"type": "object", "properties": {
        "id": whole, "page": text, "at": {"type": "string", "format": "date-time"},
    }});
    let mut quiet = event("store.returns", json!({}), "at");
    (quiet.schema, quiet.time) = (None, None);
    Definitions {
        events: vec![
            event("store.orders", orders, "order_date"),
            event("store.sales", sales, "OrderDate"),
            event("web.clicks", clicks, "at"),
            quiet,
        ],
        tables: vec![TableDefinition {
            name: RelationName::new("store", "products"),
            key: "product_id".to_owned(),
            origin: "products.csv".into(),
            csv: "product_id,title,genre\n1,Alien,horror\n2,Brazil,satire\n3,Cabaret,\n".into(),
        }],
        pipelines: Vec::new(),
    }
}

fn schemas(definitions: &Definitions) -> BTreeMap<TopicName, EventSchema> {
    let with_contract = definitions.events.iter().filter_map(|event| Some((event, event.schema.as_ref()?)));
    let schemas = with_contract.map(|(event, contract)| {
        (event.topic.clone(), EventSchema::from_contract(event, contract).expect("a contract of an object"))
    });
    schemas.collect()
}

/// Plans the pipeline of the store that `text` is.
pub(super) fn planned(text: &str) -> Result<PlanResult, Vec<Problem>> {
    let mut definitions = shop();
    definitions.pipelines.push(PipelineDefinition {
        team: TeamName::new("store").expect("a valid name"),
        file: "views.sql".into(),
        text: text.into(),
    });
    plan(&definitions, &schemas(&definitions))
}

/// Writes each problem with the text that it is about.
pub(super) fn write_problems(shown: &mut String, problems: Vec<Problem>) {
    for problem in problems {
        let marked = &problem.text[problem.span.clone()];
        writeln!(shown, "  {marked:?}: {}", problem.message).expect("a string");
        if let Some(help) = problem.help {
            writeln!(shown, "  help: {help}").expect("a string");
        }
    }
}

/// The only view of a pipeline.
pub(super) fn view(query: &str) -> Arc<ViewPlan> {
    let planned = planned(&format!("CREATE MATERIALIZED VIEW v AS {query}"));
    let mut views = planned.unwrap_or_else(|problems| panic!("{query}: {problems:?}")).views;
    assert_eq!(views.len(), 1);
    views.remove(0)
}

/// Events of orders from their data, with empty envelopes.
pub(super) fn batch(topic_name: &str, events: &[Value]) -> RecordBatch {
    let schema = Arc::clone(&schemas(&shop())[&topic(topic_name)].schema);
    let mut decoder = arrow_json::ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(events.len().max(1))
        .build_decoder()
        .expect("a schema that JSON fits");
    decoder.serialize(events).expect("events that fit");
    decoder.flush().expect("whole events").unwrap_or_else(|| RecordBatch::new_empty(schema))
}

/// State in a folder of its own.
pub(super) struct Store {
    pub(super) state: EmbeddedStore,
    committer: Committer,
    group: TaskGroup,
    /// Pipelines that are kept already: views with equal cuts share their state.
    kept: Mutex<HashSet<String>>,
    _folder: TempDir,
}

impl Store {
    pub(super) fn open() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
        let environment = Environment::new(Arc::clone(&disk), EnvironmentOptions::default());
        let committer = environment.committer().clone();
        let group = TaskTree::new().child("state");
        let running = committer.clone();
        group.spawn_thread("committer", OnError::Log, move |_| {
            running.run();
            Ok(())
        });
        let options = factum_state::Options::default();
        let state = EmbeddedStore::open(&environment, disk, Arc::new(SystemClock), folder.path(), options);
        Self { state: state.expect("opened"), committer, group, kept: Mutex::default(), _folder: folder }
    }

    pub(super) async fn close(self) {
        self.committer.stop();
        assert!(self.group.stop_within(Duration::from_secs(10)).await.is_empty());
    }

    /// Runs a cut over the epochs of each partition.
    pub(super) async fn keep(&self, view: &ViewPlan, epochs: &[Vec<RecordBatch>]) {
        for (number, cut) in view.cuts.iter().enumerate() {
            if !self.kept.lock().insert(view.pipeline(number)) {
                continue;
            }
            for (partition, epochs) in epochs.iter().enumerate() {
                let partition = i32::try_from(partition).expect("a few partitions");
                let task = TaskId::new(OWNER, view.pipeline(number), partition);
                self.keep_partition(&view.sql, cut, task, epochs).await;
            }
        }
    }

    /// Runs a view of one cut over the epochs of one partition; the bytes that each of them commits.
    pub(super) async fn written(&self, view: &ViewPlan, epochs: &[RecordBatch]) -> Vec<usize> {
        self.keep_partition(&view.sql, &view.cuts[0], TaskId::new(OWNER, view.pipeline(0), 0), epochs).await
    }

    async fn keep_partition(&self, sql: &str, cut: &Cut, task: TaskId, epochs: &[RecordBatch]) -> Vec<usize> {
        let mut written = Vec::with_capacity(epochs.len());
        let operator = operator(cut).await;
        let fence = self.state.take_over(&task).await.expect("state").fence;
        let mut first = 0;
        for epoch in epochs {
            let events = epoch.project(&cut.projection).expect("columns of the event");
            let run = operator.run(vec![events], Offset::new(first), &self.state, &task).await;
            let changes = run.unwrap_or_else(|error| panic!("{sql}: {error}"));
            first += i64::try_from(epoch.num_rows()).expect("few rows");
            written.push(changes.byte_len());
            self.state.commit(&task, fence, Epoch { changes, ..Epoch::default() }).await.expect("durable");
        }
        written
    }

    /// What a view shows; `below` are the rows of the views that it stands on.
    pub(super) async fn rows(
        &self,
        view: &ViewPlan,
        partitions: usize,
        now: Timestamp,
        closed: Option<i64>,
        below: &[(RelationName, SchemaRef, Vec<RecordBatch>)],
    ) -> Vec<RecordBatch> {
        let mut tables = BTreeMap::new();
        for (number, cut) in view.cuts.iter().enumerate() {
            let partitions = 0..i32::try_from(partitions).expect("a few partitions");
            let tasks: Vec<_> =
                partitions.map(|partition| TaskId::new(OWNER, view.pipeline(number), partition)).collect();
            let lifted = cut.lifted_at(now, closed).expect("compiled");
            let read = operator(cut).await.read(&self.state, &tasks, lifted.as_ref()).await;
            let (rows, _) = read.unwrap_or_else(|error| panic!("{}: {error}", view.sql));
            tables.insert(cut.kept.clone(), memory(&columns_of(&view.top, &cut.kept), &rows));
        }
        for (name, schema, rows) in below {
            tables.insert(table_reference(name), memory(schema, rows));
        }
        let top = view.top.clone().transform_up_with_subqueries(|node| {
            let LogicalPlan::TableScan(mut scan) = node else { return Ok(Transformed::no(node)) };
            if let Some(table) = tables.get(&scan.table_name) {
                scan.source = provider_as_source(Arc::clone(table) as _);
            }
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        });
        let top = set_clock(top.expect("bound").data, now).expect("set");
        let errors = RowErrors::default();
        let top = row_errors::row_by_row(top, &view.keys(), &errors).expect("rewritten");
        let context = session::batch();
        let plan = context.state().create_physical_plan(&top).await.expect("planned");
        collect(plan, context.task_ctx()).await.expect("computed")
    }
}

/// The columns that `plan` reads of a table.
fn columns_of(plan: &LogicalPlan, table: &TableReference) -> SchemaRef {
    let mut columns = None;
    let visited = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && scan.table_name == *table
        {
            columns = Some(scan.source.schema());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    visited.expect("walked");
    columns.expect("a view reads what it keeps")
}

/// Whether rows come in an order that was asked for.
pub(super) fn is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => is_ordered(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_ordered(&alias.input),
        LogicalPlan::Limit(limit) => is_ordered(&limit.input),
        _ => false,
    }
}

fn memory(schema: &SchemaRef, rows: &[RecordBatch]) -> Arc<MemTable> {
    let rows = rows.iter().map(|batch| {
        RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec()).expect("the columns of a cut")
    });
    Arc::new(MemTable::try_new(Arc::clone(schema), vec![rows.collect()]).expect("a table"))
}

async fn operator(cut: &Cut) -> Operator {
    let slot = Slot::default();
    let plan = cut.plan.clone().transform_up(|node| {
        let LogicalPlan::TableScan(mut scan) = node else { return Ok(Transformed::no(node)) };
        let provider = source_as_provider(&scan.source)?;
        if provider.downcast_ref::<FeedTable>().is_some() {
            scan.source = provider_as_source(FeedTable::new(provider.schema(), slot.clone()));
        }
        Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
    });
    let plan = plan.expect("bound").data;
    let prepared = Operator::prepare(&session::streaming(), &plan, slot).await;
    prepared.unwrap_or_else(|error| panic!("{error}\n{}", plan.display_indent()))
}

/// What plain DataFusion answers over all events at once, but for the mean of decimals.
pub(super) async fn in_batch(query: &str, orders: &RecordBatch) -> Vec<RecordBatch> {
    let mut config = SessionConfig::new();
    config.options_mut().sql_parser.parse_float_as_decimal = true;
    let context = SessionContext::new_with_config(config);
    // DataFusion's own cuts the mean of decimals where SQL rounds it.
    context.register_udaf(crate::avg::avg());
    context.register_batch("orders", orders.clone()).expect("registered");
    let products = crate::reference::ReferenceTable::read(&shop().tables[0]).expect("a table");
    context.register_batch("products", products.batch).expect("registered");
    let planned = context.sql(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    planned.collect().await.unwrap_or_else(|error| panic!("{query}: {error}"))
}

/// Rows as text; sorted, unless their order was asked for.
pub(super) fn shown(batches: &[RecordBatch], is_ordered: bool) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| {
                ArrayFormatter::try_new(column.as_ref(), &options).expect("a type that can be shown")
            })
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" | ")
        }));
    }
    if !is_ordered {
        rows.sort_unstable();
    }
    rows
}

/// `events` dealt out to partitions and cut into epochs, by `choices` that are used again and again.
pub(super) fn dealt(events: &[Value], partitions: usize, choices: &[usize]) -> Vec<Vec<RecordBatch>> {
    let mut dealt: Vec<Vec<Vec<Value>>> = vec![vec![Vec::new()]; partitions];
    for (event, choice) in events.iter().zip(choices.iter().cycle()) {
        let partition = &mut dealt[choice % partitions];
        if (choice / partitions).is_multiple_of(3) {
            partition.push(Vec::new());
        }
        partition.last_mut().expect("an epoch is begun").push(event.clone());
    }
    let epochs =
        |epochs: Vec<Vec<Value>>| epochs.iter().map(|events| batch("store.orders", events)).collect();
    dealt.into_iter().map(epochs).collect()
}

pub(super) fn together(epochs: &[Vec<RecordBatch>]) -> RecordBatch {
    let all: Vec<_> = epochs.iter().flatten().collect();
    concat_batches(&all[0].schema(), all).expect("one schema")
}
