//! A task: one cut of a view over one partition of its topic.
//!
//! ```text
//!   take over ─► resume ─► ┌─ read, decode ─► compute ─► commit ─► publish the outbox ─┐
//!       ▲                  └──────────────────── the next epoch ◄──────────────────────┘
//!       └── anything that fails: rest, begin again from what was committed
//! ```
//!
//! Always holds
//! - Rows, offset, watermark, counts and letters of an epoch are one commit: each event counts once.
//! - An epoch's outbox is published before the next epoch is committed.
//! - An event that cannot be decoded or computed becomes a letter and is counted; it never stops the view.
//! - A task that was taken over by another stops.

mod evaluate;
mod intake;
mod status;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_base::tasks::{Stop, TaskGroup};
use factum_eventlog::{self as eventlog, EventLog};
use factum_state::{self as state, Epoch, Fence, StateStore, TableId, TakeOver, TaskId};
use factum_types::{Offset, TopicId, TopicName};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::dead_letter;
use crate::engine::Options;
use crate::metrics::PipelineMetrics;
use crate::operator::Operator;
use evaluate::{Evaluated, Evaluation};
use intake::Prepared;
pub(crate) use intake::{EventTime, Intake};
use status::Committed;
pub(crate) use status::TaskStatus;

/// The table of a task's own counts, beside the operator's.
const COUNTS: TableId = 1;
const POISONED: &[u8] = b"poisoned";
const LATE: &[u8] = b"late";
/// Up to where windows were shown as closed.
const CLOSED: &[u8] = b"closed";
/// The identity of the topic that was read.
const TOPIC: &[u8] = b"topic";
/// The first rest after a failure; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_millis(50);

/// What every task works with.
pub(crate) struct Environment {
    pub(crate) options: Options,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) clock: SharedClock,
    pub(crate) tasks: TaskGroup,
}

/// One cut over one partition.
pub(crate) struct Task {
    pub(crate) intake: Intake,
    pub(crate) operator: Operator,
    pub(crate) writer: Writer,
}

/// Commits a task's epochs.
pub(crate) struct Writer {
    pub(crate) environment: Arc<Environment>,
    pub(crate) id: TaskId,
    pub(crate) letters: TopicName,
    pub(crate) status: Arc<TaskStatus>,
    pub(crate) metrics: PipelineMetrics,
    /// Rises with each epoch of the pipeline.
    pub(crate) advanced: Arc<watch::Sender<u64>>,
    /// Windows of the pipeline up to here were shown as closed, in microseconds.
    pub(crate) closed: Arc<AtomicI64>,
    pub(crate) held: Held,
    /// The topic that is read, once that is known.
    pub(crate) topic: Option<TopicId>,
}

/// What a task holds of its state.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    fence: Fence,
    poisoned: u64,
    late: u64,
    /// The topic that the state is of; none before the first epoch.
    topic: Option<TopicId>,
}

/// Why a task could not go on.
#[derive(Debug, thiserror::Error)]
enum TaskError {
    #[error(transparent)]
    Topic(#[from] eventlog::AdminError),
    #[error(transparent)]
    Log(#[from] eventlog::ReadError),
    #[error(transparent)]
    Outbox(#[from] eventlog::ProduceError),
    #[error(transparent)]
    State(#[from] state::ReadError),
    #[error(transparent)]
    Commit(#[from] state::CommitError),
}

impl Task {
    /// Works until the stop, or until another takes over.
    pub(crate) async fn run(mut self, stop: Stop) {
        let mut rest = FIRST_REST;
        loop {
            let before = self.writer.status.epoch();
            let Err(error) = self.work(&stop).await else { return };
            if let TaskError::Commit(state::CommitError::Fenced { .. }) = error {
                info!(task = %self.writer.id, "another has taken the task over");
                return self.writer.status.stuck(error.to_string());
            }
            warn!(task = %self.writer.id, %error, "task begins again");
            self.writer.metrics.retries.increment(1);
            self.writer.status.stuck(error.to_string());
            if let TaskError::Log(eventlog::ReadError::OutOfRange { .. }) = error
                && let Err(error) = self.writer.forget().await
            {
                warn!(task = %self.writer.id, %error, "state cannot be forgotten");
            }
            if self.writer.status.epoch() != before {
                rest = FIRST_REST;
            }
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(rest) => {}
            }
            rest = (rest * 2).min(self.writer.environment.options.retry);
        }
    }

    async fn work(&mut self, stop: &Stop) -> Result<(), TaskError> {
        self.resume().await?;
        let mut following = None;
        loop {
            let prepared = match following.take() {
                Some(prepared) => prepared,
                None => match self.intake.next(stop).await? {
                    Some(prepared) => prepared,
                    None => return Ok(()),
                },
            };
            following = self.take_in(&prepared, stop).await?;
            if following.is_none() && stop.is_requested() {
                return Ok(());
            }
        }
    }

    async fn resume(&mut self) -> Result<(), TaskError> {
        let place = self.intake.place().clone();
        let topic = self.writer.environment.log.topic(&place.topic).await?.id;
        let mut progress = self.writer.take_over().await?;
        if self.writer.held.topic.is_some_and(|known| known != topic) {
            info!(task = %self.writer.id, "the topic was deleted and made again: its state begins anew");
            self.writer.forget().await?;
            progress = self.writer.take_over().await?;
        }
        self.writer.topic = Some(topic);
        let offsets = progress.offsets.iter();
        let next = offsets.filter(|(source, _)| *source == place).map(|(_, next)| *next).next();
        let next = self.intake.resume(next, progress.watermark).await?;
        self.writer.resumed(progress.epoch, next, progress.watermark);
        Ok(())
    }

    /// Commits an epoch, or several where it cannot be computed in one, while the next is read.
    async fn take_in(&mut self, prepared: &Prepared, stop: &Stop) -> Result<Option<Prepared>, TaskError> {
        let Self { intake, operator, writer } = self;
        let environment = Arc::clone(&writer.environment);
        let started = environment.clock.monotonic();
        let id = writer.id.clone();
        let evaluation = Evaluation { operator, state: &*environment.state, task: &id, prepared };
        let mut ranges = Vec::from([Range { start: 0, end: prepared.records.len() }]);
        while let Some(range) = ranges.pop() {
            let Some(evaluated) = evaluation.evaluate(&range).await? else {
                let middle = range.start + range.len() / 2;
                ranges.push(middle..range.end);
                ranges.push(range.start..middle);
                continue;
            };
            let commit = writer.commit(prepared, range, evaluated, intake.place().clone());
            if ranges.is_empty() {
                let ((), following) = tokio::try_join!(commit, async { Ok(intake.next(stop).await?) })?;
                writer.metrics.epoch.record(environment.clock.monotonic().duration_since(started));
                return Ok(following);
            }
            commit.await?;
        }
        Ok(None)
    }
}

impl Writer {
    async fn take_over(&mut self) -> Result<state::Progress, TaskError> {
        let environment = &self.environment;
        let TakeOver { fence, progress, .. } = environment.state.take_over(&self.id).await?;
        let counts = environment.state.get_many(&self.id, COUNTS, &[POISONED, LATE, CLOSED, TOPIC]).await?;
        let count = |index: usize| counts.get(index).and_then(|bytes| bytes.try_into().ok());
        if let Some(closed) = count(2) {
            self.closed.fetch_max(i64::from_le_bytes(closed), Ordering::Relaxed);
        }
        let count = |index: usize| count(index).map_or(0, u64::from_le_bytes);
        let topic = counts.get(3).and_then(|bytes| bytes.try_into().ok()).map(TopicId::from_bytes);
        self.held = Held { fence, poisoned: count(0), late: count(1), topic };
        dead_letter::publish(&*environment.log, &self.id, progress.epoch, &progress.outbox).await?;
        Ok(progress)
    }

    fn resumed(&self, epoch: u64, next: Offset, watermark: Option<i64>) {
        let Held { poisoned, late, .. } = self.held;
        self.status.resume(Committed { epoch, next, watermark, events: 0, poisoned, late });
        self.advanced.send_modify(|count| *count += 1);
    }

    /// The partition is another one of the same name: its id is another, or it ends before what was read of it.
    async fn forget(&self) -> Result<(), state::CommitError> {
        self.environment.state.forget(&self.id).await
    }

    async fn commit(
        &mut self,
        prepared: &Prepared,
        records: Range<usize>,
        evaluated: Evaluated,
        place: factum_types::TopicPartition,
    ) -> Result<(), TaskError> {
        let Evaluated { mut changes, culprits } = evaluated;
        let mut bad: Vec<_> = prepared.poisoned_in(&records).chain(&culprits).collect();
        bad.sort_unstable();
        let letter = |(record, reason): &&(usize, String)| {
            dead_letter::letter(&self.letters, &place, &prepared.records[*record], reason)
        };
        let outbox: Vec<_> = bad.iter().map(letter).collect();
        let (poisoned, late) = (outbox.len() as u64, prepared.late_in(&records));
        let totals = (self.held.poisoned + poisoned, self.held.late + late);
        if poisoned > 0 {
            changes.put(COUNTS, POISONED, &totals.0.to_le_bytes());
        }
        if late > 0 {
            changes.put(COUNTS, LATE, &totals.1.to_le_bytes());
        }
        let closed = self.closed.load(Ordering::Relaxed);
        if closed != i64::MIN {
            changes.put(COUNTS, CLOSED, &closed.to_le_bytes());
        }
        if let Some(topic) = self.topic.filter(|_| self.held.topic != self.topic) {
            changes.put(COUNTS, TOPIC, topic.as_bytes());
        }
        let (next, watermark) = (prepared.next(&records), prepared.watermark(&records));
        let epoch = Epoch { changes, offsets: vec![(place, next)], watermark, outbox };
        let environment = &self.environment;
        let progress = environment.state.commit(&self.id, self.held.fence, epoch).await?;
        (self.held.poisoned, self.held.late) = totals;
        self.held.topic = self.topic;
        let events = records.len() as u64;
        self.metrics.events.increment(events);
        self.metrics.poisoned.increment(poisoned);
        self.metrics.late.increment(late);
        let (poisoned, late) = totals;
        self.status.commit(Committed { epoch: progress.epoch, next, watermark, events, poisoned, late });
        self.advanced.send_modify(|count| *count += 1);
        dead_letter::publish(&*environment.log, &self.id, progress.epoch, &progress.outbox).await?;
        Ok(())
    }
}
