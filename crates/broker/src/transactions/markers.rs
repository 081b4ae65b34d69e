//! The writer of markers: to the logs of partitions, and to the groups' coordinator for offsets.
//!
//! Invariant: a marker is appended at once, in the order of the calls; it is on disk once its future resolves.

use std::sync::Arc;

use factum_base::clock::SharedClock;
use factum_log::{AppendError, EndTransaction, ProducerInfo};
use factum_types::TopicPartition;
use futures::future::BoxFuture;

use crate::Partition;
use crate::catalogue::Catalogue;
use crate::coordinator::Coordinator;
use crate::journal::LogError;
use crate::topic;

/// A marker that is appended: resolves once it is on disk.
pub(crate) type Marker = BoxFuture<'static, Result<(), LogError>>;

/// Appends markers.
pub(crate) struct Markers {
    catalogue: Arc<Catalogue>,
    groups: Coordinator,
    clock: SharedClock,
}

impl Markers {
    pub(crate) fn new(catalogue: Arc<Catalogue>, groups: Coordinator, clock: SharedClock) -> Self {
        Self { catalogue, groups, clock }
    }

    /// The coordinator of groups.
    pub(crate) fn groups(&self) -> &Coordinator {
        &self.groups
    }

    /// The partition, if there is one.
    pub(crate) fn partition(&self, partition: &TopicPartition) -> Option<Arc<Partition>> {
        let topic = self.catalogue.topic(partition.topic.as_str())?;
        topic.partition(partition.partition).cloned()
    }

    /// Appends the marker of a transaction to a partition; `None` if the partition is gone, with all that it had.
    ///
    /// # Errors
    /// [`LogError`]; [`LogError::is_fenced`] where the transaction was ended there before.
    pub(crate) fn append(
        &self,
        partition: &TopicPartition,
        end: &EndTransaction,
    ) -> Result<Option<Marker>, LogError> {
        if topic::is_offsets_topic(&partition.topic) {
            let groups = self.groups.clone();
            let last = groups.end_transaction(end)?;
            return Ok(Some(Box::pin(async move { groups.durable(Some(last)).await })));
        }
        let Some(partition) = self.partition(partition) else { return Ok(None) };
        let appended = match partition.log().end_transaction(end, self.clock.now()) {
            Err(AppendError::Closed) if self.partition(partition.topic_partition()).is_none() => {
                return Ok(None);
            }
            appended => appended.map_err(LogError::new)?,
        };
        let durable = partition.durable(appended.last_offset);
        Ok(Some(Box::pin(async move { durable.await.map_err(LogError::new) })))
    }

    /// What the partition's log remembers of the producer, if there is such a partition and it does.
    pub(crate) fn producer(&self, partition: &TopicPartition, id: i64) -> Option<ProducerInfo> {
        let producers = self.partition(partition)?.log().producers();
        producers.into_iter().find(|producer| producer.id == id)
    }

    /// The transactions that logs hold open.
    pub(crate) fn open_transactions(&self) -> Vec<(TopicPartition, ProducerInfo)> {
        let topics = self.catalogue.topics();
        let partitions = topics.iter().flat_map(|topic| topic.partitions());
        let open = partitions.flat_map(|partition| {
            let producers = partition.log().producers().into_iter();
            let open = producers.filter(|producer| producer.open_since.is_some());
            open.map(|producer| (partition.topic_partition().clone(), producer))
        });
        open.collect()
    }
}
