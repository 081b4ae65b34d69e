//! Topics are given partitions while views read them.

use std::time::Duration;

use crate::world::{World, hourly, order, small};

const SQL: &str =
    "CREATE MATERIALIZED VIEW spent AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;";

#[test]
fn views_take_new_partitions_in() {
    let mut world = World::new(small()).with_orders(1);
    world.post("store.orders", &[order(1, "ada", 0, 100)]);
    world.apply(SQL);
    world.settle();
    world.grow("store.orders", 3);
    world.post_to("store.orders", 2, &[order(2, "ada", 1, 200)]);
    world.post_to("store.orders", 1, &[order(3, "bob", 2, 300)]);
    let all = [r#"{"customer":"ada","total":"3"}"#, r#"{"customer":"bob","total":"3"}"#];
    world.settle();
    assert_eq!(world.sorted("store.spent"), all);
    world.restart();
    world.apply(SQL);
    world.settle();
    assert_eq!(world.sorted("store.spent"), all, "after a restart too");
    // With the state gone everything is read again, from all partitions.
    world.lose_state();
    world.apply(SQL);
    world.settle();
    assert_eq!(world.sorted("store.spent"), all);
}

#[test]
fn windows_that_were_closed_before_a_partition_was_there_take_its_events() {
    let world = World::new(small()).with_late_orders(1, Duration::ZERO);
    let sql = hourly("hours", "count(*)");
    world.post("store.orders", &[order(1, "ada", 0, 100), order(2, "ada", 600, 100)]);
    world.apply(&sql);
    world.settle();
    world.until("closed", |world| world.sorted("store.hours").len() == 1);
    world.grow("store.orders", 2);
    world.post_to("store.orders", 1, &[order(3, "bob", 601, 100)]);
    world.settle();
    world.post_to("store.orders", 0, &[order(4, "ada", 1_300, 100)]);
    world.post_to("store.orders", 1, &[order(5, "ada", 1_300, 100)]);
    world.until("closed", |world| world.sorted("store.hours").len() == 2);
    let counts = world.sorted("store.hours").join(" ");
    assert!(counts.contains(r#""n":1"#) && counts.contains(r#""n":2"#), "no event is late: {counts}");
}
