//! Windows that close: shown once, when they are over.

use std::time::Duration;

use factum_sql::{Options, ViewState};
use factum_types::TopicPartition;

use crate::damaged_log::DamagedLog;
use crate::world::{World, header, hourly, order, small, topic};

/// How long events may stay behind the latest.
const LATENESS: Duration = Duration::from_secs(600);

const LETTERS: &str = "store.hourly.dead-letter";

fn count() -> String {
    hourly("hourly", "count(*)")
}

fn world(partitions: i32, options: Options) -> World {
    let world = World::new(options).with_late_orders(partitions, LATENESS);
    world.apply(&count());
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
    // Still in time, also behind the event that lets the window close.
    world.post("store.orders", &[order(4, "a", 10, 1), order(5, "a", 71, 1), order(6, "a", 11, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 4)]);
    assert_eq!(world.status("store.hourly").late, 0);
    // It is closed: too late.
    world.post("store.orders", &[order(9, "a", 13, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 4)]);
    assert_eq!(world.status("store.hourly").late, 1);
    world.restart();
    world.apply(&count());
    assert_eq!(world.shown("store.hourly"), [hour(0, 4)], "closed is closed");
    world.post("store.orders", &[order(7, "a", 12, 1), order(8, "a", 200, 1)]);
    world.settle();
    assert_eq!(world.sorted("store.hourly"), [hour(0, 4), hour(1, 2)]);
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

#[test]
fn an_event_is_late_only_once_its_window_is_closed() {
    let world = world(4, small());
    // Twelve hours ahead of the others: the watermark of this partition alone passes.
    world.post_to("store.orders", 0, &[order(1_000, "a", 720, 1)]);
    world.settle();
    assert!(world.shown("store.hourly").is_empty());
    for partition in 0..4 {
        let events: Vec<_> = (0..125).map(|minute| order(i64::from(minute), "a", minute.into(), 1)).collect();
        world.post_to("store.orders", partition, &events);
    }
    world.settle();
    assert_eq!(world.status("store.hourly").late, 0);
    for partition in 1..4 {
        world.post_to("store.orders", partition, &[order(1_001, "a", 720, 1)]);
    }
    // What one partition closes, the others learn of when they have taken their events in.
    let closed = [hour(0, 240), hour(1, 240), hour(2, 20)];
    world.until("closed", |world| world.sorted("store.hourly") == closed);
    assert_eq!(world.status("store.hourly").late, 0);
}

#[test]
fn a_late_event_is_a_dead_letter_with_the_reason() {
    let world = world(1, small());
    world.post("store.orders", &[order(1, "a", 0, 1), order(2, "a", 200, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 1)]);
    world.post("store.orders", &[order(3, "a", 1, 1)]);
    world.settle();
    world.until("written", |world| !world.records_if_any(LETTERS, 0).is_empty());
    let letters = world.records(LETTERS, 0);
    assert_eq!(header(&letters[0], "factum-source"), "store.orders/0/2");
    assert_eq!(
        header(&letters[0], "factum-reason"),
        "it came after its window, which ended at 2026-05-01T01:00:00Z, was closed"
    );
    let status = world.status("store.hourly");
    assert_eq!((status.late, status.poisoned, letters.len()), (1, 0, 1));
}

#[test]
fn a_view_that_is_declared_later_closes_the_same_windows() {
    let idle = Options { idle_partition: Duration::from_millis(100), ..small() };
    let mut world = world(2, idle);
    world.post_to("store.orders", 0, &[order(1, "a", 0, 1), order(2, "a", 180, 1)]);
    world.until("closed", |world| world.shown("store.hourly") == [hour(0, 1)]);
    // Too late for a window that the clock has closed, and for nothing else.
    world.post_to("store.orders", 1, &[order(3, "b", 1, 1), order(4, "b", 185, 1)]);
    world.settle();
    let shown = world.sorted("store.hourly");
    world.apply(&(count() + &hourly("later", "count(*)") + &hourly("other", "count(customer)")));
    world.settle();
    assert_eq!(world.sorted("store.later"), shown);
    assert_eq!(world.sorted("store.other"), shown);
    // The statement is changed, and put back; then nothing of the state is left.
    world.apply(&hourly("hourly", "sum(order_id)"));
    world.settle();
    world.apply(&count());
    world.settle();
    assert_eq!((world.sorted("store.hourly"), world.status("store.hourly").late), (shown.clone(), 1));
    world.lose_state();
    world.apply(&count());
    world.settle();
    assert_eq!((world.sorted("store.hourly"), world.status("store.hourly").late), (shown, 1));
}

#[test]
fn windows_of_another_length_close_by_themselves() {
    let world = world(1, small());
    world.post("store.orders", &[order(1, "a", 0, 1), order(2, "a", 130, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 1)]);
    world.post("store.orders", &[order(3, "a", 1, 1)]);
    world.settle();
    world.apply(&(count() + &hourly("longer", "count(*)").replace("1 hour", "2 hour")));
    world.settle();
    assert_eq!(world.shown("store.longer"), [hour(0, 2)]);
    assert_eq!((world.status("store.hourly").late, world.status("store.longer").late), (1, 0));
}

#[test]
fn a_topic_that_is_made_anew_has_no_closed_windows() {
    let world = world(1, small());
    world.post("store.orders", &[order(1, "a", 0, 1), order(2, "a", 200, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 1)]);
    world.delete("store.orders");
    world.topic("store.orders", 1);
    world.post("store.orders", &[order(3, "a", 0, 1), order(4, "a", 1, 1), order(5, "a", 80, 1)]);
    world.until("read", |world| world.shown("store.hourly") == [hour(0, 2)]);
    assert_eq!(world.status("store.hourly").late, 0);
}

/// A world whose windows of the first two hours were closed by two closings, at offsets 1 and 2 behind the run's record.
fn world_with_two_closings() -> World {
    let world = world(1, small());
    world.post("store.orders", &[order(1, "a", 0, 1), order(2, "a", 80, 1)]);
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 1)]);
    world.post("store.orders", &[order(3, "a", 140, 1)]);
    world.settle();
    assert_eq!(world.sorted("store.hourly"), [hour(0, 1), hour(1, 1)]);
    world
}

fn closings() -> TopicPartition {
    TopicPartition::new(topic("_factum.closings"), 0)
}

#[test]
fn closings_that_are_lost_are_passed_over_and_said() {
    for lose in [DamagedLog::damage, DamagedLog::give_up] {
        let mut world = world_with_two_closings();
        lose(&world.damaged, closings(), 2..3);
        world.restart();
        world.apply(&count());
        world.settle();
        assert_eq!(world.sorted("store.hourly"), [hour(0, 1), hour(1, 1)], "closed again");
        let error = world.status("store.hourly").last_error.expect("it is said");
        assert!(error.starts_with("1 records of _factum.closings cannot be read"), "{error}");
    }
}

/// Why the windows of the view are not closed.
fn problem(world: &World) -> Option<String> {
    match world.status("store.hourly").state {
        ViewState::Failed(reason) => Some(reason),
        _ => None,
    }
}

#[test]
fn a_view_whose_closings_take_no_writes_shows_what_was_closed_and_takes_events_in() {
    let mut world = world_with_two_closings();
    world.damaged.set_read_only(Some(topic("_factum.closings")));
    world.restart();
    world.apply(&count());
    world.settle();
    assert_eq!(world.sorted("store.hourly"), [hour(0, 1), hour(1, 1)]);
    world.post("store.orders", &[order(4, "a", 141, 1), order(5, "a", 200, 1)]);
    world.until("taken in", |world| world.status("store.hourly").partitions[0].next == 5);
    world.until("said", |world| problem(world).is_some_and(|reason| reason.contains("is read-only")));
    assert_eq!(world.sorted("store.hourly"), [hour(0, 1), hour(1, 1)]);
    world.damaged.set_read_only(None);
    world.settle();
    assert_eq!(world.sorted("store.hourly"), [hour(0, 1), hour(1, 1), hour(2, 2)]);
}

#[test]
fn windows_are_closed_once_there_is_room_for_the_topic_of_closings() {
    let world = World::with_partitions(small(), 4).with_late_orders(1, LATENESS);
    world.topic("store.other", 1);
    world.apply(&count());
    world.post("store.orders", &[order(1, "a", 0, 1), order(2, "a", 80, 1)]);
    world.until("said", |world| problem(world).is_some_and(|reason| reason.contains("_factum.closings")));
    assert!(world.shown("store.hourly").is_empty());
    world.delete("store.other");
    world.settle();
    assert_eq!(world.shown("store.hourly"), [hour(0, 1)]);
}
