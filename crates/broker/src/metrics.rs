//! The broker's metrics. No name of a metric appears anywhere else.
//!
//! Topics are labels, so their number is bounded: the first [`LABELLED_TOPICS`] names seen have a label of their
//! own, all others share `(other)`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use factum_log::CompactionResult;
use factum_types::TopicName;
use factum_types::record::TransactionOutcome;
use metrics::{
    Counter, Gauge, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use parking_lot::Mutex;

/// Most topics with a label of their own.
const LABELLED_TOPICS: usize = 100;

/// Describes each metric.
pub(crate) fn describe() {
    describe_counter!("factum_produce_bytes_total", "Bytes of record batches appended");
    describe_counter!("factum_produce_batches_total", "Record batches appended");
    describe_counter!("factum_produce_records_total", "Records appended");
    describe_counter!("factum_fetch_bytes_total", "Bytes of record batches handed to readers");
    describe_counter!("factum_retention_bytes_total", "Bytes dropped because their retention was over");
    describe_counter!("factum_compactions_total", "Compactions of partitions, by outcome");
    describe_counter!("factum_compaction_read_bytes_total", "Bytes that compaction read, keys and segments");
    describe_counter!("factum_compaction_written_bytes_total", "Bytes of the segments that compaction wrote");
    describe_counter!("factum_compaction_removed_records_total", "Records that compaction removed");
    describe_counter!(
        "factum_compaction_unreadable_batches_total",
        "Batches that compaction kept because their records cannot be read"
    );
    describe_histogram!("factum_compaction_seconds", "Time that a compaction of a partition took");
    describe_gauge!(
        "factum_compaction_dirty_ratio_max",
        "Part of the dirtiest compacted partition that is dirty"
    );
    describe_gauge!(
        "factum_compaction_failing",
        "Partitions whose last compaction failed, and which are tried again"
    );
    describe_histogram!("factum_topic_change_seconds", "Time that creating or deleting a topic took");
    describe_gauge!("factum_topics", "Topics");
    describe_gauge!("factum_partitions", "Open partitions");
    describe_gauge!("factum_partitions_read_only", "Partitions that take no writes, being damaged or failed");
    describe_gauge!(
        "factum_partitions_retrying",
        "Partitions to which the disk refused an append or a sync, and which are tried again"
    );
    describe_gauge!(
        "factum_clock_jump_seconds",
        "How far the clock jumped, while nothing is deleted by its age for that; else 0"
    );
    describe_gauge!(
        "factum_group_memory_bytes",
        "Memory of consumer groups: what members bring, assignments and committed offsets"
    );
    describe_counter!(
        "factum_consumer_group_rebalances_total",
        "New epochs of groups of the consumer protocol: members or their topics changed"
    );
    describe_counter!(
        "factum_consumer_group_expired_members_total",
        "Members of the consumer protocol that were silent, or kept partitions for too long"
    );
    describe_counter!("factum_transactions_begun_total", "Transactions begun by producers");
    describe_counter!(
        "factum_transactions_ended_total",
        "Transactions whose markers are on disk, by outcome"
    );
    describe_counter!("factum_transactions_timed_out_total", "Open transactions aborted at their time-out");
    describe_histogram!(
        "factum_transaction_end_seconds",
        "Time from the decision of a transaction until its markers were on disk"
    );
    describe_counter!("factum_log_syncs_total", "Syncs of partitions to disk, each for all that waited");
    describe_gauge!("factum_log_syncs_waiting", "Partitions that wait to be synced");
    describe_gauge!("factum_log_bytes", "Bytes of all partitions on disk");
    describe_gauge!(
        "factum_unsynced_records_max",
        "Most records that one partition has appended but not synced"
    );
}

/// Seconds by which the wall clock is ahead of the expected time while it is not believed; 0 while it is.
pub(crate) fn observe_doubted_clock(seconds: f64) {
    gauge!("factum_clock_jump_seconds").set(seconds);
}

/// The memory of all consumer groups, looked up once: it changes with each member that comes or goes.
pub(crate) fn group_memory() -> Gauge {
    gauge!("factum_group_memory_bytes")
}

pub(crate) fn observe_consumer_group_rebalance() {
    counter!("factum_consumer_group_rebalances_total").increment(1);
}

pub(crate) fn observe_expired_consumers(members: u64) {
    counter!("factum_consumer_group_expired_members_total").increment(members);
}

pub(crate) fn observe_transaction_begun() {
    counter!("factum_transactions_begun_total").increment(1);
}

pub(crate) fn observe_transaction_timeout() {
    counter!("factum_transactions_timed_out_total").increment(1);
}

pub(crate) fn observe_transaction_end(outcome: TransactionOutcome, took: Duration) {
    let outcome = match outcome {
        TransactionOutcome::Commit => "commit",
        TransactionOutcome::Abort => "abort",
    };
    counter!("factum_transactions_ended_total", "outcome" => outcome).increment(1);
    histogram!("factum_transaction_end_seconds").record(took.as_secs_f64());
}

/// Which topics have a label of their own.
#[derive(Clone, Default)]
pub(crate) struct TopicLabels(Arc<Mutex<BTreeSet<TopicName>>>);

impl TopicLabels {
    fn of(&self, topic: &TopicName) -> String {
        let mut labelled = self.0.lock();
        if labelled.len() < LABELLED_TOPICS {
            labelled.insert(topic.clone());
        }
        if labelled.contains(topic) { topic.to_string() } else { "(other)".to_owned() }
    }
}

/// One topic's metrics, looked up once so that the hot path only adds.
#[derive(Clone)]
pub(crate) struct TopicMetrics {
    produced_bytes: Counter,
    produced_batches: Counter,
    produced_records: Counter,
    fetched_bytes: Counter,
}

impl TopicMetrics {
    pub(crate) fn new(topic: &TopicName, labels: &TopicLabels) -> Self {
        let topic = labels.of(topic);
        Self {
            produced_bytes: counter!("factum_produce_bytes_total", "topic" => topic.clone()),
            produced_batches: counter!("factum_produce_batches_total", "topic" => topic.clone()),
            produced_records: counter!("factum_produce_records_total", "topic" => topic.clone()),
            fetched_bytes: counter!("factum_fetch_bytes_total", "topic" => topic),
        }
    }

    pub(crate) fn observe_append(&self, bytes: usize, records: i32) {
        self.produced_bytes.increment(bytes as u64);
        self.produced_batches.increment(1);
        self.produced_records.increment(u64::try_from(records).unwrap_or(0));
    }

    pub(crate) fn observe_fetch(&self, bytes: usize) {
        self.fetched_bytes.increment(bytes as u64);
    }
}

/// The state of all partitions at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) topics: usize,
    pub(crate) partitions: usize,
    pub(crate) read_only: usize,
    pub(crate) retrying: usize,
    pub(crate) bytes: u64,
    pub(crate) unsynced_records_max: i64,
}

/// Syncs since the start, and logs that wait for one.
pub(crate) fn observe_syncs(begun: u64, waiting: usize) {
    counter!("factum_log_syncs_total").absolute(begun);
    gauge!("factum_log_syncs_waiting").set(waiting as f64);
}

pub(crate) fn observe_census(census: Census) {
    gauge!("factum_topics").set(census.topics as f64);
    gauge!("factum_partitions").set(census.partitions as f64);
    gauge!("factum_partitions_read_only").set(census.read_only as f64);
    gauge!("factum_partitions_retrying").set(census.retrying as f64);
    gauge!("factum_log_bytes").set(census.bytes as f64);
    gauge!("factum_unsynced_records_max").set(census.unsynced_records_max as f64);
}

pub(crate) fn observe_retention(bytes: u64) {
    counter!("factum_retention_bytes_total").increment(bytes);
}

pub(crate) fn observe_compacted_bytes(bytes: u64) {
    counter!("factum_compaction_read_bytes_total").increment(bytes);
}

pub(crate) fn observe_compaction(result: &CompactionResult, took: Duration) {
    counter!("factum_compactions_total", "outcome" => "done").increment(1);
    counter!("factum_compaction_written_bytes_total").increment(result.bytes_after);
    counter!("factum_compaction_removed_records_total").increment(result.removed_records);
    counter!("factum_compaction_unreadable_batches_total").increment(result.unreadable_batches);
    histogram!("factum_compaction_seconds").record(took);
}

pub(crate) fn observe_failed_compaction() {
    counter!("factum_compactions_total", "outcome" => "failed").increment(1);
}

/// How dirty the dirtiest partition is, in millionths, and how many fail.
pub(crate) fn observe_dirtiest_partition(millionths: u32, failing: usize) {
    gauge!("factum_compaction_dirty_ratio_max").set(f64::from(millionths) / 1e6);
    gauge!("factum_compaction_failing").set(failing as f64);
}

pub(crate) fn observe_topic_change(operation: &'static str, took: Duration) {
    histogram!("factum_topic_change_seconds", "operation" => operation).record(took);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_labels_is_bounded() {
        let labels = TopicLabels::default();
        let name = |n: usize| TopicName::new(format!("topic-{n}")).expect("valid");
        let given: BTreeSet<_> = (0..1_000).map(|n| labels.of(&name(n))).collect();
        assert_eq!(given.len(), LABELLED_TOPICS + 1);
        assert_eq!(labels.of(&name(7)), "topic-7");
        assert_eq!(labels.of(&name(700)), "(other)");
    }
}
