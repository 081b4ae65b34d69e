//! Each event counts once, whatever is cut, crashes or comes again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use factum_sql::{Rows, render};
use proptest::prelude::*;
use serde_json::Value;

use crate::world::{World, order, small};

/// Views and the same in plain DataFusion.
const VIEWS: &[(&str, &str, &str)] = &[
    (
        "per_customer",
        "SELECT customer, count(*) AS orders, sum(total) AS revenue, min(total) AS least, \
         max(order_date) AS latest FROM orders GROUP BY customer",
        "SELECT customer, count(*) AS orders, sum(total) AS revenue, min(total) AS least, \
         max(order_date) AS latest FROM orders GROUP BY customer",
    ),
    (
        "top",
        "SELECT d.product_id, sum(d.quantity) AS sold FROM orders, UNNEST(details) AS d \
         GROUP BY d.product_id ORDER BY sold DESC, product_id LIMIT 3",
        "SELECT d['product_id'] AS product_id, sum(d['quantity']) AS sold \
         FROM (SELECT unnest(details) AS d FROM orders) GROUP BY 1 ORDER BY sold DESC, product_id LIMIT 3",
    ),
    (
        "hourly",
        "SELECT window_start, count(*) AS n FROM TUMBLE(orders, order_date, INTERVAL '1 hour') \
         GROUP BY window_start",
        "SELECT arrow_cast(date_trunc('hour', order_date), 'Timestamp(Microsecond, Some(\"UTC\"))') AS window_start, \
         count(*) AS n FROM orders GROUP BY 1",
    ),
    (
        "large",
        "SELECT order_id, total FROM orders WHERE total > 50",
        "SELECT order_id, total FROM orders WHERE total > 50",
    ),
    (
        "totals",
        "SELECT count(*) AS n, sum(total) AS revenue, count(DISTINCT customer) AS customers FROM orders",
        "SELECT count(*) AS n, sum(total) AS revenue, count(DISTINCT customer) AS customers FROM orders",
    ),
    (
        "best",
        "SELECT sum(orders) AS orders, max(revenue) AS best FROM per_customer",
        "SELECT sum(orders) AS orders, max(revenue) AS best FROM \
         (SELECT count(*) AS orders, sum(total) AS revenue FROM orders GROUP BY customer)",
    ),
];

/// What happens to the engine.
#[derive(Debug, Clone)]
enum Step {
    Post(Vec<(u8, u16, u16)>),
    Crash,
    Restart,
    /// Waits until everything is taken in, so that a crash may hit a quiet engine.
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((0..6_u8, 0..1_440_u16, 0..10_000_u16), 1..60).prop_map(Step::Post),
        3 => Just(Step::Crash),
        1 => Just(Step::Restart),
        1 => Just(Step::Settle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn views_equal_batch_and_a_recount(partitions in 1..5_i32, steps in prop::collection::vec(step(), 2..10)) {
        let mut world = World::new(small()).with_orders(partitions);
        let statements = VIEWS.iter().map(|(name, sql, _)| format!("CREATE MATERIALIZED VIEW {name} AS {sql};"));
        let statements: String = statements.collect();
        world.apply(&statements);
        let mut events = Vec::new();
        for step in &steps {
            match step {
                Step::Post(orders) => {
                    let from = events.len();
                    events.extend(orders.iter().enumerate().map(|(index, (customer, minute, cents))| {
                        order((from + index) as i64, &format!("c{customer}"), i64::from(*minute), i64::from(*cents))
                    }));
                    world.post("store.orders", &events[from..]);
                }
                Step::Crash => {
                    world.crash();
                    world.apply(&statements);
                }
                Step::Restart => {
                    world.restart();
                    world.apply(&statements);
                }
                Step::Settle => world.settle(),
            }
        }
        world.settle();
        for (name, _, oracle) in VIEWS {
            let rows = world.sorted(&format!("store.{name}"));
            assert_eq!(rows, in_batch(&world, oracle, &events), "{name}");
        }
        recount(&world, &events);
    }
}

/// The same SQL over all events at once, sorted.
fn in_batch(world: &World, sql: &str, events: &[Value]) -> Vec<String> {
    let schema = Arc::new(schema());
    let mut decoder = arrow_json::ReaderBuilder::new(Arc::clone(&schema)).build_decoder().expect("a decoder");
    decoder.serialize(events).expect("events of the schema");
    let batch = decoder.flush().expect("events of the schema");
    let table = MemTable::try_new(schema, vec![batch.into_iter().collect()]).expect("a table");
    let rows = world.block(async {
        let mut config = SessionConfig::new();
        config.options_mut().sql_parser.parse_float_as_decimal = true;
        let context = SessionContext::new_with_config(config);
        context.register_table("orders", Arc::new(table)).expect("registered");
        context.sql(sql).await.expect("a plan").collect().await.expect("rows")
    });
    let mut lines: Vec<_> =
        render::json(&rows).into_iter().map(|row| Value::Object(row).to_string()).collect();
    lines.sort_unstable();
    lines
}

fn schema() -> Schema {
    let detail =
        vec![Field::new("product_id", DataType::Int64, true), Field::new("quantity", DataType::Int64, true)];
    let details = Field::new("item", DataType::Struct(detail.into()), true);
    Schema::new(vec![
        Field::new("order_id", DataType::Int64, false),
        Field::new("customer", DataType::Utf8, false),
        Field::new("order_date", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Field::new("total", DataType::Decimal128(38, 2), false),
        Field::new("details", DataType::List(Arc::new(details)), true),
    ])
}

/// Counts by hand, without any SQL.
fn recount(world: &World, events: &[Value]) {
    let mut orders: BTreeMap<String, i64> = BTreeMap::new();
    for event in events {
        *orders.entry(event["customer"].as_str().expect("text").to_owned()).or_default() += 1;
    }
    let Rows { batches, .. } = world.read("store.per_customer");
    let counted = render::json(&batches).into_iter().map(|row| {
        (row["customer"].as_str().expect("text").to_owned(), row["orders"].as_i64().expect("a number"))
    });
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), orders);
}

#[test]
fn an_unchanged_definition_resumes_where_it_was() {
    let mut world = World::new(small()).with_orders(2);
    let sql = "CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM orders";
    world.apply(sql);
    world.post("store.orders", &(0..100).map(|id| order(id, "a", id, 100)).collect::<Vec<_>>());
    world.settle();
    let epochs: Vec<_> = world.status("store.n").partitions.iter().map(|at| at.epoch).collect();
    assert!(epochs.iter().all(|epoch| *epoch > 1), "{epochs:?}");
    world.restart();
    world.apply(sql);
    assert_eq!(world.shown("store.n"), [r#"{"n":100}"#], "state is there at once");
    world.settle();
    let after: Vec<_> = world.status("store.n").partitions.iter().map(|at| at.epoch).collect();
    assert_eq!(after, epochs, "nothing is taken in again");
}

#[test]
fn a_topic_that_comes_later_is_waited_for() {
    let mut world = World::new(small());
    world.event("store.orders", Some(crate::world::orders_schema()), None, std::time::Duration::ZERO);
    world.apply("CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM orders");
    let state = format!("{:?}", world.status("store.n").state);
    assert!(state.contains("Waiting") && state.contains("store.orders"), "{state}");
    assert_eq!(world.shown("store.n"), [r#"{"n":0}"#]);
    world.topic("store.orders", 3);
    world.post("store.orders", &[order(1, "a", 0, 100), order(2, "b", 0, 100)]);
    world.settle();
    assert_eq!(world.shown("store.n"), [r#"{"n":2}"#]);
}

#[test]
fn columns_are_learnt_from_the_first_events_and_kept() {
    let mut world = World::new(small());
    world.topic("store.clicks", 1);
    world.event("store.clicks", None, None, std::time::Duration::ZERO);
    let sql = "CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n FROM clicks GROUP BY page";
    let applied = world.apply(sql);
    assert_eq!(applied.waiting.len(), 1);
    let state = format!("{:?}", world.status("store.pages").state);
    assert!(state.contains("the first event of store.clicks"), "{state}");
    world.post("store.clicks", &[serde_json::json!({"page": "a"}), serde_json::json!({"page": "b"})]);
    world.until("planned", |world| world.status("store.pages").columns.is_some());
    world.settle();
    assert_eq!(world.sorted("store.pages"), [r#"{"page":"a","n":1}"#, r#"{"page":"b","n":1}"#]);
    let epoch = world.status("store.pages").partitions[0].epoch;
    world.post("store.clicks", &[serde_json::json!({"page": "a", "other": 1})]);
    world.settle();
    world.restart();
    world.apply(sql);
    world.settle();
    assert_eq!(world.sorted("store.pages")[0], r#"{"page":"a","n":2}"#);
    assert!(world.status("store.pages").partitions[0].epoch >= epoch, "the state went on");
}
