//! State that no definition needs any more and that the log could not give again: when it was given up.
//!
//! Invariants: such state is kept for [`Options::keep_state`](super::Options), so that a statement that comes back
//! finds it; every other is forgotten at once, since it can be computed again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use factum_state::{Changes, CommitError, Epoch, KeptTask, Progress, ReadError, StateStore, TableId, TaskId};
use factum_types::Timestamp;
use tracing::{info, warn};

use super::{Engine, history};
use crate::operator::{NOTES_OWNER, OWNER};
use crate::pipeline::Pipeline;

const TABLE: TableId = 0;

/// The list of state that is kept, in the state itself.
pub(super) struct KeptState {
    state: Arc<dyn StateStore>,
    task: TaskId,
    writing: tokio::sync::Mutex<()>,
}

/// Why the list could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeptStateError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl KeptState {
    pub(super) fn new(state: Arc<dyn StateStore>) -> Self {
        Self {
            state,
            task: TaskId::new(NOTES_OWNER, "kept-state", 0),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Every pipeline on the list, with the time at which it was given up.
    pub(super) async fn all(&self) -> Result<BTreeMap<String, Timestamp>, ReadError> {
        let mut all = BTreeMap::new();
        let mut visit = |key: &[u8], value: &[u8]| {
            if let (Ok(pipeline), Ok(millis)) = (std::str::from_utf8(key), value.try_into()) {
                all.insert(pipeline.to_owned(), Timestamp::from_millis(i64::from_le_bytes(millis)));
            }
        };
        self.state.scan(&self.task, TABLE, &mut visit).await?;
        Ok(all)
    }

    /// Puts a pipeline on the list, or takes it off.
    async fn set(&self, pipeline: &str, given_up: Option<Timestamp>) -> Result<(), KeptStateError> {
        let _writing = self.writing.lock().await;
        let fence = self.state.take_over(&self.task).await?.fence;
        let mut changes = Changes::new();
        match given_up {
            Some(time) => changes.put(TABLE, pipeline.as_bytes(), &time.as_millis().to_le_bytes()),
            None => changes.delete(TABLE, pipeline.as_bytes()),
        }
        self.state.commit(&self.task, fence, Epoch { changes, ..Epoch::default() }).await?;
        Ok(())
    }
}

impl Engine {
    /// Forgets the state of a pipeline that has ended, or keeps it where the log could not give it again.
    pub(super) async fn give_up_state(&self, pipeline: &Pipeline) {
        let environment = &self.0.environment;
        if environment.tasks.stop().is_requested() {
            // The state may be closed by now; the next start looks after it.
            return;
        }
        let tasks = pipeline.tasks().into_iter().map(|(task, place, next)| {
            (task, Progress { offsets: vec![(place, next)], ..Progress::default() })
        });
        let tasks: Vec<_> = tasks.collect();
        if !history::is_only_copy(environment, &tasks).await {
            return pipeline.forget().await;
        }
        info!(
            pipeline = &**pipeline.id(),
            "state that is not needed any more is kept: the log could not give it again"
        );
        if let Err(error) = self.0.kept_state.set(pipeline.id(), Some(environment.clock.now())).await {
            warn!(pipeline = &**pipeline.id(), %error, "when state was given up cannot be noted");
        }
    }

    /// Looks after the state that no running pipeline has: forgets what the log can give again and what was kept for
    /// long enough.
    pub(super) async fn forget_unneeded(&self) {
        if let Err(error) = self.try_forget_unneeded().await {
            warn!(%error, "state that is not needed any more cannot be looked after now");
        }
    }

    async fn try_forget_unneeded(&self) -> Result<(), KeptStateError> {
        let environment = &self.0.environment;
        let running: HashSet<Arc<str>> = {
            let running = self.0.pipelines.lock();
            running.keys().chain(self.0.retiring.lock().keys()).cloned().collect()
        };
        let kept = self.0.kept_state.all().await?;
        let mut unneeded: HashMap<String, Vec<(TaskId, Progress)>> = HashMap::new();
        for KeptTask { task, progress, .. } in environment.state.tasks(&OWNER).await? {
            if !running.contains(task.name()) {
                unneeded.entry(task.name().to_owned()).or_default().push((task, progress));
            }
        }
        for pipeline in kept.keys().filter(|pipeline| !unneeded.contains_key(*pipeline)) {
            self.0.kept_state.set(pipeline, None).await?;
        }
        let now = environment.clock.now();
        for (pipeline, tasks) in unneeded {
            let is_kept = match kept.get(&pipeline) {
                Some(given_up) => age(*given_up, now) < environment.options.keep_state,
                None => history::is_only_copy(environment, &tasks).await,
            };
            match is_kept {
                true if kept.contains_key(&pipeline) => {}
                true => {
                    info!(
                        pipeline,
                        "state of a definition that is gone is kept: the log could not give it again"
                    );
                    self.0.kept_state.set(&pipeline, Some(now)).await?;
                }
                false => self.forget_tasks(&pipeline, &tasks).await?,
            }
        }
        Ok(())
    }

    async fn forget_tasks(&self, pipeline: &str, tasks: &[(TaskId, Progress)]) -> Result<(), KeptStateError> {
        info!(pipeline, "forgetting state of a definition that is gone");
        for (task, _) in tasks {
            self.0.environment.state.forget(task).await?;
        }
        self.0.kept_state.set(pipeline, None).await
    }
}

fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(now.as_millis() - then.as_millis()).unwrap_or(0))
}
