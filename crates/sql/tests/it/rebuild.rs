//! Definitions that change, and views that go.

use factum_sql::{ApplyError, Query, ReadError, ViewState};

use crate::world::{World, order, relation, small};

fn orders(count: i64) -> Vec<serde_json::Value> {
    (0..count).map(|id| order(id, if id % 4 == 0 { "a" } else { "b" }, id % 1_000, 100 + id)).collect()
}

#[test]
fn checked_definitions_are_applied_by_their_plan() {
    let world = World::new(small()).with_orders(1);
    let sql = "CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM orders";
    let definitions = world.definitions(sql);
    let planned = world.block(world.engine().check(&definitions)).expect("the definitions are good");
    assert_eq!(planned.definitions(), &definitions);
    world.post("store.orders", &orders(3));
    let applied = world.block(world.engine().apply_planned(planned)).expect("they still are");
    assert_eq!(applied.created, [relation("store.v")]);
    world.settle();
    assert_eq!(world.sorted("store.v"), [r#"{"n":3}"#]);
    assert_eq!(world.apply(sql).unchanged, [relation("store.v")], "planned again, it is the same");
}

#[test]
fn a_changed_definition_is_served_once_it_has_caught_up() {
    let world = World::new(small()).with_orders(3);
    let first = "CREATE MATERIALIZED VIEW v AS SELECT customer, count(*) AS n FROM orders GROUP BY customer";
    world.apply(first);
    world.post("store.orders", &orders(3_000));
    world.settle();
    let old = world.sorted("store.v");
    assert_eq!(old, [r#"{"customer":"a","n":750}"#, r#"{"customer":"b","n":2250}"#]);
    let second =
        "CREATE MATERIALIZED VIEW v AS SELECT order_id % 2 AS odd, count(*) AS n FROM orders GROUP BY 1";
    let applied = world.apply(second);
    assert_eq!((applied.changed.len(), applied.created.len()), (1, 0));
    let new = [r#"{"odd":0,"n":1500}"#, r#"{"odd":1,"n":1500}"#];
    let mut seen_building = false;
    loop {
        let rows = world.sorted("store.v");
        let state = world.status("store.v").state;
        seen_building |= matches!(state, ViewState::Building { total: 3_000, .. });
        if rows == new {
            break;
        }
        assert_eq!(rows, old, "the old rows or the new ones, never some of them: {state:?}");
    }
    assert!(seen_building, "progress is shown");
    world.until("forgotten", |world| {
        let columns = world.status("store.v").columns.expect("columns");
        columns.field(0).name() == "odd" && world.status("store.v").state == ViewState::Live
    });
}

#[test]
fn a_change_above_the_cut_takes_nothing_in_again() {
    let world = World::new(small()).with_orders(2);
    world.apply("CREATE MATERIALIZED VIEW v AS SELECT customer, count(*) AS n FROM orders GROUP BY customer ORDER BY n DESC");
    world.post("store.orders", &orders(100));
    world.settle();
    let epochs =
        |world: &World| -> Vec<_> { world.status("store.v").partitions.iter().map(|at| at.epoch).collect() };
    let before = epochs(&world);
    world.apply("CREATE MATERIALIZED VIEW v AS SELECT customer, count(*) AS n FROM orders GROUP BY customer ORDER BY n DESC LIMIT 1");
    world.settle();
    assert_eq!(world.shown("store.v"), [r#"{"customer":"b","n":75}"#]);
    assert_eq!(epochs(&world), before);
}

#[test]
fn a_view_over_a_changed_view_changes_with_it() {
    let world = World::new(small()).with_orders(2);
    let statements = |key: &str| {
        format!(
            "CREATE MATERIALIZED VIEW inner_view AS SELECT {key} AS k, count(*) AS n FROM orders GROUP BY 1;
             CREATE MATERIALIZED VIEW outer_view AS SELECT count(*) AS keys, sum(n) AS n FROM inner_view;"
        )
    };
    world.apply(&statements("customer"));
    world.post("store.orders", &orders(1_000));
    world.settle();
    let old = [r#"{"keys":2,"n":1000}"#];
    assert_eq!(world.shown("store.outer_view"), old);
    world.apply(&statements("order_id % 10"));
    let new = [r#"{"keys":10,"n":1000}"#];
    loop {
        let rows = world.shown("store.outer_view");
        if rows == new {
            break;
        }
        assert_eq!(rows, old);
    }
    world.settle();
}

#[test]
fn a_definition_that_comes_back_starts_anew() {
    let world = World::new(small()).with_orders(2);
    let first = "CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM orders";
    let other = "CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM orders WHERE order_id < 10";
    world.post("store.orders", &orders(300));
    for _ in 0..5 {
        world.apply(first);
        world.apply(other);
        world.apply("");
    }
    world.apply(first);
    world.settle();
    assert_eq!(world.shown("store.v"), [r#"{"n":300}"#]);
}

#[test]
fn a_dropped_view_says_so_and_its_state_is_forgotten() {
    let mut world = World::new(small()).with_orders(1);
    let sql = "CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM orders";
    world.apply(sql);
    world.post("store.orders", &orders(50));
    world.settle();
    let applied = world.apply("");
    assert_eq!(applied.dropped, [relation("store.v")]);
    let read = world.block(world.engine().read(&relation("store.v"), Query::default()));
    assert!(matches!(read, Err(ReadError::UnknownView { .. })), "{read:?}");
    world.apply(sql);
    world.settle();
    assert_eq!(world.shown("store.v"), [r#"{"n":50}"#], "counted once again, from nothing");
    // What a crash leaves of a definition that is gone is forgotten at the next start.
    world.crash();
    world.apply("");
    world.apply(sql);
    world.settle();
    assert_eq!(world.shown("store.v"), [r#"{"n":50}"#]);
}

#[test]
fn a_view_is_read_while_it_is_dropped() {
    let world = World::new(small()).with_orders(2);
    let sql = "CREATE MATERIALIZED VIEW v AS SELECT order_id, total FROM orders";
    world.post("store.orders", &orders(2_000));
    world.apply(sql);
    world.settle();
    let engine = world.engine();
    let reader = world.block(async {
        let reads = (0..50).map(|_| {
            let engine = engine.clone();
            async move {
                match engine.read(&relation("store.v"), Query::default()).await {
                    Ok(rows) => assert_eq!(rows.count(), 2_000, "all rows or none"),
                    Err(ReadError::UnknownView { .. } | ReadError::Dropped { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        let dropped = engine.apply(world.definitions(""));
        let (_, dropped) = futures::join!(futures::future::join_all(reads), dropped);
        dropped
    });
    assert_eq!(reader.expect("applied").dropped.len(), 1);
}

#[test]
fn wrong_definitions_change_nothing() {
    let world = World::new(small()).with_orders(1);
    world.apply("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM orders");
    let wrong = world
        .definitions("CREATE MATERIALIZED VIEW w AS SELECT custmer, count(*) FROM orders GROUP BY custmer");
    let refused = world.block(world.engine().apply(wrong));
    let Err(ApplyError::Refused(problems)) = refused else { panic!("{refused:?}") };
    assert!(problems[0].to_string().contains("custmer"), "{problems:?}");
    assert_eq!(&problems[0].text[problems[0].span.clone()], "custmer");
    assert_eq!(world.shown("store.v"), [r#"{"n":0}"#]);
}

#[test]
fn a_changed_table_changes_what_was_looked_up() {
    let mut world = World::new(small()).with_orders(1);
    world.table("store.products", "product_id", "product_id,title\n0,Heat\n1,Ran\n");
    let sql = "CREATE MATERIALIZED VIEW v AS SELECT p.title, count(*) AS n \
               FROM orders AS o JOIN products AS p ON o.order_id = p.product_id GROUP BY p.title";
    world.apply(sql);
    world.post("store.orders", &orders(5));
    world.settle();
    assert_eq!(world.sorted("store.v"), [r#"{"title":"Heat","n":1}"#, r#"{"title":"Ran","n":1}"#]);
    world.table("store.products", "product_id", "product_id,title\n0,Heat\n1,Heat\n2,Heat\n");
    world.apply(sql);
    world.until("looked up again", |world| world.sorted("store.v") == [r#"{"title":"Heat","n":3}"#]);
}

#[test]
fn a_topic_that_is_made_again_is_another() {
    let world = World::new(small()).with_orders(1);
    world.apply("CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM orders");
    world.post("store.orders", &(0..10).map(|id| order(id, "a", 0, 1)).collect::<Vec<_>>());
    world.settle();
    assert_eq!(world.shown("store.counted"), [r#"{"n":10}"#]);
    world.delete("store.orders");
    world.until("noticed", |world| world.status("store.counted").state != ViewState::Live);
    world.topic("store.orders", 1);
    // More than there were before: an offset of the first topic is one of the second as well.
    world.post("store.orders", &(0..25).map(|id| order(id, "a", 0, 1)).collect::<Vec<_>>());
    world.settle();
    assert_eq!(world.shown("store.counted"), [r#"{"n":25}"#]);
}
