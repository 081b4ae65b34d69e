//! Any history of commits, ranges, spills and crashes of ordered tables against a map.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use factum_state::{Changes, EmbeddedStore, Epoch, KeyRange, Options, StateStore, ordered_table};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::ByteSize;
use proptest::prelude::*;

use crate::support::{Running, id, small};

const TABLES: [u16; 2] = [ordered_table(0), ordered_table(7)];

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    /// Rows here and there; a row without a value is deleted.
    Commit {
        table: usize,
        rows: Vec<(u16, Option<u8>)>,
    },
    /// Rows in a row: as a queue or a load has them.
    CommitInOrder {
        table: usize,
        from: u16,
        count: u16,
        value: u8,
        is_reversed: bool,
    },
    /// Deletes all keys of a stretch.
    Clear {
        table: usize,
        from: u16,
        count: u16,
    },
    Range {
        table: usize,
        from: Bound<u16>,
        to: Bound<u16>,
        is_descending: bool,
        limit: usize,
    },
    Get {
        table: usize,
        keys: Vec<u16>,
    },
    Forget,
    Restart,
    Crash {
        is_out_of_order: bool,
    },
}

fn keys() -> impl Strategy<Value = u16> {
    0..400_u16
}

fn bounds() -> impl Strategy<Value = Bound<u16>> {
    prop_oneof![
        1 => Just(Bound::Unbounded),
        2 => keys().prop_map(Bound::Included),
        2 => keys().prop_map(Bound::Excluded),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let table = || 0..TABLES.len();
    let rows = prop::collection::vec((keys(), prop::option::weighted(0.7, any::<u8>())), 0..60);
    let step = prop_oneof![
        6 => (table(), rows).prop_map(|(table, rows)| Step::Commit { table, rows }),
        4 => (table(), keys(), 0..80_u16, any::<u8>(), any::<bool>()).prop_map(
            |(table, from, count, value, is_reversed)| {
                Step::CommitInOrder { table, from, count, value, is_reversed }
            }
        ),
        3 => (table(), keys(), 0..200_u16).prop_map(|(table, from, count)| Step::Clear { table, from, count }),
        6 => (table(), bounds(), bounds(), any::<bool>(), prop_oneof![1..20_usize, Just(usize::MAX)])
            .prop_map(|(table, from, to, is_descending, limit)| {
                Step::Range { table, from, to, is_descending, limit }
            }),
        3 => (table(), prop::collection::vec(keys(), 0..30)).prop_map(|(table, keys)| Step::Get { table, keys }),
        1 => Just(Step::Forget),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(|is_out_of_order| Step::Crash { is_out_of_order }),
    ];
    prop::collection::vec(step, 1..50)
}

/// Keys of several lengths.
fn key(number: u16) -> Vec<u8> {
    let mut key = number.to_be_bytes().to_vec();
    key.resize(2 + usize::from(number % 3), 0xff);
    key
}

/// Values that fill leaves and slices soon, and change their length.
fn value(number: u8) -> Vec<u8> {
    vec![number; usize::from(number) * 7 % 1_100]
}

/// What is written and what should be there then.
struct History {
    disk: CrashDisk,
    options: Options,
    running: Option<Running>,
    model: [Rows; TABLES.len()],
    epoch: u64,
}

impl History {
    fn begin(options: Options) -> Self {
        let disk = CrashDisk::seeded(1);
        let running = Some(Self::open(&disk, &options));
        Self { disk, options, running, model: Default::default(), epoch: 0 }
    }

    fn open(disk: &CrashDisk, options: &Options) -> Running {
        Running::open(Arc::new(disk.clone()), Path::new("/state"), options.clone()).expect("opened")
    }

    fn store(&self) -> &EmbeddedStore {
        &self.running.as_ref().expect("it runs").store
    }

    async fn commit(&mut self, table: usize, rows: impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>) {
        let mut changes = Changes::new();
        for (key, value) in rows {
            match value {
                Some(value) => {
                    changes.put(TABLES[table], &key, &value);
                    self.model[table].insert(key, value);
                }
                None => {
                    changes.delete(TABLES[table], &key);
                    self.model[table].remove(&key);
                }
            }
        }
        let taken = self.store().take_over(&id(0)).await.expect("taken over");
        assert_eq!((taken.progress.epoch, taken.lost), (self.epoch, None));
        let epoch = Epoch { changes, ..Epoch::default() };
        self.store().commit(&id(0), taken.fence, epoch).await.expect("committed");
        self.epoch += 1;
    }

    async fn play(&mut self, step: Step) {
        match step {
            Step::Commit { table, rows } => {
                let rows = rows.into_iter().map(|(number, written)| (key(number), written.map(value)));
                self.commit(table, rows).await;
            }
            Step::CommitInOrder { table, from, count, value: written, is_reversed } => {
                let mut numbers: Vec<_> = (from..from + count).collect();
                if is_reversed {
                    numbers.reverse();
                }
                let rows = numbers.into_iter().map(|number| (key(number), Some(value(written))));
                self.commit(table, rows).await;
            }
            Step::Clear { table, from, count } => {
                self.commit(table, (from..from + count).map(|number| (key(number), None))).await;
            }
            Step::Range { table, from, to, is_descending, limit } => {
                let (from, to) = (from.map(key), to.map(key));
                let range =
                    KeyRange::between(from.as_ref().map(Vec::as_slice), to.as_ref().map(Vec::as_slice));
                let range = if is_descending { range.descending() } else { range };
                self.check_range(table, range.limit(limit)).await;
            }
            Step::Get { table, keys } => {
                let keys: Vec<_> = keys.into_iter().map(key).collect();
                let asked: Vec<_> = keys.iter().map(Vec::as_slice).collect();
                let found = self.store().get_many(&id(0), TABLES[table], &asked).await.expect("read");
                for (index, key) in keys.iter().enumerate() {
                    assert_eq!(found.get(index), self.model[table].get(key).map(Vec::as_slice), "{key:?}");
                }
            }
            Step::Forget => {
                self.store().forget(&id(0)).await.expect("forgotten");
                (self.model, self.epoch) = (Default::default(), 0);
            }
            Step::Restart => {
                let running = self.running.take().expect("it runs");
                running.end(true).await;
                self.running = Some(Self::open(&self.disk, &self.options));
            }
            Step::Crash { is_out_of_order } => {
                let running = self.running.take().expect("it runs");
                self.disk.inject(Fault { after: 0, kind: FaultKind::Crash, lasting: false });
                running.end(false).await;
                if is_out_of_order {
                    self.disk.crash_out_of_order();
                } else {
                    self.disk.crash();
                }
                self.running = Some(Self::open(&self.disk, &self.options));
            }
        }
    }

    /// The pages of a range against the map.
    async fn check_range(&self, table: usize, range: KeyRange) {
        let mut expected: Vec<_> = self.model[table].iter().filter(|(key, _)| range.contains(key)).collect();
        if range.is_descending() {
            expected.reverse();
        }
        let mut found = Vec::new();
        let mut next = Some(range.clone());
        while let Some(range) = next.take() {
            let page = self.store().range(&id(0), TABLES[table], &range).await.expect("read");
            assert!(page.rows.len() <= range.row_limit());
            assert!(page.version.epoch() == self.epoch || self.epoch == 0);
            found.extend(page.rows.iter().map(|(key, value)| (key.to_vec(), value.to_vec())));
            next = page.next;
        }
        let found: Vec<_> = found.iter().map(|(key, value)| (key, value)).collect();
        assert!(found == expected, "{range:?} is {found:?} and not {expected:?}");
    }
}

async fn play(options: Options, steps: Vec<Step>) {
    let mut history = History::begin(options);
    for step in steps {
        history.play(step).await;
        for table in 0..TABLES.len() {
            history.check_range(table, KeyRange::all()).await;
        }
    }
    history.running.take().expect("it runs").end(true).await;
}

fn run(options: Options, steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(play(options, steps));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_history_of_ordered_tables_equals_the_model(steps in steps()) {
        run(small(), steps);
    }

    #[test]
    fn spilled_ordered_tables_equal_the_model(steps in steps()) {
        run(Options { memory: ByteSize::kib(1), ..small() }, steps);
    }

    /// Part of the rows is in memory, part on disk.
    #[test]
    fn half_spilled_ordered_tables_equal_the_model(steps in steps()) {
        run(Options { memory: ByteSize::kib(96), ..small() }, steps);
    }
}
