//! A task: one cut of a view over one partition of its topic.
//!
//! ```text
//!   take over ─► resume ─► ┌─ read, decode ─► compute ─► commit ─► publish the outbox ─┐
//!       ▲                  └──────────────────── the next epoch ◄──────────────────────┘
//!       └── anything that fails: rest, begin again from what was committed
//! ```
//!
//! Invariants:
//! - Rows, offset, watermark, counts and letters of an epoch are one commit: each event counts once.
//! - A dead letter is in its topic or in the outbox of the newest epoch, or it is counted as lost.
//! - An event that cannot be decoded or computed, and a range that cannot be read, becomes a dead letter and is
//!   counted; it never stops the view, and neither does a letter that cannot be written.
//! - A task that was taken over by another stops.
//! - However long an event takes to compute, no thread that serves clients is held meanwhile (`computing`).

mod computing;
mod counts;
mod evaluate;
mod intake;
mod prepared;
mod rejected;
mod status;
mod writer;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_base::tasks::{Stop, TaskGroup};
use factum_eventlog::{self as eventlog, EventLog};
use factum_state::{self as state, StateStore};
use factum_types::{Offset, TopicId};
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::closings::{ClosingRegistry, ClosingTopicError, Closings};
use crate::decode::spelling::SpellingLog;
use crate::engine::Options;
use crate::operator::Operator;
pub(crate) use computing::ComputeTurns;
pub(crate) use counts::Counts;
use evaluate::Evaluation;
pub(crate) use intake::{EventTime, Intake};
use prepared::PreparedEpoch;
pub use rejected::RejectedEvents;
pub(crate) use status::TaskStatus;
pub(crate) use writer::{Writer, committed, history};

/// The first rest after a failure; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_millis(50);

/// What every task works with.
pub(crate) struct Environment {
    pub(crate) options: Options,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) closings: ClosingRegistry,
    pub(crate) spellings: SpellingLog,
    pub(crate) clock: SharedClock,
    pub(crate) computing: ComputeTurns,
    pub(crate) tasks: TaskGroup,
}

/// One cut over one partition.
pub(crate) struct Task {
    pub(crate) intake: Intake,
    pub(crate) operator: Operator,
    pub(crate) writer: Writer,
}

/// Why a task could not go on.
#[derive(Debug, thiserror::Error)]
enum TaskError {
    #[error(transparent)]
    Topic(#[from] eventlog::AdminError),
    #[error(transparent)]
    Log(#[from] eventlog::ReadError),
    #[error(transparent)]
    State(#[from] state::ReadError),
    #[error(transparent)]
    Commit(#[from] state::CommitError),
    #[error(transparent)]
    Closings(#[from] ClosingTopicError),
}

impl Task {
    /// Works until the stop, or until another takes over.
    pub(crate) async fn run(mut self, stop: Stop) {
        let mut rest = FIRST_REST;
        loop {
            let before = self.writer.status.epoch();
            let Err(error) = self.work(&stop).await else { return self.writer.settle().await };
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
            self.writer.show_committed(self.intake.place()).await;
            if self.writer.status.epoch() != before {
                rest = FIRST_REST;
            }
            self.writer.send_letters().await;
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
                None => match self.next(stop).await? {
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

    /// The next epoch; meanwhile letters that wait are sent again.
    async fn next(&mut self, stop: &Stop) -> Result<Option<PreparedEpoch>, TaskError> {
        let Self { intake, writer, .. } = self;
        let is_read = Notify::new();
        let read = async {
            let next = intake.next(stop).await;
            is_read.notify_one();
            next
        };
        let (next, ()) = tokio::join!(read, writer.send_letters_until(&is_read));
        Ok(next?)
    }

    async fn resume(&mut self) -> Result<(), TaskError> {
        let place = self.intake.place().clone();
        let topic = self.writer.environment.log.topic(&place.topic).await?.id;
        self.writer.reads(topic);
        let closings = self.find_closings(topic).await?;
        let progress = self.writer.take_over(topic).await?;
        let offsets = progress.offsets.iter();
        let next = offsets.filter(|(source, _)| *source == place).map(|(_, next)| *next).next();
        // What a lost state had read is asked for from the first event on, so that what has expired is told and counted.
        let next = next.or_else(|| self.writer.has_lost_state().then_some(Offset::ZERO));
        let next = self.intake.resume(topic, next, progress.watermark).await?;
        let log = &self.writer.environment.log;
        let first = next.max(log.offset_of(&place, eventlog::Position::Earliest).await?);
        self.intake.go_by(closings.clone());
        self.writer.resumed(&progress, (place.partition, next), first, closings);
        Ok(())
    }

    /// The closings of the windows of the topic that is read, where they close.
    async fn find_closings(&self, topic: TopicId) -> Result<Option<Arc<Closings>>, TaskError> {
        let Some(kind) = self.intake.closing() else { return Ok(None) };
        let closings = self.writer.environment.closings.find(kind, topic).await?;
        if let Some(problem) = closings.unreadable() {
            self.writer.status.note(problem);
        }
        Ok(Some(closings))
    }

    /// Commits an epoch, or several where it cannot be computed in one, while the next is read.
    async fn take_in(
        &mut self,
        prepared: &PreparedEpoch,
        stop: &Stop,
    ) -> Result<Option<PreparedEpoch>, TaskError> {
        let Self { intake, operator, writer } = self;
        let environment = Arc::clone(&writer.environment);
        let started = environment.clock.monotonic();
        let id = writer.id.clone();
        let evaluation = Evaluation { operator, state: &*environment.state, task: &id, prepared };
        let mut ranges = Vec::from([Range { start: 0, end: prepared.records.len() }]);
        while let Some(range) = ranges.pop() {
            let evaluated = environment.computing.run(evaluation.evaluate(&range)).await?;
            let Some(evaluated) = evaluated else {
                let middle = range.start + range.len() / 2;
                ranges.push(middle..range.end);
                ranges.push(range.start..middle);
                continue;
            };
            let place = intake.place().clone();
            if !ranges.is_empty() {
                writer.commit(prepared, range, evaluated, place).await?;
                continue;
            }
            let is_read = Notify::new();
            let commit = async {
                writer.commit(prepared, range, evaluated, place).await?;
                let took = environment.clock.monotonic().duration_since(started);
                writer.metrics.epoch.record(took);
                writer.send_letters_until(&is_read).await;
                Ok(())
            };
            let read = async {
                let next = intake.next(stop).await;
                is_read.notify_one();
                Ok::<_, TaskError>(next?)
            };
            let ((), following) = tokio::try_join!(commit, read)?;
            return Ok(following);
        }
        Ok(None)
    }
}
