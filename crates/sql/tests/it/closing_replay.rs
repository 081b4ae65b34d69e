//! Closed windows are the same in every run: rows and late events follow from the log alone, whatever died in between.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use factum_sql::Options;
use proptest::prelude::*;
use serde_json::Value;

use crate::world::{World, hourly, order, small};

const PARTITIONS: i32 = 3;
/// How long events may stay behind the latest.
const LATENESS: Duration = Duration::from_secs(600);
const HOUR: i64 = 3_600_000_000;
const VIEW: &str = "store.hourly";
/// Idle partitions hold no windows open for longer than this, where they are to close without them.
const IDLE: Duration = Duration::from_millis(40);

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// Events at these minutes come in a partition.
    Post(i32, Vec<i64>),
    Crash,
    Restart,
    LoseState,
    /// Another statement over the same windows, and the first one again.
    ChangeStatement,
    /// A reading, when all is taken in: what can be closed then is.
    Read,
    /// So much time passes that partitions may become idle.
    Pass,
}

fn step() -> impl Strategy<Value = Step> {
    let post = |minutes: std::ops::Range<i64>| {
        (0..PARTITIONS, prop::collection::vec(minutes, 1..20))
            .prop_map(|(to, minutes)| Step::Post(to, minutes))
    };
    prop_oneof![
        3 => post(0..240),
        3 => post(180..480),
        2 => post(420..720),
        2 => Just(Step::Crash),
        1 => Just(Step::Restart),
        1 => Just(Step::LoseState),
        1 => Just(Step::ChangeStatement),
        3 => Just(Step::Read),
        1 => Just(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn closed_windows_are_replayed(is_any_idle in any::<bool>(), steps in prop::collection::vec(step(), 4..16)) {
        let idle_partition = if is_any_idle { IDLE } else { Duration::from_secs(3_600) };
        let options = Options { idle_partition, ..small() };
        let mut world = World::new(options).with_late_orders(PARTITIONS, LATENESS);
        let statement = hourly("hourly", "count(*)");
        world.apply(&statement);
        steps.iter().for_each(|step| take(&mut world, step, &statement));
        let first = closed(&world, VIEW);
        let both = statement + &hourly("later", "count(*)");
        world.apply(&both);
        let later = closed(&world, "store.later");
        world.lose_state();
        world.apply(&both);
        let again = closed(&world, VIEW);
        // Closings may have been added; what was shown before is shown as it was.
        for (what, other) in [("declared later", &later), ("rebuilt", &again)] {
            prop_assert!(other.rows.starts_with(&first.rows), "{what}: {other:?} is not {first:?}");
        }
        let model = Model::new(&world);
        prop_assert_eq!(&again, &model.closed());
        if !is_any_idle {
            model.check_late();
        }
    }
}

fn take(world: &mut World, step: &Step, statement: &str) {
    match step {
        Step::Post(partition, minutes) => {
            let events: Vec<_> = minutes.iter().map(|minute| order(*minute, "a", *minute, 1)).collect();
            world.post_to("store.orders", *partition, &events);
        }
        Step::Crash => {
            world.crash();
            world.apply(statement);
        }
        Step::Restart => {
            world.restart();
            world.apply(statement);
        }
        Step::LoseState => {
            world.lose_state();
            world.apply(statement);
        }
        Step::ChangeStatement => {
            world.apply(&hourly("hourly", "count(customer)"));
            world.apply(statement);
        }
        Step::Read => {
            world.settle();
            world.shown(VIEW);
        }
        Step::Pass => world.block(async { tokio::time::sleep(IDLE * 2).await }),
    }
}

/// What a view shows, and what it left out.
#[derive(Debug, PartialEq, Eq)]
struct ViewContent {
    rows: Vec<String>,
    late: u64,
    /// Where the events lie whose dead letters say that they are late.
    letters: BTreeSet<String>,
}

/// What a view shows when it has taken in everything, at a moment when no closing is decided.
fn closed(world: &World, view: &str) -> ViewContent {
    loop {
        world.settle();
        world.shown(view);
        let before = closings(world).len();
        world.settle();
        let rows = world.sorted(view);
        let late = world.status(view).late;
        world.until("letters written", |world| letters(world, view).len() as u64 == late);
        if closings(world).len() == before {
            return ViewContent { rows, late, letters: letters(world, view) };
        }
    }
}

fn letters(world: &World, view: &str) -> BTreeSet<String> {
    let records = world.records_if_any(&format!("{view}.dead-letter"), 0);
    let source = |record: &factum_types::Record| {
        let header = record.headers.iter().find(|header| header.key == "factum-source");
        String::from_utf8_lossy(&header.and_then(|header| header.value.clone()).expect("a source"))
            .into_owned()
    };
    records.iter().map(source).collect()
}

/// Every closing on the log: up to where windows are closed, and the offsets that it holds from.
fn closings(world: &World) -> Vec<(i64, Vec<i64>)> {
    let of_value = |record: factum_types::Record| {
        let value: Value = serde_json::from_slice(&record.value?).expect("JSON");
        let offsets = value["offsets"].as_array()?.iter().map(|offset| offset.as_i64().expect("a number"));
        Some((value["closed_to"].as_i64()?, offsets.collect()))
    };
    world.records_if_any("_factum.closings", 0).into_iter().filter_map(of_value).collect()
}

/// Counts by hand, from the log alone.
struct Model {
    /// Partition, offset and time in microseconds.
    events: Vec<(usize, i64, i64)>,
    closings: Vec<(i64, Vec<i64>)>,
}

impl Model {
    fn new(world: &World) -> Self {
        let mut events = Vec::new();
        for partition in 0..PARTITIONS {
            for record in world.records("store.orders", partition) {
                let event: Value = serde_json::from_slice(&record.value.expect("a value")).expect("JSON");
                let time: jiff::Timestamp =
                    event["order_date"].as_str().expect("text").parse().expect("a time");
                let partition = usize::try_from(partition).expect("a partition");
                events.push((partition, record.offset.get(), time.as_microsecond()));
            }
        }
        Self { events, closings: closings(world) }
    }

    fn is_late(&self, (partition, offset, time): (usize, i64, i64)) -> bool {
        let end = (time / HOUR + 1) * HOUR;
        let before = self.closings.iter().filter(|(_, offsets)| offsets[partition] <= offset);
        before.map(|(closed_to, _)| *closed_to).max().is_some_and(|closed_to| end <= closed_to)
    }

    fn closed(&self) -> ViewContent {
        let closed_to = self.closings.iter().map(|(closed_to, _)| *closed_to).max().unwrap_or(i64::MIN);
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for (_, _, time) in self.events.iter().filter(|event| !self.is_late(**event)) {
            if (time / HOUR + 1) * HOUR <= closed_to {
                *counts.entry(time / HOUR).or_default() += 1;
            }
        }
        let row = |(hour, count): (i64, u64)| {
            let start = jiff::Timestamp::from_microsecond(hour * HOUR).expect("a time");
            format!(r#"{{"window_start":"{start}","n":{count}}}"#)
        };
        let late: Vec<_> = self.events.iter().filter(|event| self.is_late(**event)).collect();
        ViewContent {
            rows: counts.into_iter().map(row).collect(),
            late: late.len() as u64,
            letters: late
                .iter()
                .map(|(partition, offset, _)| format!("store.orders/{partition}/{offset}"))
                .collect(),
        }
    }

    /// Where no partition is idle, an event is late only if every partition had an event that let its window close, and
    /// its own had it before.
    fn check_late(&self) {
        for late in self.events.iter().filter(|event| self.is_late(**event)) {
            let end =
                (late.2 / HOUR + 1) * HOUR + i64::try_from(LATENESS.as_micros()).expect("a few minutes");
            for partition in 0..usize::try_from(PARTITIONS).expect("a few") {
                let before = if partition == late.0 { late.1 } else { i64::MAX };
                let lets_close = |(of, offset, time): &(usize, i64, i64)| {
                    *of == partition && *offset < before && *time >= end
                };
                assert!(
                    self.events.iter().any(lets_close),
                    "{late:?} is late, partition {partition} is not so far"
                );
            }
        }
    }
}
