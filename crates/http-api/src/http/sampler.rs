//! Samples of what the log holds, and how fast it grows between two of them.
//!
//! Invariant: a sample is taken and written once for all who ask, beside the threads that serve and those that write
//! other responses. What clients hold of older samples counts as their responses, not here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use factum_api::overview::{HealthView, Overview, PipelineActivity, TopicActivity};
use factum_base::blocking_work::BlockingWork;
use factum_base::tasks::Stop;
use factum_eventlog::Topic;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::http::json;
use crate::http::problem::Problem;
use crate::state::State;

/// A sample that is younger answers again.
const FRESH: Duration = Duration::from_millis(500);
/// A rate over a longer time than this says nothing of the present.
const STALE: Duration = Duration::from_secs(10);

/// Takes samples when somebody asks, and shares them.
pub(crate) struct Sampler {
    server: Arc<Server>,
    started: Instant,
    work: BlockingWork,
    last: Mutex<Option<Sample>>,
}

/// What samples are taken of.
struct Server {
    state: State,
    stop: Stop,
}

struct Sample {
    at: Instant,
    topics: Arc<BTreeMap<String, Counts>>,
    /// The overview as JSON, and the end of its line.
    text: Bytes,
}

/// What a topic holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    records: i64,
    bytes: u64,
    /// Records ever written, those included that retention dropped.
    written: i64,
}

impl Counts {
    fn of(topic: &Topic) -> Self {
        let partitions = &topic.partitions;
        Self {
            records: partitions.iter().map(|p| p.high_watermark.since(p.log_start)).sum(),
            bytes: partitions.iter().filter_map(|p| p.bytes).sum(),
            written: partitions.iter().map(|p| p.high_watermark.get()).sum(),
        }
    }
}

impl Sampler {
    /// A sampler of a server that starts now.
    pub(crate) fn new(state: State, stop: Stop) -> Self {
        let started = state.clock.monotonic();
        let server = Arc::new(Server { state, stop });
        Self { server, started, work: BlockingWork::at_most(1), last: Mutex::default() }
    }

    /// The present overview as a line of JSON, or one that is hardly older.
    pub(crate) async fn overview(&self) -> Result<Bytes, Problem> {
        let mut last = self.last.lock().await;
        let now = self.server.state.clock.monotonic();
        let age = |sample: &Sample| now.saturating_duration_since(sample.at);
        if let Some(sample) = last.as_ref().filter(|sample| age(sample) < FRESH) {
            return Ok(sample.text.clone());
        }
        let before = last.as_ref().filter(|sample| age(sample) < STALE);
        let growth = before
            .map(|before| Growth { seconds: age(before).as_secs_f64(), topics: Arc::clone(&before.topics) });
        let (uptime, server) = (now.saturating_duration_since(self.started), Arc::clone(&self.server));
        let runtime = Handle::current();
        let sample = move || runtime.block_on(sample(&server, uptime, growth.as_ref()));
        let (topics, text) = self.work.run(sample).await?;
        let text = Bytes::from(text);
        *last = Some(Sample { at: now, topics: Arc::new(topics), text: text.clone() });
        Ok(text)
    }
}

/// What every topic holds, and the overview as a line of JSON.
async fn sample(
    server: &Server,
    uptime: Duration,
    growth: Option<&Growth>,
) -> Result<(BTreeMap<String, Counts>, Vec<u8>), Problem> {
    let topics = server.state.log.topics().await?;
    let topics = topics.iter().filter(|topic| !topic.name.is_internal());
    let topics = topics.map(|topic| (topic.name.to_string(), Counts::of(topic))).collect();
    let groups = server.state.log.groups().await?.len();
    let text = json::line(&compose(server, uptime, &topics, groups, growth));
    Ok((topics, text))
}

/// What was there some seconds ago.
struct Growth {
    seconds: f64,
    topics: Arc<BTreeMap<String, Counts>>,
}

impl Growth {
    /// Records and bytes that came to a topic each second. Bytes that retention dropped meanwhile hide as many.
    fn of(&self, name: &str, now: Counts) -> (f64, f64) {
        let before = self.topics.get(name).copied().unwrap_or_default();
        let records = now.written.saturating_sub(before.written).max(0);
        let bytes = now.bytes.saturating_sub(before.bytes);
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown with a few digits")]
        let rate = |count: u64| count as f64 / self.seconds;
        (rate(records.unsigned_abs()), rate(bytes))
    }
}

fn compose(
    server: &Server,
    uptime: Duration,
    topics: &BTreeMap<String, Counts>,
    groups: usize,
    growth: Option<&Growth>,
) -> Overview {
    let activity = |(name, counts): (&String, &Counts)| TopicActivity {
        name: name.clone(),
        records: counts.records.into(),
        records_per_second: growth.map(|growth| tenths(growth.of(name, *counts).0)),
    };
    let total = growth.map(|growth| {
        let each = topics.iter().map(|(name, counts)| growth.of(name, *counts));
        each.fold((0.0, 0.0), |(records, bytes), one| (records + one.0, bytes + one.1))
    });
    let state = &server.state;
    let views = state.engine.views();
    let pipelines = views.iter().map(|view| PipelineActivity {
        name: view.name.to_string(),
        lag: view.lag.into(),
        rate: tenths(view.rate),
    });
    let report = (state.health)();
    Overview {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_seconds: uptime.as_secs(),
        kafka: state.kafka.clone(),
        health: HealthView { ready: report.is_ready(&server.stop), roles: report.roles },
        topics: topics.len(),
        records: topics.values().map(|counts| counts.records).sum::<i64>().into(),
        bytes: topics.values().map(|counts| counts.bytes).sum::<u64>().into(),
        views: views.len(),
        pipelines: views.len(),
        groups,
        problems: state.catalogue.problems().len(),
        records_per_second: total.map(|(records, _)| tenths(records)),
        bytes_per_second: total.map(|(_, bytes)| tenths(bytes)),
        by_topic: topics.iter().map(activity).collect(),
        by_pipeline: pipelines.collect(),
    }
}

fn tenths(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}
