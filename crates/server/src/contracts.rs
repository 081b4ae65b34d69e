//! Contracts of the events that a project declares, for the broker to hold every record to.
//!
//! A record of an event has a key if the event's manifest names the field that is the key, and a value that is one JSON
//! document with each member named once if its format is JSON. A tombstone has no value and breaks no rule of it.
//!
//! Not here: the event's JSON Schema.

use std::sync::Arc;

use factum_broker::{Contract, ProducedRecord, RecordValidator, Violation};
use factum_governance::{Catalogue, EventDefinition, Format};
use factum_types::{TopicName, event};

/// The contracts of what a catalogue says is applied.
pub(crate) struct Contracts(Catalogue);

impl Contracts {
    pub(crate) fn new(catalogue: Catalogue) -> Self {
        Self(catalogue)
    }
}

impl RecordValidator for Contracts {
    fn contract(&self, topic: &TopicName) -> Option<Arc<dyn Contract>> {
        let definition = self.0.event(topic)?;
        Some(Arc::new(EventContract(definition)))
    }
}

struct EventContract(Arc<EventDefinition>);

impl Contract for EventContract {
    fn check(&self, record: ProducedRecord<'_>) -> Result<(), Violation> {
        let topic = &self.0.topic;
        if let (Some(field), None) = (&self.0.key, record.key) {
            let reason =
                format!("it has no key; the key of topic {topic} is the field {field} of its events");
            return Err(Violation { reason });
        }
        let Some(value) = record.value.filter(|_| self.0.format == Format::Json) else { return Ok(()) };
        let checked = event::check_document(value).and_then(|()| event::check_unique_members(value));
        checked.map_err(|error| Violation {
            reason: format!("its value is not JSON, which the events of topic {topic} are: {error}"),
        })
    }
}
