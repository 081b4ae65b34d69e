//! Feeds: found in the folder, checked against what the team has, kept on the log.

mod support;

use expect_test::{Expect, expect};
use factum_governance::watch::apply_once;
use factum_governance::{Catalogue, FeedDefinition, Generator, Rate};
use support::memory_log::MemoryLog;
use support::{folder, load_and_render, write_files};

const PROJECT: &str = "=== factum.yaml
name: contoso
=== teams/store/team.yaml
contact: '#store'
=== teams/store/events/orders.yaml
key: Email
partitions: 1
=== teams/store/tables/products.yaml
from: products.csv
key: ItemId
=== teams/store/tables/products.csv
ItemId,Name
1,Alien
";

fn check(feed: &str, expected: &Expect) {
    let folder = folder(&format!("{PROJECT}=== teams/store/feeds/orders.yaml\n{feed}"));
    expected.assert_eq(&load_and_render(folder.path()));
}

#[tokio::test]
async fn a_feed_is_applied_changed_and_forgotten() {
    let feed = "=== teams/store/feeds/orders.yaml
summary: Customers that never sleep.
generate: orders
into: orders
rate: 20/s
seed: 7
products: products
customers: 2000
regions: [Region1, Region2]
=== teams/store/feeds/trickle.yaml
generate: orders
into: store.orders
";
    let folder = folder(&format!("{PROJECT}{feed}"));
    let (log, catalogue) = (MemoryLog::default(), Catalogue::new());
    let (plan, ..) = apply_once(folder.path(), &log, &catalogue, &()).await.expect("the project applies");
    expect![[r#"
        store
          + team   store
          + event  store.orders  json, 1 partition, key Email
          + table  store.products  key ItemId, from products.csv
          + feed   store.orders  orders into store.orders, 20/s
          + feed   store.trickle  orders into store.orders, 10/s

        Plan: 5 to add, 0 to change, 0 to forget."#]]
    .assert_eq(&plan.to_string());
    let again = Catalogue::load(&log).await.expect("it is on the log");
    assert_eq!(again.of::<FeedDefinition>(), catalogue.of::<FeedDefinition>());
    let feed = &again.of::<FeedDefinition>()[0];
    assert_eq!((feed.name.as_str(), feed.into.as_str()), ("store.orders", "store.orders"));
    assert_eq!((feed.generate, feed.rate), (Generator::Orders, Rate::per_second(20)));
    assert_eq!(
        (feed.seed, feed.customers, feed.products.as_ref().map(|table| table.as_str())),
        (7, 2000, Some("store.products"))
    );
    assert_eq!(feed.regions, ["Region1", "Region2"]);

    write_files(
        folder.path(),
        "=== teams/store/feeds/orders.yaml\ngenerate: orders\ninto: orders\nrate: 5/m\n",
    );
    std::fs::remove_file(folder.path().join("teams/store/feeds/trickle.yaml")).expect("removed");
    let (plan, ..) = apply_once(folder.path(), &log, &catalogue, &()).await.expect("the project applies");
    expect![[r#"
        store
          ~ feed   store.orders
              customers  2000 → 1000
              products   store.products → (not set)
              rate       20/s → 5/m
              regions    Region1, Region2 → (not set)
              seed       7 → 0
              summary    Customers that never sleep. → (not set)
          - feed   store.trickle  forgotten

        Plan: 0 to add, 1 to change, 1 to forget."#]]
    .assert_eq(&plan.to_string());
    assert_eq!(catalogue.of::<FeedDefinition>().len(), 1);
    let (plan, ..) = apply_once(folder.path(), &log, &catalogue, &()).await.expect("the project applies");
    assert!(plan.is_empty(), "{plan}");
}

#[test]
fn errors_point_at_their_place() {
    check(
        "generate: ordres
into: order
rate: 20 a second
seed: -1
products: product
customers: none
region: Region1
",
        &expect![[r#"
            the project has 7 problems
              × `generate` cannot be "ordres"
               ╭─[teams/store/feeds/orders.yaml:1:11]
             1 │ generate: ordres
               ·           ───┬──
               ·              ╰── did you mean `orders`?
             2 │ into: order
               ╰────
              help: one of: orders
              × team store has no event order
               ╭─[teams/store/feeds/orders.yaml:2:7]
             1 │ generate: ordres
             2 │ into: order
               ·       ──┬──
               ·         ╰── did you mean `orders`?
             3 │ rate: 20 a second
               ╰────
              help: events of the team: orders
              × `rate` is not usable: "20 a second" is not events in a time; write such as 20/s, 5/m or 100/h
               ╭─[teams/store/feeds/orders.yaml:3:7]
             2 │ into: order
             3 │ rate: 20 a second
               ·       ───────────
             4 │ seed: -1
               ╰────
              help: for example `rate: 20/s`
              × `seed` is not usable: "-1" is not a whole number from 0 to 18446744073709551615
               ╭─[teams/store/feeds/orders.yaml:4:7]
             3 │ rate: 20 a second
             4 │ seed: -1
               ·       ──
             5 │ products: product
               ╰────
              help: for example `seed: 7`
              × team store has no table product
               ╭─[teams/store/feeds/orders.yaml:5:11]
             4 │ seed: -1
             5 │ products: product
               ·           ───┬───
               ·              ╰── did you mean `products`?
             6 │ customers: none
               ╰────
              help: tables of the team: products
              × `customers` is not usable: "none" is not a whole number from 1 to 1000000
               ╭─[teams/store/feeds/orders.yaml:6:12]
             5 │ products: product
             6 │ customers: none
               ·            ────
             7 │ region: Region1
               ╰────
              help: for example `customers: 2000`
              × there is no field `region`
               ╭─[teams/store/feeds/orders.yaml:7:1]
             6 │ customers: none
             7 │ region: Region1
               · ───┬──
               ·    ╰── did you mean `regions`?
               ╰────
              help: known here: customers, generate, into, products, rate, regions, seed, summary
        "#]],
    );
}

#[test]
fn missing_fields_are_reported() {
    check(
        "rate: 5/m\n",
        &expect![[r#"
        the project has 2 problems
          × teams/store/feeds/orders.yaml: the feed does not say what it makes
          help: add a line such as `generate: orders`
          × teams/store/feeds/orders.yaml: the feed does not say which event it fills
          help: add a line such as `into: orders`
    "#]],
    );
}

#[test]
fn an_event_that_is_broken_itself_is_not_called_unknown() {
    let files = "=== teams/store/events/carts.yaml\nkye: x\n=== teams/store/feeds/carts.yaml\ngenerate: orders\ninto: carts\n";
    let folder = folder(&format!("{PROJECT}{files}"));
    expect![[r#"
        the project has a problem
          × there is no field `kye`
           ╭─[teams/store/events/carts.yaml:1:1]
         1 │ kye: x
           · ─┬─
           ·  ╰── did you mean `key`?
           ╰────
          help: known here: capture, cleanup_policy, compression, delete_retention, format, key, lateness,
                max_compaction_lag, max_message_bytes, min_compaction_lag, min_dirty_ratio, partitions, retention,
                retention_bytes, schema, segment_age, segment_bytes, source, summary, time, timestamp_after_max,
                timestamp_before_max, timestamp_type, type, visibility
    "#]]
    .assert_eq(&load_and_render(folder.path()));
}
