//! Schemas of topics: by contract, or as their first events showed.
//!
//! Invariants: columns once inferred are kept with the state, so that a view does not change because its topic
//! has other first events by now; a topic that was deleted and created again is another topic. Events that show no columns hold up the views that read them, and no others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use factum_eventlog::AdminError;
use factum_state::{Changes, Epoch, TableId, TaskId};
use factum_types::{Offset, Record, TopicId, TopicName, TopicPartition};
use tracing::debug;

use super::Effective;
use crate::definitions::{Definitions, EventDefinition, Place, Problem};
use crate::error::ApplyError;
use crate::operator::NOTES_OWNER;
use crate::schema::{EventSchema, SchemaError};
use crate::task::Environment;

/// Records that columns are inferred from.
const SAMPLES: usize = 1_000;
const SAMPLE_BYTES: usize = 1 << 20;
const TABLE: TableId = 0;

/// The columns of every topic that has some.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    pub(super) known: BTreeMap<TopicName, EventSchema>,
    /// Topics without a contract whose events do not show the columns yet, and what would.
    pub(super) awaited: BTreeMap<TopicName, String>,
    /// Contracts that give no columns.
    pub(super) problems: Vec<Problem>,
}

/// Finds the columns of every topic.
pub(super) async fn find(
    environment: &Environment,
    definitions: &Definitions,
) -> Result<Schemas, ApplyError> {
    let mut schemas = Schemas::default();
    for definition in &definitions.events {
        let topic = definition.topic.clone();
        let Some(contract) = &definition.schema else {
            let found = match kept(environment, definition).await? {
                Some(schema) => Ok(schema),
                None => inferred(environment, definition).await?,
            };
            match found {
                Ok(schema) => drop(schemas.known.insert(topic, schema)),
                Err(awaited) => drop(schemas.awaited.insert(topic, awaited)),
            }
            continue;
        };
        match EventSchema::from_contract(definition, contract) {
            Ok(schema) => drop(schemas.known.insert(topic, schema)),
            Err(error) => schemas.problems.push(Problem {
                place: Place::Contract(topic),
                text: "".into(),
                span: 0..0,
                message: error.to_string(),
                help: None,
            }),
        }
    }
    Ok(schemas)
}

/// Topics looked at for their first events, so that nothing is tried again where nothing has moved.
#[derive(Default)]
pub(super) struct SchemaSearch {
    /// Beginning and end of each partition.
    seen: HashMap<TopicName, Vec<(Offset, Offset)>>,
    /// These definitions do not fit the columns that came.
    given_up: Option<Arc<Effective>>,
}

impl SchemaSearch {
    /// Whether a topic that is waited for shows its columns by now.
    pub(super) async fn for_columns(
        &mut self,
        environment: &Environment,
        effective: &Arc<Effective>,
    ) -> bool {
        if self.given_up.as_ref().is_some_and(|given_up| Arc::ptr_eq(given_up, effective)) {
            return false;
        }
        self.given_up = None;
        let awaited = |event: &&EventDefinition| effective.awaited.contains_key(&event.topic);
        for definition in effective.definitions.events.iter().filter(awaited) {
            let Ok(topic) = environment.log.topic(&definition.topic).await else { continue };
            let bounds = topic.partitions.iter().map(|at| (at.log_start, at.high_watermark));
            let bounds: Vec<_> = bounds.collect();
            if self.seen.get(&definition.topic) == Some(&bounds) {
                continue;
            }
            match inferred(environment, definition).await {
                Ok(Ok(_)) => return true,
                Ok(Err(_)) => drop(self.seen.insert(definition.topic.clone(), bounds)),
                Err(error) => debug!(topic = %definition.topic, %error, "first events cannot be read now"),
            }
        }
        false
    }

    /// Nothing is tried until other definitions are in effect.
    pub(super) fn give_up(&mut self, effective: Arc<Effective>) {
        self.given_up = Some(effective);
    }

    /// Everything is looked at again.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }
}

fn task(definition: &EventDefinition) -> TaskId {
    TaskId::new(NOTES_OWNER, format!("columns of {}", definition.topic), 0)
}

/// Another time column makes other columns.
fn key(definition: &EventDefinition) -> &[u8] {
    definition.time.as_deref().unwrap_or_default().as_bytes()
}

/// Under which the id of the topic is kept whose columns are: no field's name begins so.
fn id_key(definition: &EventDefinition) -> Vec<u8> {
    [b"\0id:", key(definition)].concat()
}

/// The id of the topic as it is; none while there is no topic.
async fn topic_id(environment: &Environment, topic: &TopicName) -> Result<Option<TopicId>, ApplyError> {
    match environment.log.topic(topic).await {
        Ok(topic) => Ok(Some(topic.id)),
        Err(AdminError::UnknownTopic { .. } | AdminError::UnusableTopic { .. }) => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}

async fn kept(
    environment: &Environment,
    definition: &EventDefinition,
) -> Result<Option<EventSchema>, ApplyError> {
    let keys = [key(definition), &id_key(definition)];
    let found = environment.state.get_many(&task(definition), TABLE, &keys).await.map_err(unavailable)?;
    let kept_id = found.get(1).and_then(|bytes| bytes.try_into().ok()).map(TopicId::from_bytes);
    let id = topic_id(environment, &definition.topic).await?;
    if kept_id.is_some() && id.is_some() && kept_id != id {
        return Ok(None);
    }
    Ok(found.get(0).and_then(|bytes| decode(&definition.topic, bytes)))
}

async fn keep(
    environment: &Environment,
    definition: &EventDefinition,
    schema: &EventSchema,
) -> Result<(), ApplyError> {
    let task = task(definition);
    let held = environment.state.take_over(&task).await.map_err(unavailable)?;
    let mut changes = Changes::new();
    changes.put(TABLE, key(definition), &encode(schema));
    match topic_id(environment, &definition.topic).await? {
        Some(id) => changes.put(TABLE, &id_key(definition), id.as_bytes()),
        None => changes.delete(TABLE, &id_key(definition)),
    }
    let epoch = Epoch { changes, ..Epoch::default() };
    environment.state.commit(&task, held.fence, epoch).await.map_err(unavailable)?;
    Ok(())
}

/// The columns that the first events show, or what would show them.
async fn inferred(
    environment: &Environment,
    definition: &EventDefinition,
) -> Result<Result<EventSchema, String>, ApplyError> {
    let topic = &definition.topic;
    if let Err(error @ AdminError::UnusableTopic { .. }) = environment.log.topic(topic).await {
        return Ok(Err(format!("the columns of {topic}: {error}")));
    }
    let samples = samples(environment, topic).await?;
    if samples.is_empty() {
        return Ok(Err(format!("the first event of {topic}")));
    }
    match EventSchema::infer(definition, &samples) {
        Ok(schema) => {
            keep(environment, definition, &schema).await?;
            Ok(Ok(schema))
        }
        Err(SchemaError::NoTime { field, nearest, .. }) => {
            let nearest = nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
            Ok(Err(format!(
                "the field {field} in one of the first {SAMPLES} events of {topic}: its manifest names it as the \
                event time{nearest}"
            )))
        }
        Err(error) => Ok(Err(format!("events that show columns: {error}"))),
    }
}

async fn samples(environment: &Environment, topic: &TopicName) -> Result<Vec<Record>, ApplyError> {
    let bounds = match environment.log.topic(topic).await {
        Ok(topic) => topic.partitions,
        Err(AdminError::UnknownTopic { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(unavailable(error)),
    };
    let mut samples = Vec::new();
    let share = SAMPLES.div_ceil(bounds.len().max(1));
    for bounds in bounds {
        let place = TopicPartition::new(topic.clone(), bounds.partition);
        let (mut next, until) = (bounds.log_start, samples.len() + share);
        while samples.len() < until && next < bounds.high_watermark {
            let chunk = environment.log.read(&place, next, SAMPLE_BYTES, Duration::ZERO).await;
            let chunk = chunk.map_err(unavailable)?;
            if chunk.next <= next {
                break;
            }
            next = chunk.next;
            samples.extend(chunk.records);
        }
        samples.truncate(until);
    }
    Ok(samples)
}

fn encode(schema: &EventSchema) -> Vec<u8> {
    let mut bytes = u32::try_from(schema.time).expect("few columns").to_le_bytes().to_vec();
    let written = StreamWriter::try_new(&mut bytes, &schema.schema).and_then(|mut writer| writer.finish());
    written.expect("memory takes any schema");
    bytes
}

fn decode(topic: &TopicName, bytes: &[u8]) -> Option<EventSchema> {
    let (time, schema) = bytes.split_first_chunk()?;
    let time = u32::from_le_bytes(*time) as usize;
    let schema = StreamReader::try_new(schema, None).ok()?.schema();
    (time < schema.fields().len()).then(|| EventSchema { topic: topic.clone(), schema, time })
}

fn unavailable(error: impl std::fmt::Display) -> ApplyError {
    ApplyError::Unavailable { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_back_as_they_were_kept() {
        let definition = EventDefinition {
            topic: TopicName::new("store.orders").expect("valid"),
            schema: None,
            time: None,
            lateness: Duration::ZERO,
        };
        let schema = EventSchema::infer(&definition, &[]).expect("envelope columns");
        assert_eq!(decode(&definition.topic, &encode(&schema)), Some(schema));
    }
}
