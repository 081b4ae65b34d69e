//! Following a view.

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use factum_base::clock::{Clock, SystemClock};
use factum_sql::{Change, ChangeStream, Options, ReadError, render};
use factum_testkit::HeldClock;
use factum_types::Timestamp;
use serde_json::Value;
use tokio::time::timeout;

use crate::world::{World, lines, order, relation, small};

const VIEW: &str =
    "CREATE MATERIALIZED VIEW v AS SELECT customer, count(*) AS n FROM orders GROUP BY customer";

/// What a follower knows: rows and how often each is there.
#[derive(Default, Debug, PartialEq)]
struct FollowerRows(BTreeMap<String, i64>);

impl FollowerRows {
    fn take_in(&mut self, change: &Change) {
        match change {
            Change::Snapshot { rows, .. } => {
                self.0.clear();
                lines(rows).into_iter().for_each(|line| *self.0.entry(line).or_default() += 1);
            }
            Change::Changed { removed, added, .. } => {
                for (batch, by) in [(removed, -1), (added, 1)] {
                    shown(batch).into_iter().for_each(|line| *self.0.entry(line).or_default() += by);
                }
                assert!(self.0.values().all(|count| *count >= 0), "removed what was not there: {self:?}");
                self.0.retain(|_, count| *count != 0);
            }
        }
    }

    fn of(lines: &[&str]) -> Self {
        Self(lines.iter().map(|line| ((*line).to_owned(), 1)).collect())
    }
}

fn shown(batch: &RecordBatch) -> Vec<String> {
    let rows = render::json(std::slice::from_ref(batch)).into_iter();
    rows.map(|row| Value::Object(row).to_string()).collect()
}

impl World {
    fn follow(&self, resume: Option<factum_sql::ChangeId>) -> ChangeStream {
        self.block(async { self.engine().changes(&relation("store.v"), resume) }).expect("a stream")
    }

    fn next(&self, stream: &mut ChangeStream) -> Change {
        self.maybe_next(stream).expect("a change in time").expect("a change")
    }

    fn maybe_next(&self, stream: &mut ChangeStream) -> Option<Result<Change, ReadError>> {
        self.block(async { timeout(Duration::from_secs(20), stream.next()).await.ok() })
    }

    /// Takes in changes until the follower knows `rows`.
    fn follow_until(&self, stream: &mut ChangeStream, known: &mut FollowerRows, rows: &FollowerRows) {
        while known != rows {
            known.take_in(&self.next(stream));
        }
    }
}

#[test]
fn a_snapshot_and_its_changes_are_the_view() {
    let world = World::new(small()).with_orders(3);
    world.apply(VIEW);
    world.post("store.orders", &[order(1, "a", 0, 1), order(2, "b", 0, 1)]);
    world.settle();
    let mut stream = world.follow(None);
    let first = world.next(&mut stream);
    assert!(matches!(first, Change::Snapshot { .. }));
    let mut known = FollowerRows::default();
    known.take_in(&first);
    assert_eq!(known, FollowerRows::of(&[r#"{"customer":"a","n":1}"#, r#"{"customer":"b","n":1}"#]));
    world.post("store.orders", &(0..500).map(|id| order(id, "a", 0, 1)).collect::<Vec<_>>());
    let rows = FollowerRows::of(&[r#"{"customer":"a","n":501}"#, r#"{"customer":"b","n":1}"#]);
    world.follow_until(&mut stream, &mut known, &rows);
}

#[test]
fn ids_rise_by_one_and_resume() {
    let world = World::new(small()).with_orders(1);
    world.apply(VIEW);
    let mut stream = world.follow(None);
    let mut known = FollowerRows::default();
    let mut seen = vec![world.next(&mut stream)];
    for id in 1..6 {
        world.post("store.orders", &[order(id, "a", 0, 1)]);
        seen.push(world.next(&mut stream));
        assert!(matches!(seen.last(), Some(Change::Changed { .. })), "{seen:?}");
    }
    seen.iter().for_each(|change| known.take_in(change));
    drop(stream);
    // Behind the third, the fourth comes next, whether or not there was a follower meanwhile.
    let mut resumed = world.follow(Some(seen[2].id()));
    for expected in &seen[3..] {
        let change = world.next(&mut resumed);
        assert_eq!(change.id(), expected.id());
        assert!(matches!(change, Change::Changed { .. }), "{change:?}");
    }
    // Changes without a follower are told as one.
    let last = seen[5].id();
    drop(resumed);
    world.post("store.orders", &[order(7, "b", 0, 1), order(8, "b", 0, 1)]);
    world.settle();
    let mut resumed = world.follow(Some(last));
    let rows = FollowerRows::of(&[r#"{"customer":"a","n":5}"#, r#"{"customer":"b","n":2}"#]);
    let change = world.next(&mut resumed);
    assert!(matches!(change, Change::Changed { .. }), "{change:?}");
    known.take_in(&change);
    world.follow_until(&mut resumed, &mut known, &rows);
    // An id of another run means nothing.
    let text = format!("77-{}", last.to_string().split_once('-').expect("two parts").1);
    let mut other = world.follow(Some(text.parse().expect("an id")));
    assert!(matches!(world.next(&mut other), Change::Snapshot { .. }));
    assert!("77".parse::<factum_sql::ChangeId>().is_err());
}

#[test]
fn a_slow_follower_begins_again_with_a_snapshot() {
    let world =
        World::new(Options { max_changes: 3, refresh: Duration::from_millis(1), ..small() }).with_orders(1);
    world.apply(VIEW);
    let (mut slow, mut quick) = (world.follow(None), world.follow(None));
    let mut known = FollowerRows::default();
    known.take_in(&world.next(&mut slow));
    world.next(&mut quick);
    for id in 0..10 {
        world.post("store.orders", &[order(id, "a", 0, 1)]);
        world.next(&mut quick);
    }
    let change = world.next(&mut slow);
    assert!(matches!(change, Change::Snapshot { .. }), "{change:?}");
    known.take_in(&change);
    assert_eq!(known, FollowerRows::of(&[r#"{"customer":"a","n":10}"#]));
}

#[test]
fn equal_rows_are_counted() {
    let world = World::new(small()).with_orders(1);
    world.apply("CREATE MATERIALIZED VIEW v AS SELECT customer FROM orders");
    let mut stream = world.follow(None);
    let mut known = FollowerRows::default();
    known.take_in(&world.next(&mut stream));
    world.post("store.orders", &[order(1, "a", 0, 1), order(2, "a", 0, 1)]);
    let twice = FollowerRows(BTreeMap::from([(r#"{"customer":"a"}"#.to_owned(), 2)]));
    world.follow_until(&mut stream, &mut known, &twice);
}

#[test]
fn a_follower_of_a_dropped_view_is_told() {
    let world = World::new(small()).with_orders(1);
    world.apply(VIEW);
    let mut stream = world.follow(None);
    world.next(&mut stream);
    world.apply("");
    let end = world.maybe_next(&mut stream).expect("in time");
    assert!(matches!(end, Err(ReadError::Dropped { .. })), "{end:?}");
}

#[test]
fn a_swapped_definition_gives_a_snapshot_of_its_columns() {
    let world = World::new(small()).with_orders(1);
    world.apply(VIEW);
    world.post("store.orders", &[order(1, "a", 0, 1)]);
    let mut stream = world.follow(None);
    let mut known = FollowerRows::default();
    world.follow_until(&mut stream, &mut known, &FollowerRows::of(&[r#"{"customer":"a","n":1}"#]));
    world.apply("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS all_orders FROM orders");
    world.follow_until(&mut stream, &mut known, &FollowerRows::of(&[r#"{"all_orders":1}"#]));
}

#[test]
fn the_clock_alone_changes_a_view() {
    let clock = HeldClock::at(Timestamp::from_millis(1_777_631_400_000));
    let world = World::at(small(), Arc::new(clock.clone())).with_orders(1);
    world.apply(
        "CREATE MATERIALIZED VIEW v AS SELECT customer, count(*) AS n FROM orders \
         WHERE order_date >= date_trunc('hour', now()) GROUP BY customer",
    );
    world.post("store.orders", &[order(1, "a", 10 * 60, 1), order(2, "b", 11 * 60, 1)]);
    world.settle();
    let mut stream = world.follow(None);
    let mut known = FollowerRows::default();
    let both = FollowerRows::of(&[r#"{"customer":"a","n":1}"#, r#"{"customer":"b","n":1}"#]);
    world.follow_until(&mut stream, &mut known, &both);
    clock.advance(Duration::from_secs(30 * 60));
    world.follow_until(&mut stream, &mut known, &FollowerRows::of(&[r#"{"customer":"b","n":1}"#]));
}

#[test]
fn a_row_that_cannot_be_computed_changes_like_any_other() {
    let world = World::new(small()).with_orders(1);
    world.apply(
        "CREATE MATERIALIZED VIEW v AS SELECT customer, 10 / sum(order_id) AS n FROM orders GROUP BY customer",
    );
    world.post("store.orders", &[order(5, "a", 0, 1), order(2, "b", 0, 1)]);
    world.settle();
    let mut stream = world.follow(None);
    let mut known = FollowerRows::default();
    known.take_in(&world.next(&mut stream));
    assert_eq!(known, FollowerRows::of(&[r#"{"customer":"a","n":2}"#, r#"{"customer":"b","n":5}"#]));
    world.post("store.orders", &[order(-5, "a", 0, 1)]);
    let change = world.next(&mut stream);
    known.take_in(&change);
    assert_eq!(known, FollowerRows::of(&[r#"{"customer":"a","n":null}"#, r#"{"customer":"b","n":5}"#]));
    let Change::Changed { errors, .. } = change else { panic!("no change") };
    let told: Vec<_> = errors.iter().map(|error| (&*error.column, &*error.reason)).collect();
    assert_eq!(told, [("n", "division by zero")]);
    // Who comes now has the same rows, and the reason.
    world.settle();
    let mut other = world.follow(None);
    let Change::Snapshot { rows: snapshot, .. } = world.next(&mut other) else { panic!("no snapshot") };
    assert_eq!(snapshot.errors, errors);
    world.post("store.orders", &[order(1, "a", 0, 1)]);
    let rows = FollowerRows::of(&[r#"{"customer":"a","n":10}"#, r#"{"customer":"b","n":5}"#]);
    world.follow_until(&mut stream, &mut known, &rows);
}

#[test]
fn followers_of_rows_that_cannot_be_computed_wait_for_those_that_can() {
    // A query within an expression fails as a whole.
    let totals = "CREATE MATERIALIZED VIEW totals AS SELECT sum(order_id) AS n FROM orders;";
    let view = "CREATE MATERIALIZED VIEW v AS SELECT customer, 10 / (SELECT n FROM totals) AS n FROM orders GROUP BY customer";
    let statements = format!("{totals}{view}");
    let world = World::new(small()).with_orders(1);
    world.apply(&statements);
    world.post("store.orders", &[order(5, "a", 0, 1)]);
    world.settle();
    let mut stream = world.follow(None);
    let mut known = FollowerRows::default();
    known.take_in(&world.next(&mut stream));
    assert_eq!(known, FollowerRows::of(&[r#"{"customer":"a","n":2}"#]));
    world.post("store.orders", &[order(-5, "a", 0, 1)]);
    world.settle();
    // Who comes now is told why there is nothing to begin with.
    let mut other = world.follow(None);
    world.until("told", |world| {
        let read = world.block(world.engine().read(&relation("store.v"), factum_sql::Query::default()));
        matches!(read, Err(ReadError::Compute { .. }))
    });
    world.post("store.orders", &[order(1, "a", 0, 1)]);
    let rows = FollowerRows::of(&[r#"{"customer":"a","n":10}"#]);
    world.follow_until(&mut stream, &mut known, &rows);
    let mut of_other = FollowerRows::default();
    world.follow_until(&mut other, &mut of_other, &rows);
    // No one has a snapshot: the first who comes to rows that cannot be computed is told so.
    let world = World::new(small()).with_orders(1);
    world.apply(&statements);
    world.post("store.orders", &[order(0, "a", 0, 1)]);
    world.settle();
    let mut stream = world.follow(None);
    let told = world.maybe_next(&mut stream).expect("in time").expect_err("nothing to tell");
    assert!(told.to_string().contains("cannot be computed"), "{told}");
}

/// A clock that breaks its next reader, if it is told to.
#[derive(Default)]
struct FaultyClock(AtomicBool);

impl Clock for FaultyClock {
    fn now(&self) -> Timestamp {
        // Tasks ask for the time too, and would break in place of the view.
        if self.0.load(Ordering::SeqCst) && Backtrace::force_capture().to_string().contains("engine::view::")
        {
            self.0.store(false, Ordering::SeqCst);
            panic!("the clock is broken, as the test wants it");
        }
        SystemClock.now()
    }

    fn monotonic(&self) -> Instant {
        SystemClock.monotonic()
    }
}

#[test]
fn followers_of_a_view_that_breaks_are_told_and_the_next_begins_anew() {
    let clock = Arc::new(FaultyClock::default());
    let world = World::at(small(), clock.clone()).with_orders(1);
    world.apply(VIEW);
    world.post("store.orders", &[order(1, "a", 0, 1)]);
    world.settle();
    clock.0.store(true, Ordering::SeqCst);
    let mut stream = world.follow(None);
    let told = world.maybe_next(&mut stream).expect("in time").expect_err("nothing to tell");
    assert!(matches!(told, ReadError::Broken { .. }), "{told:?}");
    // The first is still there when the second comes.
    let mut next = world.follow(None);
    let mut known = FollowerRows::default();
    known.take_in(&world.next(&mut next));
    assert_eq!(known, FollowerRows::of(&[r#"{"customer":"a","n":1}"#]));
}
