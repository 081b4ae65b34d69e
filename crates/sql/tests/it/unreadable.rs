//! Ranges of a topic that cannot be read, and dead letters that cannot be written.

use std::time::Duration;

use factum_eventlog::Admin;
use factum_sql::{LeftOutEvents, QueryLimits, ViewState};
use factum_types::{Record, TopicPartition};
use serde_json::Value;

use crate::world::{World, header, lines, new_record, order, small, topic};

const VIEW: &str =
    "CREATE MATERIALIZED VIEW per_customer AS SELECT customer, count(*) AS n FROM orders GROUP BY customer";
const LETTERS: &str = "store.per_customer.dead-letter";

impl World {
    fn has_topic(&self, name: &str) -> bool {
        let topics = self.block(Admin::topics(&self.log)).expect("topics");
        topics.iter().any(|topic| topic.name.as_str() == name)
    }

    fn letters(&self, count: usize) -> Vec<Record> {
        self.until("written", |world| world.has_topic(LETTERS) && world.records(LETTERS, 0).len() >= count);
        self.records(LETTERS, 0)
    }
}

fn orders(count: i64) -> Vec<Value> {
    (0..count).map(|id| order(id, "a", 0, 100)).collect()
}

#[test]
fn an_unreadable_range_is_one_dead_letter_and_the_view_goes_on() {
    let mut world = World::new(small()).with_orders(1);
    let place = TopicPartition::new(topic("store.orders"), 0);
    world.damaged.damage(place.clone(), 10..15);
    world.damaged.damage(place, 40..41);
    world.apply(VIEW);
    // One batch after another, so that the log is read in several chunks.
    for events in orders(60).chunks(20) {
        world.post("store.orders", events);
    }
    world.settle();
    assert_eq!(world.shown("store.per_customer"), [r#"{"customer":"a","n":54}"#]);
    assert_eq!(world.read("store.per_customer").left_out, LeftOutEvents { undecodable: 0, unreadable: 6 });
    let status = world.status("store.per_customer");
    assert_eq!((status.unreadable, status.poisoned), (6, 0));
    assert!(status.last_error.is_some_and(|error| error.contains("offset 40 of store.orders/0")));
    let letters = world.letters(2);
    let shown: Vec<_> = letters
        .iter()
        .map(|letter| String::from_utf8_lossy(letter.value.as_deref().expect("a value")))
        .collect();
    assert_eq!(
        shown,
        [
            r#"{"topic":"store.orders","partition":0,"from":10,"to":14,"reason":"the checksum does not fit"}"#,
            r#"{"topic":"store.orders","partition":0,"from":40,"to":40,"reason":"the checksum does not fit"}"#,
        ]
    );
    assert_eq!(header(&letters[0], "factum-source"), "store.orders/0/10");
    assert_eq!(header(&letters[0], "factum-source-end"), "store.orders/0/14");
    world.crash();
    world.apply(VIEW);
    world.post("store.orders", &orders(1));
    world.settle();
    assert_eq!(world.shown("store.per_customer"), [r#"{"customer":"a","n":55}"#]);
    assert_eq!(world.status("store.per_customer").unreadable, 6, "counted once, over a crash");
}

#[test]
fn a_topic_that_is_wholly_unreadable_is_passed() {
    let world = World::new(small()).with_orders(1);
    world.damaged.damage(TopicPartition::new(topic("store.orders"), 0), 0..20);
    world.post("store.orders", &orders(20));
    world.apply(VIEW);
    world.settle();
    assert!(world.shown("store.per_customer").is_empty());
    let status = world.status("store.per_customer");
    assert_eq!((status.unreadable, status.state), (20, ViewState::Live));
}

#[test]
fn an_answer_counts_what_it_leaves_out() {
    let world = World::new(small()).with_orders(1);
    world.apply(VIEW);
    world.damaged.damage(TopicPartition::new(topic("store.orders"), 0), 3..5);
    world.post("store.orders", &orders(10));
    world.post_records("store.orders", vec![new_record("no JSON"), new_record(r#"{"order_id": "seven"}"#)]);
    let query = |sql: &str| {
        let limits = QueryLimits { rows: 10, time: Duration::from_secs(60), client: None };
        let rows = world.block(world.engine().query(sql, limits)).expect("rows");
        (lines(&rows), rows.left_out)
    };
    let (rows, left_out) = query("SELECT count(*) AS n FROM store.orders");
    assert_eq!(
        (rows, left_out),
        (vec![r#"{"n":9}"#.to_owned()], LeftOutEvents { undecodable: 1, unreadable: 2 })
    );
    let (rows, left_out) = query("SELECT count(order_id) AS n FROM store.orders");
    assert_eq!(
        (rows, left_out),
        (vec![r#"{"n":8}"#.to_owned()], LeftOutEvents { undecodable: 2, unreadable: 2 })
    );
}

#[test]
fn events_that_expire_before_they_are_read_are_told() {
    let mut world = World::new(small()).with_orders(1);
    world.apply(VIEW);
    world.post("store.orders", &orders(10));
    world.settle();
    world.stop();
    world.expire("store.orders", 50, &orders(5));
    world.open();
    let start = world.log_start("store.orders", 0);
    world.apply(VIEW);
    world.settle();
    let end = world.records("store.orders", 0).last().expect("a record").offset.get() + 1;
    let status = world.status("store.per_customer");
    assert_eq!(i64::try_from(status.unreadable), Ok(start - 10));
    assert_eq!(
        world.shown("store.per_customer"),
        [format!(r#"{{"customer":"a","n":{}}}"#, 10 + end - start)]
    );
    let letter = &world.letters(1)[0];
    assert!(header(letter, "factum-reason").contains("expired before the view had read it"));
}

#[test]
fn a_dead_letter_whose_topic_cannot_be_made_waits_and_stops_nothing() {
    let mut world = World::with_partitions(small(), 3).with_orders(1);
    world.apply(VIEW);
    world.post_records("store.orders", vec![new_record("no JSON"), new_record("nor this")]);
    world.post("store.orders", &orders(20));
    world.settle();
    assert_eq!(world.shown("store.per_customer"), [r#"{"customer":"a","n":20}"#]);
    let status = world.status("store.per_customer");
    assert_eq!((status.poisoned, status.letters_waiting, status.letters_lost), (2, 2, 0));
    assert!(status.letters_problem.is_some_and(|problem| problem.contains("partitions")));
    // Too many to wait are counted, over restarts as well.
    world.post_records("store.orders", (0..400).map(|_| new_record("bad")).collect());
    world.settle();
    world.post("store.orders", &orders(1));
    world.settle();
    let status = world.status("store.per_customer");
    assert_eq!(status.poisoned, status.letters_waiting + status.letters_lost);
    assert!(status.letters_lost > 0 && status.letters_waiting <= 256, "{status:?}");
    world.restart();
    world.apply(VIEW);
    world.until("resumed", |world| world.status("store.per_customer").poisoned == 402);
    // Once there is room they are written, without a further event.
    world.delete("store.orders");
    let first = &world.letters(1)[0];
    assert_eq!(header(first, "factum-source"), "store.orders/0/0");
}
