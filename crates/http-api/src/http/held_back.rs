//! Partitions that open transactions hold back, as routes show them.

use factum_api::transactions::HeldPartitionView;
use factum_eventlog::HeldPartition;

/// As it is shown.
pub(crate) fn shown(held: &HeldPartition) -> HeldPartitionView {
    HeldPartitionView {
        topic: held.partition.topic.to_string(),
        partition: held.partition.partition,
        start_offset: held.first.get().into(),
        records: held.records.into(),
        producer_id: held.producer_id.into(),
        transactional_id: held.id.as_ref().map(ToString::to_string),
        since: held.since.map(|since| since.to_string()),
    }
}
