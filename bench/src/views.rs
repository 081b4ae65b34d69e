//! Views over a topic that is full already: how fast they catch up, what their state takes, how soon it is back.
//!
//! The server is held to one core by `taskset`, so that events per second are events per second and core, with
//! the log's and the state's own work in them. The clock runs from the first sign of progress to the last event.

mod changes;
mod computing;
mod events;
mod project;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::Arguments;
use crate::http::get;
use crate::report::Report;
use crate::server::Server;
use events::Events;
use project::Project;

/// One measured view.
struct Case {
    name: &'static str,
    events: Events,
    sql: &'static str,
    asked: f64,
}

const CASES: &[Case] = &[
    Case {
        name: "view: unnest and top 10",
        events: Events::Orders,
        sql: "CREATE MATERIALIZED VIEW measured AS SELECT d.product_id, sum(d.quantity) AS sold \
              FROM orders, UNNEST(details) AS d GROUP BY d.product_id ORDER BY sold DESC, product_id LIMIT 10;",
        asked: 500_000.0,
    },
    Case {
        name: "view: count and sum per 10 s and 1,000 keys",
        events: Events::Orders,
        sql: "CREATE MATERIALIZED VIEW measured AS SELECT window_start, customer, count(*) AS orders, \
              sum(total) AS revenue FROM TUMBLE(orders, order_date, INTERVAL '10 seconds') \
              GROUP BY window_start, customer;",
        asked: 500_000.0,
    },
    Case {
        name: "view: filter and project",
        events: Events::Orders,
        sql: "CREATE MATERIALIZED VIEW measured AS SELECT email, total FROM orders \
              WHERE total > 199.9 AND region = 'Region1';",
        asked: 700_000.0,
    },
    Case {
        name: "view: count per 1,000,000 keys",
        events: Events::Clicks,
        sql: "CREATE MATERIALIZED VIEW measured AS SELECT user_id, count(*) AS clicks FROM clicks GROUP BY user_id;",
        asked: 500_000.0,
    },
];

/// How long a view may take to catch up.
const PATIENCE: Duration = Duration::from_secs(180);

/// Measures every case, then the way from a post to a change.
pub(crate) async fn measure(arguments: &Arguments, report: &mut Report) -> Result<()> {
    for case in CASES {
        if arguments.wants(case.name) {
            measure_case(arguments, case, report).await?;
        }
    }
    changes::measure(arguments, report).await?;
    computing::measure(arguments, report).await
}

async fn measure_case(arguments: &Arguments, case: &Case, report: &mut Report) -> Result<()> {
    let (mut rates, mut memory, mut recovery) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        let project = Project::new()?;
        let mut server = Server::start_with(&arguments.factum, Some(project.path())).await?;
        let (brokers, count) = (server.kafka.clone(), arguments.events);
        let events = case.events;
        tokio::task::spawn_blocking(move || events.produce(&brokers, count)).await??;
        let before = server.resident_mib()?;
        server.hold_to_one_core()?;
        project.declare(case.sql)?;
        rates.push(caught_up(&server.http, arguments.events).await?);
        if case.events.has_many_keys() {
            memory.push(server.resident_mib()? - before);
            let started = server.kill_and_restart(&arguments.factum, Some(project.path())).await?;
            recovery.push(answered(&server.http, started).await?);
        }
        server.stop().await?;
    }
    report.many(case.name, "events/s", case.asked, rates);
    if case.events.has_many_keys() {
        report.many("the same, memory of its state", "MiB", 250.0, memory);
        report.many("the same, killed and back with all rows", "s", 2.0, recovery);
    }
    Ok(())
}

/// Events per second from the first sign of progress to the last event.
#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
async fn caught_up(http: &str, events: usize) -> Result<f64> {
    let asked = Instant::now();
    let mut first = None;
    while asked.elapsed() < PATIENCE {
        let now = Instant::now();
        if let Some(done) = taken_in(http).await? {
            let (at, from) = *first.get_or_insert((now, done));
            if done >= events {
                return Ok((events - from) as f64 / at.elapsed().as_secs_f64());
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("the view had not caught up after {PATIENCE:?}")
}

/// How many events the view has taken in, once there is a view.
async fn taken_in(http: &str) -> Result<Option<usize>> {
    let (status, body) = get(http, "/api/v1/pipelines/bench.measured").await?;
    if status != 200 {
        return Ok(None);
    }
    let pipeline: Value = serde_json::from_slice(&body)?;
    let partitions = pipeline["partitions"].as_array().context("partitions")?;
    let next = |at: &Value| at["next"].as_str().and_then(|next| next.parse::<usize>().ok());
    Ok(partitions.iter().map(next).sum())
}

/// Seconds from `started` to the first answer that has a row for each key.
async fn answered(http: &str, started: Instant) -> Result<f64> {
    while started.elapsed() < PATIENCE {
        let sql = r#"{"query":"SELECT count(*) AS n FROM bench.measured"}"#;
        if let Ok((200, body)) = crate::http::post(http, "/api/v1/sql", sql).await {
            let answer: Value = serde_json::from_slice(&body)?;
            if answer["rows"][0]["n"].as_u64() >= Some(events::KEYS as u64 * 99 / 100) {
                return Ok(started.elapsed().as_secs_f64());
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("the view was not back after {PATIENCE:?}")
}
