//! The cost of many consumers that wait for more than there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::Arguments;
use crate::partitions::Producing;
use crate::report::Report;
use crate::server::Server;

const CONSUMERS: usize = 8;
const RUN: Duration = Duration::from_secs(10);
const TOPIC: &str = "bench-waiting";
/// Records that lie in the topic before anybody waits, of 100 bytes each.
const BEFORE: usize = 20_000;
/// More than the topic ever holds.
const MIN_BYTES: &str = "50000000";

/// Measures the CPU time of the server with one fetch that waits, and with eight, while a record a millisecond comes.
pub(crate) async fn measure(arguments: &Arguments, server: &Server, report: &mut Report) -> Result<()> {
    let name = "eight waiting fetches";
    if !arguments.wants(name) {
        return Ok(());
    }
    let fill = server.kafka.clone();
    tokio::task::spawn_blocking(move || Producing::connect(&fill)?.write_many(TOPIC, BEFORE)).await??;
    let one = cpu(server, 1).await?;
    report.one("one waiting fetch: CPU of the server in 10 s", "s", f64::NAN, one);
    let eight = cpu(server, CONSUMERS).await?;
    report.one(&format!("{name}: CPU of the server in 10 s"), "s", 1.1 * one, eight);
    Ok(())
}

async fn cpu(server: &Server, consumers: usize) -> Result<f64> {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut waiting = Vec::new();
    for _ in 0..consumers {
        let (brokers, is_over) = (server.kafka.clone(), Arc::clone(&is_over));
        waiting.push(tokio::task::spawn_blocking(move || wait(&brokers, &is_over)));
    }
    // They have asked by then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = server.cpu_seconds()?;
    let brokers = server.kafka.clone();
    tokio::task::spawn_blocking(move || trickle(&brokers)).await??;
    let after = server.cpu_seconds()?;
    is_over.store(true, Ordering::Relaxed);
    for consumer in waiting {
        consumer.await??;
    }
    Ok(after - before)
}

/// A record a millisecond, each waited for.
#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
fn trickle(brokers: &str) -> Result<()> {
    let producing = Producing::connect(brokers)?;
    let started = Instant::now();
    for round in 1.. {
        let due = Duration::from_millis(round);
        if due > RUN {
            break;
        }
        producing.write(TOPIC, 1)?;
        std::thread::sleep(due.saturating_sub(started.elapsed()));
    }
    Ok(())
}

fn wait(brokers: &str, is_over: &AtomicBool) -> Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "bench-waiting");
    config.set("fetch.min.bytes", MIN_BYTES).set("fetch.wait.max.ms", "60000");
    config.set("fetch.max.bytes", "200000000").set("max.partition.fetch.bytes", "200000000");
    let consumer: BaseConsumer = config.create().context("a consumer")?;
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(TOPIC, 0, Offset::Beginning)?;
    consumer.assign(&assignment)?;
    while !is_over.load(Ordering::Relaxed) {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            message.context("nothing is given before there is enough")?;
            anyhow::bail!("a record was given before there was enough");
        }
    }
    Ok(())
}
