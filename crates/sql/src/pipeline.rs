//! A pipeline: one cut of a view over all partitions of its topic.
//!
//! Invariants: each partition that the topic has or gets is read by one task; a topic that does not exist yet is
//! waited for. State is forgotten only when no task writes it and no reader looks at it any more.

mod closing;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, exec_err};
use datafusion::datasource::{provider_as_source, source_as_provider};
use factum_base::tasks::Stop;
use factum_eventlog::AdminError;
use factum_state::TaskId;
use factum_types::{Offset, PartitionId, Timestamp, TopicName, TopicPartition};
use futures::FutureExt;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use crate::dead_letter;
use crate::decode::Decoder;
use crate::error::{ComputeError, ReadError};
use crate::feed::{FeedTable, Slot};
use crate::limited_functions;
use crate::metrics::PipelineMetrics;
use crate::operator::{self, OWNER, Operator};
use crate::plan::{Cut, ViewPlan};
use crate::schema::EventSchema;
use crate::session;
use crate::task::{Environment, Intake, Task, TaskStatus, Writer, committed};
use crate::view::bind;
use crate::view_threads::StepRunner;

/// A running cut.
pub(crate) struct Pipeline {
    id: Arc<str>,
    plan: Arc<ViewPlan>,
    cut: usize,
    schema: EventSchema,
    environment: Arc<Environment>,
    /// Where it computes what comes of events.
    steps: StepRunner,
    stop: Stop,
    partitions: RwLock<BTreeMap<PartitionId, Arc<TaskStatus>>>,
    /// Partitions that a task reads; of the others there is state alone.
    read_by_tasks: Mutex<BTreeSet<PartitionId>>,
    advanced: Arc<watch::Sender<u64>>,
    reader: tokio::sync::Mutex<Operator>,
    /// Whether the state is gone; held while it is looked at.
    is_forgotten: tokio::sync::RwLock<bool>,
    hindrance: Mutex<Option<Hindrance>>,
    surveyed: Mutex<PipelineSurvey>,
    /// Closed when the last task has ended.
    ended: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

/// Why the partitions of a topic are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// There is no topic yet, or not any more.
    NoTopic(String),
    /// It is out of reach.
    Unavailable(String),
}

/// What is looked at from time to time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PipelineSurvey {
    pub(crate) state_bytes: u64,
    /// Events per second.
    pub(crate) rate: f64,
    at: Option<(Instant, u64)>,
}

/// How much of the rate's memory a second takes away.
const RATE_DECAY: f64 = 0.3;

impl Pipeline {
    /// Starts the tasks of a cut, for the partitions that there are and those to come.
    pub(crate) async fn start(
        environment: &Arc<Environment>,
        id: Arc<str>,
        plan: &Arc<ViewPlan>,
        cut: usize,
        schema: EventSchema,
    ) -> Result<Arc<Self>, DataFusionError> {
        let (alive, ended) = mpsc::channel(1);
        let (steps, stop) = (environment.threads.of_view(&plan.name), environment.tasks.stop().child());
        let reader = operator(&steps, &stop, plan, cut).await?;
        let pipeline = Arc::new(Self {
            id,
            plan: Arc::clone(plan),
            cut,
            schema,
            environment: Arc::clone(environment),
            steps,
            stop,
            partitions: RwLock::default(),
            read_by_tasks: Mutex::default(),
            advanced: Arc::new(watch::Sender::new(0)),
            reader: tokio::sync::Mutex::new(reader),
            is_forgotten: tokio::sync::RwLock::new(false),
            hindrance: Mutex::default(),
            surveyed: Mutex::default(),
            ended: tokio::sync::Mutex::new(ended),
        });
        pipeline.find_partitions(&alive).await;
        let supervised = Arc::clone(&pipeline);
        environment.tasks.spawn_quiet(async move { supervised.supervise(alive).await });
        Ok(pipeline)
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    pub(crate) fn topic(&self) -> &TopicName {
        &self.schema.topic
    }

    fn cut(&self) -> &Cut {
        &self.plan.cuts[self.cut]
    }

    async fn supervise(&self, alive: mpsc::Sender<()>) {
        loop {
            tokio::select! {
                () = self.stop.requested() => return,
                () = tokio::time::sleep(self.environment.options.survey) => {}
            }
            self.find_partitions(&alive).await;
            self.begin_closing();
        }
    }

    /// Starts a task for each partition that has none.
    async fn find_partitions(&self, alive: &mpsc::Sender<()>) {
        let topic = match self.environment.log.topic(&self.schema.topic).await {
            Ok(topic) => topic,
            Err(error) => {
                let hindrance = match &error {
                    AdminError::UnknownTopic { .. } => Hindrance::NoTopic(error.to_string()),
                    _ => Hindrance::Unavailable(error.to_string()),
                };
                self.show_state().await;
                let before = self.hindrance.lock().replace(hindrance.clone());
                if before.as_ref() != Some(&hindrance) && matches!(hindrance, Hindrance::Unavailable(_)) {
                    warn!(pipeline = &*self.id, %error, "the topic is out of reach: its state is served as it is");
                }
                return;
            }
        };
        self.expire_closings(&topic.partitions);
        for bounds in topic.partitions {
            let known = self.partitions.read().get(&bounds.partition).cloned();
            let is_read = self.read_by_tasks.lock().contains(&bounds.partition);
            match known.filter(|_| is_read) {
                Some(status) => status.see_end(bounds.high_watermark),
                None => {
                    if let Err(error) = self.start_task(bounds.partition, alive.clone()).await {
                        warn!(pipeline = &*self.id, %error, "a task cannot be started");
                    }
                }
            }
        }
        // Not before: without tasks it would seem to be live, and have no rows.
        *self.hindrance.lock() = None;
        let read_by_tasks = self.read_by_tasks.lock().clone();
        self.partitions.write().retain(|partition, _| read_by_tasks.contains(partition));
    }

    /// Shows what the state holds while there is no task, so that readers are given it: all of it, or nothing.
    async fn show_state(&self) {
        if !self.partitions.read().is_empty() {
            return;
        }
        let state = &self.environment.state;
        let Ok(tasks) = state.tasks(&OWNER).await else { return };
        let mut shown = BTreeMap::new();
        for task in tasks.into_iter().map(|kept| kept.task).filter(|task| *task.name() == *self.id) {
            let place = TopicPartition::new(self.schema.topic.clone(), task.partition());
            let Ok(found) = committed(&**state, &task, &place).await else { return };
            if let Some((topic, committed)) = found {
                let status = Arc::new(TaskStatus::default());
                status.show_without_task(committed, self.closings_of(topic, &status).await);
                shown.insert(place.partition, status);
            }
        }
        if !shown.is_empty() {
            *self.partitions.write() = shown;
            self.advanced.send_modify(|count| *count += 1);
        }
    }

    /// The topic of its dead letters.
    pub(crate) fn letters(&self) -> TopicName {
        dead_letter::topic(&self.plan.name)
    }

    async fn start_task(
        &self,
        partition: PartitionId,
        alive: mpsc::Sender<()>,
    ) -> Result<(), DataFusionError> {
        let (cut, status) = (self.cut(), Arc::new(TaskStatus::default()));
        let place = TopicPartition::new(self.schema.topic.clone(), partition);
        let decoder = Decoder::new(&self.schema, &cut.projection);
        let time = self.event_time();
        let (environment, steps) = (Arc::clone(&self.environment), self.steps.clone());
        let intake = Intake::new(environment, place, decoder, steps, time, Arc::clone(&status));
        let writer = Writer::new(
            Arc::clone(&self.environment),
            TaskId::new(OWNER, Arc::clone(&self.id), partition),
            self.letters(),
            Arc::clone(&status),
            PipelineMetrics::new(&self.plan.name),
            Arc::clone(&self.advanced),
        );
        let operator = operator(&self.steps, &self.stop, &self.plan, self.cut).await?;
        let task = Task { intake, operator: Arc::new(operator), writer, steps: self.steps.clone() };
        self.partitions.write().insert(partition, Arc::clone(&status));
        self.read_by_tasks.lock().insert(partition);
        let stop = self.stop.clone();
        self.environment.tasks.spawn_quiet(async move {
            // A function that breaks on an event must not leave a view that looks alive.
            if AssertUnwindSafe(task.run(stop)).catch_unwind().await.is_err() {
                status.stuck("it broke an invariant and has stopped; the server's log says where".to_owned());
            }
            drop(alive);
        });
        Ok(())
    }

    /// The rows at the cut, merged over partitions, at `now`.
    pub(crate) async fn read(&self, now: Timestamp) -> Result<Vec<RecordBatch>, ReadError> {
        let is_forgotten = self.is_forgotten.read().await;
        if *is_forgotten {
            return Err(ReadError::Dropped { view: self.plan.name.clone() });
        }
        let partitions: Vec<_> = self.partitions.read().keys().copied().collect();
        if let (true, Some(Hindrance::Unavailable(reason))) = (partitions.is_empty(), self.hindrance()) {
            // Nothing is known of them: no rows would be an answer that no one can give.
            return Err(ReadError::Waiting { view: self.plan.name.clone(), reason });
        }
        let tasks: Vec<_> = partitions
            .into_iter()
            .map(|partition| TaskId::new(OWNER, Arc::clone(&self.id), partition))
            .collect();
        let failed = |source| ReadError::Compute {
            view: self.plan.name.to_string(),
            source: ComputeError::of(&source),
        };
        let lifted = self.cut().lifted_at(now, self.closed_until()).map_err(failed)?;
        let reader = self.reader.lock().await;
        let read = reader.read(&*self.environment.state, &tasks, lifted.as_ref()).await;
        let (batches, _) = read.map_err(|error| match error {
            operator::Error::State(source) => ReadError::State { view: self.plan.name.clone(), source },
            operator::Error::Compute(source) => failed(source),
        })?;
        Ok(batches)
    }

    /// Stops all tasks, and waits for them.
    pub(crate) async fn end(&self) {
        self.stop.request();
        while self.ended.lock().await.recv().await.is_some() {}
    }

    /// Waits for readers and forgets the state. All tasks have ended.
    pub(crate) async fn forget(&self) {
        let mut is_forgotten = self.is_forgotten.write().await;
        *is_forgotten = true;
        for (task, ..) in self.tasks() {
            if let Err(error) = self.environment.state.forget(&task).await {
                warn!(%task, %error, "state cannot be forgotten");
            }
        }
    }

    /// Its tasks, with where each reads on.
    pub(crate) fn tasks(&self) -> Vec<(TaskId, TopicPartition, Offset)> {
        let task = |(partition, status): (PartitionId, Arc<TaskStatus>)| {
            let place = TopicPartition::new(self.schema.topic.clone(), partition);
            (TaskId::new(OWNER, Arc::clone(&self.id), partition), place, Offset::new(status.next()))
        };
        self.statuses().into_iter().map(task).collect()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.advanced.subscribe()
    }

    /// How often its state has moved; unlike epochs it never goes back, not even when a topic is created again.
    pub(crate) fn moves(&self) -> u64 {
        *self.advanced.borrow()
    }

    pub(crate) fn statuses(&self) -> Vec<(PartitionId, Arc<TaskStatus>)> {
        let partitions = self.partitions.read();
        partitions.iter().map(|(partition, status)| (*partition, Arc::clone(status))).collect()
    }

    /// Why the partitions of its topic are not known.
    pub(crate) fn hindrance(&self) -> Option<Hindrance> {
        self.hindrance.lock().clone()
    }

    pub(crate) fn surveyed(&self) -> PipelineSurvey {
        *self.surveyed.lock()
    }

    /// Takes the rate and notes how many bytes the state has.
    pub(crate) fn survey(&self, state_bytes: u64) {
        let (now, events) = (self.environment.clock.monotonic(), self.events());
        let mut surveyed = self.surveyed.lock();
        surveyed.state_bytes = state_bytes;
        if let Some((at, before)) = surveyed.at {
            let seconds = now.saturating_duration_since(at).as_secs_f64();
            if seconds > 0.0 {
                let rate = (events - before) as f64 / seconds;
                surveyed.rate += RATE_DECAY * (rate - surveyed.rate);
            }
        }
        surveyed.at = Some((now, events));
    }

    fn events(&self) -> u64 {
        self.partitions.read().values().map(|status| status.events()).sum()
    }
}

/// An operator of its own: operators of one plan would share its slot. What it looks up in is computed when it is made.
async fn operator(
    steps: &StepRunner,
    stop: &Stop,
    plan: &Arc<ViewPlan>,
    cut: usize,
) -> Result<Operator, DataFusionError> {
    let plan = Arc::clone(plan);
    let made = steps.run(stop, async move { operator_of(&plan.cuts[cut]).await }).await;
    made.unwrap_or_else(|| exec_err!("the view is stopped"))
}

async fn operator_of(cut: &Cut) -> Result<Operator, DataFusionError> {
    let slot = Slot::default();
    let plan = bind(cut.plan.clone(), &mut |scan| {
        let Ok(provider) = source_as_provider(&scan.source) else { return Ok(None) };
        let is_feed = provider.downcast_ref::<FeedTable>().is_some();
        Ok(is_feed.then(|| provider_as_source(FeedTable::new(provider.schema(), slot.clone()))))
    })?;
    let plan = limited_functions::of_events(plan)?;
    Operator::prepare(&session::streaming(), &plan, slot).await
}
