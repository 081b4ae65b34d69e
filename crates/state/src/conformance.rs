//! What every [`StateStore`] owes, as behaviours to be run on each.
//!
//! ```text
//! conformance::run(|| async { my_store() }).await;
//! ```

use std::sync::Arc;

use bytes::Bytes;
use factum_types::{Offset, TopicName, TopicPartition};

use crate::{Changes, CommitError, Epoch, Outgoing, Owner, StateStore, TaskId};

/// Runs every behaviour, each on a store of its own.
///
/// # Panics
/// If the store does not behave.
pub async fn run<F>(make: impl Fn() -> F)
where
    F: Future<Output = Arc<dyn StateStore>>,
{
    a_task_begins_with_nothing(&*make().await).await;
    what_is_committed_is_found(&*make().await).await;
    an_epoch_tells_how_far_it_is(&*make().await).await;
    the_last_change_of_a_key_wins(&*make().await).await;
    tasks_and_tables_are_apart(&*make().await).await;
    a_scan_shows_every_row_once(&*make().await).await;
    a_range_is_ordered_and_limited(&*make().await).await;
    a_task_that_was_taken_over_commits_nothing(&*make().await).await;
    a_forgotten_task_begins_anew(&*make().await).await;
}

const OWNER: Owner = Owner::from_static("tests");

fn task(partition: i32) -> TaskId {
    TaskId::new(OWNER, "store.top_movies@1", partition)
}

fn rows(table: u16, rows: &[(&str, Option<&str>)]) -> Epoch {
    let mut changes = Changes::new();
    for (key, value) in rows {
        match value {
            Some(value) => changes.put(table, key.as_bytes(), value.as_bytes()),
            None => changes.delete(table, key.as_bytes()),
        }
    }
    Epoch { changes, ..Epoch::default() }
}

async fn found(store: &dyn StateStore, task: &TaskId, table: u16, keys: &[&str]) -> Vec<Option<String>> {
    let bytes: Vec<_> = keys.iter().map(|key| key.as_bytes()).collect();
    let found = store.get_many(task, table, &bytes).await.expect("read");
    assert_eq!(found.len(), keys.len());
    (0..keys.len())
        .map(|index| found.get(index).map(|value| String::from_utf8_lossy(value).into_owned()))
        .collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn a_task_begins_with_nothing(store: &dyn StateStore) {
    assert_eq!(found(store, &task(0), 0, &["a", "b"]).await, [None, None]);
    let taken = store.take_over(&task(0)).await.expect("taken over");
    assert_eq!(taken.progress, crate::Progress::default());
    assert!(store.get_many(&task(0), 0, &[]).await.expect("read").is_empty());
}

async fn what_is_committed_is_found(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let epoch = rows(0, &[("a", Some("1")), ("b", Some("")), ("c", Some("3"))]);
    store.commit(&task(0), fence, epoch).await.expect("committed");
    store.commit(&task(0), fence, rows(0, &[("c", None), ("d", None)])).await.expect("committed");
    let expected = [some(""), None, some("1"), None];
    assert_eq!(found(store, &task(0), 0, &["b", "c", "a", "d"]).await, expected);
}

async fn an_epoch_tells_how_far_it_is(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let source = TopicPartition::new(TopicName::new("store.orders").expect("valid"), 0);
    let outgoing = Outgoing {
        topic: "store.alerts".to_owned(),
        key: Some(Bytes::from_static(b"k")),
        value: None,
        headers: vec![("h".to_owned(), Bytes::from_static(b"v"))],
    };
    let epoch = Epoch {
        changes: Changes::new(),
        offsets: vec![(source, Offset::new(42))],
        watermark: Some(-7),
        outbox: vec![outgoing],
    };
    let committed = store.commit(&task(0), fence, epoch).await.expect("committed");
    assert_eq!((committed.epoch, committed.watermark, committed.outbox.len()), (1, Some(-7), 1));
    let again = store.take_over(&task(0)).await.expect("taken over").progress;
    assert_eq!(again, committed);
    let listed = store.tasks(&OWNER).await.expect("listed");
    assert_eq!(
        listed.into_iter().map(|(id, progress, _)| (id, progress)).collect::<Vec<_>>(),
        [(task(0), committed)]
    );
}

async fn the_last_change_of_a_key_wins(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let epoch = rows(0, &[("a", Some("1")), ("a", None), ("a", Some("22")), ("b", Some("1")), ("b", None)]);
    store.commit(&task(0), fence, epoch).await.expect("committed");
    assert_eq!(found(store, &task(0), 0, &["a", "b"]).await, [some("22"), None]);
}

async fn tasks_and_tables_are_apart(store: &dyn StateStore) {
    for partition in [0, 1] {
        let fence = store.take_over(&task(partition)).await.expect("taken over").fence;
        for table in [0, 1] {
            let value = format!("{partition}/{table}");
            let epoch = rows(table, &[("a", Some(&value))]);
            store.commit(&task(partition), fence, epoch).await.expect("committed");
        }
    }
    assert_eq!(found(store, &task(0), 1, &["a"]).await, [some("0/1")]);
    assert_eq!(found(store, &task(1), 0, &["a"]).await, [some("1/0")]);
}

async fn a_scan_shows_every_row_once(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let names: Vec<_> = (0..1_000).map(|n| format!("key-{n:04}")).collect();
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), Some("v"))).collect();
    store.commit(&task(0), fence, rows(0, &all)).await.expect("committed");
    store.commit(&task(0), fence, rows(0, &[("key-0500", None)])).await.expect("committed");
    let mut seen = Vec::new();
    let mut visit = |key: &[u8], _: &[u8]| seen.push(String::from_utf8_lossy(key).into_owned());
    let progress = store.scan(&task(0), 0, &mut visit).await.expect("scanned");
    assert_eq!(progress.epoch, 2);
    seen.sort_unstable();
    let expected: Vec<_> = names.into_iter().filter(|name| name != "key-0500").collect();
    assert_eq!(seen, expected);
}

async fn a_range_is_ordered_and_limited(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let epoch = rows(0, &[("c", Some("3")), ("a", Some("1")), ("d", Some("4")), ("b", Some("2"))]);
    store.commit(&task(0), fence, epoch).await.expect("committed");
    let keys = |rows: Vec<(Vec<u8>, Vec<u8>)>| {
        rows.into_iter().map(|(key, _)| String::from_utf8_lossy(&key).into_owned()).collect::<Vec<_>>()
    };
    let range = store.range(&task(0), 0, b"b", Some(b"d"), 10).await.expect("read");
    assert_eq!(keys(range), ["b", "c"]);
    let range = store.range(&task(0), 0, b"", None, 3).await.expect("read");
    assert_eq!(keys(range), ["a", "b", "c"]);
}

async fn a_task_that_was_taken_over_commits_nothing(store: &dyn StateStore) {
    let old = store.take_over(&task(0)).await.expect("taken over").fence;
    store.commit(&task(0), old, rows(0, &[("a", Some("1"))])).await.expect("committed");
    let new = store.take_over(&task(0)).await.expect("taken over").fence;
    assert!(new > old);
    let refused = store.commit(&task(0), old, rows(0, &[("a", Some("2"))])).await;
    assert!(matches!(refused, Err(CommitError::Fenced { .. })), "{refused:?}");
    assert_eq!(found(store, &task(0), 0, &["a"]).await, [some("1")]);
    store.commit(&task(0), new, rows(0, &[("a", Some("3"))])).await.expect("committed");
}

async fn a_forgotten_task_begins_anew(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    store.commit(&task(0), fence, rows(0, &[("a", Some("1"))])).await.expect("committed");
    store.forget(&task(0)).await.expect("forgotten");
    store.forget(&task(0)).await.expect("forgotten twice");
    assert_eq!(found(store, &task(0), 0, &["a"]).await, [None]);
    assert!(store.tasks(&OWNER).await.expect("listed").is_empty());
    let taken = store.take_over(&task(0)).await.expect("taken over");
    assert_eq!(taken.progress.epoch, 0);
}
