//! Conformance suite for [`EventLog`] implementations.
//!
//! Each behaviour is a function over the trait; [`run`] calls them all and panics with the name of what it
//! expected. An implementation calls it from its own tests:
//!
//! ```ignore
//! #[tokio::test]
//! async fn conforms() {
//!     conformance::run(async || open_in(&data_dir)).await;
//! }
//! ```
//!
//! Nothing here sleeps to get its way: what takes time is awaited, up to [`PATIENCE`].

mod groups;
mod produce;
mod read;
mod topics;
mod transactions;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_types::{ByteSize, Offset, PartitionId, Record, TopicName, TopicPartition};

use crate::{EventLog, NewRecord, NewTopic, RecordMetadata, TopicConfig};

/// How long anything may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than any read of the suite needs.
const PLENTY: usize = 1 << 20;

type Log = Arc<dyn EventLog>;

/// Shows every behaviour on logs that `make` gives; it may give the same log each time, since no two behaviours use
/// the same topic or group. The log must take topics of 4 partitions and sessions of 6 s.
///
/// # Panics
/// At the first behaviour that the log does not show.
pub async fn run(make: impl AsyncFn() -> Arc<dyn EventLog>) {
    produce::keeps_the_order_within_a_partition(make().await).await;
    produce::keeps_every_field(make().await).await;
    produce::lets_the_key_decide(make().await).await;
    produce::spreads_records_without_a_key(make().await).await;
    produce::acknowledges_what_readers_see(make().await).await;
    produce::takes_many_producers_at_once(make().await).await;
    produce::refuses_an_unknown_partition_whole(make().await).await;
    produce::refuses_what_is_too_large_whole(make().await).await;
    produce::takes_nothing_for_nothing(make().await).await;
    read::begins_in_the_middle_of_a_batch(make().await).await;
    read::goes_on_where_a_limit_cut(make().await).await;
    read::waits_for_the_next_record(make().await).await;
    read::ends_a_wait_in_vain(make().await).await;
    read::waits_without_reading(make().await).await;
    read::names_the_bounds_out_of_range(make().await).await;
    read::finds_offsets_by_position(make().await).await;
    read::knows_no_other_partition(make().await).await;
    topics::are_made_listed_and_described(make().await).await;
    topics::are_made_once(make().await).await;
    topics::have_possible_partitions(make().await).await;
    topics::are_altered(make().await).await;
    topics::are_edited_by_several_at_once(make().await).await;
    topics::are_given_partitions(make().await).await;
    topics::are_deleted_and_made_anew(make().await).await;
    topics::of_the_server_are_out_of_reach(make().await).await;
    transactions::requests_are_stored_whole(make().await).await;
    transactions::a_request_that_is_refused_leaves_nothing(make().await).await;
    transactions::count_over_topics_with_their_offsets(make().await).await;
    transactions::that_are_refused_leave_nothing(make().await).await;
    transactions::belong_to_the_latest_of_a_name(make().await).await;
    transactions::go_on_without_their_caller(make().await).await;
    transactions::of_a_task_say_everything_once(make().await).await;
    transactions::are_waited_for(make().await).await;
    groups::share_partitions_and_take_over(make().await).await;
    groups::resume_after_the_commit(make().await).await;
    groups::deliver_again_what_was_not_committed(make().await).await;
    groups::begin_at_the_end_if_asked(make().await).await;
    groups::refuse_the_commit_of_a_lost_partition(make().await).await;
    groups::are_listed_reset_and_deleted(make().await).await;
    groups::wait_for_their_topic(make().await).await;
}

fn topic_name(name: &str) -> TopicName {
    TopicName::new(format!("conformance.{name}")).expect("a valid topic name")
}

async fn new_topic(log: &Log, name: &str, partitions: i32) -> TopicName {
    let name = topic_name(name);
    let new = NewTopic { name: name.clone(), partitions: Some(partitions), config: TopicConfig::default() };
    log.create_topic(new).await.expect("a new topic");
    name
}

/// A topic of two partitions that takes at most `bytes` at once.
async fn small_topic(log: &Log, name: &str, bytes: u64) -> TopicName {
    let name = topic_name(name);
    let config = TopicConfig { max_message_bytes: Some(ByteSize(bytes)), ..TopicConfig::default() };
    let new = NewTopic { name: name.clone(), partitions: Some(2), config };
    log.create_topic(new).await.expect("a new topic");
    name
}

fn at(topic: &TopicName, partition: PartitionId) -> TopicPartition {
    TopicPartition::new(topic.clone(), partition)
}

fn value(text: &str) -> NewRecord {
    NewRecord { value: Some(Bytes::copy_from_slice(text.as_bytes())), ..NewRecord::default() }
}

fn value_in(partition: PartitionId, text: &str) -> NewRecord {
    NewRecord { partition: Some(partition), ..value(text) }
}

/// Produces values to partition 0, as one batch.
async fn produce_values(log: &Log, topic: &TopicName, values: &[&str]) -> Vec<RecordMetadata> {
    let records = values.iter().map(|text| value_in(0, text)).collect();
    log.produce(topic, records).await.expect("records are taken")
}

/// Everything in a partition from `from` on, read by as many reads as it takes.
async fn read_from(log: &Log, partition: &TopicPartition, from: i64, limit_bytes: usize) -> Vec<Record> {
    let (mut records, mut next) = (Vec::new(), Offset::new(from));
    loop {
        let chunk =
            log.read(partition, next, limit_bytes, Duration::ZERO).await.expect("a readable partition");
        if chunk.next == next {
            return records;
        }
        next = chunk.next;
        records.extend(chunk.records);
    }
}

async fn end_of(log: &Log, partition: &TopicPartition) -> i64 {
    log.offset_of(partition, crate::Position::Latest).await.expect("an end").get()
}

fn texts(records: &[Record]) -> Vec<String> {
    let text = |record: &Record| String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into();
    records.iter().map(text).collect()
}

fn offsets(records: &[Record]) -> Vec<i64> {
    records.iter().map(|record| record.offset.get()).collect()
}
