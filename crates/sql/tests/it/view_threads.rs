//! Views that compute for long: on threads of their own, in turns.

use factum_sql::Options;

use crate::world::{World, order, small};

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
