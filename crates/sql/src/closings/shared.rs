//! The closings of one kind of windows while the server runs, shared by every task that goes by them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use factum_base::tasks::Stop;
use factum_types::{Offset, PartitionId, TopicId};
use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::{debug, warn};

use super::{Bounds, ClosingHistory, ClosingTopic, ClosingTopicError, WindowKind};
use crate::metrics;

/// See the module.
pub(crate) struct Closings {
    kind: WindowKind,
    id: TopicId,
    topic: Arc<ClosingTopic>,
    /// What could not be read of those before.
    unreadable: u64,
    state: Mutex<State>,
    /// Rises whenever a closing that was begun is written, given up or hindered.
    written: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    history: ClosingHistory,
    /// The tasks that go by them: the partition of each and the offset that it reads next.
    tasks: Vec<(PartitionId, Weak<AtomicI64>)>,
    /// Up to where windows are to be closed, while that is being written.
    pending: Option<i64>,
    /// When the last one was begun.
    begun: Option<Instant>,
    /// Why one cannot be written.
    problem: Option<String>,
}

impl Closings {
    /// Those that the log holds.
    ///
    /// # Errors
    /// [`ClosingTopicError`].
    pub(super) async fn read(
        topic: Arc<ClosingTopic>,
        kind: WindowKind,
        id: TopicId,
    ) -> Result<Self, ClosingTopicError> {
        let found = topic.read(&kind.key(id)).await?;
        if found.unreadable > 0 {
            warn!(topic = %kind.topic, records = found.unreadable, "closings of windows cannot be read");
        }
        let state = Mutex::new(State { history: found.history, ..State::default() });
        Ok(Self { kind, id, topic, unreadable: found.unreadable, state, written: watch::Sender::new(0) })
    }

    /// What could not be read, in words.
    pub(crate) fn unreadable(&self) -> Option<String> {
        (self.unreadable > 0).then(|| {
            format!(
                "{} records of {} cannot be read: windows that they closed are closed again, and events between count",
                self.unreadable,
                super::topic::TOPIC
            )
        })
    }

    /// A task of a partition, which reads `next`, goes by them from now on.
    pub(crate) fn join(&self, partition: PartitionId, next: &Arc<AtomicI64>) {
        let task = (partition, Arc::downgrade(next));
        let mut state = self.state.lock();
        state.tasks.retain(|(_, known)| known.strong_count() > 0 && !known.ptr_eq(&task.1));
        state.tasks.push(task);
    }

    /// What is closed for the events of a partition from `from` on and before `end`, which the log holds by now. Waits
    /// while a closing is being written; `None` once a stop is requested.
    pub(crate) async fn admit(
        &self,
        partition: PartitionId,
        from: Offset,
        end: Offset,
        stop: &Stop,
    ) -> Option<Bounds> {
        let mut written = self.written.subscribe();
        loop {
            {
                let state = self.state.lock();
                if state.pending.is_none() {
                    return Some(state.history.bounds(partition, from, end));
                }
            }
            tokio::select! {
                () = stop.requested() => return None,
                _ = written.changed() => {}
            }
        }
    }

    /// Up to where windows are closed and hold all that they ever will, for a view that has read each partition to
    /// `next`.
    pub(crate) fn complete_to(&self, next: impl Fn(PartitionId) -> Offset) -> Option<i64> {
        self.state.lock().history.complete_to(next)
    }

    /// Why windows cannot be closed now.
    pub(crate) fn problem(&self) -> Option<String> {
        self.state.lock().problem.clone()
    }

    /// Gives up what only matters to events before `starts` that the topic does not hold any more, and to no task.
    pub(crate) fn expire(&self, mut starts: BTreeMap<PartitionId, Offset>) {
        let mut state = self.state.lock();
        for (partition, next) in &state.tasks {
            if let (Some(next), Some(start)) = (next.upgrade(), starts.get_mut(partition)) {
                *start = (*start).min(Offset::new(next.load(Ordering::Relaxed)));
            }
        }
        state.history.expire(|partition| starts.get(&partition).copied().unwrap_or(Offset::ZERO));
    }

    /// Begins to close the windows that end at `time` or before, if any of them is still open; no more often than once
    /// in `pause`, and not while the one who asks, who has read each partition to `next`, is behind the last closing.
    /// The caller that begins it must [`Closings::write`] it.
    pub(crate) fn begin(
        &self,
        time: i64,
        next: impl Fn(PartitionId) -> Offset,
        now: Instant,
        pause: Duration,
    ) -> bool {
        let closed_to = self.kind.last_end(time);
        let mut state = self.state.lock();
        let is_known =
            state.history.last().is_some_and(|last| closed_to <= last.closed_to || !last.is_reached(next));
        let is_early = state.begun.is_some_and(|begun| now.saturating_duration_since(begun) < pause);
        if state.pending.is_some() || is_known || is_early {
            return false;
        }
        (state.pending, state.begun) = (Some(closed_to), Some(now));
        true
    }

    /// Writes the closing that was begun. One that the log has not taken is given up; one of which it is not known is
    /// written again every `retry` until it is, because nothing may go on without it.
    pub(crate) async fn write(&self, stop: &Stop, retry: Duration) {
        let Some(closed_to) = self.state.lock().pending else { return };
        let offsets = match self.topic.ends(&self.kind.topic).await {
            Ok((id, ends)) if id == self.id => ends,
            // Another topic of the same name: its windows are others.
            Ok(_) => return self.give_up(None),
            Err(error) => return self.give_up(Some(&error)),
        };
        let mut is_in_doubt = false;
        loop {
            match self.topic.append(&self.kind.key(self.id), closed_to, offsets.clone()).await {
                Ok(closing) => {
                    debug!(topic = %self.kind.topic, closed_to, "windows are closed");
                    metrics::closed_windows(&self.kind.topic);
                    let mut state = self.state.lock();
                    state.history.push(closing);
                    (state.pending, state.problem) = (None, None);
                    break;
                }
                Err(error) => {
                    is_in_doubt |= error.may_have_written();
                    if !is_in_doubt {
                        return self.give_up(Some(&error));
                    }
                    self.is_hindered(&error);
                }
            }
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(retry) => {}
            }
        }
        self.written.send_modify(|count| *count += 1);
    }

    /// Waits until nothing is being written, or it is known that this takes longer.
    pub(crate) async fn written(&self) {
        let mut written = self.written.subscribe();
        let is_writing = || {
            let state = self.state.lock();
            state.pending.is_some() && state.problem.is_none()
        };
        while is_writing() {
            if written.changed().await.is_err() {
                return;
            }
        }
    }

    /// Nothing was written: the windows stay open until they are closed another time.
    fn give_up(&self, error: Option<&ClosingTopicError>) {
        if let Some(error) = error {
            self.is_hindered(error);
        }
        self.state.lock().pending = None;
        self.written.send_modify(|count| *count += 1);
    }

    fn is_hindered(&self, error: &ClosingTopicError) {
        let problem = error.to_string();
        let before = self.state.lock().problem.replace(problem.clone());
        if before.as_ref() != Some(&problem) {
            warn!(topic = %self.kind.topic, problem, "windows cannot be closed; it is tried again");
        }
        self.written.send_modify(|count| *count += 1);
    }
}
