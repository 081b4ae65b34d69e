//! One record after another: from produce to consume, each waiting for the one before.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::Arguments;
use crate::report::Report;

const ROUNDS: usize = 2_000;
const WARM_UP: usize = 200;
const TOPIC: &str = "bench-latency";

/// Measures the time from handing a record to a producer until a consumer has it.
pub(crate) async fn measure(arguments: &Arguments, brokers: &str, report: &mut Report) -> Result<()> {
    let name = "produce to consume, one by one";
    if !arguments.wants(name) {
        return Ok(());
    }
    let brokers = brokers.to_owned();
    let mut seen = tokio::task::spawn_blocking(move || round_trips(&brokers)).await??;
    seen.sort_by(f64::total_cmp);
    let at = |share: f64| seen[((seen.len() - 1) as f64 * share) as usize];
    report.one(&format!("{name}, p50"), "ms", 0.6, at(0.5));
    report.one(&format!("{name}, p99"), "ms", 9.0, at(0.99));
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
fn round_trips(brokers: &str) -> Result<Vec<f64>> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "0")
        .set("acks", "all")
        .set("socket.nagle.disable", "true")
        .create()?;
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bench-latency")
        .set("fetch.wait.max.ms", "1000")
        .set("socket.nagle.disable", "true")
        .create()?;
    producer.send(BaseRecord::<(), [u8]>::to(TOPIC).partition(0).payload(b"first")).map_err(|(e, _)| e)?;
    producer.flush(Duration::from_secs(10))?;
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(TOPIC, 0, Offset::Beginning)?;
    consumer.assign(&assignment)?;
    consumer.poll(Duration::from_secs(10)).context("the first record")??;

    let mut seen = Vec::with_capacity(ROUNDS);
    for round in 0..WARM_UP + ROUNDS {
        let payload = round.to_string();
        let started = Instant::now();
        let record = BaseRecord::<(), str>::to(TOPIC).partition(0).payload(&payload);
        producer.send(record).map_err(|(e, _)| e)?;
        let message = consumer.poll(Duration::from_secs(10)).context("a record within ten seconds")??;
        anyhow::ensure!(message.payload() == Some(payload.as_bytes()), "records came out of order");
        if round >= WARM_UP {
            seen.push(started.elapsed().as_secs_f64() * 1e3);
        }
        producer.poll(Duration::ZERO);
    }
    Ok(seen)
}
