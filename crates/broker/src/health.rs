//! Health of the embedded log.

use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::in_process::reason;
use crate::partition::Partition;
use crate::topic;

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
    let found: Vec<_> = partitions.iter().filter_map(|partition| problem(partition)).collect();
    let unlisted = found.len().saturating_sub(LISTED_PROBLEMS);
    let mut problems: Vec<_> = found.into_iter().take(LISTED_PROBLEMS).collect();
    if unlisted > 0 {
        problems.push(format!("{unlisted} more partitions have problems"));
    }
    let is_writable =
        |partition: &&&Arc<Partition>| partition.bounds().is_writable && !partition.is_missing();
    let writable: Vec<_> = partitions.iter().filter(is_writable).collect();
    let unusable = catalogue.unusable().into_iter().filter(|entry| entry.is_topic).take(LISTED_PROBLEMS);
    problems
        .extend(unusable.map(|entry| format!("topic {} cannot be used: {}", entry.directory, entry.reason)));
    problems.extend(others);
    if catalogue.is_closed() {
        problems.push("the broker is stopping".to_owned());
    }
    let name = |partition: &&&Arc<Partition>| partition.topic_partition().topic.clone();
    let groups = writable.iter().any(|partition| topic::is_offsets_topic(&name(partition)));
    let is_alone = topics.iter().all(|topic| topic::is_journal(topic.name()));
    let others = is_alone || writable.iter().any(|partition| !topic::is_journal(&name(partition)));
    Health { writable: groups && others && !catalogue.is_closed(), problems }
}

/// What is wrong with a partition, if something is. Troubles end by themselves.
fn problem(partition: &Partition) -> Option<String> {
    let (name, log) = (partition.topic_partition(), partition.log());
    if partition.is_missing() {
        let advice = "its directory was removed; restore it and restart";
        return Some(format!("partition {name} takes no records: {advice}"));
    }
    if let Some(damage) = log.quarantine() {
        return Some(format!("partition {name} takes no records: {damage}; {}", way_back(partition)));
    }
    if let Some(failure) = log.failure() {
        return Some(format!("partition {name} takes no records until a restart: {}", reason(failure)));
    }
    match log.trouble() {
        Some(trouble) => Some(format!("partition {name} is tried again: {}", reason(&trouble))),
        None if partition.bounds().is_writable => None,
        None => Some(format!("partition {name} takes no records: it is closed")),
    }
}

/// What an operator can do about damage.
fn way_back(partition: &Partition) -> String {
    let (name, dir) = (partition.topic_partition(), partition.log().dir());
    // <data>/topics/<topic>/<partition>
    let data_dir = dir.ancestors().nth(3).unwrap_or(dir).display();
    let place = format!("--data-dir {data_dir} --topic {} --partition {}", name.topic, name.partition);
    format!(
        "stop the server, then `factum log verify {place}` tells what is lost and `factum log repair` gives it up"
    )
}
