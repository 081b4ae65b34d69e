//! When a pipeline's windows close, and which of them its readers see.
//!
//! Invariants: windows that readers have seen as closed hold all that they ever will; they stay closed over restarts and
//! rebuilds, see [`crate::closings`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use factum_eventlog::PartitionBounds;
use factum_types::{Offset, PartitionId, TopicId};

use super::Pipeline;
use crate::closings::{Closings, WindowKind};
use crate::error::ReadError;
use crate::task::{EventTime, TaskStatus};

/// How long a reader waits for tasks to hold their state, and for a closing to be written.
const PATIENCE: Duration = Duration::from_secs(5);

impl Pipeline {
    pub(crate) fn closes_windows(&self) -> bool {
        self.cut().closing.is_some()
    }

    /// What the times of events mean to its tasks.
    pub(super) fn event_time(&self) -> Option<EventTime> {
        let cut = self.cut();
        let lateness = i64::try_from(self.plan.lateness(self.cut).as_micros()).unwrap_or(i64::MAX);
        let closing = cut.closing.as_ref().map(|closing| WindowKind {
            topic: self.schema.topic.clone(),
            time: self.schema.schema.field(closing.time).name().as_str().into(),
            size: closing.size,
            lateness,
        });
        let time = cut.closing.as_ref().map_or(self.schema.time, |closing| closing.time);
        let column = cut.projection.iter().position(|column| *column == time)?;
        Some(EventTime { column, lateness, closing })
    }

    /// Windows that end here or before are closed, and hold all that they ever will, in microseconds. `None` for views
    /// whose windows do not close, or before any is.
    pub(crate) fn closed_until(&self) -> Option<i64> {
        let statuses = self.partitions.read();
        closings(&statuses)?.complete_to(|partition| next(&statuses, partition))
    }

    /// Why its windows cannot be closed now.
    pub(crate) fn closing_problem(&self) -> Option<String> {
        closings(&self.partitions.read())?.problem()
    }

    /// Closes the windows that are over, for a reader: waits until it is known which were closed before, and until what
    /// this closes is on the log.
    ///
    /// # Errors
    /// [`ReadError::Waiting`], if the tasks do not hold their state for some time.
    pub(crate) async fn close_windows(&self) -> Result<(), ReadError> {
        if !self.closes_windows() {
            return Ok(());
        }
        let is_known = |_: &u64| {
            let statuses = self.partitions.read();
            statuses.is_empty() || closings(&statuses).is_some()
        };
        let mut advanced = self.subscribe();
        if tokio::time::timeout(PATIENCE, advanced.wait_for(is_known)).await.is_err() {
            let trouble = self.statuses().into_iter().find_map(|(_, status)| status.trouble());
            let reason =
                trouble.unwrap_or_else(|| "its state, which tells what windows are closed".to_owned());
            return Err(ReadError::Waiting { view: self.plan.name.clone(), reason });
        }
        self.begin_closing();
        let closings = closings(&self.partitions.read());
        if let Some(closings) = closings {
            // What cannot be written in time stays open for this reader.
            tokio::time::timeout(PATIENCE, closings.written()).await.ok();
        }
        Ok(())
    }

    /// Begins to close the windows that are over. It is finished even if the reader goes meanwhile.
    pub(super) fn begin_closing(&self) {
        if self.hindrance().is_some() {
            // Where the partitions end now, which a closing names, cannot be told.
            return;
        }
        let environment = &self.environment;
        let (now, pause) = (environment.clock.monotonic(), environment.options.close_windows);
        let closings = {
            let statuses = self.partitions.read();
            let (Some(closings), Some(watermark)) = (closings(&statuses), self.watermark(&statuses)) else {
                return;
            };
            if !closings.begin(watermark, |partition| next(&statuses, partition), now, pause) {
                return;
            }
            closings
        };
        let (environment, advanced) = (Arc::clone(environment), Arc::clone(&self.advanced));
        environment.tasks.clone().spawn_quiet(async move {
            closings.write(&environment.tasks.stop(), environment.options.retry).await;
            advanced.send_modify(|count| *count += 1);
        });
    }

    /// The least watermark of the partitions that are not idle, or the greatest of all if every one is; never later than
    /// the clock, because events with the present time may still come.
    fn watermark(&self, statuses: &BTreeMap<PartitionId, Arc<TaskStatus>>) -> Option<i64> {
        let now = self.environment.clock.monotonic();
        let is_idle = |status: &&Arc<TaskStatus>| {
            let since = status.arrived().map(|at| now.saturating_duration_since(at));
            status.lag() == 0 && since.is_none_or(|since| since >= self.environment.options.idle_partition)
        };
        let active =
            statuses.values().filter(|status| !is_idle(status)).map(|status| status.watermark()).min();
        let reached =
            active.unwrap_or_else(|| statuses.values().filter_map(|status| status.watermark()).max());
        let clock = self.environment.clock.now().as_millis().saturating_mul(1_000);
        reached.map(|reached| reached.min(clock))
    }

    /// The closings of a topic that no task reads now, for those who read its state.
    pub(super) async fn closings_of(&self, topic: TopicId, status: &TaskStatus) -> Option<Arc<Closings>> {
        let kind = self.event_time()?.closing?;
        match self.environment.closings.find(&kind, topic).await {
            Ok(closings) => Some(closings),
            Err(error) => {
                status.stuck(error.to_string());
                None
            }
        }
    }

    /// Gives up closings that matter to no event that the topic still holds.
    pub(super) fn expire_closings(&self, partitions: &[PartitionBounds]) {
        if let Some(closings) = closings(&self.partitions.read()) {
            let starts = partitions.iter().map(|bounds| (bounds.partition, bounds.log_start));
            closings.expire(starts.collect());
        }
    }
}

/// The closings that all tasks go by. None before they hold their state, and while some read another topic of the same
/// name than others.
fn closings(statuses: &BTreeMap<PartitionId, Arc<TaskStatus>>) -> Option<Arc<Closings>> {
    let mut all = statuses.values().map(|status| status.closings());
    let first = all.next()??;
    all.all(|other| other.is_some_and(|other| Arc::ptr_eq(&first, &other))).then_some(first)
}

/// What a partition is read on from; where no task reads it yet, its beginning.
fn next(statuses: &BTreeMap<PartitionId, Arc<TaskStatus>>, partition: PartitionId) -> Offset {
    statuses.get(&partition).map_or(Offset::ZERO, |status| Offset::new(status.next()))
}
