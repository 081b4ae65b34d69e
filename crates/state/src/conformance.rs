//! Conformance suite for [`StateStore`] implementations.
//!
//! ```text
//! conformance::run(|| async { my_store() }).await;
//! ```

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use factum_types::{Offset, TopicName, TopicPartition};

use crate::{
    Changes, CommitError, Epoch, Fence, Outgoing, Owner, StateStore, TableId, TaskId, forget_all,
    ordered_table,
};

mod ranges;

/// Runs every behaviour, each on a store of its own.
///
/// # Panics
/// If the store does not behave.
pub async fn run<F>(make: impl Fn() -> F)
where
    F: Future<Output = Arc<dyn StateStore>>,
{
    a_task_begins_with_nothing(&*make().await).await;
    for table in TABLES {
        committed_rows_are_found(&*make().await, table).await;
    }
    an_epoch_tells_how_far_it_is(&*make().await).await;
    for table in TABLES {
        the_last_change_of_a_key_wins(&*make().await, table).await;
    }
    tasks_and_tables_are_apart(&*make().await).await;
    for table in TABLES {
        a_scan_shows_every_row_once(&*make().await, table).await;
    }
    a_task_that_was_taken_over_commits_nothing(&*make().await).await;
    a_forgotten_task_begins_anew(&*make().await).await;
    an_owner_sees_its_own_tasks(&*make().await).await;
    an_owner_forgets_its_own_tasks(&*make().await).await;
    a_name_that_is_too_long_is_refused(&*make().await).await;
    undamaged_tasks_report_no_loss(&*make().await).await;
    a_commit_that_nobody_waits_for_counts_whole_or_not_at_all(&*make().await).await;
    a_forgetting_that_nobody_waits_for_is_whole_or_not_at_all(&*make().await).await;
    a_take_over_waits_for_the_commit_in_flight(make().await).await;
    a_scan_beside_commits_shows_one_epoch(make().await).await;
    for table in TABLES {
        an_epoch_may_have_a_hundred_thousand_rows(&*make().await, table).await;
    }
    ranges::run(&make).await;
}

const OWNER: Owner = Owner::from_static("tests");

/// A table of each kind.
const TABLES: [TableId; 2] = [0, ordered_table(0)];

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

async fn committed_rows_are_found(store: &dyn StateStore, table: TableId) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let epoch = rows(table, &[("a", Some("1")), ("b", Some("")), ("c", Some("3"))]);
    store.commit(&task(0), fence, epoch).await.expect("committed");
    store.commit(&task(0), fence, rows(table, &[("c", None), ("d", None)])).await.expect("committed");
    let expected = [some(""), None, some("1"), None];
    assert_eq!(found(store, &task(0), table, &["b", "c", "a", "d"]).await, expected);
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
        listed.into_iter().map(|kept| (kept.task, kept.progress)).collect::<Vec<_>>(),
        [(task(0), committed)]
    );
}

async fn the_last_change_of_a_key_wins(store: &dyn StateStore, table: TableId) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let epoch =
        rows(table, &[("a", Some("1")), ("a", None), ("a", Some("22")), ("b", Some("1")), ("b", None)]);
    store.commit(&task(0), fence, epoch).await.expect("committed");
    assert_eq!(found(store, &task(0), table, &["a", "b"]).await, [some("22"), None]);
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

async fn a_scan_shows_every_row_once(store: &dyn StateStore, table: TableId) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let names: Vec<_> = (0..1_000).map(|n| format!("key-{n:04}")).collect();
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), Some("v"))).collect();
    store.commit(&task(0), fence, rows(table, &all)).await.expect("committed");
    store.commit(&task(0), fence, rows(table, &[("key-0500", None)])).await.expect("committed");
    let mut seen = Vec::new();
    let mut visit = |key: &[u8], _: &[u8]| seen.push(String::from_utf8_lossy(key).into_owned());
    let progress = store.scan(&task(0), table, &mut visit).await.expect("scanned");
    assert_eq!(progress.epoch, 2);
    seen.sort_unstable();
    let expected: Vec<_> = names.into_iter().filter(|name| name != "key-0500").collect();
    assert_eq!(seen, expected);
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

async fn an_owner_sees_its_own_tasks(store: &dyn StateStore) {
    let other = TaskId::new(Owner::from_static("other"), task(0).name(), 0);
    for id in [&task(0), &other] {
        let fence = store.take_over(id).await.expect("taken over").fence;
        store.commit(id, fence, rows(0, &[("a", Some(id.owner().as_str()))])).await.expect("committed");
    }
    for id in [task(0), other] {
        let listed = store.tasks(id.owner()).await.expect("listed");
        assert_eq!(listed.iter().map(|listed| &listed.task).collect::<Vec<_>>(), [&id]);
        assert_eq!(found(store, &id, 0, &["a"]).await, [some(id.owner().as_str())]);
    }
}

async fn an_owner_forgets_its_own_tasks(store: &dyn StateStore) {
    let other = TaskId::new(Owner::from_static("other"), task(0).name(), 0);
    for id in [&task(0), &task(1), &other] {
        let fence = store.take_over(id).await.expect("taken over").fence;
        store.commit(id, fence, rows(0, &[("a", Some("1"))])).await.expect("committed");
    }
    forget_all(store, &OWNER).await.expect("forgotten");
    assert_eq!(store.tasks(&OWNER).await.expect("listed"), []);
    assert_eq!(found(store, &task(1), 0, &["a"]).await, [None]);
    assert_eq!(store.tasks(other.owner()).await.expect("listed").len(), 1);
    assert_eq!(found(store, &other, 0, &["a"]).await, [some("1")]);
}

async fn a_name_that_is_too_long_is_refused(store: &dyn StateStore) {
    for name in ["x".repeat(TaskId::MAX_NAME_LEN + 1), String::new(), "a\0b".to_owned()] {
        let id = TaskId::new(OWNER, name, 0);
        store.take_over(&id).await.expect_err("refused");
        let refused = store.commit(&id, Fence::default(), Epoch::default()).await;
        assert!(matches!(refused, Err(CommitError::Refused { .. })), "{refused:?}");
    }
    let longest = TaskId::new(OWNER, "x".repeat(TaskId::MAX_NAME_LEN), 0);
    store.take_over(&longest).await.expect("taken over");
}

async fn undamaged_tasks_report_no_loss(store: &dyn StateStore) {
    let taken = store.take_over(&task(0)).await.expect("taken over");
    assert_eq!(taken.lost, None);
    store.acknowledge_loss(&task(0), taken.fence).await.expect("nothing to acknowledge");
    let refused = store.acknowledge_loss(&task(0), Fence::default()).await;
    assert!(matches!(refused, Err(CommitError::Fenced { .. })), "{refused:?}");
}

/// Begins a call and goes away without its answer, after so many polls.
async fn abandon(call: impl Future, polls: usize) {
    let (mut call, mut left) = (pin!(call), polls);
    poll_fn(|context| {
        left -= 1;
        if call.as_mut().poll(context).is_ready() || left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn a_commit_that_nobody_waits_for_counts_whole_or_not_at_all(store: &dyn StateStore) {
    let mut epoch = 0;
    for polls in 1..4 {
        let fence = store.take_over(&task(0)).await.expect("taken over").fence;
        let value = polls.to_string();
        let both = rows(0, &[("a", Some(&value)), ("b", Some(&value))]);
        let before = found(store, &task(0), 0, &["a"]).await;
        abandon(store.commit(&task(0), fence, both), polls).await;
        let taken = store.take_over(&task(0)).await.expect("taken over");
        let expected = if taken.progress.epoch == epoch { before[0].clone() } else { some(&value) };
        assert!(taken.progress.epoch - epoch <= 1);
        assert_eq!(found(store, &task(0), 0, &["a", "b"]).await, [expected.clone(), expected]);
        epoch = taken.progress.epoch;
    }
}

async fn a_forgetting_that_nobody_waits_for_is_whole_or_not_at_all(store: &dyn StateStore) {
    for polls in 1..4 {
        let fence = store.take_over(&task(0)).await.expect("taken over").fence;
        store.commit(&task(0), fence, rows(0, &[("a", Some("1"))])).await.expect("committed");
        abandon(store.forget(&task(0)), polls).await;
        let taken = store.take_over(&task(0)).await.expect("taken over");
        let expected = if taken.progress.epoch == 0 { None } else { some("1") };
        assert_eq!(found(store, &task(0), 0, &["a"]).await, [expected]);
    }
}

async fn a_take_over_waits_for_the_commit_in_flight(store: Arc<dyn StateStore>) {
    let mut epoch = 0;
    for _ in 0..20 {
        let old = store.take_over(&task(0)).await.expect("taken over").fence;
        let (id, epoch_of_old) = (task(0), rows(0, &[("a", Some("old"))]));
        let (committed, taken) = tokio::join!(store.commit(&id, old, epoch_of_old), store.take_over(&id));
        let taken = taken.expect("taken over");
        match committed {
            Ok(progress) => assert_eq!((progress.epoch, taken.progress.epoch), (epoch + 1, epoch + 1)),
            Err(CommitError::Fenced { .. }) => assert_eq!(taken.progress.epoch, epoch),
            Err(error) => panic!("{error}"),
        }
        let refused = store.commit(&id, old, rows(0, &[("a", Some("late"))])).await;
        assert!(matches!(refused, Err(CommitError::Fenced { .. })), "{refused:?}");
        epoch = taken.progress.epoch;
    }
}

async fn a_scan_beside_commits_shows_one_epoch(store: Arc<dyn StateStore>) {
    let names: Vec<_> = (0..200).map(|n| format!("key-{n:04}")).collect();
    let epoch_of = |value: &str| {
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), Some(value))).collect();
        rows(0, &all)
    };
    let id = task(0);
    let fence = store.take_over(&id).await.expect("taken over").fence;
    let commits = async {
        for epoch in 1..=50 {
            // Values of different lengths move within their shard.
            let value = format!("{epoch:0width$}", width = 4 + epoch % 7);
            store.commit(&id, fence, epoch_of(&value)).await.expect("committed");
        }
    };
    let scans = async {
        for _ in 0..200 {
            let mut seen = Vec::new();
            let mut visit = |_: &[u8], value: &[u8]| seen.push(String::from_utf8_lossy(value).into_owned());
            let progress = store.scan(&id, 0, &mut visit).await.expect("scanned");
            let epoch = |value: &String| value.parse::<u64>().expect("a number");
            assert!(seen.iter().all(|value| epoch(value) == progress.epoch), "a scan of two epochs");
            assert_eq!(seen.len(), if progress.epoch == 0 { 0 } else { names.len() });
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(commits, scans);
}

async fn an_epoch_may_have_a_hundred_thousand_rows(store: &dyn StateStore, table: TableId) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let mut changes = Changes::new();
    // In an order that is not that of the keys.
    (0..100_000_u32).for_each(|key| changes.put(table, &key.swap_bytes().to_be_bytes(), &[7; 20]));
    store.commit(&task(0), fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
    let mut keys = Vec::new();
    let mut visit = |key: &[u8], _: &[u8]| keys.push(key.to_vec());
    store.scan(&task(0), table, &mut visit).await.expect("scanned");
    assert!(table == 0 || keys.is_sorted(), "an ordered table is scanned in order");
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 100_000);
}
