//! Windows that are shown when they close.

use serde_json::json;

use super::world::{NOW, Store, batch, planned, shown};
use crate::plan::Closing;

const HOUR: i64 = 3_600_000_000;

fn closing(group_by: &str) -> std::sync::Arc<crate::plan::ViewPlan> {
    let text = format!(
        "CREATE MATERIALIZED VIEW v AS SELECT {group_by}, count(*) AS n
         FROM TUMBLE(orders, order_date, INTERVAL '1 hour') GROUP BY {group_by} EMIT ON WINDOW CLOSE"
    );
    planned(&text).unwrap_or_else(|problems| panic!("{problems:?}")).views.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_windows_that_ended_are_shown() {
    let hour = |hour: i64| json!({"id": hour, "order_date": format!("1970-01-01T0{hour}:30:00Z")});
    let events: Vec<_> = [0, 1, 1, 2].into_iter().map(hour).collect();
    let store = Store::open();
    for keys in ["window_end", "window_start", "quantity, window_start"] {
        let view = closing(keys);
        assert_eq!(view.cuts[0].closing.map(|closing| closing.size), Some(HOUR));
        store.keep(&view, &[vec![batch("store.orders", &events)]]).await;
        for (closed, windows) in [(None, 0), (Some(HOUR - 1), 0), (Some(HOUR), 1), (Some(3 * HOUR), 3)] {
            let rows = store.rows(&view, 1, NOW, closed, &[]).await;
            assert_eq!(shown(&rows, false).len(), windows, "{keys} {closed:?}");
        }
    }
    store.close().await;
}

#[test]
fn the_column_of_time_is_read() {
    let view = closing("window_start");
    let Some(Closing { time, .. }) = view.cuts[0].closing else { panic!("windows close") };
    assert!(view.cuts[0].projection.contains(&time));
}
