//! The schema registry: reads and registrations over HTTP, and what 10,000 subjects take.
//!
//! With `--registry HOST:PORT` another registry that speaks Confluent's REST API is measured by the same client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::Arguments;
use crate::http::Connection;
use crate::partitions::share;
use crate::report::Report;
use crate::server::Server;

const RUN: Duration = Duration::from_secs(5);
const READERS: usize = 32;
const WRITERS: usize = 16;
const SUBJECTS: usize = 10_000;

/// Measures Factum's registry in a server of its own.
pub(crate) async fn measure(arguments: &Arguments, report: &mut Report) -> Result<()> {
    if arguments.wants("registry: reads") || arguments.wants("registry: registrations") {
        let server = Server::start(&arguments.factum).await?;
        measure_at(arguments, &server.http, report).await?;
        server.stop().await?;
    }
    let name = "registry: 10,000 subjects";
    if arguments.wants(name) {
        let mut server = Server::start(&arguments.factum).await?;
        let before = server.resident_mib()?;
        register(&server.http, Amount::Schemas(SUBJECTS)).await?;
        report.one(&format!("{name}, memory"), "MiB", 150.0, server.resident_mib()? - before);
        let started = server.kill_and_restart(&arguments.factum, None).await?;
        let ready = server.ready_after(started).await?;
        report.one(&format!("{name}, killed and ready again"), "s", 1.0, ready.as_secs_f64());
        server.stop().await?;
    }
    Ok(())
}

/// Measures reads and registrations of the registry at `http`.
pub(crate) async fn measure_at(arguments: &Arguments, http: &str, report: &mut Report) -> Result<()> {
    let (mut rates, mut tails) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        let load = register(http, Amount::Time(RUN)).await?;
        rates.push(load.rate);
        tails.push(load.p99);
    }
    report.many("registry: registrations", "schemas/s", 1_000.0, rates);
    report.many("the same, p99", "ms", 5.0, tails);
    let (mut rates, mut tails) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        let load = read(http).await?;
        rates.push(load.rate);
        tails.push(load.p99);
    }
    report.many("registry: reads by id", "reads/s", 20_000.0, rates);
    report.many("the same, p99", "ms", 5.0, tails);
    Ok(())
}

/// What a load has seen.
struct Load {
    /// Requests per second.
    rate: f64,
    /// Milliseconds.
    p99: f64,
}

#[derive(Clone, Copy)]
enum Amount {
    Time(Duration),
    Schemas(usize),
}

/// Registers schemas that no one registered before, each in a subject of its own.
async fn register(http: &str, amount: Amount) -> Result<Load> {
    static LOADS: AtomicUsize = AtomicUsize::new(0);
    let next = Arc::new(AtomicUsize::new(0));
    // Another registry may know those of an earlier process.
    let run = format!("{}_{}", std::process::id(), LOADS.fetch_add(1, Ordering::Relaxed));
    load(http, WRITERS, amount, move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let path = format!("/subjects/bench-{run}-{number}-value/versions");
        let schema = format!(
            r#"{{"type":"record","name":"Order_{run}_{number}","namespace":"bench","fields":[
                {{"name":"id","type":"long"}},{{"name":"email","type":"string"}},
                {{"name":"total","type":{{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}}},
                {{"name":"note","type":["null","string"],"default":null}}]}}"#
        );
        ("POST", path, serde_json::json!({ "schema": schema }).to_string())
    })
    .await
}

/// Reads one schema by its id, again and again, as clients do that start.
async fn read(http: &str) -> Result<Load> {
    load(http, READERS, Amount::Time(RUN), || ("GET", "/schemas/ids/1".to_owned(), String::new())).await
}

/// A closed loop on `connections`.
#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
async fn load(
    http: &str,
    connections: usize,
    amount: Amount,
    request: impl Fn() -> (&'static str, String, String) + Clone + Send + 'static,
) -> Result<Load> {
    let started = Instant::now();
    let left = Arc::new(AtomicUsize::new(match amount {
        Amount::Time(_) => usize::MAX,
        Amount::Schemas(count) => count,
    }));
    let mut loops = JoinSet::new();
    for _ in 0..connections {
        let (http, left, request) = (http.to_owned(), Arc::clone(&left), request.clone());
        loops.spawn(async move {
            let mut connection = Connection::open(&http).await?;
            let mut seen = Vec::new();
            while !matches!(amount, Amount::Time(run) if started.elapsed() > run)
                && left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                let (method, path, json) = request();
                let asked = Instant::now();
                connection.ask(method, &path, &json).await?;
                seen.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(seen)
        });
    }
    let mut seen = Vec::new();
    while let Some(done) = loops.join_next().await {
        seen.extend(done??);
    }
    let rate = seen.len() as f64 / started.elapsed().as_secs_f64();
    Ok(Load { rate, p99: share(seen, 0.99) })
}
