//! The schema registry: reads and registrations over HTTP, and what 10,000 subjects take.
//!
//! With `--registry HOST:PORT` another registry that speaks Confluent's REST API is measured by the same client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;

use crate::Arguments;
use crate::http::{Amount, Load, load};
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
        register(&server.http, Amount::Requests(SUBJECTS)).await?;
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

/// Registers schemas that no one registered before, each in a subject of its own.
async fn register(http: &str, amount: Amount) -> Result<Load> {
    static LOADS: AtomicUsize = AtomicUsize::new(0);
    let next = Arc::new(AtomicUsize::new(0));
    // Another registry may know those of an earlier process.
    let run = format!("{}_{}", std::process::id(), LOADS.fetch_add(1, Ordering::Relaxed));
    load(http, WRITERS, amount, 200, move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let path = format!("/subjects/bench-{run}-{number}-value/versions");
        let schema = format!(
            r#"{{"type":"record","name":"Order_{run}_{number}","namespace":"bench","fields":[
                {{"name":"id","type":"long"}},{{"name":"email","type":"string"}},
                {{"name":"total","type":{{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}}},
                {{"name":"note","type":["null","string"],"default":null}}]}}"#
        );
        request("POST", &path, &serde_json::json!({ "schema": schema }).to_string())
    })
    .await
}

/// Reads one schema by its id, again and again, as clients do that start.
async fn read(http: &str) -> Result<Load> {
    load(http, READERS, Amount::Time(RUN), 200, || request("GET", "/schemas/ids/1", "")).await
}

fn request(method: &str, path: &str, json: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/vnd.schemaregistry.v1+json\r\n\
         content-length: {}\r\n\r\n{json}",
        json.len()
    )
}
