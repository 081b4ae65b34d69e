//! Dead letters: where poison events and unreadable ranges go, and how the outbox reaches the log.
//!
//! Invariants: a letter is committed with the epoch that met the event, and published after it. A crash
//! between the two publishes it again with the same `factum-task`, `factum-epoch` and `factum-index`, by which a
//! reader knows a letter seen before. A letter that cannot be written now is handed back; it stops nothing.

use bytes::Bytes;
use factum_eventlog::{AdminError, EventLog, NewRecord, NewTopic, ProduceError, TopicConfig, Unreadable};
use factum_state::{Outgoing, TaskId};
use factum_types::{Header, Record, TopicName, TopicPartition};
use serde_json::json;
use tracing::{error, warn};

use crate::definitions::RelationName;

/// Most bytes of letters produced at once; below the smallest batch that a topic is likely to take.
const BATCH_BYTES: usize = 256 << 10;

/// Why the event is here, in words.
const REASON: &str = "factum-reason";
/// Where it came from: topic/partition/offset.
const SOURCE: &str = "factum-source";
/// The last offset of a range that cannot be read, in the same form.
const SOURCE_END: &str = "factum-source-end";
const TASK: &str = "factum-task";
const EPOCH: &str = "factum-epoch";
const INDEX: &str = "factum-index";

/// The topic that a view's poison events go to.
///
/// # Panics
/// Never: what a topic may not hold is replaced.
pub(crate) fn topic(view: &RelationName) -> TopicName {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = view.to_string().chars().map(allowed).take(230).collect();
    TopicName::new(format!("{name}.dead-letter")).expect("of allowed characters and length")
}

/// An event with its reason.
pub(crate) fn letter(to: &TopicName, from: &TopicPartition, record: &Record, reason: &str) -> Outgoing {
    let original = record.headers.iter();
    let mut headers: Vec<_> =
        original.map(|header| (header.key.clone(), header.value.clone().unwrap_or_default())).collect();
    headers.push((REASON.to_owned(), Bytes::copy_from_slice(reason.as_bytes())));
    headers.push((SOURCE.to_owned(), Bytes::from(format!("{from}/{}", record.offset))));
    Outgoing { topic: to.to_string(), key: record.key.clone(), value: record.value.clone(), headers }
}

/// The letter of a range that cannot be read: there are no bytes to show, so it says where they would be.
pub(crate) fn unreadable(to: &TopicName, from: &TopicPartition, range: &Unreadable) -> Outgoing {
    let last = range.next.get() - 1;
    let value = json!({
        "topic": from.topic.as_str(),
        "partition": from.partition,
        "from": range.from.get(),
        "to": last,
        "reason": range.reason,
    });
    let header = |name: &str, value: String| (name.to_owned(), Bytes::from(value));
    Outgoing {
        topic: to.to_string(),
        key: None,
        value: Some(Bytes::from(value.to_string())),
        headers: vec![
            header(REASON, in_words(from, range)),
            header(SOURCE, format!("{from}/{}", range.from)),
            header(SOURCE_END, format!("{from}/{last}")),
        ],
    }
}

/// What is wrong with a range, for people.
pub(crate) fn in_words(place: &TopicPartition, range: &Unreadable) -> String {
    let last = range.next.get() - 1;
    match range.from.get() == last {
        true => format!("offset {last} of {place} cannot be read: {}", range.reason),
        false => format!("offsets {} to {last} of {place} cannot be read: {}", range.from, range.reason),
    }
}

/// What became of letters.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// Letters that cannot be written now, tagged, in their order.
    pub(crate) waiting: Vec<Outgoing>,
    /// How many their topic will never take; the events themselves are still in their own topic.
    pub(crate) refused: u64,
    /// Why some wait.
    pub(crate) problem: Option<String>,
}

/// Publishes what epoch `epoch` had to say.
pub(crate) async fn publish(
    log: &dyn EventLog,
    task: &TaskId,
    epoch: u64,
    outbox: Vec<Outgoing>,
) -> Delivery {
    let mut delivery = Delivery::default();
    let tagged = outbox.into_iter().enumerate().map(|(index, letter)| tag(letter, task, epoch, index));
    let mut letters: Vec<_> = tagged.collect();
    while !letters.is_empty() {
        let (topic, mut bytes) = (letters[0].topic.clone(), 0);
        let fits = |letter: &&Outgoing| {
            let is_first = bytes == 0;
            bytes += letter.value.as_ref().map_or(0, Bytes::len) + 1;
            letter.topic == topic && (is_first || bytes < BATCH_BYTES)
        };
        let count = letters.iter().take_while(fits).count();
        let done = match TopicName::new(topic.as_str()) {
            Ok(topic) => produce(log, &topic, &letters[..count]).await,
            Err(error) => {
                error!(%error, topic, "a letter has no possible topic");
                Ok(count as u64)
            }
        };
        match done {
            Ok(refused) => delivery.refused += refused,
            Err(error) => {
                warn!(%task, %error, letters = letters.len(), "dead letters wait");
                (delivery.problem, delivery.waiting) = (Some(error.to_string()), letters);
                return delivery;
            }
        }
        letters.drain(..count);
    }
    delivery
}

/// The letter with what tells it from every other; one that waited keeps what it was first given.
fn tag(mut letter: Outgoing, task: &TaskId, epoch: u64, index: usize) -> Outgoing {
    if letter.headers.last().is_none_or(|(name, _)| name != INDEX) {
        let tags = [(TASK, task.to_string()), (EPOCH, epoch.to_string()), (INDEX, index.to_string())];
        letter.headers.extend(tags.map(|(name, value)| (name.to_owned(), Bytes::from(value))));
    }
    letter
}

fn record(letter: &Outgoing) -> NewRecord {
    let headers = letter.headers.iter();
    let headers = headers.map(|(name, value)| Header::new(name.clone(), value.clone())).collect();
    NewRecord { key: letter.key.clone(), value: letter.value.clone(), headers, ..NewRecord::default() }
}

/// Produces `letters`, one by one where they are refused together; how many were refused.
///
/// # Errors
/// Where trying again may help; some of them may have been written.
async fn produce(log: &dyn EventLog, topic: &TopicName, letters: &[Outgoing]) -> Result<u64, ProduceError> {
    match produce_once(log, topic, letters.iter().map(record).collect()).await {
        Err(error) if !error.is_transient() && letters.len() == 1 => {
            error!(%error, %topic, "a letter was refused");
            return Ok(1);
        }
        Err(error) if !error.is_transient() => {}
        done => return done.map(|()| 0),
    }
    let mut refused = 0;
    for letter in letters {
        match produce_once(log, topic, vec![record(letter)]).await {
            Err(error) if !error.is_transient() => {
                error!(%error, %topic, "a letter was refused");
                refused += 1;
            }
            done => done?,
        }
    }
    Ok(refused)
}

/// Produces `records`, making the topic if it is missing.
async fn produce_once(
    log: &dyn EventLog,
    topic: &TopicName,
    records: Vec<NewRecord>,
) -> Result<(), ProduceError> {
    match log.produce(topic, records.clone()).await {
        Err(ProduceError::UnknownTopic { .. }) => {
            let new = NewTopic { name: topic.clone(), partitions: Some(1), config: TopicConfig::default() };
            match log.create_topic(new).await {
                Ok(_) | Err(AdminError::TopicExists { .. }) => {}
                Err(error) => {
                    return Err(ProduceError::Unavailable {
                        topic: topic.clone(),
                        reason: error.to_string(),
                    });
                }
            }
            log.produce(topic, records).await.map(drop)
        }
        done => done.map(drop),
    }
}
