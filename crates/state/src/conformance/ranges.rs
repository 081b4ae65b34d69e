//! Ranges of ordered tables.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{rows, some, task};
use crate::{Changes, Epoch, Fence, KeyRange, Page, ReadError, StateStore, ordered_table};

const TABLE: u16 = ordered_table(0);

pub(super) async fn run<F>(make: &impl Fn() -> F)
where
    F: Future<Output = Arc<dyn StateStore>>,
{
    a_range_has_bounds_a_direction_and_a_limit(&*make().await).await;
    a_prefix_selects_the_keys_that_begin_with_it(&*make().await).await;
    pages_show_every_row_of_a_range_once(&*make().await).await;
    deleted_rows_are_in_no_range(&*make().await).await;
    a_table_without_order_has_no_ranges(&*make().await).await;
    tables_of_both_kinds_change_in_one_commit(&*make().await).await;
    a_page_beside_commits_shows_one_epoch(make().await).await;
}

async fn page(store: &dyn StateStore, range: &KeyRange) -> Page {
    store.range(&task(0), TABLE, range).await.expect("read")
}

/// The keys of a range, page by page.
async fn keys(store: &dyn StateStore, range: KeyRange) -> Vec<Vec<u8>> {
    let (mut keys, mut next) = (Vec::new(), Some(range));
    while let Some(range) = next.take() {
        let page = page(store, &range).await;
        assert!(page.rows.len() <= range.row_limit());
        keys.extend(page.rows.iter().map(|(key, _)| key.to_vec()));
        next = page.next;
    }
    keys
}

async fn texts(store: &dyn StateStore, range: KeyRange) -> String {
    String::from_utf8(keys(store, range).await.concat()).expect("text")
}

async fn holding(store: &dyn StateStore, keys: &[&[u8]]) -> Fence {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let mut changes = Changes::new();
    keys.iter().for_each(|key| changes.put(TABLE, key, b"v"));
    store.commit(&task(0), fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
    fence
}

async fn a_range_has_bounds_a_direction_and_a_limit(store: &dyn StateStore) {
    use Bound::{Excluded, Included, Unbounded};
    assert_eq!(page(store, &KeyRange::all()).await, Page::default());
    holding(store, &[b"c", b"a", b"e", b"b", b"d"]).await;
    let between = |from: Bound<&str>, to: Bound<&str>| {
        KeyRange::between(from.map(str::as_bytes), to.map(str::as_bytes))
    };
    for (from, to, expected) in [
        (Unbounded, Unbounded, "abcde"),
        (Included("b"), Included("d"), "bcd"),
        (Included("b"), Excluded("d"), "bc"),
        (Excluded("b"), Included("d"), "cd"),
        (Excluded("b"), Excluded("d"), "c"),
        (Excluded("b"), Unbounded, "cde"),
        (Unbounded, Excluded("b"), "a"),
        (Included("bb"), Included("cc"), "c"),
        (Included("c"), Included("c"), "c"),
        (Excluded("c"), Included("c"), ""),
        (Included("d"), Included("b"), ""),
        (Excluded("e"), Unbounded, ""),
    ] {
        let range = between(from, to);
        assert_eq!(texts(store, range.clone()).await, expected, "{range:?}");
        let reversed: String = expected.chars().rev().collect();
        assert_eq!(texts(store, range.descending()).await, reversed, "from the last");
    }
    let first = page(store, &KeyRange::all().limit(2)).await;
    assert_eq!(first.rows.iter().collect::<Vec<_>>(), [(b"a".as_slice(), b"v".as_slice()), (b"b", b"v")]);
    assert_eq!(first.next, Some(between(Excluded("b"), Unbounded).limit(2)));
    assert_eq!(first.version.epoch(), 1);
    let last = page(store, &KeyRange::all().descending().limit(1)).await;
    assert_eq!(last.rows.get(0), Some((b"e".as_slice(), b"v".as_slice())));
    assert!(page(store, &KeyRange::all().limit(0)).await.rows.is_empty());
}

async fn a_prefix_selects_the_keys_that_begin_with_it(store: &dyn StateStore) {
    let all: [&[u8]; 7] = [b"", b"a", b"a\xff", b"a\xff\xff", b"a\xff\xff\x01", b"b", b"\xff\xff"];
    holding(store, &all).await;
    for prefix in [b"".as_slice(), b"a", b"a\xff", b"a\xff\xff", b"\xff", b"\xff\xff", b"c"] {
        let expected: Vec<_> =
            all.iter().filter(|key| key.starts_with(prefix)).map(|key| key.to_vec()).collect();
        assert_eq!(keys(store, KeyRange::prefix(prefix)).await, expected, "{prefix:?}");
    }
}

async fn pages_show_every_row_of_a_range_once(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let mut changes = Changes::new();
    // More than a page may have, whatever its limit is.
    (0..3_000_u32).for_each(|key| changes.put(TABLE, &(key * 2).to_be_bytes(), &[key as u8; 1_000]));
    store.commit(&task(0), fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
    let expected =
        |from: u32, to: u32| (from..to).map(|key| (key * 2).to_be_bytes().to_vec()).collect::<Vec<_>>();
    let some =
        KeyRange::between(Bound::Included(&501_u32.to_be_bytes()), Bound::Excluded(&5_000_u32.to_be_bytes()));
    for (range, expected) in [(KeyRange::all(), expected(0, 3_000)), (some, expected(251, 2_500))] {
        for limit in [usize::MAX, 700, 7] {
            assert_eq!(keys(store, range.clone().limit(limit)).await, expected, "{limit} a page");
            let mut reversed = keys(store, range.clone().descending().limit(limit)).await;
            reversed.reverse();
            assert_eq!(reversed, expected, "{limit} a page from the last");
        }
    }
    let first = page(store, &KeyRange::all()).await;
    assert!((1..3_000).contains(&first.rows.len()), "a page is bounded: {} rows", first.rows.len());
}

async fn deleted_rows_are_in_no_range(store: &dyn StateStore) {
    let names: Vec<_> = (0..5_000_u32).map(|key| format!("key-{key:05}")).collect();
    let keys_of_all: Vec<_> = names.iter().map(|name| name.as_bytes()).collect();
    let fence = holding(store, &keys_of_all).await;
    let deleted: Vec<_> = names[..4_990].iter().map(|name| (name.as_str(), None)).collect();
    store.commit(&task(0), fence, rows(TABLE, &deleted)).await.expect("committed");
    assert_eq!(keys(store, KeyRange::all()).await, keys_of_all[4_990..]);
    assert_eq!(keys(store, KeyRange::prefix(b"key-00")).await.len(), 0);
    let again = rows(TABLE, &[("key-00007", Some("again")), ("key-04999", None)]);
    store.commit(&task(0), fence, again).await.expect("committed");
    let first = page(store, &KeyRange::prefix(b"key-00007")).await;
    assert_eq!(first.rows.get(0), Some((b"key-00007".as_slice(), b"again".as_slice())));
    assert_eq!(keys(store, KeyRange::all()).await.len(), 10);
}

async fn a_table_without_order_has_no_ranges(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    store.commit(&task(0), fence, rows(3, &[("a", Some("1"))])).await.expect("committed");
    let refused = store.range(&task(0), 3, &KeyRange::all()).await.expect_err("refused");
    assert!(matches!(refused, ReadError::Unordered { table: 3, .. }), "{refused}");
    assert_eq!(refused.to_string(), "table 3 of store.top_movies@1/0 is not ordered and has no ranges");
}

async fn tables_of_both_kinds_change_in_one_commit(store: &dyn StateStore) {
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let mut changes = Changes::new();
    for (table, value) in [(0, b"hash".as_slice()), (TABLE, b"ordered"), (ordered_table(1), b"another")] {
        changes.put(table, b"a", value);
    }
    store.commit(&task(0), fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
    for (table, value) in [(0, "hash"), (TABLE, "ordered"), (ordered_table(1), "another")] {
        assert_eq!(super::found(store, &task(0), table, &["a", "b"]).await, [some(value), None]);
    }
}

async fn a_page_beside_commits_shows_one_epoch(store: Arc<dyn StateStore>) {
    const ROWS: u32 = 300;
    let fence = store.take_over(&task(0)).await.expect("taken over").fence;
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, is_over) = (Arc::clone(&store), Arc::clone(&is_over));
        let runtime = tokio::runtime::Handle::current();
        // Beside the commits, not between them.
        tokio::task::spawn_blocking(move || {
            runtime.block_on(async move {
                let mut pages = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let page = page(&*store, &KeyRange::all()).await;
                    let epoch = page.version.epoch();
                    let is_of_epoch = |value: &[u8]| value.starts_with(&epoch.to_be_bytes());
                    assert!(page.rows.iter().all(|(_, value)| is_of_epoch(value)), "a page of two epochs");
                    assert_eq!(page.rows.len(), if epoch == 0 { 0 } else { ROWS as usize });
                    pages += 1;
                }
                pages
            })
        })
    };
    for epoch in 1..=60_u64 {
        let mut changes = Changes::new();
        // Values of different lengths move within their leaf, other keys from leaf to leaf.
        let value = [&epoch.to_be_bytes()[..], &vec![0; (epoch % 90) as usize]].concat();
        let key = |epoch: u64, row: u32| (row * 64 + (epoch % 64) as u32).to_be_bytes();
        (0..ROWS).for_each(|row| changes.delete(TABLE, &key(epoch - 1, row)));
        (0..ROWS).for_each(|row| changes.put(TABLE, &key(epoch, row), &value));
        store.commit(&task(0), fence, Epoch { changes, ..Epoch::default() }).await.expect("committed");
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(reader.await.expect("no page of two epochs") > 0);
}
