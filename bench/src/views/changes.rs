//! From an HTTP post to the view's change over SSE, at a steady thousand events a second.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::project::Project;
use crate::Arguments;
use crate::http;
use crate::report::Report;
use crate::server::Server;

const EVENTS: usize = 15_000;
const WARM_UP: usize = 2_000;
/// Connections that take turns: an event is acknowledged when it is on disk, and one connection waits for that.
const POSTERS: usize = 8;
const PER_SECOND: u64 = 1_000;
const VIEW: &str = "CREATE MATERIALIZED VIEW measured AS SELECT max(sequence) AS latest FROM clicks;";

/// Measures the time from the first byte of a post until a change shows its event.
#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
pub(super) async fn measure(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let name = "HTTP post to view change";
    if !arguments.wants(name) {
        return Ok(());
    }
    let project = Project::new()?;
    project.declare(VIEW)?;
    let server = Server::start_with(&arguments.factum, Some(project.path())).await?;
    let (shown, mut changes) = mpsc::unbounded_channel();
    let follower = tokio::spawn(follow(server.http.clone(), shown));
    changes.recv().await.context("a snapshot")?;
    let started = Instant::now();
    let mut posters = JoinSet::new();
    for poster in 0..POSTERS {
        posters.spawn(post_steadily(server.http.clone(), started, poster));
    }
    let mut seen = Vec::with_capacity(EVENTS);
    let mut next = 0;
    while next < EVENTS {
        let (latest, at) = changes.recv().await.context("changes until the last event")?;
        for number in next..(latest + 1).min(EVENTS) {
            seen.push(at.duration_since(due(started, number)).as_secs_f64() * 1e3);
        }
        next = next.max(latest + 1);
    }
    while let Some(posted) = posters.join_next().await {
        posted??;
    }
    follower.abort();
    server.stop().await?;
    let mut seen = seen.split_off(WARM_UP);
    seen.sort_by(f64::total_cmp);
    let at = |share: f64| seen[((seen.len() - 1) as f64 * share) as usize];
    report.one(&format!("{name}, p50"), "ms", 100.0, at(0.5));
    report.one(&format!("{name}, p99"), "ms", 100.0, at(0.99));
    Ok(())
}

/// When an event is to be posted: what waits in the poster counts as delay.
fn due(started: Instant, number: usize) -> Instant {
    started + Duration::from_micros(1_000_000 / PER_SECOND * number as u64)
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
async fn post_steadily(http: String, started: Instant, poster: usize) -> Result<()> {
    let mut connection = http::Connection::open(&http).await?;
    for number in (poster..EVENTS).step_by(POSTERS) {
        let due = due(started, number);
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let event = format!(
            "{{\"UserId\":\"u{}\",\"At\":\"2026-03-01T00:00:00Z\",\"Sequence\":{number}}}",
            number % 50
        );
        connection.post_event("bench.clicks", &event).await?;
    }
    Ok(())
}

/// Tells the greatest event shown, with each change.
#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
async fn follow(http: String, shown: mpsc::UnboundedSender<(usize, Instant)>) -> Result<()> {
    let mut stream = TcpStream::connect(&http).await?;
    let request = "GET /api/v1/views/bench.measured/changes HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        let Some(data) = line.strip_prefix("data:") else { continue };
        // The last "latest" of a change is that of the added row.
        let latest = data.rsplit_once("\"latest\":").map_or("", |(_, rest)| rest);
        let digits: String = latest.chars().take_while(char::is_ascii_digit).collect();
        if shown.send((digits.parse().unwrap_or(0), Instant::now())).is_err() {
            return Ok(());
        }
    }
    bail!("the stream of changes ended")
}
