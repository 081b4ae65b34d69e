//! Further partitions of a topic.
//!
//! ```text
//!   empty logs on disk, and open ─► topic.json with the new count ─► the index
//! ```
//!
//! Invariant: a crash leaves the count from before or the new one, and every partition that `topic.json` counts has its
//! log. A log that it does not count is left from an attempt that failed; no record was ever in it.

use std::sync::Arc;

use factum_log::PartitionLog;
use factum_types::TopicName;
use tracing::{info, warn};

use super::{Catalogue, opening};
use crate::error::{CreatePartitionsError, StorageError};
use crate::topic::{self, Topic, TopicFile};

impl Catalogue {
    /// Gives a topic partitions until it has `wanted` of them: on disk and open when this returns. Blocks.
    ///
    /// After an error the topic has the partitions that it had, or after a restart the new ones, if the disk does not say
    /// which.
    pub(crate) fn create_partitions(
        &self,
        name: &TopicName,
        wanted: i32,
    ) -> Result<Arc<Topic>, CreatePartitionsError> {
        let _change = self.change.lock();
        let topic = self.validate_partitions(name, wanted)?;
        let failed = |error: StorageError| match error.is_out_of_open_files() {
            true => CreatePartitionsError::OutOfOpenFiles { topic: name.clone(), source: error },
            false => error.into(),
        };
        let (had, config) = (topic.partition_count(), topic.config());
        let before = TopicFile::new(name.clone(), topic.id(), had, &config);
        self.store.add_logs(topic.directory(), &before, wanted).map_err(failed)?;
        let logs = self.open_new_logs(&topic, had..wanted).map_err(failed)?;
        let after = TopicFile::new(name.clone(), topic.id(), wanted, &config);
        if let Err(error) = self.store.rewrite(topic.directory(), &after) {
            close(&logs);
            return Err(failed(error));
        }
        let metrics = topic.partitions()[0].metrics();
        let grown = logs.into_iter().zip(had..).map(|(log, number)| {
            self.partition(name, topic.id(), number, log, topic.limits(), metrics.clone())
        });
        let grown = Arc::new(topic.with_partitions(grown));
        let mut index = self.index.write();
        index.remove(name);
        index.insert(Arc::clone(&grown));
        drop(index);
        info!(topic = %name, from = had, to = wanted, "created partitions");
        Ok(grown)
    }

    /// Checks whether a topic could have `wanted` partitions now, and gives it as it is.
    pub(crate) fn validate_partitions(
        &self,
        name: &TopicName,
        wanted: i32,
    ) -> Result<Arc<Topic>, CreatePartitionsError> {
        if self.is_closed() {
            return Err(CreatePartitionsError::Stopping);
        }
        if topic::is_journal(name) {
            return Err(CreatePartitionsError::Internal { topic: name.clone() });
        }
        let unknown = || CreatePartitionsError::Unknown { topic: name.clone() };
        let topic = self.topic(name.as_str()).ok_or_else(unknown)?;
        if topic.is_missing() {
            return Err(unknown());
        }
        let (has, limit) = (topic.partition_count(), self.max_topic_partitions);
        if wanted <= has {
            return Err(CreatePartitionsError::NoIncrease { topic: name.clone(), has, asked: wanted });
        }
        if wanted > limit {
            return Err(CreatePartitionsError::InvalidPartitions { asked: wanted, limit });
        }
        let more = usize::try_from(wanted - has).unwrap_or(usize::MAX);
        let total = self.index.read().partitions().saturating_add(more);
        match total > self.max_partitions {
            true => Err(CreatePartitionsError::TooManyPartitions { total, limit: self.max_partitions }),
            false => Ok(topic),
        }
    }

    /// All of them, or none stays open.
    fn open_new_logs(
        &self,
        topic: &Topic,
        numbers: std::ops::Range<i32>,
    ) -> Result<Vec<PartitionLog>, StorageError> {
        let options = self.defaults.log_options(&topic.config());
        let path = |number| (self.store.partition_path(topic.directory(), number), options);
        let wanted: Vec<_> = numbers.map(path).collect();
        let (mut logs, mut failure) = (Vec::with_capacity(wanted.len()), None);
        for opened in opening::open_logs(&self.environment, &wanted) {
            match opened {
                Ok(log) => logs.push(log),
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            None => Ok(logs),
            Some(error) => {
                close(&logs);
                Err(error.into())
            }
        }
    }
}

/// Closes logs that no one has met.
fn close(logs: &[PartitionLog]) {
    for log in logs {
        if let Err(error) = log.close() {
            warn!(%error, "the log of a partition that was not created was not closed cleanly");
        }
    }
}
