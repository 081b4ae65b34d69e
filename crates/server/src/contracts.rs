//! Contracts of the events that a project declares, for the broker to hold every record to.
//!
//! A record of an event in Avro or Protobuf that has a contract was written with a schema of the topic's subject, and can be read
//! with it. A record of an event has a key if the event's manifest names the field that is the key, and a value that is one JSON
//! document with each member named once if its format is JSON. A tombstone has no value and breaks no rule of it.
//!
//! Not here: the event's JSON Schema.

use std::sync::Arc;

use factum_base::steps::Steps;
use factum_broker::{Contract, ProducedRecord, RecordValidator, Violation};
use factum_governance::{Catalogue, EventDefinition, Format};
use factum_registry::{FramedValue, Registry};
use factum_types::{TopicName, event};

use crate::effects::schemas::subject_of;

/// The contracts of what a catalogue says is applied.
pub(crate) struct Contracts {
    catalogue: Catalogue,
    registry: Registry,
}

impl Contracts {
    pub(crate) fn new(catalogue: Catalogue, registry: Registry) -> Self {
        Self { catalogue, registry }
    }
}

impl RecordValidator for Contracts {
    fn contract(&self, topic: &TopicName) -> Option<Arc<dyn Contract>> {
        let event = self.catalogue.event(topic)?;
        Some(Arc::new(EventContract { event, registry: self.registry.clone() }))
    }
}

struct EventContract {
    event: Arc<EventDefinition>,
    registry: Registry,
}

impl Contract for EventContract {
    fn check(&self, record: ProducedRecord<'_>, steps: &mut Steps) -> Result<(), Violation> {
        let topic = &self.event.topic;
        if let (Some(field), None) = (&self.event.key, record.key) {
            let reason =
                format!("it has no key; the key of topic {topic} is the field {field} of its events");
            return Err(Violation { reason });
        }
        let Some(value) = record.value else { return Ok(()) };
        match self.event.format {
            Format::Json => {
                steps.take(value.len() / 16);
                self.check_json(value)
            }
            Format::Avro | Format::Protobuf if self.event.contract.is_some() => {
                self.check_encoded(value, record.schema_header, steps)
            }
            Format::Avro | Format::Protobuf => Ok(()),
        }
    }
}

impl EventContract {
    fn check_json(&self, value: &[u8]) -> Result<(), Violation> {
        let checked = event::check_document(value).and_then(|()| event::check_unique_members(value));
        checked.map_err(|error| Violation {
            reason: format!(
                "its value is not JSON, which the events of topic {} are: {error}",
                self.event.topic
            ),
        })
    }

    /// That the value names a schema of the topic's subject, and is of it.
    fn check_encoded(&self, value: &[u8], header: Option<&[u8]>, steps: &mut Steps) -> Result<(), Violation> {
        let (topic, format) = (&self.event.topic, self.event.format.as_str());
        let refused = |reason: String| Err(Violation { reason });
        let Some(framed) = FramedValue::read(value, header) else {
            return refused(format!(
                "its value names no schema: events of topic {topic} are {format}, written as Confluent's serialisers do"
            ));
        };
        let Some(subject) = subject_of(topic.as_str()) else { return Ok(()) };
        if !self.registry.has_schema(&subject, framed.schema) {
            return refused(format!(
                "its value was written with a schema that subject {subject} does not have"
            ));
        }
        match self.registry.judge(value, header, steps) {
            Some(Err(error)) => refused(format!("its value is not of its schema: {error}")),
            Some(Ok(version)) if version.schema().schema_type.as_str().to_lowercase() != format => {
                refused(format!(
                    "its schema is {}, and events of topic {topic} are {format}",
                    version.schema().schema_type
                ))
            }
            Some(Ok(_)) | None => Ok(()),
        }
    }
}
