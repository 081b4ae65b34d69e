//! Throughput of the Kafka API, driven by librdkafka's own performance example.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::Arguments;
use crate::report::Report;

/// One size of record: how many to send, and what is asked of it.
struct Size {
    name: &'static str,
    bytes: usize,
    count: usize,
    /// In records per second or MB/s, as `unit` says.
    asked: f64,
    unit: &'static str,
}

const SIZES: [Size; 3] = [
    Size { name: "produce 1 KiB, acks=all", bytes: 1024, count: 1_000_000, asked: 250.0, unit: "MB/s" },
    Size { name: "produce 100 B, acks=all", bytes: 100, count: 4_000_000, asked: 1e6, unit: "records/s" },
    Size { name: "produce 100 KiB, acks=all", bytes: 102_400, count: 15_000, asked: 300.0, unit: "MB/s" },
];

/// Produces each size into one partition and consumes the 100 B records again.
pub(crate) fn measure(arguments: &Arguments, brokers: &str, report: &mut Report) -> Result<()> {
    for size in &SIZES {
        if !arguments.wants(size.name) {
            continue;
        }
        let mut seen = Vec::new();
        for run in 0..arguments.runs {
            seen.push(produce(arguments, brokers, &topic(size.bytes, run)?, size)?);
        }
        report.many(size.name, size.unit, size.asked, seen);
    }
    let name = "consume 100 B";
    if arguments.wants(name) {
        let size = &SIZES[1];
        let topic = topic(size.bytes, 999)?;
        produce(arguments, brokers, &topic, size)?;
        let runs = (0..arguments.runs).map(|_| consume(arguments, brokers, &topic, size.count));
        report.many(name, "records/s", 2e6, runs.collect::<Result<_>>()?);
    }
    Ok(())
}

fn produce(arguments: &Arguments, brokers: &str, topic: &str, size: &Size) -> Result<f64> {
    let (bytes, count) = (size.bytes.to_string(), size.count.to_string());
    let output = Command::new(&arguments.driver)
        .args(["-P", "-b", brokers, "-t", topic, "-p", "0", "-a", "-1", "-s", &bytes, "-c", &count])
        .args(["-X", "linger.ms=5", "-X", "batch.size=1000000", "-X", "message.max.bytes=1000000"])
        .args(["-X", "topic.metadata.refresh.interval.ms=60000", "-i", "100000"])
        .output()
        .context("run the driver")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().rfind(|line| line.contains("messages produced")).with_context(|| {
        format!("the driver's result in {text}{}", String::from_utf8_lossy(&output.stderr))
    })?;
    if !line.contains(&format!("{count} delivered")) {
        bail!("not everything was delivered: {line}");
    }
    match size.unit {
        "MB/s" => number_before(line, " MB/s"),
        _ => number_before(line, " msgs/s"),
    }
}

fn consume(arguments: &Arguments, brokers: &str, topic: &str, count: usize) -> Result<f64> {
    let output = Command::new(&arguments.driver)
        .args(["-C", "-b", brokers, "-t", topic, "-p", "0", "-o", "beginning", "-c", &count.to_string()])
        .args(["-X", "fetch.message.max.bytes=4000000", "-X", "queued.min.messages=1000000", "-i", "100000"])
        .output()
        .context("run the driver")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().rfind(|line| line.contains("messages (")).with_context(|| {
        format!("the driver's result in {text}{}", String::from_utf8_lossy(&output.stderr))
    })?;
    number_before(line, " msgs/s")
}

/// The number that stands right before `unit` in the driver's last line.
fn number_before(line: &str, unit: &str) -> Result<f64> {
    let before = line.split(unit).next().filter(|before| before.len() < line.len());
    let number = before.and_then(|before| before.split_whitespace().last());
    number.with_context(|| format!("a figure in{unit} in {line:?}"))?.parse().context("a number")
}

/// A fresh name, so that a broker measured twice starts from nothing both times.
#[expect(clippy::disallowed_methods, reason = "only a name")]
fn topic(bytes: usize, run: usize) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(format!("bench-{bytes}-{run}-{now}"))
}
