//! One generator at work: it looks at the clock, makes what is due, and waits until that is on disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use factum_base::clock::SharedClock;
use factum_base::random::Random;
use factum_base::tasks::{BoxError, Stop};
use factum_eventlog::{AdminError, EventLog, NewRecord, ProduceError};
use factum_types::{Event, Offset, Timestamp, TopicName};
use tracing::{info, warn};

use crate::arrivals::Arrivals;
use crate::metrics;
use crate::orders::{Order, Orders, Recipe};

/// How often the clock is looked at: often enough for eyes, seldom enough to write several orders at once.
const TICK: Duration = Duration::from_millis(25);
/// The most orders written at once: some 400 KiB, which every topic takes.
const MAX_BATCH: usize = 500;
/// The most orders of the past that are made.
const MAX_HISTORY: f64 = 100_000.0;
/// How long a log that cannot write is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// What a generator makes, how often, and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// `<team>.<feed>`.
    pub name: String,
    /// Where its events go.
    pub into: TopicName,
    /// How many come a second in the mean of a day; positive.
    pub rate: f64,
    /// What they are made of.
    pub recipe: Recipe,
    /// The CloudEvents `type` of its events.
    pub event_type: String,
    /// Their CloudEvents `source`.
    pub source: String,
    /// The field whose value is the key.
    pub key: Option<String>,
}

pub(crate) struct Generator {
    pub(crate) feed: Arc<Feed>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) clock: SharedClock,
    pub(crate) random: Random,
    /// How much of the past is made before anything else, if the topic is empty.
    pub(crate) history: Duration,
}

impl Generator {
    /// Makes orders until `stop`; what was begun is written.
    ///
    /// # Errors
    /// A recipe by which nothing can be made.
    pub(crate) async fn run(self, stop: Stop) -> Result<(), BoxError> {
        let start = self.clock.now();
        let Feed { name, rate, recipe, .. } = &*self.feed;
        let mut orders = Orders::new(recipe, start)?;
        let seed = recipe.seed ^ start.as_millis().cast_unsigned();
        let mut arrivals = Arrivals::new(*rate, Some(recipe.rhythm()), seed);
        info!(feed = name, rate, "generator started");
        if !self.history.is_zero() && self.is_first().await {
            self.recall(&mut orders, start, &stop).await;
        }
        let started = self.clock.monotonic();
        while !stop.is_requested() {
            let batch = self.due(&mut arrivals, &mut orders, started);
            let wait = match batch.len() {
                MAX_BATCH => Duration::ZERO,
                _ => arrivals.wait(self.elapsed(started)).max(TICK),
            };
            if !batch.is_empty() && !self.store(batch, &stop).await {
                break;
            }
            pause(&stop, wait).await;
        }
        info!(feed = name, "generator stopped");
        Ok(())
    }

    /// Whether nothing was ever written where the orders go.
    async fn is_first(&self) -> bool {
        match self.log.topic(&self.feed.into).await {
            Ok(topic) => topic.partitions.iter().all(|partition| partition.high_watermark == Offset::ZERO),
            Err(error) => matches!(error, AdminError::UnknownTopic { .. }),
        }
    }

    /// Makes the orders of the time before `start`, in their order.
    async fn recall(&self, orders: &mut Orders, start: Timestamp, stop: &Stop) {
        let Feed { rate, recipe, .. } = &*self.feed;
        let span = self.history.min(Duration::from_secs_f64(MAX_HISTORY / rate));
        let from = start.minus(span);
        let mut arrivals = Arrivals::new(*rate, Some(recipe.rhythm()), recipe.seed);
        let (mut batch, mut elapsed) = (Vec::new(), Duration::ZERO);
        while elapsed < span && !stop.is_requested() {
            let now = from.plus(elapsed);
            while let Some(at) = arrivals.due(elapsed, now) {
                batch.push(self.record(&orders.next(at), at, now));
                if batch.len() == MAX_BATCH && !self.store(std::mem::take(&mut batch), stop).await {
                    return;
                }
            }
            elapsed += TICK;
        }
        if !batch.is_empty() {
            self.store(batch, stop).await;
        }
    }

    fn elapsed(&self, started: Instant) -> Duration {
        self.clock.monotonic().saturating_duration_since(started)
    }

    /// What has come by now, as far as it fits into one batch.
    fn due(&self, arrivals: &mut Arrivals, orders: &mut Orders, started: Instant) -> Vec<NewRecord> {
        let (elapsed, now) = (self.elapsed(started), self.clock.now());
        let placed = std::iter::from_fn(|| arrivals.due(elapsed, now)).take(MAX_BATCH);
        placed.map(|at| self.record(&orders.next(at), at, now)).collect()
    }

    /// The same record that the order would become if it came by HTTP.
    fn record(&self, order: &Order, at: Timestamp, now: Timestamp) -> NewRecord {
        let json = Bytes::from(order.to_json());
        let key = self.feed.key.as_deref().and_then(|field| key(order, &json, field));
        let event = Event {
            id: self.random.uuid_v7(now).to_string(),
            source: self.feed.source.clone(),
            kind: self.feed.event_type.clone(),
            time: jiff::Timestamp::from_millisecond(at.as_millis()).ok(),
            data_content_type: Some("application/json".to_owned()),
            data: Some(json),
            ..Event::default()
        };
        let (_, value, headers) = event.into_kafka();
        NewRecord { partition: None, key, value, headers, timestamp: None }
    }

    /// Whether the batch is stored; it is tried until it is, or until the stop.
    async fn store(&self, batch: Vec<NewRecord>, stop: &Stop) -> bool {
        let (feed, count) = (&self.feed.name, batch.len());
        let mut is_told = false;
        loop {
            match self.log.produce(&self.feed.into, batch.clone()).await {
                Ok(_) => {
                    metrics::stored(feed, count);
                    return true;
                }
                Err(error) => {
                    metrics::failed(feed);
                    if !std::mem::replace(&mut is_told, true) {
                        warn!(feed, %error, "a generator cannot write and tries again");
                    }
                    if !may_succeed(&error) {
                        pause(stop, RETRY * 10).await;
                    }
                }
            }
            pause(stop, RETRY).await;
            if stop.is_requested() {
                return false;
            }
        }
    }
}

/// Whether trying again soon is any use: a topic may be made yet, a disk may have room again.
fn may_succeed(error: &ProduceError) -> bool {
    error.is_transient() || matches!(error, ProduceError::UnknownTopic { .. })
}

/// The key of an order by its field, as the HTTP API finds it: text as it is, anything else as JSON.
fn key(order: &Order, json: &[u8], field: &str) -> Option<Bytes> {
    if field == "Email" {
        return Some(Bytes::copy_from_slice(order.email.as_bytes()));
    }
    let document: serde_json::Value = serde_json::from_slice(json).ok()?;
    match document.get(field)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
        other => Some(Bytes::from(other.to_string())),
    }
}

async fn pause(stop: &Stop, wait: Duration) {
    if wait.is_zero() {
        // A batch took long enough; others get their turn.
        return tokio::task::yield_now().await;
    }
    tokio::select! {
        () = stop.requested() => {}
        () = tokio::time::sleep(wait) => {}
    }
}
