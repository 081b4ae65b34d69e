//! The cost of a request by the number of partitions that it writes to, and what it costs a neighbour.
//!
//! Stock librdkafka on both sides: one producer writes a record to each of so many partitions and waits until all
//! are acknowledged; another, on a connection of its own, writes one record at a time to one partition of another
//! topic. Each wait is for syncs, so the figures say how syncs of different files are shared out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use anyhow::Result;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};

use crate::Arguments;
use crate::report::Report;

const WIDTHS: [usize; 4] = [1, 10, 100, 400];
const WIDE: &str = "bench-wide";
const NARROW: &str = "bench-narrow";
const ROUNDS: usize = 100;
const NEIGHBOUR_ROUNDS: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures requests over 1, 10, 100 and 400 partitions, then one partition alone and beside 400.
pub(crate) async fn measure(arguments: &Arguments, brokers: &str, report: &mut Report) -> Result<()> {
    if !arguments.wants("produce to partitions") {
        return Ok(());
    }
    make_topics(brokers).await?;
    let brokers = brokers.to_owned();
    let figures = tokio::task::spawn_blocking(move || figures(&brokers)).await??;
    for (name, seen) in figures {
        report.one(&format!("{name}, p50"), "ms", f64::INFINITY, share(seen.clone(), 0.5));
        report.one(&format!("{name}, p99"), "ms", f64::INFINITY, share(seen, 0.99));
    }
    Ok(())
}

fn figures(brokers: &str) -> Result<Vec<(String, Vec<f64>)>> {
    let mut figures = Vec::new();
    let wide = Producing::connect(brokers)?;
    for width in WIDTHS {
        let seen = (0..ROUNDS).map(|_| wide.write(WIDE, width)).collect::<Result<Vec<_>>>()?;
        figures.push((format!("produce to partitions: {width}"), seen));
    }
    let narrow = Producing::connect(brokers)?;
    let neighbour = || (0..NEIGHBOUR_ROUNDS).map(|_| narrow.write(NARROW, 1)).collect::<Result<Vec<_>>>();
    figures.push(("produce to partitions: 1, alone".to_owned(), neighbour()?));
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = std::thread::scope(|scope| {
        let busy = Arc::clone(&is_over);
        let writer = scope.spawn(move || -> Result<()> {
            while !busy.load(Ordering::Relaxed) {
                wide.write(WIDE, WIDTHS[3])?;
            }
            Ok(())
        });
        let seen = neighbour();
        is_over.store(true, Ordering::Relaxed);
        writer.join().expect("the writer does not panic")?;
        seen
    })?;
    figures.push(("produce to partitions: 1, beside 400".to_owned(), seen));
    Ok(figures)
}

/// The value that a share of all are at or below.
pub(crate) fn share(mut seen: Vec<f64>, share: f64) -> f64 {
    seen.sort_by(f64::total_cmp);
    seen[((seen.len() - 1) as f64 * share) as usize]
}

/// Passes each acknowledgement on as it comes.
struct Acknowledgements(Sender<Result<(), KafkaError>>);

impl ClientContext for Acknowledgements {}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let result = result.as_ref().map(drop).map_err(|(error, _)| error.clone());
        // The receiver is gone once the measuring is over.
        self.0.send(result).ok();
    }
}

/// A producer that sends at once and waits for all.
pub(crate) struct Producing {
    producer: ThreadedProducer<Acknowledgements>,
    acknowledged: Receiver<Result<(), KafkaError>>,
}

impl Producing {
    pub(crate) fn connect(brokers: &str) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers).set("acks", "all").set("linger.ms", "0");
        config.set("socket.nagle.disable", "true").set("max.in.flight", "1000");
        let (sender, acknowledged) = mpsc::channel();
        Ok(Self { producer: config.create_with_context(Acknowledgements(sender))?, acknowledged })
    }

    /// One record to each of the first `width` partitions; the milliseconds until all are acknowledged.
    #[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
    pub(crate) fn write(&self, topic: &str, width: usize) -> Result<f64> {
        let started = Instant::now();
        for partition in 0..i32::try_from(width)? {
            self.send(topic, partition)?;
        }
        self.wait(width)?;
        Ok(started.elapsed().as_secs_f64() * 1e3)
    }

    /// So many records to the first partition.
    pub(crate) fn write_many(&self, topic: &str, count: usize) -> Result<()> {
        (0..count).try_for_each(|_| self.send(topic, 0))?;
        self.wait(count)
    }

    fn send(&self, topic: &str, partition: i32) -> Result<()> {
        let record = BaseRecord::<(), [u8]>::to(topic).partition(partition).payload(&[7; 100]);
        Ok(self.producer.send(record).map_err(|(error, _)| error)?)
    }

    fn wait(&self, count: usize) -> Result<()> {
        (0..count).try_for_each(|_| Ok(self.acknowledged.recv_timeout(PATIENCE)??))
    }
}

async fn make_topics(brokers: &str) -> Result<()> {
    let admin: AdminClient<_> = ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let topics = [
        NewTopic::new(WIDE, i32::try_from(WIDTHS[3])?, TopicReplication::Fixed(1)),
        NewTopic::new(NARROW, 1, TopicReplication::Fixed(1)),
    ];
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
    for created in admin.create_topics(&topics, &options).await? {
        created.map_err(|(topic, error)| anyhow::anyhow!("create {topic}: {error}"))?;
    }
    Ok(())
}
