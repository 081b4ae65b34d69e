//! Any history of commits, take-overs, forgettings and restarts against a model.

use std::collections::BTreeMap;
use std::path::PathBuf;

use factum_state::{Changes, EmbeddedStore, Epoch, Options, StateStore};
use factum_types::{ByteSize, Offset, TopicName, TopicPartition};
use proptest::prelude::*;

use crate::support::{Running, id, small};

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Commit { task: u8, rows: Vec<(u8, Option<u8>)> },
    Forget { task: u8 },
    TakeOver { task: u8 },
    Restart { clean: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rows = prop::collection::vec((any::<u8>(), prop::option::weighted(0.8, 0..200_u8)), 0..40);
    let step = prop_oneof![
        8 => (0..3_u8, rows).prop_map(|(task, rows)| Step::Commit { task, rows }),
        1 => (0..3_u8).prop_map(|task| Step::Forget { task }),
        1 => (0..3_u8).prop_map(|task| Step::TakeOver { task }),
        2 => any::<bool>().prop_map(|clean| Step::Restart { clean }),
    ];
    prop::collection::vec(step, 1..40)
}

/// What a task should hold.
#[derive(Debug, Default, Clone, PartialEq)]
struct Model {
    epoch: u64,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Values differ in length, so that rows move within a shard.
fn value_of(value: u8) -> Vec<u8> {
    vec![value; usize::from(value) % 50]
}

async fn play(directory: PathBuf, options: Options, steps: Vec<Step>) {
    let mut running = Running::on_files(&directory, options.clone());
    let mut model: BTreeMap<u8, Model> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Commit { task, rows } => {
                let held = running.store.take_over(&id(task)).await.expect("taken over");
                let expected = model.entry(task).or_default();
                let mut changes = Changes::new();
                for (key, value) in rows {
                    let key = vec![b'k', key];
                    match value.map(value_of) {
                        Some(value) => {
                            changes.put(0, &key, &value);
                            expected.rows.insert(key, value);
                        }
                        None => {
                            changes.delete(0, &key);
                            expected.rows.remove(&key);
                        }
                    }
                }
                expected.epoch += 1;
                let topic = TopicName::new("a.b").expect("valid");
                let next = Offset::new(i64::try_from(expected.epoch).expect("small"));
                let offsets = vec![(TopicPartition::new(topic, 0), next)];
                let epoch = Epoch { changes, offsets, ..Epoch::default() };
                running.store.commit(&id(task), held.fence, epoch).await.expect("committed");
            }
            Step::Forget { task } => {
                running.store.forget(&id(task)).await.expect("forgotten");
                model.remove(&task);
            }
            Step::TakeOver { task } => {
                let taken = running.store.take_over(&id(task)).await.expect("taken over");
                assert_eq!(taken.progress.epoch, model.get(&task).map_or(0, |model| model.epoch));
            }
            Step::Restart { clean } => {
                running.end(clean).await;
                running = Running::on_files(&directory, options.clone());
            }
        }
        compare(&running.store, &model).await;
    }
    running.end(true).await;
}

async fn compare(store: &EmbeddedStore, model: &BTreeMap<u8, Model>) {
    for task in 0..3 {
        let expected = model.get(&task).cloned().unwrap_or_default();
        let mut rows = BTreeMap::new();
        let mut visit = |key: &[u8], value: &[u8]| {
            assert!(rows.insert(key.to_vec(), value.to_vec()).is_none(), "a key is shown twice");
        };
        let progress = store.scan(&id(task), 0, &mut visit).await.expect("scanned");
        let found = Model { epoch: progress.epoch, rows };
        assert_eq!(found, expected, "task {task}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_history_with_restarts_equals_the_model(steps in steps()) {
        let directory = tempfile::tempdir().expect("a directory");
        runtime().block_on(play(directory.path().join("state"), small(), steps));
    }

    #[test]
    fn a_spill_changes_nothing(steps in steps()) {
        let directory = tempfile::tempdir().expect("a directory");
        let options = Options { memory: ByteSize::kib(1), ..small() };
        runtime().block_on(play(directory.path().join("state"), options, steps));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}
