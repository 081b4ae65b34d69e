//! Changes of a view whose first events the log no longer holds.

use std::sync::Arc;
use std::time::Duration;

use factum_sql::{ApplyError, ApplyResult, Definitions, Options, Problem};
use factum_testkit::HeldClock;
use factum_types::Timestamp;
use serde_json::Value;

use crate::world::{World, order, relation, small};

const SUM: &str = "CREATE MATERIALIZED VIEW v AS SELECT sum(order_id) AS n, count(*) AS orders FROM orders";
const MAX: &str = "CREATE MATERIALIZED VIEW v AS SELECT max(order_id) AS n, count(*) AS orders FROM orders";

fn orders(count: i64) -> Vec<Value> {
    (0..count).map(|id| order(id, "a", 0, 100)).collect()
}

/// A view that has read everything, over a topic that has lost its first events since.
fn world_of(options: Options) -> World {
    let world = World::new(options).with_orders(1);
    world.apply(SUM);
    world.post("store.orders", &orders(200));
    world.settle();
    world.expire("store.orders", 100, &orders(5));
    world.settle();
    world
}

fn problem(refused: Result<ApplyResult, ApplyError>) -> Problem {
    match refused {
        Err(ApplyError::Refused(mut problems)) if problems.len() == 1 => problems.remove(0),
        other => panic!("not refused: {other:?}"),
    }
}

fn try_apply(world: &World, sql: &str) -> Result<ApplyResult, ApplyError> {
    world.block(world.engine().apply(world.definitions(sql)))
}

fn check(world: &World, definitions: &Definitions) -> Result<(), ApplyError> {
    world.block(world.engine().check(definitions)).map(drop)
}

/// The line that the help of a problem says to write.
fn accepted_line(problem: &Problem) -> String {
    let help = problem.help.as_deref().expect("help");
    help[help.find("-- rebuild").expect("the line")..].to_owned()
}

#[test]
fn an_edit_that_would_lose_history_is_refused_and_the_view_goes_on() {
    let world = world_of(small());
    let before = world.shown("store.v");
    let problem = problem(try_apply(&world, MAX));
    let lost = world.log_start("store.orders", 0);
    assert!(problem.message.contains(&format!("lose {lost} events")), "{problem}");
    assert_eq!(&problem.text[problem.span.clone()], MAX);
    assert_eq!(world.shown("store.v"), before, "the old version serves");
    world.post("store.orders", &orders(1));
    world.settle();
    assert_ne!(world.shown("store.v"), before, "and goes on");
    let applied = world.apply(SUM);
    assert_eq!(applied.unchanged, [relation("store.v")]);
    // A change that needs nothing again is none of this.
    world.apply(&format!("{SUM} ORDER BY 1"));
}

#[test]
fn a_loss_that_is_accepted_is_carried_out_and_can_be_taken_back() {
    let mut world = world_of(small());
    let before = world.shown("store.v");
    let line = accepted_line(&problem(try_apply(&world, MAX)));
    let applied = world.apply(&format!("{line}\n{MAX}"));
    assert_eq!(applied.changed, [relation("store.v")]);
    let rows = world.records("store.orders", 0).len();
    world.until("built", |world| world.shown("store.v")[0].contains(&format!(r#""orders":{rows}}}"#)));
    world.restart();
    world.apply(MAX);
    world.settle();
    assert!(world.shown("store.v")[0].contains(&format!(r#""orders":{rows}}}"#)), "the line may go again");
    world.apply(SUM);
    world.until("back", |world| world.shown("store.v") == before);
}

#[test]
fn an_edit_while_the_engine_is_down_is_found_out() {
    let mut world = world_of(small());
    let before = world.shown("store.v");
    world.restart();
    let problem = problem(check(&world, &world.definitions(MAX)).map(|()| ApplyResult::default()));
    assert!(problem.message.contains("would be rebuilt"), "{problem}");
    world.apply(SUM);
    assert_eq!(world.shown("store.v"), before);
}

#[test]
fn a_dropped_view_comes_back_with_its_history() {
    let mut world = world_of(small());
    let before = world.shown("store.v");
    assert_eq!(world.apply("").dropped, [relation("store.v")]);
    world.restart();
    world.apply("");
    world.apply(SUM);
    world.until("back", |world| world.shown("store.v") == before);
}

#[test]
fn state_that_is_not_needed_is_kept_for_a_while() {
    let clock = HeldClock::at(Timestamp::from_millis(1_777_631_400_000));
    let world = World::at(small(), Arc::new(clock.clone())).with_orders(1);
    world.apply(SUM);
    world.post("store.orders", &orders(200));
    world.settle();
    world.expire("store.orders", 100, &orders(5));
    world.settle();
    let before = world.shown("store.v");
    world.apply("");
    world.until("given up", |world| world.kept_tasks() == 1);
    clock.advance(Duration::from_secs(6 * 24 * 3_600));
    world.apply("");
    world.apply(SUM);
    world.until("back", |world| world.shown("store.v") == before);
    world.apply("");
    world.until("forgotten", |world| {
        clock.advance(Duration::from_secs(8 * 24 * 3_600));
        world.apply("");
        world.kept_tasks() == 0
    });
}

#[test]
fn state_that_the_log_can_give_again_is_forgotten_at_once() {
    let world = World::new(small()).with_orders(1);
    world.apply(SUM);
    world.post("store.orders", &orders(20));
    world.settle();
    world.apply("");
    world.until("forgotten", |world| world.kept_tasks() == 0);
}
