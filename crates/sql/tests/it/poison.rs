//! Events that are none: told, counted, and gone past.

use std::time::Duration;

use factum_eventlog::NewRecord;
use factum_sql::{LeftOutEvents, QueryLimits};
use factum_types::Record;
use serde_json::json;

use crate::world::{World, header, lines, new_record, order, small};

const LETTERS: &str = "store.per_customer.dead-letter";
const VIEW: &str = "CREATE MATERIALIZED VIEW per_customer AS \
                    SELECT customer, sum(10000 / (order_id - 13)) AS n FROM orders GROUP BY customer";

#[test]
fn tombstones_are_passed_over_and_are_no_dead_letters() {
    let world = World::new(small()).with_orders(1);
    world.apply(VIEW);
    let tombstone = NewRecord { key: Some("a".into()), ..NewRecord::default() };
    world.post("store.orders", &[order(1, "a", 0, 100)]);
    world.post_records("store.orders", vec![tombstone.clone(), tombstone]);
    world.post("store.orders", &[order(3, "a", 0, 100)]);
    world.settle();
    let status = world.status("store.per_customer");
    assert_eq!((status.poisoned, status.lag), (0, 0));
    let n = 10_000 / (1 - 13) + 10_000 / (3 - 13);
    assert_eq!(world.shown("store.per_customer"), [format!(r#"{{"customer":"a","n":{n}}}"#)]);
    let limits = QueryLimits { rows: 10, time: Duration::from_secs(60), client: None };
    let counted = world.block(world.engine().query("SELECT count(*) AS n FROM store.orders", limits));
    let counted = counted.expect("rows");
    assert_eq!(
        (lines(&counted), counted.left_out),
        (vec![r#"{"n":2}"#.to_owned()], LeftOutEvents::default())
    );
}

#[test]
fn events_that_cannot_be_decoded_or_computed_become_letters() {
    let mut world = World::new(small()).with_orders(1);
    world.apply(VIEW);
    world.post("store.orders", &[order(1, "a", 0, 100), order(13, "a", 0, 100), order(3, "a", 0, 100)]);
    world.post_records(
        "store.orders",
        vec![
            new_record("not JSON"),
            new_record(r#"{"order_id": "seven", "customer": "a"}"#),
            NewRecord::default(),
            new_record(order(4, "b", 0, 100).to_string()),
        ],
    );
    world.settle();
    let expected = [
        format!(r#"{{"customer":"a","n":{}}}"#, 10_000 / (1 - 13) + 10_000 / (3 - 13)),
        format!(r#"{{"customer":"b","n":{}}}"#, 10_000 / (4 - 13)),
    ];
    assert_eq!(world.sorted("store.per_customer"), expected);
    assert_eq!(world.status("store.per_customer").poisoned, 4);
    world.until("four letters", |world| {
        let topics = world.block(factum_eventlog::Admin::topics(&world.log)).expect("topics");
        topics.iter().any(|topic| topic.name.as_str() == LETTERS) && world.records(LETTERS, 0).len() == 4
    });
    let letters = world.records(LETTERS, 0);
    let mut sources: Vec<_> = letters.iter().map(|letter| header(letter, "factum-source")).collect();
    sources.sort_unstable();
    assert_eq!(sources, ["store.orders/0/1", "store.orders/0/3", "store.orders/0/4", "store.orders/0/5"]);
    let divided = letters.iter().find(|letter| header(letter, "factum-source") == "store.orders/0/1");
    let divided = divided.expect("a letter");
    assert!(header(divided, "factum-reason").contains("division by zero"), "{divided:?}");
    assert_eq!(divided.value.as_deref(), Some(order(13, "a", 0, 100).to_string().as_bytes()));
    // Counts outlive the engine, and letters that were sent are not sent again after a stop in order.
    world.restart();
    world.apply(VIEW);
    world.settle();
    assert_eq!(world.status("store.per_customer").poisoned, 4);
    assert_eq!(world.records(LETTERS, 0).len(), 4);
    // After a crash they are told again at most with the same tags.
    world.crash();
    world.apply(VIEW);
    world.settle();
    let mut tags: Vec<_> = world.records(LETTERS, 0).iter().map(tag).collect();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 4);
}

#[test]
fn a_view_that_takes_no_event_in_says_so_also_after_a_restart() {
    let mut world = World::new(small()).with_orders(1);
    world.apply(VIEW);
    let bad = || order(13, "a", 0, 100);
    world.post("store.orders", &[bad(), bad(), bad()]);
    world.settle();
    let status = world.status("store.per_customer");
    let rejected = status.rejected.expect("events that went to dead letters");
    assert_eq!((rejected.count, rejected.in_a_row), (3, 3));
    let since = rejected.first;
    let said = format!("3 events went to {LETTERS} since {since}, the last because division by zero");
    assert_eq!(rejected.to_string(), said);
    assert_eq!(status.rejected_problem, Some(format!("takes no event in: {said}")));
    assert_eq!(world.read("store.per_customer").why_left_out.as_ref(), Some(&said));
    for end in [World::restart, World::crash] {
        end(&mut world);
        world.apply(VIEW);
        world.settle();
        let again = world.status("store.per_customer");
        assert_eq!(
            (again.rejected.as_ref(), again.rejected_problem),
            (Some(&rejected), status.rejected_problem.clone())
        );
        assert_eq!(world.read("store.per_customer").why_left_out.as_ref(), Some(&said));
    }
    world.post("store.orders", &[order(1, "a", 0, 100)]);
    world.settle();
    world.restart();
    world.apply(VIEW);
    world.settle();
    let status = world.status("store.per_customer");
    assert_eq!(status.rejected.map(|rejected| (rejected.count, rejected.in_a_row)), Some((3, 0)));
    assert!(status.rejected_problem.is_some_and(|problem| problem.starts_with("3 events went to")));
}

#[test]
fn a_view_over_another_names_the_dead_letters_of_the_other() {
    let mut world = World::new(small()).with_orders(1);
    let both = format!("{VIEW};\nCREATE MATERIALIZED VIEW above AS SELECT count(*) AS n FROM per_customer");
    world.apply(&both);
    world.post("store.orders", &[order(13, "a", 0, 100), order(1, "a", 0, 100)]);
    world.settle();
    world.restart();
    world.apply(&both);
    world.settle();
    let why = world.read("store.above").why_left_out.expect("a reason");
    assert!(why.starts_with(&format!("1 event went to {LETTERS} at ")), "{why}");
}

#[test]
fn a_query_says_why_events_are_left_out() {
    let world = World::new(small()).with_orders(1);
    world.apply("");
    let bad = new_record(r#"{"order_id": "seven", "customer": "a"}"#);
    world.post_records("store.orders", vec![new_record(order(1, "a", 0, 100).to_string()), bad]);
    let limits = QueryLimits { rows: 10, time: Duration::from_secs(60), client: None };
    let counted = world.block(world.engine().query("SELECT count(order_id) AS n FROM store.orders", limits));
    let counted = counted.expect("rows");
    assert_eq!(counted.left_out.undecodable, 1);
    let why = counted.why_left_out.expect("a reason");
    assert!(why.starts_with("the first is store.orders/0/1: "), "{why}");
}

fn tag(letter: &Record) -> String {
    ["factum-task", "factum-epoch", "factum-index"].map(|name| header(letter, name)).join(" ")
}

#[test]
fn a_stream_of_poison_stops_nothing() {
    let world = World::new(small()).with_orders(2);
    world.apply(VIEW);
    let events: Vec<_> = (0..200)
        .map(|id| order(if id % 3 == 0 { 13 } else { id + 100 }, "a", 0, 100))
        .chain([order(5_013, "b", 0, 1)])
        .collect();
    world.post("store.orders", &events);
    world.settle();
    assert_eq!(world.status("store.per_customer").poisoned, 67);
    assert_eq!(world.sorted("store.per_customer")[1], r#"{"customer":"b","n":2}"#);
}

#[test]
fn null_keys_and_missing_fields_are_values() {
    let mut world = World::new(small());
    world.topic("store.visits", 1);
    let schema = json!({"type": "object", "properties": {
        "page": {"type": "string"}, "ms": {"type": "integer"}}});
    world.event("store.visits", Some(schema), None, Duration::ZERO);
    world.apply("CREATE MATERIALIZED VIEW pages AS SELECT page, sum(ms) AS ms, count(*) AS n FROM visits GROUP BY page");
    world.post(
        "store.visits",
        &[json!({"page": null, "ms": 1}), json!({"ms": 2}), json!({"page": "a"}), json!({})],
    );
    world.settle();
    assert_eq!(
        world.sorted("store.pages"),
        [r#"{"page":"a","ms":null,"n":1}"#, r#"{"page":null,"ms":3,"n":3}"#,]
    );
    assert_eq!(world.status("store.pages").poisoned, 0);
}

#[test]
fn a_refused_event_leaves_nothing_in_the_next() {
    let mut world = World::new(small());
    world.topic("store.visits", 1);
    let list = |items: serde_json::Value| json!({"type": "array", "items": items});
    let clicks = json!({"type": "object", "properties": {
        "ms": list(json!({"type": "integer"})), "n": {"type": "integer"}, "page": {"type": "string"}}});
    let grid = list(list(json!({"type": "integer"})));
    let schema = json!({"type": "object", "properties": {"clicks": list(clicks), "grid": grid}});
    world.event("store.visits", Some(schema), None, Duration::ZERO);
    world.apply("CREATE MATERIALIZED VIEW visited AS SELECT clicks, grid FROM visits");
    let good = json!({"clicks": [{"ms": [5], "n": 6, "page": "a"}], "grid": [[7]]});
    // Each is refused at another place, and the good one behind it is decoded with it.
    let bad = [
        json!({"clicks": [{"n": "six"}]}),
        json!({"clicks": [{"ms": [1, "x"]}]}),
        json!({"clicks": [{"n": 1, "ms": [1, "x"]}]}),
        json!({"clicks": [{"ms": [1], "n": 1}, {"ms": [2], "page": [3]}]}),
        json!({"grid": [[1, 2], [3, "x"]]}),
        json!({"grid": [["x"]]}),
    ];
    for bad in &bad {
        world.post("store.visits", &[bad.clone(), good.clone()]);
    }
    world.settle();
    assert_eq!(world.status("store.visited").poisoned, bad.len() as u64);
    assert_eq!(world.sorted("store.visited"), vec![good.to_string(); bad.len()]);
}

#[test]
fn a_number_is_taken_in_a_text_column_and_a_string_in_a_number_column() {
    let mut world = World::new(small());
    world.topic("store.visits", 1);
    let schema = json!({"type": "object", "properties": {
        "page": {"type": "string"}, "ms": {"type": "integer"}, "price": {"type": "number", "multipleOf": 0.01},
        "paid": {"type": "boolean"}}});
    world.event("store.visits", Some(schema), None, Duration::ZERO);
    world.apply("CREATE MATERIALIZED VIEW visited AS SELECT page, ms, price, paid FROM visits");
    let events = [
        r#"{"page": "a", "ms": 5, "price": 3.50, "paid": true}"#,
        r#"{"page": 2.50, "ms": "5", "price": "3.50", "paid": "true"}"#,
        r#"{"page": true, "ms": "-7.0", "price": 12345678901234567890.12, "paid": "false"}"#,
        r#"{"page": 12345678901234567890123, "ms": null, "price": null, "paid": null}"#,
        r#"{"page": "with \"quotes\" and \u00e9"}"#,
        // No value of these types, however it is written.
        r#"{"page": {}}"#,
        r#"{"page": ["a"]}"#,
        r#"{"ms": "5.5"}"#,
        r#"{"ms": "five"}"#,
        r#"{"ms": ""}"#,
        r#"{"ms": "9223372036854775808"}"#,
        r#"{"paid": "yes"}"#,
        r#"{"paid": 1}"#,
    ];
    world.post_records("store.visits", events.into_iter().map(new_record).collect());
    world.settle();
    assert_eq!(
        world.shown("store.visited"),
        [
            r#"{"page":"a","ms":5,"price":"3.5","paid":true}"#,
            r#"{"page":"2.50","ms":5,"price":"3.5","paid":true}"#,
            r#"{"page":"true","ms":-7,"price":"12345678901234567890.12","paid":false}"#,
            r#"{"page":"12345678901234567890123","ms":null,"price":null,"paid":null}"#,
            r#"{"page":"with \"quotes\" and é","ms":null,"price":null,"paid":null}"#,
        ]
    );
    assert_eq!(world.status("store.visited").poisoned, 8);
}
