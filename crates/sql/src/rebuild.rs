//! A changed definition is built beside the one that is served, and takes its place once it has caught up.
//!
//! Invariants: the new version is served when it has taken in everything that the log held when it was
//! declared, and so have the views that it stands on. Until then the old one answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use factum_eventlog::AdminError;
use factum_types::{PartitionId, TopicName};

use crate::changes::any_moved;
use crate::pipeline::Pipeline;
use crate::task::Environment;
use crate::view::Version;

/// A version that is being built.
#[derive(Clone)]
pub(crate) struct Building {
    pub(crate) version: Arc<Version>,
    targets: Arc<Vec<Target>>,
}

/// Where the log of a pipeline's topic began and ended when it was declared, by partition.
type Target = BTreeMap<PartitionId, (i64, i64)>;

impl Building {
    /// `version`, with the log as it is now as its goal.
    pub(crate) async fn new(environment: &Environment, version: Arc<Version>) -> Result<Self, AdminError> {
        let mut targets = Vec::new();
        for pipeline in version.all_pipelines() {
            targets.push(target(environment, pipeline.topic()).await?);
        }
        Ok(Self { version, targets: Arc::new(targets) })
    }

    /// Events taken in, of those that there were.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let (mut done, mut total) = (0, 0);
        for (pipeline, target) in self.version.all_pipelines().into_iter().zip(&*self.targets) {
            let statuses: BTreeMap<_, _> = pipeline.statuses().into_iter().collect();
            for (partition, (start, end)) in target {
                let next = statuses.get(partition).filter(|status| status.is_resumed());
                let next = next.map_or(*start, |status| status.next());
                done += u64::try_from(next.min(*end) - start).unwrap_or(0);
                total += u64::try_from(end - start).unwrap_or(0);
            }
        }
        (done, total)
    }

    /// Whether it may be served.
    pub(crate) fn has_caught_up(&self) -> bool {
        let (done, total) = self.progress();
        let is_resumed =
            |pipeline: &&Arc<Pipeline>| pipeline.statuses().iter().all(|(_, status)| status.is_resumed());
        done == total && self.version.all_pipelines().iter().all(is_resumed)
    }

    /// Resolves once it may be served; looks whenever an epoch is committed, and at least `every` so often,
    /// since the end of a log may hold no event.
    pub(crate) async fn caught_up(&self, every: Duration) {
        let mut inputs = self.version.inputs();
        while !self.has_caught_up() {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = any_moved(&mut inputs) => {}
            }
        }
    }
}

async fn target(environment: &Environment, topic: &TopicName) -> Result<Target, AdminError> {
    match environment.log.topic(topic).await {
        Ok(topic) => {
            let bounds = topic.partitions.iter();
            let bounds =
                bounds.map(|each| (each.partition, (each.log_start.get(), each.high_watermark.get())));
            Ok(bounds.collect())
        }
        Err(AdminError::UnknownTopic { .. } | AdminError::UnusableTopic { .. }) => Ok(Target::new()),
        Err(error) => Err(error),
    }
}
