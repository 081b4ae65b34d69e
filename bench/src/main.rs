//! Measures a running Factum from outside, with stock clients, and prints what was seen beside what is asked.
//!
//! Server and load share the machine. Every figure is the median of several runs with its extremes; nothing
//! here passes or fails. The server runs as a user starts it: `factum dev --data-dir …`, durable as always.

mod compaction;
mod http;
mod kafka;
mod latency;
mod neighbours;
mod partitions;
mod registry;
mod report;
mod server;
mod stalled;
mod views;
mod waiting;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use report::Report;
use server::Server;

/// Measure Factum on this machine.
#[derive(Parser, Clone)]
struct Arguments {
    /// The factum binary.
    #[arg(long)]
    factum: PathBuf,
    /// librdkafka's rdkafka_performance.
    #[arg(long)]
    driver: PathBuf,
    /// Measure only what has this in its name.
    #[arg(long)]
    only: Option<String>,
    /// Runs per figure.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Events in the topic that a view is measured on.
    #[arg(long, default_value_t = 3_000_000)]
    events: usize,
    /// Measure this Kafka instead (Kafka figures only), for a comparison in one session.
    #[arg(long)]
    brokers: Option<String>,
    /// Measure this schema registry instead (its figures only), for a comparison in one session.
    #[arg(long)]
    registry: Option<String>,
}

impl Arguments {
    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| name.contains(only))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut report = Report::default();
    if let Some(registry) = &arguments.registry {
        registry::measure_at(&arguments, registry, &mut report).await?;
    } else if let Some(brokers) = &arguments.brokers {
        kafka::measure(&arguments, brokers, &mut report)?;
        latency::measure(&arguments, brokers, &mut report).await?;
        partitions::measure(&arguments, brokers, &mut report).await?;
        stalled::measure(&arguments, brokers, &mut report).await?;
    } else {
        server::measure_start(&arguments, &mut report).await?;
        measure_own(&arguments, &mut report).await?;
        compaction::measure(&arguments, &mut report).await?;
        registry::measure(&arguments, &mut report).await?;
        views::measure(&arguments, &mut report).await?;
    }
    report.print();
    Ok(())
}

async fn measure_own(arguments: &Arguments, report: &mut Report) -> Result<()> {
    if arguments.only.as_deref().is_some_and(|only| only.starts_with("view")) {
        return Ok(());
    }
    let server = Server::start(&arguments.factum).await?;
    report.one("memory, idle", "MiB", 50.0, server.resident_mib()?);
    kafka::measure(arguments, &server.kafka, report)?;
    latency::measure(arguments, &server.kafka, report).await?;
    partitions::measure(arguments, &server.kafka, report).await?;
    http::measure(arguments, &server.http, report).await?;
    report.one("memory, peak under load", "MiB", 128.0, server.peak_mib()?);
    neighbours::measure(arguments, &server.http, report).await?;
    stalled::measure(arguments, &server.kafka, report).await?;
    waiting::measure(arguments, &server, report).await?;
    server.stop().await
}
