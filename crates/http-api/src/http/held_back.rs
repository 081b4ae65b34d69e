//! Partitions that open transactions hold back, as routes show them.

use factum_api::transactions::HeldPartitionView;
use factum_eventlog::HeldPartition;
use factum_types::Resource;

/// As it is shown to one who may see what `is_visible` says: who holds a partition back may be another's secret.
pub(crate) fn shown(held: &HeldPartition, is_visible: &dyn Fn(Resource<'_>) -> bool) -> HeldPartitionView {
    let visible = held.id.as_ref().filter(|id| is_visible(Resource::TransactionalId(id)));
    HeldPartitionView {
        topic: held.partition.topic.to_string(),
        partition: held.partition.partition,
        start_offset: held.first.get().into(),
        records: held.records.into(),
        producer_id: held.producer_id.into(),
        transactional_id: visible.map(ToString::to_string),
        is_hanging: held.id.is_none(),
        since: held.since.map(|since| since.to_string()),
    }
}
