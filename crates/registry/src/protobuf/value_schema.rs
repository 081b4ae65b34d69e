//! The JSON Schema of messages as they are decoded, for readers that go by fields.
//!
//! Invariants: maps, messages within themselves and those deeper than [`MAX_LEVELS`] are left out, as is everything behind
//! [`MAX_FIELDS`] fields.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

/// Messages in one another.
const MAX_LEVELS: usize = 16;
/// Fields of all messages together.
const MAX_FIELDS: usize = 2000;

struct Walk {
    within: Vec<String>,
    fields: usize,
}

/// The JSON Schema of a message.
pub(super) fn of(message: &MessageDescriptor) -> Value {
    object(message, &mut Walk { within: vec![message.full_name().to_owned()], fields: 0 })
}

fn object(message: &MessageDescriptor, walk: &mut Walk) -> Value {
    let mut properties = Map::new();
    for field in message.fields() {
        walk.fields += 1;
        if walk.fields > MAX_FIELDS {
            break;
        }
        if let Some(schema) = field_schema(&field, walk) {
            properties.insert(field.json_name().to_owned(), schema);
        }
    }
    json!({"type": "object", "properties": properties})
}

fn field_schema(field: &FieldDescriptor, walk: &mut Walk) -> Option<Value> {
    let schema = match field.kind() {
        Kind::Message(_) if field.is_map() => return None,
        Kind::Message(message) => message_schema(&message, walk)?,
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 | Kind::Sfixed32 => {
            json!({"type": "integer"})
        }
        Kind::Float | Kind::Double => json!({"type": "number"}),
        // Whole numbers of 64 bits are text in Protobuf's JSON.
        _ => json!({"type": "string"}),
    };
    Some(if field.is_list() { json!({"type": "array", "items": schema}) } else { schema })
}

fn message_schema(message: &MessageDescriptor, walk: &mut Walk) -> Option<Value> {
    let name = message.full_name();
    match name.strip_prefix("google.protobuf.") {
        Some("Struct" | "Value" | "ListValue" | "Any" | "Empty") => return None,
        Some("Timestamp") => return Some(json!({"type": "string", "format": "date-time"})),
        Some("FloatValue" | "DoubleValue") => return Some(json!({"type": "number"})),
        Some("Int32Value" | "UInt32Value") => return Some(json!({"type": "integer"})),
        Some("BoolValue") => return Some(json!({"type": "boolean"})),
        Some(_) => return Some(json!({"type": "string"})),
        None => {}
    }
    if walk.within.len() >= MAX_LEVELS || walk.within.iter().any(|around| around == name) {
        return None;
    }
    walk.within.push(name.to_owned());
    let schema = object(message, walk);
    walk.within.pop();
    Some(schema)
}
