//! Topics that definitions declare: how they are configured, and what differs.

use factum_eventlog::{Topic, TopicConfig};

use super::change::FieldChange;
use crate::kind::DeclaredTopic;
use crate::topic_settings::TopicSettings;

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
    declared.settings.over(before.map(|before| before.settings), now)
}

/// How a topic's configuration differs from what it should be: someone changed it by another door.
pub(super) fn drift(now: &TopicConfig, desired: &TopicConfig) -> Vec<FieldChange> {
    let settings = TopicSettings::side_by_side(now, desired).into_iter();
    let differing = settings.filter(|(_, from, to)| from != to);
    differing.map(|(name, from, to)| FieldChange { name: name.to_owned(), from, to }).collect()
}
