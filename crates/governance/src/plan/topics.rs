//! Topics that definitions declare: how they are configured, and what differs.

use factum_eventlog::{Topic, TopicConfig};
use factum_types::ByteSize;

use super::change::FieldChange;
use crate::human;
use crate::kind::DeclaredTopic;

/// Records in a topic, counting those that retention dropped in the middle of a partition as there.
pub(super) fn records(topic: &Topic) -> i64 {
    topic.partitions.iter().map(|bounds| bounds.high_watermark.since(bounds.log_start)).sum()
}

/// The configuration of a topic that is to be made.
pub(super) fn new_config(declared: &DeclaredTopic<'_>) -> TopicConfig {
    desired_config(declared, None, &TopicConfig::default())
}

/// What is declared; what is not stays as it is, unless it was declared the last time.
pub(super) fn desired_config(
    declared: &DeclaredTopic<'_>,
    before: Option<&DeclaredTopic<'_>>,
    now: &TopicConfig,
) -> TopicConfig {
    fn choose<T: Copy>(said: Option<T>, said_before: Option<T>, now: Option<T>) -> Option<T> {
        said.or(if said_before.is_some() { None } else { now })
    }
    let was = |field: fn(&DeclaredTopic<'_>) -> Option<ByteSize>| before.and_then(field);
    TopicConfig {
        retention: choose(declared.retention, before.and_then(|before| before.retention), now.retention),
        retention_bytes: choose(
            declared.retention_bytes,
            was(|declared| declared.retention_bytes),
            now.retention_bytes,
        ),
        max_message_bytes: choose(
            declared.max_message_bytes,
            was(|declared| declared.max_message_bytes),
            now.max_message_bytes,
        ),
        ..now.clone()
    }
}

/// How a topic's configuration differs from what it should be: someone changed it by another door.
pub(super) fn drift(now: &TopicConfig, desired: &TopicConfig) -> Vec<FieldChange> {
    let size = |size: Option<ByteSize>| size.map(|size| size.to_string());
    let retention = |config: &TopicConfig| config.retention.map(human::retention);
    [
        ("retention", retention(now), retention(desired)),
        ("retention_bytes", size(now.retention_bytes), size(desired.retention_bytes)),
        ("max_message_bytes", size(now.max_message_bytes), size(desired.max_message_bytes)),
    ]
    .into_iter()
    .filter(|(_, from, to)| from != to)
    .map(|(name, from, to)| FieldChange { name: name.to_owned(), from, to })
    .collect()
}
