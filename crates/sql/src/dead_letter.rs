//! Where poison events go, and how the outbox reaches the log.
//!
//! Always holds: a letter is committed with the epoch that met the event, and published after it. A crash
//! between the two publishes it again with the same `factum-task`, `factum-epoch` and `factum-index`, by which a
//! reader knows a letter seen before.

use bytes::Bytes;
use factum_eventlog::{AdminError, EventLog, NewRecord, NewTopic, ProduceError, TopicConfig};
use factum_state::{Outgoing, TaskId};
use factum_types::{Header, Record, TopicName, TopicPartition};
use tracing::error;

use crate::definitions::RelationName;

/// Most bytes of letters produced at once; below the smallest batch that a topic is likely to take.
const BATCH_BYTES: usize = 256 << 10;

/// Why the event is here, in words.
const REASON: &str = "factum-reason";
/// Where it came from: topic/partition/offset.
const SOURCE: &str = "factum-source";
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

/// Publishes what an epoch had to say.
///
/// # Errors
/// Only where trying again may help; a letter that the log refuses is logged and left, since the event itself
/// is still in its topic.
pub(crate) async fn publish(
    log: &dyn EventLog,
    task: &TaskId,
    epoch: u64,
    outbox: &[Outgoing],
) -> Result<(), ProduceError> {
    let mut from = 0;
    while from < outbox.len() {
        let topic = &outbox[from].topic;
        let (mut to, mut bytes) = (from, 0);
        while to < outbox.len() && outbox[to].topic == *topic && (to == from || bytes < BATCH_BYTES) {
            bytes += outbox[to].value.as_ref().map_or(0, Bytes::len);
            to += 1;
        }
        let tagged = outbox[from..to].iter().enumerate();
        let records = tagged.map(|(i, each)| tagged_record(each, task, epoch, from + i)).collect();
        match TopicName::new(topic.as_str()) {
            Ok(topic) => produce(log, &topic, records).await?,
            Err(error) => error!(%error, topic, "a letter has no possible topic"),
        }
        from = to;
    }
    Ok(())
}

fn tagged_record(outgoing: &Outgoing, task: &TaskId, epoch: u64, index: usize) -> NewRecord {
    let headers = outgoing.headers.iter();
    let mut headers: Vec<_> = headers.map(|(name, value)| Header::new(name.clone(), value.clone())).collect();
    headers.push(Header::new(TASK, task.to_string()));
    headers.push(Header::new(EPOCH, epoch.to_string()));
    headers.push(Header::new(INDEX, index.to_string()));
    NewRecord { key: outgoing.key.clone(), value: outgoing.value.clone(), headers, ..NewRecord::default() }
}

/// Produces `records`, one by one where they are refused together.
async fn produce(log: &dyn EventLog, topic: &TopicName, records: Vec<NewRecord>) -> Result<(), ProduceError> {
    let refused = match produce_once(log, topic, records.clone()).await {
        Err(error) if !error.is_transient() => error,
        done => return done,
    };
    if records.len() == 1 {
        error!(error = %refused, %topic, "a letter was refused");
        return Ok(());
    }
    for record in records {
        match produce_once(log, topic, vec![record]).await {
            Err(error) if !error.is_transient() => error!(%error, %topic, "a letter was refused"),
            done => done?,
        }
    }
    Ok(())
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
                    return Err(ProduceError::NotDurable { topic: topic.clone(), reason: error.to_string() });
                }
            }
            log.produce(topic, records).await.map(drop)
        }
        done => done.map(drop),
    }
}
