//! Events on their way to records: filled in, checked, and given their key.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use factum_base::random::Random;
use factum_eventlog::NewRecord;
use factum_governance::{EventDefinition, Format};
use factum_registry::{
    CodecError, Registry, SchemaType, Subject, ValueError, VersionFilter, VersionSelector,
};
use factum_types::{Event, Timestamp, TopicName, event};

use super::key::{self, KeyError};
use crate::Options;
use crate::api::Api;
use crate::http::problem::Problem;

/// What is the same for every event of one request.
pub(super) struct Intake {
    topic: TopicName,
    definition: Option<Arc<EventDefinition>>,
    registry: Option<Registry>,
    /// The field that the request itself names.
    key: Option<String>,
    random: Random,
    now: Timestamp,
    max_events: usize,
}

impl Intake {
    pub(super) fn new(api: &Api, topic: TopicName, key: Option<String>) -> Self {
        Self {
            definition: api.state.catalogue.event(&topic),
            registry: Some(api.state.registry.clone()),
            topic,
            key,
            random: api.state.random.clone(),
            now: api.state.clock.now(),
            max_events: api.options.max_batch_events,
        }
    }

    /// For a topic `store.orders` that no project names, whose key is the field `key`.
    pub(super) fn without_project(random: Random, now: Timestamp) -> Self {
        let topic = TopicName::new("store.orders").expect("a name");
        let max_events = Options::default().max_batch_events;
        Self { topic, definition: None, registry: None, key: Some("key".to_owned()), random, now, max_events }
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
        self.encode(&mut event)?;
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
        self.take(event)
    }

    /// Writes JSON data with the schema of the topic's values, where that is Avro or Protobuf.
    fn encode(&self, event: &mut Event) -> Result<(), Problem> {
        // A project that says JSON means it, whatever is registered under the topic's name.
        if self.definition.as_deref().is_some_and(|known| known.format == Format::Json) {
            return Ok(());
        }
        let (Some(registry), Some(json)) = (&self.registry, json_data(event)) else { return Ok(()) };
        let Ok(subject) = Subject::parse(&format!("{}-value", self.topic)) else { return Ok(()) };
        let latest = registry.version(&subject, VersionSelector::Latest, VersionFilter::Live);
        let media_type = match latest.map(|latest| latest.schema().schema_type) {
            Ok(SchemaType::Avro) => "application/avro",
            Ok(SchemaType::Protobuf) => "application/protobuf",
            Ok(SchemaType::Json) | Err(_) => return Ok(()),
        };
        let Some(encoded) = registry.encode(&subject, json) else { return Ok(()) };
        match encoded {
            Ok(value) => {
                event.data = Some(value.into());
                event.data_content_type = Some(media_type.to_owned());
                Ok(())
            }
            Err(CodecError::Value(ValueError { path, reason })) => {
                let refused = Problem::refused(format_args!(
                    "the data is not of the schema of subject {subject}: {}{reason}",
                    path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default()
                ));
                Err(path.into_iter().fold(refused, |refused, path| refused.with("field", path)))
            }
            Err(error @ CodecError::Schema(_)) => {
                Err(Problem::refused(format_args!("the schema of subject {subject} cannot be read: {error}")))
            }
        }
    }

    fn key_field(&self) -> Option<&str> {
        self.key.as_deref().or_else(|| self.definition.as_deref()?.key.as_deref())
    }

    /// The extension `partitionkey`, else the field that the request or the manifest names. Data that says that it is
    /// JSON is JSON afterwards, and names each member once.
    fn key_of(&self, event: &Event) -> Result<Option<Bytes>, Problem> {
        let (data, explicit) = (json_data(event), explicit_key(event));
        let key = match (explicit, self.key_field(), data) {
            (Some(key), _, data) => {
                data.map(|data| event::check_document(data)).transpose()?;
                Some(key)
            }
            (None, None, data) => {
                data.map(|data| event::check_document(data)).transpose()?;
                None
            }
            (None, Some(field), Some(data)) => match key::find(data, field) {
                Ok(key) => Some(key),
                Err(KeyError::Json(error)) => return Err(error.into()),
                Err(error) => return Err(self.no_key(field, &error)),
            },
            (None, Some(field), None) => {
                let found = match (&event.data, event.data_content_type.as_deref()) {
                    (None, _) => "the event has no data".to_owned(),
                    (Some(_), None) => "the data has no content type".to_owned(),
                    (Some(_), Some(media_type)) => format!("the data is {media_type}"),
                };
                let advice = "send JSON, or give the key as the attribute partitionkey";
                return Err(self.no_key(field, &format_args!("{found}; {advice}")));
            }
        };
        data.map(|data| event::check_unique_members(data)).transpose()?;
        Ok(key)
    }

    fn no_key(&self, field: &str, reason: &dyn fmt::Display) -> Problem {
        let detail = format!("the key of topic {} is the field {field}: {reason}", self.topic);
        Problem::refused(detail).with("field", field)
    }

    fn set_time(&self, event: &mut Event) {
        let now = || jiff::Timestamp::from_millisecond(self.now.as_millis()).unwrap_or_default();
        event.time.get_or_insert_with(now);
    }
}

/// The data, if it says that it is JSON.
fn json_data(event: &Event) -> Option<&Bytes> {
    let is_json = event.data_content_type.as_deref().is_some_and(event::is_json);
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
