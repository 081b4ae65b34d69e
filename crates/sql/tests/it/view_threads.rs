//! Views that compute for long: on threads of their own, in turns.

use factum_sql::Options;
use serde_json::json;

use crate::world::{World, header, lines, order, small};

/// A state that does not answer holds a step as endless computing would. The topic has more partitions than the runtime has
/// threads.
#[test]
fn a_view_that_computes_for_ever_holds_up_no_other_view_and_no_stop() {
    let mut world = World::new(Options { view_threads: 1, ..small() }).with_orders(4);
    let views = "CREATE MATERIALIZED VIEW slow AS SELECT count(*) AS n FROM orders;\n\
                 CREATE MATERIALIZED VIEW quick AS SELECT count(*) AS n, 1 AS one FROM orders;";
    world.apply(views);
    world.settle();
    world.hold_reads(Some("store.slow"));
    let orders: Vec<_> = (0..8).map(|id| order(id, "a", id, 100)).collect();
    for partition in 0..4 {
        world.post_to("store.orders", partition, &orders);
    }
    world.until("all events in the other view", |world| {
        let status = world.status("store.quick");
        status.lag == 0 && world.shown("store.quick") == [r#"{"n":32,"one":1}"#]
    });
    assert_eq!(world.status("store.slow").lag, 32);
    world.stop();
    world.hold_reads(None);
    world.open();
    world.apply(views);
    world.settle();
    assert_eq!(world.shown("store.slow"), [r#"{"n":32}"#]);
}

/// An event may ask for more than a view makes of one; the others are computed.
#[test]
fn events_that_make_too_much_become_letters() {
    let mut world = World::new(small());
    world.topic("store.asks", 1);
    let schema = json!({"type": "object", "properties": {
        "k": {"type": "string"}, "part": {"type": "string"}, "n": {"type": "integer"}}});
    world.event("store.asks", Some(schema), None, std::time::Duration::ZERO);
    world.apply(
        "CREATE MATERIALIZED VIEW made AS SELECT k, unnest(range(0, n)) AS x FROM asks;\n\
         CREATE MATERIALIZED VIEW made_often AS SELECT y, count(*) AS n FROM \
         (SELECT unnest(range(0, n)) AS y FROM (SELECT n, unnest(range(0, n)) AS x FROM asks)) GROUP BY y;\n\
         CREATE MATERIALIZED VIEW compared AS SELECT levenshtein(repeat(k, n), repeat('b', n)) AS far FROM asks;\n\
         CREATE MATERIALIZED VIEW trimmed AS SELECT length(btrim(repeat(k, n), repeat('b', n))) AS left FROM asks;\n\
         CREATE MATERIALIZED VIEW fits AS SELECT k LIKE part AS fits FROM asks;\n\
         CREATE MATERIALIZED VIEW matches AS SELECT regexp_like(k, part) AS matches FROM asks;",
    );
    let ask = |k: &str, part: &str, n: i64| json!({"k": k, "part": part, "n": n});
    world.post(
        "store.asks",
        &[
            ask("a", "a", 2),
            ask("a", "a", 5_000_000),
            ask("a", "_", 1_100),
            ask("a", &"_".repeat(9_000), 2),
            ask("a", r"(\w{100}|x){80}", 2),
        ],
    );
    world.settle();
    let mut told = String::new();
    for view in ["made", "made_often", "compared", "trimmed", "fits", "matches"] {
        let topic = format!("store.{view}.dead-letter");
        let poisoned = world.status(&format!("store.{view}")).poisoned;
        world.until("letters", |world| world.records_if_any(&topic, 0).len() as u64 == poisoned);
        for letter in world.records_if_any(&topic, 0) {
            let (source, reason) = (header(&letter, "factum-source"), header(&letter, "factum-reason"));
            told.push_str(&format!("{view} {source}: {reason}\n"));
        }
        told.push_str(&format!("{view}: {} rows\n", lines(&world.read(&format!("store.{view}"))).len()));
    }
    expect_test::expect![[r#"
        made store.asks/0/1: range would make 5000000 values of one event: the limit is 1000000
        made: 1106 rows
        made_often store.asks/0/1: range would make 5000000 values of one event: the limit is 1000000
        made_often store.asks/0/2: a view would make more than 1000000 rows of one event
        made_often: 2 rows
        compared store.asks/0/1: levenshtein would compare too much: shorten what it is given
        compared: 4 rows
        trimmed store.asks/0/1: btrim would compare too much: shorten what it is given
        trimmed: 4 rows
        fits store.asks/0/3: a pattern has 9000 bytes: the limit is 1000
        fits: 4 rows
        matches store.asks/0/4: a regular expression is too large with its repetitions written out: the limit is 50000 characters
        matches: 4 rows
    "#]].assert_eq(&told);
}

/// Searching grows with the texts, and not with one times the other: this would take hours.
#[test]
fn texts_that_repeat_themselves_are_searched_at_once() {
    let mut world = World::new(small());
    world.topic("store.texts", 1);
    let schema = json!({"type": "object", "properties": {"k": {"type": "string"}, "n": {"type": "integer"}}});
    world.event("store.texts", Some(schema), None, std::time::Duration::ZERO);
    world.apply(
        "CREATE MATERIALIZED VIEW found AS \
         SELECT strpos(repeat(k, 8 * n), repeat(k, 4 * n) || 'b1') AS p, strpos(repeat(k, n) || 'b', 'b') AS q, \
         position(k IN 'xyza') AS r FROM texts;",
    );
    world.post("store.texts", &[json!({"k": "a", "n": 1_000_000}), json!({"k": "ä", "n": 3})]);
    world.settle();
    expect_test::expect![[r#"
        {"p":0,"q":1000001,"r":4}
        {"p":0,"q":4,"r":0}"#]]
    .assert_eq(&world.shown("store.found").join("\n"));
}
