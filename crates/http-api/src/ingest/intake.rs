//! Makes records of events: fills in what may be left out, checks the rest, finds the key.

use std::sync::Arc;

use bytes::Bytes;
use factum_base::random::Random;
use factum_eventlog::NewRecord;
use factum_governance::EventDefinition;
use factum_types::{Event, Timestamp, TopicName};

use super::key::{self, KeyError};
use crate::problem::Problem;
use crate::state::Api;

/// What is the same for every event of one request.
pub(super) struct Intake<'a> {
    topic: &'a TopicName,
    definition: Option<Arc<EventDefinition>>,
    /// The field that the request itself names.
    key: Option<String>,
    random: &'a Random,
    now: Timestamp,
    max_events: usize,
}

impl<'a> Intake<'a> {
    pub(super) fn new(api: &'a Api, topic: &'a TopicName, key: Option<String>) -> Self {
        Self {
            topic,
            definition: api.state.catalogue.event(topic),
            key,
            random: &api.state.random,
            now: api.state.clock.now(),
            max_events: api.options.max_batch_events,
        }
    }

    /// The most events that one request may bring.
    pub(super) fn max_events(&self) -> usize {
        self.max_events
    }

    /// Takes an event that is complete but for its time.
    pub(super) fn take(&self, mut event: Event) -> Result<NewRecord, Problem> {
        event.validate()?;
        let key = self.key_of(&event)?;
        self.set_time(&mut event);
        Ok(record(event, key))
    }

    /// Takes a document whose attributes may all be left out: `type` and `source` come from the manifest of the
    /// topic's event; without one they name the topic.
    pub(super) fn wrap(&self, mut event: Event) -> Result<NewRecord, Problem> {
        if event.id.is_empty() {
            event.id = self.random.uuid_v7(self.now).to_string();
        }
        let definition = self.definition.as_deref();
        if event.kind.is_empty() {
            event.kind = definition.map_or_else(|| self.topic.to_string(), |known| known.event_type.clone());
        }
        if event.source.is_empty() {
            event.source =
                definition.map_or_else(|| format!("/topics/{}", self.topic), |known| known.source.clone());
        }
        event.validate()?;
        let key = match self.key_field() {
            Some(_) => self.key_of(&event)?,
            None => {
                self.check_json(&event)?;
                explicit_key(&event)
            }
        };
        self.set_time(&mut event);
        Ok(record(event, key))
    }

    /// Refuses data that says that it is JSON and is not.
    pub(super) fn check_json(&self, event: &Event) -> Result<(), Problem> {
        match json_data(event) {
            Some(data) => Ok(key::check_json(data)?),
            None => Ok(()),
        }
    }

    fn key_field(&self) -> Option<&str> {
        self.key.as_deref().or_else(|| self.definition.as_deref()?.key.as_deref())
    }

    /// The extension `partitionkey`, else the field that the request or the manifest names, where the data is JSON.
    fn key_of(&self, event: &Event) -> Result<Option<Bytes>, Problem> {
        if let Some(key) = explicit_key(event) {
            self.check_json(event)?;
            return Ok(Some(key));
        }
        let (Some(field), Some(data)) = (self.key_field(), json_data(event)) else { return Ok(None) };
        match key::find(data, field) {
            Ok(key) => Ok(Some(key)),
            Err(KeyError::Json(error)) => Err(error.into()),
            Err(error) => {
                let detail = format!("the key of topic {} is the field {field}: {error}", self.topic);
                Err(Problem::refused(detail).with("field", field))
            }
        }
    }

    fn set_time(&self, event: &mut Event) {
        let now = || jiff::Timestamp::from_millisecond(self.now.as_millis()).unwrap_or_default();
        event.time.get_or_insert_with(now);
    }
}

/// The data, if it says that it is JSON.
fn json_data(event: &Event) -> Option<&Bytes> {
    let is_json = event.data_content_type.as_deref().is_some_and(factum_types::event::is_json);
    event.data.as_ref().filter(|_| is_json)
}

fn explicit_key(event: &Event) -> Option<Bytes> {
    event.partition_key().map(|key| Bytes::copy_from_slice(key.as_bytes()))
}

/// The record keeps the time of its append: retention and search by time then hold for what was written when.
fn record(event: Event, key: Option<Bytes>) -> NewRecord {
    let (_, value, headers) = event.into_kafka();
    NewRecord { partition: None, key, value, headers, timestamp: None }
}
