//! Speed of log compaction, unhindered: a topic is filled, then its policy is changed, and the server is watched.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::Arguments;
use crate::http;
use crate::report::Report;
use crate::server::Server;

const TOPIC: &str = "bench-compacted";
const RECORDS: usize = 1_000_000;
const VALUE_BYTES: usize = 1_000;
/// A record in ten stays.
const KEYS: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures how fast a log is compacted by a server that gives compaction one whole processor.
pub(crate) async fn measure(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let name = "compaction of 1 GB, 1 KiB records";
    if !arguments.wants(name) {
        return Ok(());
    }
    let settings =
        [("FACTUM__LOG__COMPACTION_CPU_PERCENT", "100"), ("FACTUM__LOG__COMPACTION_CHECK_INTERVAL", "100ms")];
    let server = Server::start_set(&arguments.factum, &settings).await?;
    create(&server.kafka).await?;
    let brokers = server.kafka.clone();
    tokio::task::spawn_blocking(move || fill(&brokers)).await??;
    let path = format!("/api/v1/topics/{TOPIC}");
    let (status, answer) =
        http::patch(&server.http, &path, r#"{"config":{"cleanup_policy":"compact"}}"#).await?;
    anyhow::ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&answer));
    let seconds = until_compacted(&server.http).await?;
    let megabytes = (RECORDS * (VALUE_BYTES + 20)) as f64 / 1e6;
    report.one(name, "MB/s", 300.0, megabytes / seconds);
    server.stop().await
}

async fn create(brokers: &str) -> Result<()> {
    let admin: AdminClient<_> = ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let topic = NewTopic::new(TOPIC, 1, TopicReplication::Fixed(1)).set("segment.bytes", "67108864");
    for created in admin.create_topics(&[topic], &AdminOptions::new()).await? {
        created.map_err(|(topic, error)| anyhow::anyhow!("create {topic}: {error}"))?;
    }
    Ok(())
}

fn fill(brokers: &str) -> Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("linger.ms", "5").set("batch.size", "1000000");
    let producer: BaseProducer = config.create()?;
    let value = vec![b'x'; VALUE_BYTES];
    for n in 0..RECORDS {
        let key = format!("key {:010}", n % KEYS);
        let mut record = BaseRecord::to(TOPIC).partition(0).key(&key).payload(&value);
        while let Err((error, back)) = producer.send(record) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
                    producer.poll(Duration::from_millis(10));
                    record = back;
                }
                error => return Err(error.into()),
            }
        }
        producer.poll(Duration::ZERO);
    }
    Ok(producer.flush(PATIENCE)?)
}

/// Waits for the compaction; the seconds that it took.
#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
async fn until_compacted(address: &str) -> Result<f64> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let (_, metrics) = http::get(address, "/metrics").await?;
        let metrics = String::from_utf8_lossy(&metrics);
        let seconds = metrics.lines().find_map(|line| line.strip_prefix("factum_compaction_seconds_sum"));
        if let Some(seconds) = seconds {
            return seconds.trim().parse().context("seconds");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("nothing was compacted within {PATIENCE:?}")
}
