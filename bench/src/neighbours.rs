//! A small client beside neighbours that take all they can get.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::Arguments;
use crate::http::{Connection, get, post};
use crate::partitions::share;
use crate::report::Report;

const TOPIC: &str = "bench.neighbour";
const ROUNDS: usize = 1_000;
const QUERIES: usize = 10;
/// 8 × 10^12 pairs, none of which fits the condition; each join holds one relation.
const ENDLESS: &str = "WITH n AS (SELECT unnest(range(0, 20000)) AS n) \
     SELECT count(*) AS n FROM n AS a JOIN (SELECT b.n + c.n AS n FROM n AS b, n AS c) AS bc ON a.n + bc.n < 0";

/// Measures posts of one client alone, and beside ten queries that join everything with everything.
pub(crate) async fn measure(arguments: &Arguments, http: &str, report: &mut Report) -> Result<()> {
    let name = "beside ten queries";
    if !arguments.wants(name) {
        return Ok(());
    }
    let event = |round: usize| format!("{{\"id\":{round}}}");
    let alone = post_p99(http, TOPIC, event).await?;
    report.one("single posts alone, p99", "ms", f64::NAN, alone);
    let mut queries = JoinSet::new();
    for _ in 0..QUERIES {
        let http = http.to_owned();
        queries.spawn(async move {
            let query = serde_json::json!({ "query": ENDLESS }).to_string();
            post(&http, "/api/v1/sql", &query).await
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let beside = post_p99(http, TOPIC, event).await?;
    report.one(&format!("{name}: single posts, p99"), "ms", 3.0 * alone, beside);
    report.one(&format!("{name}: /health/live, p99"), "ms", 50.0, live_p99(http).await?);
    // A client that disconnects ends its query.
    queries.shutdown().await;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
pub(crate) async fn post_p99(http: &str, topic: &str, event: impl Fn(usize) -> String) -> Result<f64> {
    let mut connection = Connection::open(http).await?;
    let mut seen = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let started = Instant::now();
        connection.post_event(topic, &event(round)).await?;
        seen.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(p99(seen))
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
pub(crate) async fn live_p99(http: &str) -> Result<f64> {
    let mut seen = Vec::with_capacity(ROUNDS / 10);
    for _ in 0..ROUNDS / 10 {
        let started = Instant::now();
        let (status, _) = get(http, "/health/live").await?;
        anyhow::ensure!(status == 200, "/health/live answered {status}");
        seen.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(p99(seen))
}

fn p99(seen: Vec<f64>) -> f64 {
    share(seen, 0.99)
}
