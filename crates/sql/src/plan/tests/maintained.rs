//! A view always equals the same SQL in batch.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{NOW, Store, batch, dealt, in_batch, is_ordered, planned, shown, together, view};

/// What is asked of the view, and, where plain DataFusion has other words for it, of that.
const QUERIES: &[(&str, Option<&str>)] = &[
    ("SELECT customer, count(*) AS orders FROM orders GROUP BY customer", None),
    (
        "SELECT customer, sum(total) AS total, avg(total) AS mean, min(total) AS least, max(order_date) AS latest FROM orders GROUP BY customer",
        None,
    ),
    ("SELECT count(*), sum(total), count(DISTINCT customer), max(quantity) FROM orders", None),
    ("SELECT count(*) FROM orders WHERE quantity > 1000", None),
    (
        "SELECT customer, count(DISTINCT quantity) AS kinds, sum(quantity) FILTER (WHERE total > 5) AS dear FROM orders GROUP BY customer",
        None,
    ),
    ("SELECT DISTINCT customer, quantity FROM orders", None),
    (
        "SELECT customer, sum(DISTINCT quantity) AS total, count(DISTINCT id) FILTER (WHERE total > 5) AS dear, count(*) AS n FROM orders GROUP BY customer",
        None,
    ),
    (
        "SELECT count(DISTINCT customer), sum(DISTINCT quantity), median(quantity) FROM orders WHERE quantity > 1000",
        None,
    ),
    (
        "SELECT customer, median(quantity) AS middle, max(DISTINCT total) AS best, sum(quantity) AS n FROM orders GROUP BY customer",
        None,
    ),
    ("SELECT id, total * 2 AS twice, upper(customer) AS who FROM orders WHERE quantity % 2 = 0", None),
    (
        "SELECT * FROM (SELECT id, customer FROM orders) AS o WHERE customer IS NOT NULL ORDER BY id DESC LIMIT 3",
        None,
    ),
    (
        "SELECT customer, sum(total) AS total FROM orders GROUP BY customer HAVING count(*) > 1 AND sum(total) > 3.5",
        None,
    ),
    (
        "SELECT customer, sum(total) AS spent FROM orders GROUP BY customer ORDER BY spent DESC NULLS LAST, customer LIMIT 2",
        None,
    ),
    (
        "SELECT d.product_id, sum(d.pieces) AS sold FROM orders, UNNEST(details) AS d GROUP BY d.product_id ORDER BY sold DESC, d.product_id LIMIT 2",
        Some(
            "SELECT d['product_id'] AS product_id, sum(d['pieces']) AS sold FROM (SELECT unnest(details) AS d FROM orders) GROUP BY 1 ORDER BY sold DESC, 1 LIMIT 2",
        ),
    ),
    (
        "SELECT id, tag FROM orders CROSS JOIN UNNEST(tags) AS tag WHERE tag <> 'b'",
        Some("SELECT id, tag FROM (SELECT id, unnest(tags) AS tag FROM orders) WHERE tag <> 'b'"),
    ),
    (
        "SELECT c.colour, o.customer, count(*) AS n FROM orders AS o, UNNEST(o.details) AS d, UNNEST(d.colours) AS c(colour) GROUP BY c.colour, o.customer",
        Some(
            "SELECT colour, customer, count(*) AS n FROM (SELECT customer, unnest(d['colours']) AS colour FROM (SELECT customer, unnest(details) AS d FROM orders)) GROUP BY 1, 2",
        ),
    ),
    (
        "SELECT p.genre, p.title, sum(d.pieces * d.price) AS taken FROM orders, UNNEST(details) AS d LEFT JOIN products AS p ON p.product_id = d.product_id GROUP BY p.genre, p.title",
        Some(
            "SELECT p.genre, p.title, sum(d['pieces'] * d['price']) AS taken FROM (SELECT unnest(details) AS d FROM orders) LEFT JOIN products AS p ON p.product_id = d['product_id'] GROUP BY 1, 2",
        ),
    ),
    (
        "SELECT p.title, count(*) AS n FROM orders AS o JOIN products AS p ON p.product_id = o.quantity WHERE p.genre <> 'satire' GROUP BY p.title",
        None,
    ),
    ("SELECT o.id, p.title FROM products AS p RIGHT JOIN orders AS o ON p.product_id = o.quantity", None),
    ("SELECT p.title, o.id FROM orders AS o CROSS JOIN products AS p", None),
    (
        "SELECT window_start, window_end, count(*) AS orders, sum(total) AS revenue FROM TUMBLE(orders, order_date, INTERVAL '1 hour') GROUP BY window_start, window_end",
        Some(
            "SELECT date_bin(INTERVAL '1 hour', order_date), date_bin(INTERVAL '1 hour', order_date) + INTERVAL '1 hour', count(*), sum(total) FROM orders GROUP BY 1, 2",
        ),
    ),
    (
        "SELECT w.window_start, customer, max(total) AS best FROM TUMBLE(orders, order_date, INTERVAL '1 month') AS w GROUP BY w.window_start, customer",
        Some(
            "SELECT date_bin(INTERVAL '1 month', order_date), customer, max(total) FROM orders GROUP BY 1, 2",
        ),
    ),
    (
        "SELECT orders, count(*) AS customers FROM (SELECT customer, count(*) AS orders FROM orders GROUP BY customer) AS c GROUP BY orders",
        None,
    ),
    (
        "WITH spent AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer), busy AS (SELECT customer, count(*) AS n FROM orders WHERE quantity > 1 GROUP BY customer) SELECT spent.customer, spent.total, busy.n FROM spent LEFT JOIN busy ON spent.customer = busy.customer",
        None,
    ),
    (
        "SELECT customer, total, rank() OVER (ORDER BY total DESC) AS place FROM (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) AS c",
        None,
    ),
    (
        "SELECT customer, count(*) AS n FROM orders GROUP BY customer UNION ALL SELECT 'all' AS customer, count(*) AS n FROM orders",
        None,
    ),
    (
        "SELECT customer, quantity, sum(n) AS n FROM (SELECT customer, quantity, count(*) AS n FROM orders GROUP BY customer, quantity) AS o GROUP BY ROLLUP (customer, quantity)",
        None,
    ),
    ("SELECT address['city'] AS city, count(*) AS n FROM orders GROUP BY 1", None),
    ("SELECT 'x' AS x, customer, count(*) FROM orders GROUP BY 1, 2", None),
    (
        "SELECT date_trunc('day', order_date) AS day, array_agg(id ORDER BY id) AS ids, median(total) AS middle FROM orders GROUP BY day",
        Some(
            "SELECT date_trunc('day', order_date) AS day, array_agg(id ORDER BY id) AS ids, median(total) AS middle FROM orders GROUP BY 1",
        ),
    ),
    (
        "SELECT CASE WHEN total > 5 THEN 'dear' ELSE 'cheap' END AS class, avg(quantity) AS mean, bool_or(total > 8) AS very FROM orders GROUP BY class",
        None,
    ),
    ("SELECT o.id FROM orders AS o LEFT SEMI JOIN products AS p ON p.product_id = o.quantity", None),
    (
        "SELECT customer, count(*) AS n FROM orders AS o LEFT ANTI JOIN products AS p ON p.product_id = o.quantity GROUP BY customer",
        None,
    ),
    (
        "SELECT title, count(*) AS n FROM (SELECT quantity AS product_id FROM orders) AS o JOIN products USING (product_id) GROUP BY title",
        None,
    ),
    ("SELECT customer, id, row_number() OVER (PARTITION BY customer ORDER BY id) AS place FROM orders", None),
    (
        "SELECT id, total FROM orders WHERE quantity > 0 ORDER BY total DESC NULLS LAST, id LIMIT 4 OFFSET 1",
        None,
    ),
    ("SELECT DISTINCT ON (customer) customer, id FROM orders ORDER BY customer, id DESC", None),
    ("SELECT customer FROM orders GROUP BY customer ORDER BY max(id) DESC LIMIT 2", None),
    (
        "SELECT a.customer, a.n - b.n AS d FROM (SELECT customer, count(*) AS n FROM orders GROUP BY customer) AS a JOIN (SELECT customer, count(total) AS n FROM orders GROUP BY customer) AS b ON a.customer = b.customer",
        None,
    ),
    (
        "WITH c AS (SELECT customer, count(*) AS n FROM orders GROUP BY customer) SELECT x.customer FROM c AS x, c AS y WHERE x.n > y.n",
        None,
    ),
    ("SELECT count(*) AS n FROM (SELECT DISTINCT customer FROM orders) AS c", None),
    (
        "SELECT max(n) AS most FROM (SELECT customer, count(*) AS n FROM orders GROUP BY customer) AS c HAVING max(n) > 1",
        None,
    ),
    ("SELECT count(*) AS n FROM (SELECT 1 AS one FROM orders LIMIT 5) AS o", None),
    (
        "SELECT quantity, sum(total) / count(total) AS mean, stddev(quantity) IS NULL AS one FROM orders GROUP BY quantity",
        // DataFusion cuts the quotient of decimals where SQL rounds it.
        Some(
            "SELECT quantity, CAST(round(CAST(sum(total) AS DECIMAL(20, 6)) / count(total), 6) AS DECIMAL(20, 6)) AS mean, \
             stddev(quantity) IS NULL AS one FROM orders GROUP BY quantity",
        ),
    ),
    (
        "SELECT sum(total) FILTER (WHERE customer = 'ann') AS ann, count(*) FILTER (WHERE tags IS NULL) AS bare FROM orders",
        None,
    ),
    ("SELECT customer, sum(total * 1.19) AS gross FROM orders GROUP BY customer", None),
    (
        "SELECT customer, array_agg(id ORDER BY total DESC NULLS LAST, id) AS dear, array_agg(id ORDER BY total, id) FILTER (WHERE quantity > 1) AS cheap FROM orders GROUP BY customer",
        None,
    ),
    (
        "SELECT customer, array_agg(DISTINCT quantity ORDER BY quantity DESC) AS quantities, string_agg(CAST(id AS VARCHAR), ',' ORDER BY id DESC) AS ids FROM orders GROUP BY customer",
        None,
    ),
    (
        "SELECT array_agg(id ORDER BY total, id) AS ids, nth_value(id, 2 ORDER BY total, id) AS second FROM orders",
        None,
    ),
    (
        "SELECT customer, first_value(id ORDER BY order_date, id) AS first, string_agg(CAST(id AS VARCHAR), ',' ORDER BY id) AS all FROM orders GROUP BY customer",
        None,
    ),
    ("SELECT quantity FROM orders GROUP BY quantity EXCEPT SELECT product_id FROM products", None),
    ("SELECT array_length(tags) AS tags, count(*) AS n FROM orders GROUP BY array_length(tags)", None),
    (
        "SELECT order_date, total FROM orders WHERE EXTRACT(hour FROM order_date) < 12 AND customer LIKE '%n%'",
        None,
    ),
];

pub(super) fn orders() -> impl Strategy<Value = Vec<Value>> {
    let detail = (0..5_i64, 0..4_i64, 0..900_i64, prop::sample::subsequence(vec!["red", "blue"], 0..=2));
    let detail = detail.prop_map(|(product, pieces, price, colours)| {
        json!({"product_id": product, "pieces": pieces, "price": cents(price), "colours": colours})
    });
    let order = (
        prop::option::weighted(0.9, prop::sample::select(vec!["ann", "bob", "cid"])),
        prop::option::weighted(0.9, 0..1_200_i64),
        prop::option::weighted(0.9, 0..5_i64),
        0..(40 * 24 * 60_i64),
        prop::option::weighted(0.9, prop::sample::subsequence(vec!["a", "b", "c"], 0..=3)),
        prop::option::weighted(0.9, prop::collection::vec(detail, 0..4)),
    );
    prop::collection::vec(order, 0..60).prop_map(|orders| {
        let numbered = orders.into_iter().enumerate();
        let event = numbered.map(|(id, (customer, total, quantity, minute, tags, details))| {
            json!({
                "id": id, "customer": customer, "total": total.map(cents), "quantity": quantity,
                "order_date": at(minute), "tags": tags, "details": details,
                "address": customer.map(|name| json!({"city": format!("{name}ville")})),
            })
        });
        event.collect()
    })
}

/// The minute `minute` of a count that ends a little after now.
fn at(minute: i64) -> String {
    let millis = NOW.as_millis() + (minute - 39 * 24 * 60) * 60_000;
    jiff::Timestamp::from_millisecond(millis).expect("within the calendar").to_string()
}

fn cents(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_view_equals_batch(
        events in orders(),
        partitions in 1..4_usize,
        choices in prop::collection::vec(any::<usize>(), 1..20),
    ) {
        runtime().block_on(async {
            let store = Store::open();
            let epochs = dealt(&events, partitions, &choices);
            let all = together(&epochs);
            for (query, oracle) in QUERIES {
                let view = view(query);
                store.keep(&view, &epochs).await;
                let rows = store.rows(&view, partitions, NOW, None, &[]).await;
                let expected = in_batch(oracle.unwrap_or(query), &all).await;
                assert_eq!(shown(&rows, is_ordered(&view.top)), shown(&expected, is_ordered(&view.top)), "{query}");
            }
            store.close().await;
        });
    }
}

#[test]
fn a_view_over_views_is_computed_from_their_rows() {
    runtime().block_on(async {
        let text = "CREATE VIEW dear AS SELECT customer, total FROM orders WHERE total > 2;
            CREATE MATERIALIZED VIEW best AS
              SELECT spent.customer, p.title FROM spent JOIN products AS p ON p.product_id = spent.orders
              WHERE spent.total >= (SELECT max(total) FROM spent);
            CREATE MATERIALIZED VIEW spent AS
              SELECT customer, sum(total) AS total, count(*) AS orders FROM dear GROUP BY customer;";
        let views = planned(text).unwrap_or_else(|problems| panic!("{problems:?}")).views;
        let names: Vec<_> = views.iter().map(|view| view.name.to_string()).collect();
        assert_eq!(names, ["store.spent", "store.best"], "each after what it reads");
        assert!(views[1].cuts.is_empty());
        assert_eq!(views[1].reads(), ["store.products", "store.spent"]);
        let events: Vec<_> = (0..9)
            .map(|id| json!({"id": id, "order_date": at(id), "customer": if id % 2 == 0 { "ann" } else { "bob" }, "total": cents(id * 100)}))
            .collect();
        let store = Store::open();
        let epochs = vec![vec![batch("store.orders", &events[..4])], vec![batch("store.orders", &events[4..])]];
        store.keep(&views[0], &epochs).await;
        let spent = store.rows(&views[0], 2, NOW, None, &[]).await;
        assert_eq!(shown(&spent, false), ["ann | 18.00 | 3", "bob | 15.00 | 3"]);
        let below = [(views[0].name.clone(), std::sync::Arc::clone(&views[0].columns), spent)];
        let best = store.rows(&views[1], 2, NOW, None, &below).await;
        assert_eq!(shown(&best, false), ["ann | Cabaret"]);
        store.close().await;
    });
}

/// Functions that hold every value of a group, or every distinct one.
#[tokio::test(flavor = "multi_thread")]
async fn writes_of_an_event_do_not_grow_with_its_group() {
    let event = |id: i64| json!({"id": id, "customer": "ann", "quantity": id});
    let events = |ids: std::ops::Range<i64>| batch("store.orders", &ids.map(event).collect::<Vec<_>>());
    let epochs = [events(0..1), events(1..2), events(2..3000), events(3000..3001), events(7..8)];
    for function in [
        "count(DISTINCT id)",
        "sum(DISTINCT quantity)",
        "array_agg(id)",
        "string_agg(customer, ',')",
        "median(quantity)",
        "array_agg(id ORDER BY quantity DESC)",
        "array_agg(DISTINCT id ORDER BY id)",
        "string_agg(customer, ',' ORDER BY id)",
        "nth_value(id, 3000)",
        "nth_value(id, 3000 ORDER BY id)",
    ] {
        let store = Store::open();
        let view =
            view(&format!("SELECT customer, {function} AS f, count(*) AS n FROM orders GROUP BY customer"));
        let written = store.written(&view, &epochs).await;
        assert!(written[3] <= written[1] + 8, "{function}: {written:?}");
        assert!(written[4] <= written[1] + 8, "{function}: {written:?}");
        store.close().await;
    }
}
