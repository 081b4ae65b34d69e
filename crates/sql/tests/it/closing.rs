//! Windows that close: shown once, when they are over.

use std::time::Duration;

use factum_sql::Options;

use crate::world::{World, order, orders_schema, small};

const HOURLY: &str = "CREATE MATERIALIZED VIEW hourly AS SELECT window_start, count(*) AS n \
    FROM TUMBLE(orders, order_date, INTERVAL '1 hour') GROUP BY window_start EMIT ON WINDOW CLOSE";

fn world(partitions: i32, options: Options) -> World {
    let mut world = World::new(options);
    world.topic("store.orders", partitions);
    world.event("store.orders", Some(orders_schema()), Some("order_date"), Duration::from_secs(600));
    world.apply(HOURLY);
    world
}

fn hour(hour: i64, count: i64) -> String {
    format!(r#"{{"window_start":"2026-05-01T{hour:02}:00:00Z","n":{count}}}"#)
}

#[test]
fn a_window_is_shown_when_the_watermark_passes_its_end_and_late_rows_are_counted() {
    let mut world = world(1, small());
    world.post("store.orders", &[order(1, "a", 5, 1), order(2, "a", 59, 1), order(3, "a", 69, 1)]);
    world.settle();
    assert!(world.shown("store.hourly").is_empty(), "ten minutes of grace");
    // Still in time; then the watermark passes; then too late.
    world.post("store.orders", &[order(4, "a", 10, 1), order(5, "a", 71, 1), order(6, "a", 11, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 3)]);
    assert_eq!(world.status("store.hourly").late, 1);
    world.restart();
    world.apply(HOURLY);
    assert_eq!(world.shown("store.hourly"), [hour(0, 3)], "closed is closed");
    world.post("store.orders", &[order(7, "a", 12, 1), order(8, "a", 200, 1)]);
    world.settle();
    assert_eq!(world.sorted("store.hourly"), [hour(0, 3), hour(1, 2)]);
    assert_eq!(world.status("store.hourly").late, 2);
}

#[test]
fn the_slowest_partition_holds_windows_open_until_it_is_idle() {
    let idle = Options { idle_partition: Duration::from_millis(300), ..small() };
    let world = world(2, idle);
    world.post_to("store.orders", 0, &[order(1, "a", 0, 1), order(2, "a", 180, 1)]);
    world.post_to("store.orders", 1, &[order(3, "b", 0, 1)]);
    // Partition 1 stands at 00:00; once it is idle it no longer counts.
    world.until("closed", |world| world.shown("store.hourly") == [hour(0, 2)]);
    // Its rows of closed windows are late from now on.
    world.post_to("store.orders", 1, &[order(4, "b", 1, 1), order(5, "b", 181, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 2)]);
    assert_eq!(world.status("store.hourly").late, 1);
}

#[test]
fn a_clock_a_year_ahead_closes_nothing() {
    let world = world(1, small());
    let ahead = order(1, "a", 0, 1);
    let mut ahead = ahead.as_object().expect("an object").clone();
    ahead.insert("order_date".to_owned(), "9999-01-01T00:00:00Z".into());
    world.post("store.orders", &[ahead.into()]);
    world.settle();
    let status = world.status("store.hourly");
    assert_eq!((status.watermark, status.ahead, status.last_error), (None, 1, None));
    // Nor does it make those late that come on time.
    world.post("store.orders", &[order(2, "a", 5, 1), order(3, "a", 71, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 1)]);
    assert_eq!(world.status("store.hourly").late, 0);
}

#[test]
fn future_timestamps_do_not_make_their_partition_late() {
    let world = world(1, small());
    let at = |id: i64, time: i64| {
        let time = jiff::Timestamp::from_millisecond(time).expect("a time").to_string();
        let mut event = order(id, "a", 0, 1).as_object().expect("an object").clone();
        event.insert("order_date".to_owned(), time.into());
        serde_json::Value::from(event)
    };
    let now = factum_base::clock::Clock::now(&factum_base::clock::SystemClock).as_millis();
    let events: Vec<_> = (0..25).map(|id| at(id, now + id)).collect();
    world.post("store.orders", &[at(100, now + 40 * 24 * 3_600_000)]);
    world.post("store.orders", &events);
    world.settle();
    let status = world.status("store.hourly");
    assert_eq!((status.late, status.ahead), (0, 1));
}
