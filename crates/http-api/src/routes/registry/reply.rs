//! Responses of the registry: its versions and schemas in Confluent's shapes.

use factum_api::registry::{RegisteredSchema, SchemaReference};
use factum_registry::{Reference, Schema, SchemaType, SubjectVersion};
use serde::Serialize;
use serde_json::Value;

/// A version of a subject, with its schema.
pub(super) fn version(found: &SubjectVersion) -> RegisteredSchema {
    RegisteredSchema {
        subject: Some(found.subject.to_string()),
        version: Some(found.version),
        id: Some(found.id()),
        guid: Some(found.guid().to_string()),
        deleted: found.is_deleted.then_some(true),
        ..schema(found.schema())
    }
}

/// What is said of a version that was registered just now.
pub(super) fn registration(found: &SubjectVersion) -> RegisteredSchema {
    RegisteredSchema { subject: None, deleted: None, ..version(found) }
}

/// A schema that was asked for by its id.
pub(super) fn of_id(found: &SubjectVersion, max_id: Option<i32>) -> RegisteredSchema {
    RegisteredSchema { guid: Some(found.guid().to_string()), max_id, ..schema(found.schema()) }
}

fn schema(schema: &Schema) -> RegisteredSchema {
    let Schema { schema_type, text, references, metadata, rule_set } = schema;
    let references = references.iter().map(|Reference { name, subject, version }| SchemaReference {
        name: name.clone(),
        subject: subject.clone(),
        version: *version,
    });
    let references: Vec<_> = references.collect();
    RegisteredSchema {
        schema_type: (*schema_type != SchemaType::Avro).then(|| schema_type.as_str().to_owned()),
        references: (!references.is_empty()).then_some(references),
        metadata: metadata.as_ref().map(json),
        rule_set: rule_set.as_ref().map(json),
        schema: Some(text.to_string()),
        ..RegisteredSchema::default()
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("text and lists serialise")
}
