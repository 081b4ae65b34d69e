//! Names as people write them.

use expect_test::{Expect, expect};

use super::world::{planned, view};
use crate::access::RelationAccess;

fn columns(query: &str) -> String {
    let view = view(query);
    view.columns.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
}

fn check(query: &str, expected: &Expect) {
    expected.assert_eq(&columns(query));
}

#[test]
fn columns_keep_the_names_they_are_asked_for_by() {
    check(
        "SELECT order_id, sales.orderdate, date_trunc('day', order_date), Total * 2 FROM sales",
        &expect!["order_id, orderdate, date_trunc('day', order_date), Total * 2"],
    );
    check(
        "SELECT d.product_id, sum(d.quantity) AS Sold FROM sales, UNNEST(details) AS d GROUP BY d.product_id ORDER BY sold DESC",
        &expect!["product_id, Sold"],
    );
    check(
        "SELECT product_id, count(*) FROM sales, UNNEST(details) d GROUP BY productId",
        &expect!["product_id, count(*)"],
    );
    check("SELECT address.city, o.Address.ZIP FROM orders o", &expect!["city, ZIP"]);
    check(
        "SELECT total AS \"Grand Total\" FROM store.orders WHERE store.orders.total > 1",
        &expect!["Grand Total"],
    );
}

#[test]
fn a_star_is_the_data_and_not_its_envelope() {
    check("SELECT * FROM web.clicks", &expect!["id, page, at"]);
    check("SELECT *, _offset, _key FROM web.clicks", &expect!["id, page, at, _offset, _key"]);
    check(
        "SELECT s.*, d.* FROM sales AS s, UNNEST(details) AS d",
        &expect!["OrderId, Total, OrderDate, shipped, Shipped_, Details, ProductId, Quantity"],
    );
    check(
        "SELECT * FROM TUMBLE(web.clicks, at, INTERVAL '1 day')",
        &expect!["id, page, at, window_start, window_end"],
    );
}

#[test]
fn a_view_may_list_its_columns() {
    let planned = planned(
        "CREATE MATERIALIZED VIEW v (who, n) AS SELECT customer, count(*) FROM orders GROUP BY customer",
    );
    let views = planned.unwrap_or_else(|problems| panic!("{problems:?}")).views;
    let names: Vec<_> = views[0].columns.fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["who", "n"]);
}

#[test]
fn only_columns_that_are_needed_are_decoded() {
    let needed = |query: &str| {
        let view = view(query);
        let schema = super::world::batch("store.orders", &[]).schema();
        let names = view.cuts[0].projection.iter().map(|column| schema.field(*column).name().clone());
        names.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(needed("SELECT count(*) FROM orders"), "_offset");
    assert_eq!(
        needed("SELECT customer, sum(total) FROM orders WHERE quantity > 1 GROUP BY customer"),
        "customer, total, quantity"
    );
    assert_eq!(needed("SELECT o.id, d.product_id FROM orders AS o, UNNEST(details) AS d"), "id, details");
    assert_eq!(needed("SELECT id FROM orders WHERE order_date > now()"), "id, order_date");
    assert_eq!(
        needed(
            "SELECT window_start, count(*) FROM TUMBLE(orders, order_date, INTERVAL '1 day') GROUP BY window_start"
        ),
        "order_date"
    );
}

#[test]
fn a_view_of_a_topic_without_events_waits() {
    let text =
        "CREATE MATERIALIZED VIEW a AS SELECT * FROM b; CREATE MATERIALIZED VIEW b AS SELECT * FROM returns";
    let planned = planned(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(planned.views.is_empty());
    let waiting: Vec<_> =
        planned.awaiting.iter().map(|view| format!("{} {}", view.name, view.topic)).collect();
    assert_eq!(waiting, ["store.b store.returns", "store.a store.returns"]);
}

#[test]
fn a_fingerprint_follows_what_is_kept() {
    let of = |query: &str| view(query).cuts[0].fingerprint;
    let one = of("SELECT customer, sum(total) AS t FROM orders GROUP BY customer");
    assert_eq!(one, of("select Customer, sum(TOTAL) as t from store.orders group by 1"));
    assert_eq!(
        one,
        of("SELECT customer, sum(total) AS t FROM orders GROUP BY customer HAVING sum(total) > 2 LIMIT 1")
    );
    assert_ne!(one, of("SELECT customer, sum(quantity) AS t FROM orders GROUP BY customer"));
    assert_ne!(one, of("SELECT customer, sum(total) AS t FROM orders WHERE id > 1 GROUP BY customer"));
}

#[test]
fn queries_name_what_they_read() {
    let planned = planned("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM orders")
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    let text = "SELECT * FROM store.v, web.clicks AS c WHERE c.id > v.N;".into();
    let query = planned.planner.query(RelationAccess::All, &text);
    let query = query.unwrap_or_else(|failure| panic!("{failure:?}"));
    assert_eq!(query.views.iter().map(ToString::to_string).collect::<Vec<_>>(), ["store.v"]);
    assert_eq!(query.topics.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["web.clicks"]);
}

#[test]
fn a_plan_is_told_in_words() {
    let view = view("SELECT customer, sum(total) AS t FROM orders GROUP BY customer ORDER BY t DESC LIMIT 3");
    expect![[r#"
        store.v
          for each event of store.orders
            reads       store.orders: customer, total
            groups by   customer
            keeps       sum(total) for each group
            state       one row for each customer: it grows with how many there are
          on each reading
            reads       what is kept
            returns     customer, sum(total) AS t
            sorts by    t DESC
            takes       the first 3 rows
    "#]]
    .assert_eq(&crate::explain::explain(&view).words);
}
