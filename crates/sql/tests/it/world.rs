//! A log that lives as long as the test, and an engine that may crash and come again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use factum_base::clock::{Clock, SharedClock, SystemClock};
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_broker::Broker;
use factum_eventlog::{Admin, EventLog, NewRecord, NewTopic, Position, TopicConfig};
use factum_log::{Committer, Environment, EnvironmentOptions, LocalDisk};
use factum_sql::{
    AccessCheck, ApplyResult, Definitions, Engine, EventDefinition, Options, PipelineDefinition, Query,
    RelationName, Rows, TableDefinition, ViewState, ViewStatus, render,
};
use factum_state::{EmbeddedStore, StateStore};
use factum_types::{ByteSize, Record, TopicName, TopicPartition};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::damaged_log::DamagedLog;
use crate::doubtful_state::{DoubtfulState, HeldReads};

/// How long anything may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(60);

/// A caller who may do everything.
pub(crate) fn everything() -> AccessCheck {
    Arc::new(|_, _| Ok(()))
}

/// The contract of the orders that most tests use.
pub(crate) fn orders_schema() -> Value {
    json!({
        "type": "object",
        "required": ["order_id", "customer", "order_date", "total"],
        "properties": {
            "order_id": {"type": "integer"},
            "customer": {"type": "string"},
            "order_date": {"type": "string", "format": "date-time"},
            "total": {"type": "number", "multipleOf": 0.01},
            "details": {"type": "array", "items": {"type": "object", "properties": {
                "product_id": {"type": "integer"}, "quantity": {"type": "integer"}}}}
        }
    })
}

/// Small epochs, so that a few events make many.
pub(crate) fn small() -> Options {
    Options {
        epoch_rows: 7,
        chunk_rows: 3,
        read_bytes: ByteSize(1_000),
        poll: Duration::from_millis(200),
        linger: Duration::from_millis(1),
        survey: Duration::from_millis(20),
        retry: Duration::from_millis(200),
        close_windows: Duration::ZERO,
        ..Options::default()
    }
}

/// A log, and an engine most of the time.
pub(crate) struct World {
    directory: TempDir,
    log_runtime: Option<Runtime>,
    log_tasks: TaskGroup,
    pub(crate) log: Broker,
    /// What the engine reads.
    pub(crate) damaged: DamagedLog,
    /// Whether the state keeps from saying that it took a commit.
    is_in_doubt: Arc<AtomicBool>,
    is_slow: Arc<AtomicBool>,
    held: Arc<HeldReads>,
    clock: SharedClock,
    options: Options,
    definitions: Definitions,
    process: Option<Process>,
}

/// What a crash ends.
struct Process {
    runtime: Runtime,
    engine: Engine,
    state: EmbeddedStore,
    tasks: TaskGroup,
    committer: Committer,
    state_tasks: TaskGroup,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        Self::at(options, Arc::new(SystemClock))
    }

    pub(crate) fn at(options: Options, clock: SharedClock) -> Self {
        Self::over(options, clock, factum_broker::Options::default())
    }

    /// A world whose log takes no more than `most` partitions.
    pub(crate) fn with_partitions(options: Options, most: usize) -> Self {
        let log = factum_broker::Options { max_partitions: most, ..factum_broker::Options::default() };
        Self::over(options, Arc::new(SystemClock), log)
    }

    fn over(options: Options, clock: SharedClock, log: factum_broker::Options) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let log_runtime = runtime();
        let log_tasks = TaskTree::new().child("log");
        let log = log_runtime.block_on(async {
            let data_dir = directory.path().join("log");
            let retention_check_interval = Duration::from_millis(20);
            let options = factum_broker::Options { data_dir, retention_check_interval, ..log };
            let opened =
                factum_broker::Service::open_local(options, Arc::new(SystemClock), Random::seeded(1));
            let (service, log) = opened.expect("the log opens");
            let (stop, tasks) = (log_tasks.stop(), log_tasks.clone());
            log_tasks.spawn("broker", OnError::Log, async move { service.run(stop, tasks).await });
            log
        });
        let definitions = Definitions::default();
        let mut world = Self {
            directory,
            log_runtime: Some(log_runtime),
            log_tasks,
            damaged: DamagedLog::new(log.clone()),
            log,
            is_in_doubt: Arc::default(),
            is_slow: Arc::default(),
            held: Arc::default(),
            clock,
            options,
            definitions,
            process: None,
        };
        world.open();
        world
    }

    /// Starts the engine again.
    pub(crate) fn open(&mut self) {
        let runtime = runtime();
        let process = runtime.block_on(async {
            let directory = self.directory.path().join("state");
            let (state, committer, state_tasks) = state(&directory, &self.clock);
            let tasks = TaskTree::new().child("sql");
            let (log, clock) = (Arc::new(self.damaged.clone()), Arc::clone(&self.clock));
            let (internal_log, options) = (Arc::new(self.damaged.internal()), self.options.clone());
            let shown = DoubtfulState {
                state: state.clone(),
                is_in_doubt: Arc::clone(&self.is_in_doubt),
                is_slow: Arc::clone(&self.is_slow),
                held: Arc::clone(&self.held),
            };
            let engine = Engine::open(options, log, internal_log, Arc::new(shown), clock, tasks.clone());
            (engine, state, tasks, committer, state_tasks)
        });
        let (engine, state, tasks, committer, state_tasks) = process;
        self.process = Some(Process { runtime, engine, state, tasks, committer, state_tasks });
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("an engine")
    }

    pub(crate) fn engine(&self) -> Engine {
        self.process().engine.clone()
    }

    pub(crate) fn block<T>(&self, work: impl Future<Output = T>) -> T {
        self.process().runtime.block_on(work)
    }

    /// Ends the engine and its state where they stand, and opens them again.
    pub(crate) fn crash(&mut self) {
        self.end();
        self.open();
    }

    fn end(&mut self) {
        let Process { runtime, engine, state, tasks, committer, state_tasks } =
            self.process.take().expect("an engine");
        // Every task of the engine is dropped at the await it has reached.
        runtime.shutdown_timeout(PATIENCE);
        drop((engine, state, tasks));
        committer.stop();
        self.log_runtime().block_on(async { state_tasks.stop_within(PATIENCE).await.log() });
    }

    /// Ends the engine where it stands, and opens it again without any state.
    pub(crate) fn lose_state(&mut self) {
        self.end();
        std::fs::remove_dir_all(self.directory.path().join("state")).expect("a state");
        self.open();
    }

    /// Stops the engine in order, and starts it again.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.open();
    }

    /// Stops the engine in order.
    pub(crate) fn stop(&mut self) {
        let stragglers = self.block(self.process().tasks.stop_within(PATIENCE));
        assert!(stragglers.is_empty(), "{stragglers}");
        self.end();
    }

    fn log_runtime(&self) -> &Runtime {
        self.log_runtime.as_ref().expect("a log")
    }

    pub(crate) fn topic(&self, name: &str, partitions: i32) {
        let name = topic(name);
        let new = NewTopic { name, partitions: Some(partitions), config: TopicConfig::default() };
        self.log_runtime().block_on(self.log.create_topic(new)).expect("a new topic");
    }

    pub(crate) fn grow(&self, name: &str, partitions: i32) {
        let grown =
            self.log_runtime().block_on(Admin::create_partitions(&self.log, &topic(name), partitions));
        grown.expect("grown");
    }

    pub(crate) fn delete(&self, name: &str) {
        self.log_runtime().block_on(self.log.delete_topic(&topic(name))).expect("a topic that there was");
    }

    pub(crate) fn alter(&self, name: &str, config: TopicConfig) {
        self.log_runtime()
            .block_on(self.log.alter_topic(&topic(name), config))
            .expect("a topic that there is");
    }

    /// Appends `events` again and again, and lets the oldest records go, until at least `count` have gone.
    pub(crate) fn expire(&self, name: &str, count: i64, events: &[Value]) {
        let small = Some(ByteSize(2_000));
        let config = TopicConfig { retention_bytes: small, segment_bytes: small, ..TopicConfig::default() };
        self.alter(name, config);
        self.until_alone("expired", |world| {
            world.post(name, events);
            world.log_start(name, 0) >= count
        });
        // Nothing more goes while a test looks.
        self.alter(name, TopicConfig::default());
    }

    /// From now on the state keeps from saying that it takes commits, or no longer.
    pub(crate) fn set_in_doubt(&self, is_in_doubt: bool) {
        self.is_in_doubt.store(is_in_doubt, Ordering::Relaxed);
    }

    /// From now on commits wait, or no longer.
    pub(crate) fn set_slow(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::Relaxed);
    }

    /// From now on steps of a view hold their threads where they look for its groups, or none does.
    pub(crate) fn hold_reads(&self, view: Option<&str>) {
        self.held.hold(view);
    }

    pub(crate) fn clock_now(&self) -> factum_types::Timestamp {
        self.clock.now()
    }

    /// Tasks that have state.
    pub(crate) fn kept_tasks(&self) -> usize {
        self.block(self.process().state.tasks(&factum_state::Owner::from_static("sql"))).expect("tasks").len()
    }

    /// The first offset of a partition that is kept.
    pub(crate) fn log_start(&self, name: &str, partition: usize) -> i64 {
        let topic = self.log_runtime().block_on(Admin::topic(&self.log, &topic(name)));
        topic.expect("a topic that there is").partitions[partition].log_start.get()
    }

    /// Waits until `holds`, with or without an engine.
    pub(crate) fn until_alone(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = SystemClock.monotonic() + PATIENCE;
        while !holds(self) {
            assert!(SystemClock.monotonic() < deadline, "never {what}");
            self.log_runtime().block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
    }

    /// Declares the orders of the store, by [`orders_schema`].
    pub(crate) fn with_orders(self, partitions: i32) -> Self {
        self.with_late_orders(partitions, Duration::ZERO)
    }

    /// The same, where orders may stay so far behind the latest.
    pub(crate) fn with_late_orders(mut self, partitions: i32, lateness: Duration) -> Self {
        self.topic("store.orders", partitions);
        self.event("store.orders", Some(orders_schema()), Some("order_date"), lateness);
        self
    }

    pub(crate) fn event(
        &mut self,
        name: &str,
        schema: Option<Value>,
        time: Option<&str>,
        lateness: Duration,
    ) {
        self.definitions.events.push(EventDefinition {
            topic: topic(name),
            schema: schema.map(Arc::new),
            time: time.map(str::to_owned),
            lateness,
        });
    }

    pub(crate) fn table(&mut self, name: &str, key: &str, csv: impl Into<Bytes>) {
        let name = relation(name);
        self.definitions.tables.retain(|table| table.name != name);
        let csv = csv.into();
        self.definitions.tables.push(TableDefinition { name, key: key.into(), origin: "t.csv".into(), csv });
    }

    pub(crate) fn definitions(&self, sql: &str) -> Definitions {
        let pipeline = PipelineDefinition {
            team: "store".parse().expect("a team"),
            file: "teams/store/pipelines/views.sql".into(),
            text: sql.into(),
        };
        Definitions { pipelines: vec![pipeline], ..self.definitions.clone() }
    }

    /// Puts the statements in `sql` into effect in place of all before.
    pub(crate) fn apply(&self, sql: &str) -> ApplyResult {
        let applied = self.block(self.engine().apply(self.definitions(sql)));
        applied.unwrap_or_else(|error| panic!("{error}: {error:?}"))
    }

    /// Appends events, spread over the partitions.
    pub(crate) fn post(&self, topic_name: &str, events: &[Value]) {
        let records = events.iter().map(|event| new_record(event.to_string())).collect();
        self.post_records(topic_name, records);
    }

    pub(crate) fn post_to(&self, topic_name: &str, partition: i32, events: &[Value]) {
        let in_partition =
            |event: &Value| NewRecord { partition: Some(partition), ..new_record(event.to_string()) };
        self.post_records(topic_name, events.iter().map(in_partition).collect());
    }

    pub(crate) fn post_records(&self, topic_name: &str, records: Vec<NewRecord>) {
        let produced = self.log_runtime().block_on(self.log.produce(&topic(topic_name), records));
        produced.expect("records are taken");
    }

    /// Every record of a partition; none where there is no such topic.
    pub(crate) fn records_if_any(&self, name: &str, partition: i32) -> Vec<Record> {
        let found = self.log_runtime().block_on(Admin::topic(&self.log, &topic(name)));
        if found.is_ok() { self.records(name, partition) } else { Vec::new() }
    }

    /// Every record of a partition.
    pub(crate) fn records(&self, name: &str, partition: i32) -> Vec<Record> {
        let place = TopicPartition::new(topic(name), partition);
        self.log_runtime().block_on(async {
            let start = self.log.offset_of(&place, Position::Earliest).await.expect("readable");
            let (mut records, mut next) = (Vec::new(), start);
            loop {
                let chunk = self.log.read(&place, next, 1 << 20, Duration::ZERO).await.expect("readable");
                if chunk.next == next {
                    return records;
                }
                next = chunk.next;
                records.extend(chunk.records);
            }
        })
    }

    /// Waits until `holds`.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = SystemClock.monotonic() + PATIENCE;
        while !holds(self) {
            let views = self.engine().views();
            assert!(SystemClock.monotonic() < deadline, "never {what}: {views:#?}");
            self.block(async { tokio::time::sleep(Duration::from_millis(2)).await });
        }
    }

    /// Waits until every view has taken in all that the log holds.
    pub(crate) fn settle(&self) {
        self.settle_but_for(|_| false);
    }

    /// Waits until every view but those that `may_wait` has taken in all that the log holds.
    pub(crate) fn settle_but_for(&self, may_wait: impl Fn(&ViewStatus) -> bool) {
        self.until("settled", |world| {
            let views = world.engine().views();
            let is_settled = |view: &ViewStatus| view.state == ViewState::Live && world.has_all(view);
            views.iter().all(|view| may_wait(view) || is_settled(view))
        });
    }

    fn has_all(&self, view: &ViewStatus) -> bool {
        let topics = self.log_runtime().block_on(Admin::topics(&self.log)).expect("topics");
        let ends = |name: &str| {
            let topic = topics.iter().find(|topic| topic.name.as_str() == name);
            let partitions = topic.map(|topic| &topic.partitions[..]).unwrap_or_default();
            partitions.iter().map(|bounds| bounds.high_watermark.get()).collect::<Vec<_>>()
        };
        let mut read: Vec<&str> = view.partitions.iter().map(|each| &*each.topic).collect();
        read.dedup();
        let has_all = |at: &factum_sql::PartitionStatus| {
            ends(&at.topic).get(usize::try_from(at.partition).expect("a partition")) == Some(&at.next)
        };
        view.partitions.iter().all(has_all)
            && read.iter().all(|topic| {
                let known = view.partitions.iter().filter(|each| each.topic == **topic).count();
                known >= ends(topic).len()
            })
    }

    pub(crate) fn status(&self, view: &str) -> ViewStatus {
        self.engine().view(&relation(view)).expect("a view")
    }

    pub(crate) fn read(&self, view: &str) -> Rows {
        self.block(self.engine().read(&relation(view), Query::default())).expect("rows")
    }

    /// A view's rows as text, a row a line, in their order.
    pub(crate) fn shown(&self, view: &str) -> Vec<String> {
        lines(&self.read(view))
    }

    /// A view's rows as text, sorted.
    pub(crate) fn sorted(&self, view: &str) -> Vec<String> {
        let mut lines = self.shown(view);
        lines.sort_unstable();
        lines
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(Process { runtime, committer, .. }) = self.process.take() {
            runtime.shutdown_timeout(PATIENCE);
            committer.stop();
        }
        if let Some(runtime) = self.log_runtime.take() {
            runtime.block_on(async { self.log_tasks.stop_within(PATIENCE).await.log() });
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A state whose housekeeping is left to its next opening.
fn state(directory: &Path, clock: &SharedClock) -> (EmbeddedStore, Committer, TaskGroup) {
    let disk = Arc::new(LocalDisk);
    let environment = Environment::new(disk.clone(), EnvironmentOptions::default());
    let (committer, tasks) = (environment.committer().clone(), TaskTree::new().child("state"));
    let running = committer.clone();
    tasks.spawn_thread("committer", OnError::Log, move |_| {
        running.run();
        Ok(())
    });
    let options = factum_state::Options::default();
    let state = EmbeddedStore::open(&environment, disk, Arc::clone(clock), directory, options);
    (state.expect("the state opens"), committer, tasks)
}

pub(crate) fn lines(rows: &Rows) -> Vec<String> {
    render::json(&rows.batches).into_iter().map(|row| Value::Object(row).to_string()).collect()
}

pub(crate) fn new_record(text: impl Into<String>) -> NewRecord {
    NewRecord { value: Some(Bytes::from(text.into())), ..NewRecord::default() }
}

/// A header of a record as text; empty if it has none of this name.
pub(crate) fn header(record: &Record, name: &str) -> String {
    let header = record.headers.iter().find(|header| header.key == name);
    let value = header.and_then(|header| header.value.as_deref()).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

/// A view of the orders of each hour, shown when the hour is over.
pub(crate) fn hourly(name: &str, count: &str) -> String {
    format!(
        "CREATE MATERIALIZED VIEW {name} AS SELECT window_start, {count} AS n \
         FROM TUMBLE(orders, order_date, INTERVAL '1 hour') GROUP BY window_start EMIT ON WINDOW CLOSE;"
    )
}

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::new(name).expect("a topic name")
}

pub(crate) fn relation(name: &str) -> RelationName {
    let (team, name) = name.split_once('.').expect("a team and a name");
    RelationName::new(team, name)
}

/// An order at a minute of the first of May 2026.
pub(crate) fn order(id: i64, customer: &str, minute: i64, cents: i64) -> Value {
    let total: Value =
        serde_json::from_str(&format!("{}.{:02}", cents / 100, cents % 100)).expect("a number");
    json!({
        "order_id": id,
        "customer": customer,
        "order_date": format!("2026-05-01T{:02}:{:02}:00Z", minute / 60, minute % 60),
        "total": total,
        "details": [{"product_id": id % 5, "quantity": 1 + id % 3}, {"product_id": 9, "quantity": 1}]
    })
}
