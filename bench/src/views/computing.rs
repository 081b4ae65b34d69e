//! Requests beside a view that computes all the time.

use std::time::Duration;

use anyhow::Result;

use super::project::Project;
use crate::Arguments;
use crate::http::Connection;
use crate::neighbours::{live_p99, post_p99};
use crate::report::Report;
use crate::server::Server;

const TOPIC: &str = "bench.clicks";
/// Sixteen million steps for each event: as much as one call may take.
const VIEW: &str = "CREATE MATERIALIZED VIEW measured AS \
     SELECT levenshtein(repeat('a', 4000 + CAST(sequence % 2 AS INT)), repeat('b', 4000)) AS far FROM clicks;";
/// Minutes of computing.
const EVENTS: usize = 20_000;

fn click(number: usize) -> String {
    format!("{{\"UserId\":\"u1\",\"At\":\"2026-03-01T00:00:00Z\",\"Sequence\":{number}}}")
}

/// Measures single posts and `/health/live` alone, and while a view is behind with thousands of such events.
pub(super) async fn measure(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let name = "beside a view that computes";
    if !arguments.wants(name) {
        return Ok(());
    }
    let project = Project::new()?;
    let server = Server::start_with(&arguments.factum, Some(project.path())).await?;
    let alone = post_p99(&server.http, TOPIC, click).await?;
    let mut connection = Connection::open(&server.http).await?;
    for number in 0..EVENTS {
        connection.post_event(TOPIC, &click(number)).await?;
    }
    project.declare(VIEW)?;
    while super::taken_in(&server.http).await?.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let beside = post_p99(&server.http, TOPIC, click).await?;
    report.one(&format!("{name}: single posts, p99"), "ms", 3.0 * alone, beside);
    report.one(&format!("{name}: /health/live, p99"), "ms", 50.0, live_p99(&server.http).await?);
    server.stop().await
}
