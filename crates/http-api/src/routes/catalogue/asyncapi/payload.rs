//! Schemas of payloads: an event's contract as a part of an AsyncAPI document.
//!
//! A JSON Schema becomes a part of another document, so that what it says of itself (`$schema`, `$id`) goes, and its references are
//! from the document's root. Tools know draft 07; words of later drafts stay, and who does not know them passes over them.

use factum_api::catalogue::EventSchema;
use serde_json::{Value, json};

const JSON_SCHEMA: &str = "application/schema+json;version=draft-07";
const AVRO: &str = "application/vnd.apache.avro+json;version=1.9.0";
const PROTOBUF: &str = "application/vnd.google.protobuf;version=3";
/// Members that hold values and no schemas.
const VALUES: [&str; 5] = ["const", "enum", "default", "examples", "example"];

/// The schema named `name` of the document's components; `None` for text that is no JSON where it should be.
pub(super) fn of(name: &str, schema: &EventSchema) -> Option<Value> {
    Some(match schema.schema_type.as_str() {
        "PROTOBUF" => json!({"schemaFormat": PROTOBUF, "schema": schema.text}),
        "AVRO" => json!({"schemaFormat": AVRO, "schema": parsed(&schema.text)?}),
        _ => {
            let mut value = parsed(&schema.text)?;
            if let Some(members) = value.as_object_mut() {
                for own in ["$schema", "$id", "id"] {
                    if members.get(own).is_some_and(Value::is_string) {
                        members.shift_remove(own);
                    }
                }
            }
            move_references(&mut value, &format!("#/components/schemas/{name}/schema"));
            json!({"schemaFormat": JSON_SCHEMA, "schema": value})
        }
    })
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// Puts `root` before every reference within the schema. One that leads out of it says what it refers to, and allows every value.
/// Values are nested no deeper than they are parsed.
fn move_references(value: &mut Value, root: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| move_references(item, root)),
        Value::Object(members) => {
            if let Some(to) = members.get("$ref").and_then(Value::as_str) {
                let pointer = to.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'));
                match pointer {
                    Some(pointer) => {
                        let moved = format!("{root}{pointer}");
                        members.insert("$ref".to_owned(), moved.into());
                    }
                    None => {
                        let description = format!("See {to}");
                        *value = json!({"description": description});
                        return;
                    }
                }
            }
            let inner = members.iter_mut().filter(|(name, _)| !VALUES.contains(&name.as_str()));
            inner.for_each(|(_, inner)| move_references(inner, root));
        }
        _ => {}
    }
}
