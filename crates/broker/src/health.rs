//! Whether the embedded log can do its work.

use crate::catalogue::Catalogue;
use crate::partition::Partition;
use crate::topic::OFFSETS_TOPIC;

/// More problems than these are counted, not listed.
const LISTED_PROBLEMS: usize = 20;

/// How the embedded log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether groups can commit and at least one topic, if there is any, takes records.
    pub writable: bool,
    /// What is wrong, a sentence each; empty when all is well. A damaged partition is named here while the others
    /// go on.
    pub problems: Vec<String>,
}

/// `others` are the problems of what is no topic.
pub(crate) fn health(catalogue: &Catalogue, others: impl IntoIterator<Item = String>) -> Health {
    let topics = catalogue.topics();
    let partitions: Vec<_> = topics.iter().flat_map(|topic| topic.partitions()).collect();
    let (writable, stuck): (Vec<_>, Vec<_>) = partitions
        .into_iter()
        .partition(|partition| partition.bounds().is_writable && !partition.is_missing());
    let mut problems: Vec<_> =
        stuck.iter().take(LISTED_PROBLEMS).map(|partition| problem(partition)).collect();
    if stuck.len() > LISTED_PROBLEMS {
        problems.push(format!("{} more partitions take no records", stuck.len() - LISTED_PROBLEMS));
    }
    let unusable = catalogue.unusable().iter().filter(|entry| entry.is_topic).take(LISTED_PROBLEMS);
    problems
        .extend(unusable.map(|entry| format!("topic {} cannot be used: {}", entry.directory, entry.reason)));
    problems.extend(others);
    if catalogue.is_closed() {
        problems.push("the broker is stopping".to_owned());
    }
    let is_offsets = |topic: &str| topic == OFFSETS_TOPIC;
    let groups = writable.iter().any(|p| is_offsets(p.topic_partition().topic.as_str()));
    let others =
        topics.len() == 1 || writable.iter().any(|p| !is_offsets(p.topic_partition().topic.as_str()));
    Health { writable: groups && others && !catalogue.is_closed(), problems }
}

fn problem(partition: &Partition) -> String {
    let (name, log) = (partition.topic_partition(), partition.log());
    if partition.is_missing() {
        return format!(
            "partition {name} takes no records: its directory was removed; restore it and restart"
        );
    }
    match (log.quarantine(), log.failure()) {
        (Some(damage), _) => format!("partition {name} takes no records: {damage}"),
        (None, Some(failure)) => format!("partition {name} takes no records: {failure}"),
        (None, None) => format!("partition {name} takes no records: it is closed"),
    }
}
