//! Topics without a contract whose first events do not fit what their manifest says.

use std::time::Duration;

use factum_sql::{QueryLimits, ViewState};
use serde_json::json;

use crate::world::{World, order, small};

const SQL: &str = "CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n FROM clicks GROUP BY page;
CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM orders;";

fn world() -> World {
    let mut world = World::new(small()).with_orders(1);
    world.topic("store.clicks", 1);
    world.event("store.clicks", None, Some("at"), Duration::ZERO);
    world.post("store.orders", &[order(1, "a", 0, 1)]);
    world
}

#[test]
fn first_events_without_the_event_time_hold_up_their_own_view_alone() {
    let mut world = world();
    world.post("store.clicks", &[json!({"page": "a", "att": "2026-05-01T00:00:00Z"})]);
    let applied = world.apply(SQL);
    assert_eq!(applied.waiting.len(), 1);
    let reason = "the field at in one of the first 1000 events of store.clicks: its manifest names it as the \
        event time; did you mean att?";
    assert_eq!(world.status("store.pages").state, ViewState::Waiting(reason.to_owned()));
    let limits = QueryLimits { rows: 10, time: Duration::from_secs(10), client: None };
    let refused = world.block(world.engine().query("SELECT * FROM store.clicks", limits));
    assert_eq!(refused.expect_err("waits").to_string(), format!("store.clicks waits for {reason}"));
    // So does a start over the same events.
    world.restart();
    world.apply(SQL);
    world.settle_but_for(|view| &*view.name.name == "pages");
    assert_eq!(world.shown("store.n"), [r#"{"n":1}"#]);
    // An event that has the field lets the view begin.
    world.post("store.clicks", &[json!({"page": "b", "at": "2026-05-01T00:00:00Z"})]);
    world.until("planned", |world| world.status("store.pages").columns.is_some());
    world.settle();
    assert_eq!(world.sorted("store.pages"), [r#"{"page":"a","n":1}"#, r#"{"page":"b","n":1}"#]);
}

#[test]
fn a_view_that_does_not_fit_the_first_events_says_so() {
    let world = world();
    world.apply(SQL);
    world.post("store.clicks", &[json!({"side": "a", "at": "2026-05-01T00:00:00Z"})]);
    world.until("told", |world| {
        let state = format!("{:?}", world.status("store.pages").state);
        state.contains("a definition that fits its events: ") && state.contains("page")
    });
    world.settle_but_for(|view| &*view.name.name == "pages");
    assert_eq!(world.shown("store.n"), [r#"{"n":1}"#]);
}

#[test]
fn columns_are_those_of_the_topic_and_not_of_its_name() {
    let mut world = World::new(small());
    world.topic("store.clicks", 1);
    world.event("store.clicks", None, None, Duration::ZERO);
    world.post("store.clicks", &[json!({"page": 7})]);
    let sql = "CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n FROM clicks GROUP BY page";
    world.apply(sql);
    world.settle();
    assert_eq!(world.shown("store.pages"), [r#"{"page":7,"n":1}"#]);
    world.delete("store.clicks");
    world.topic("store.clicks", 1);
    world.post("store.clicks", &[json!({"page": "a"}), json!({"page": "b"})]);
    world.restart();
    world.apply(sql);
    world.settle();
    assert_eq!(world.sorted("store.pages"), [r#"{"page":"a","n":1}"#, r#"{"page":"b","n":1}"#]);
}
