//! Examples of events, made from their schemas.

use factum_governance::{EventDefinition, Format};
use factum_registry::{
    ParsedSchema, Registry, SchemaType, Subject, SubjectVersion, VersionFilter, VersionSelector,
};
use factum_types::{Timestamp, TopicName};
use serde_json::Value;

/// Example data of a topic's events: by the contract of the event that a project declares, else by the latest schema of the
/// topic's values in the registry. Takes a processor for as long as the limits of the format allow. `None` if there is none that
/// could be shown, or nothing says what the events are like.
pub(crate) fn example(
    registry: &Registry,
    topic: &TopicName,
    event: Option<&EventDefinition>,
    now: Timestamp,
) -> Option<Value> {
    let schema = event.and_then(contract).or_else(|| registered(registry, topic));
    // With the key and the time of now, where that is still valid.
    let sample = event.and_then(|event| event.sample(now));
    let is_valid = |sample: &Value| match &schema {
        Some(ParsedSchema::Json(schema)) => schema.validate(sample.to_string().as_bytes()).is_ok(),
        Some(_) => false,
        None => true,
    };
    let made = || schema.as_ref().map(ParsedSchema::example).filter(|example| !example.is_null());
    sample.filter(is_valid).or_else(made)
}

/// The contract of an event, read.
pub(crate) fn contract(event: &EventDefinition) -> Option<ParsedSchema> {
    ParsedSchema::parse(schema_type(event.format), event.contract.as_deref()?, &[]).ok()
}

/// The registry's word for a format.
pub(super) fn schema_type(format: Format) -> SchemaType {
    match format {
        Format::Json => SchemaType::Json,
        Format::Avro => SchemaType::Avro,
        Format::Protobuf => SchemaType::Protobuf,
    }
}

/// The subject of a topic's values.
pub(crate) fn subject_of(topic: &TopicName) -> Option<Subject> {
    Subject::parse(&format!("{topic}-value")).ok()
}

/// The latest version of the subject of a topic's values.
pub(crate) fn latest(registry: &Registry, topic: &TopicName) -> Option<SubjectVersion> {
    let latest = registry.version(&subject_of(topic)?, VersionSelector::Latest, VersionFilter::Live).ok()?;
    // Of other contexts nothing was asked.
    latest.subject.is_in_default_context().then_some(latest)
}

fn registered(registry: &Registry, topic: &TopicName) -> Option<ParsedSchema> {
    registry.parsed(&latest(registry, topic)?).ok()
}
