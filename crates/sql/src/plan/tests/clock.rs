//! Views that depend on the clock follow it, with or without new events.

use factum_types::Timestamp;
use proptest::prelude::*;

use super::maintained::orders;
use super::world::{NOW, Store, dealt, in_batch, shown, together, view};

const HOUR: i64 = 3_600_000;

/// `{now}` and `{today}` are written out for plain DataFusion.
const QUERIES: &[&str] = &[
    "SELECT count(*) AS n, sum(total) AS total FROM orders WHERE order_date >= date_trunc('day', {now})",
    "SELECT customer, count(*) AS n FROM orders WHERE order_date >= date_trunc('hour', {now}) - INTERVAL '3 hours' AND order_date < date_trunc('hour', {now}) GROUP BY customer",
    "SELECT customer, sum(total) AS total FROM orders WHERE order_date > {now} - INTERVAL '36 hours' GROUP BY customer",
    "SELECT count(*) AS n FROM orders WHERE order_date BETWEEN {now} - INTERVAL '2 days' AND {now} AND quantity > 1",
    "SELECT customer, count(*) AS n FROM (SELECT customer AS customer, order_date AS at FROM orders WHERE quantity > 0) AS o WHERE {now} > o.at GROUP BY customer",
    "SELECT count(*) AS n FROM orders WHERE date_trunc('day', order_date) = date_trunc('day', {now})",
    "SELECT count(*) AS n FROM orders WHERE order_date >= {today} - INTERVAL '7 days'",
    "SELECT count(*) AS n FROM orders WHERE CAST(order_date AS DATE) = {today}",
    "SELECT count(*) AS n FROM orders WHERE order_date <= date_trunc('day', {now})",
    "SELECT t, count(*) AS n FROM (SELECT unnest(tags) AS t FROM (SELECT tags FROM orders WHERE order_date > {now} - INTERVAL '3 days') AS o) AS u GROUP BY t",
    "SELECT p.title, count(*) AS n FROM (SELECT quantity FROM orders WHERE order_date > {now} - INTERVAL '5 days') AS o LEFT JOIN products AS p ON p.product_id = o.quantity GROUP BY p.title",
    "SELECT id, total FROM orders WHERE order_date >= {now} - INTERVAL '10 days'",
    "SELECT id, {now} - order_date AS age FROM orders WHERE total > 3",
    "SELECT day, n FROM (SELECT date_trunc('day', order_date) AS day, count(*) AS n FROM orders GROUP BY 1) AS d WHERE day >= date_trunc('month', {now})",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 30, ..ProptestConfig::default() })]

    #[test]
    fn a_view_equals_batch_at_every_moment(
        events in orders(),
        partitions in 1..3_usize,
        choices in prop::collection::vec(any::<usize>(), 1..20),
        later in prop::collection::vec(0..30 * 24 * HOUR, 2),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let store = Store::open();
            let epochs = dealt(&events, partitions, &choices);
            let all = together(&epochs);
            for query in QUERIES {
                let view = view(&query.replace("{now}", "now()").replace("{today}", "current_date"));
                assert!(view.uses_clock, "{query}");
                store.keep(&view, &epochs).await;
                for moment in later.iter().map(|later| NOW.as_millis() - 15 * 24 * HOUR + later) {
                    let now = Timestamp::from_millis(moment);
                    let rows = store.rows(&view, partitions, now, None, &[]).await;
                    let written = format!("arrow_cast('{now}', 'Timestamp(Microsecond, Some(\"UTC\"))')");
                    let today = format!("CAST({written} AS DATE)");
                    let oracle = query.replace("{now}", &written).replace("{today}", &today);
                    let expected = in_batch(&oracle, &all).await;
                    assert_eq!(shown(&rows, false), shown(&expected, false), "{query} at {now}");
                }
            }
            store.close().await;
        });
    }
}

#[test]
fn groups_of_what_is_compared_with_the_beginning_of_a_unit_are_few() {
    let key = |condition: &str| {
        let view = view(&format!("SELECT count(*) FROM orders WHERE {condition}"));
        let plan = view.cuts[0].plan.display_indent().to_string();
        plan.contains("date_trunc")
    };
    for truncated in [
        "order_date >= date_trunc('day', now())",
        "date_trunc('day', now()) <= order_date",
        "order_date < date_trunc('hour', now()) - INTERVAL '2 days'",
        "order_date >= current_date - INTERVAL '1 day'",
        "order_date >= date_trunc('week', now()) - INTERVAL '14 days'",
        "order_date >= date_trunc('quarter', now()) - INTERVAL '3 months'",
    ] {
        assert!(key(truncated), "{truncated}");
    }
    for whole in [
        "order_date > date_trunc('day', now())",
        "order_date >= date_trunc('day', now()) - INTERVAL '1 hour'",
        "order_date >= date_trunc('week', now()) - INTERVAL '1 day'",
        "order_date >= now()",
    ] {
        assert!(!key(whole), "{whole}");
    }
}
