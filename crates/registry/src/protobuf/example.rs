//! Plausible values, made from the names and types of fields.
//!
//! Invariants: the same message gives the same value; messages within messages end at [`MAX_LEVELS`] and all values together
//! at [`MAX_VALUES`], whatever the schema says. Fields that would go beyond are left out, which is a value too.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json, json};

/// Messages in one another.
const MAX_LEVELS: usize = 3;
/// Fields of all messages together.
const MAX_VALUES: usize = 1_000;
/// Fields that are looked at, made or not.
const MAX_LOOKS: usize = 100_000;

/// How much was made.
#[derive(Default)]
struct Work {
    values: usize,
    looks: usize,
}

/// A value of a message.
pub(super) fn example(message: &MessageDescriptor) -> Json {
    message_value(message, 1, &mut Work::default())
}

fn message_value(message: &MessageDescriptor, level: usize, work: &mut Work) -> Json {
    if let Some(value) = own_form(message) {
        return value;
    }
    let mut members = Map::new();
    let mut oneofs: Vec<String> = Vec::new();
    for field in message.fields() {
        work.looks += 1;
        // A message that requires itself, or too much, has no value that could be shown.
        if work.looks > MAX_LOOKS || work.values >= 4 * MAX_VALUES || level > 2 * MAX_LEVELS {
            break;
        }
        let is_too_much = work.values >= MAX_VALUES || (level >= MAX_LEVELS && is_message(&field));
        if is_too_much && !field.is_required() {
            continue;
        }
        if let Some(oneof) = field.containing_oneof() {
            if oneofs.iter().any(|taken| taken == oneof.name()) {
                continue;
            }
            oneofs.push(oneof.name().to_owned());
        }
        work.values += 1;
        members.insert(field.json_name().to_owned(), field_value(&field, level, work));
    }
    Json::Object(members)
}

fn is_message(field: &FieldDescriptor) -> bool {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            matches!(entry.map_entry_value_field().kind(), Kind::Message(_))
        }
        Kind::Message(message) => own_form(&message).is_none(),
        _ => false,
    }
}

fn field_value(field: &FieldDescriptor, level: usize, work: &mut Work) -> Json {
    let name = field.name();
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let key = match entry.map_entry_key_field().kind() {
                Kind::String => "key".to_owned(),
                Kind::Bool => "true".to_owned(),
                _ => "1".to_owned(),
            };
            let value = single_value(&entry.map_entry_value_field().kind(), name, level, work);
            Json::Object(Map::from_iter([(key, value)]))
        }
        kind if field.is_list() => Json::Array(vec![single_value(&kind, name, level, work)]),
        kind => match written_default(field) {
            Some(value) => value,
            None => single_value(&kind, name, level, work),
        },
    }
}

/// The default that a `proto2` schema gives, where it is one that JSON has.
fn written_default(field: &FieldDescriptor) -> Option<Json> {
    let text = field.field_descriptor_proto().default_value.as_deref()?;
    match field.kind() {
        Kind::String | Kind::Enum(_) => Some(json!(text)),
        Kind::Bool => text.parse::<bool>().ok().map(Json::from),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
            text.parse::<i64>().ok().map(Json::from)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => Some(json!(text)),
        _ => None,
    }
}

fn single_value(kind: &Kind, name: &str, level: usize, work: &mut Work) -> Json {
    match kind {
        Kind::Message(message) => message_value(message, level + 1, work),
        // Zero often stands for "not said".
        Kind::Enum(declared) => {
            let value = declared
                .values()
                .find(|value| value.number() > 0)
                .unwrap_or_else(|| declared.default_value());
            json!(value.name())
        }
        Kind::Double | Kind::Float => json!(9.5),
        Kind::Bool => json!(true),
        Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 | Kind::Sfixed32 => json!(1),
        Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64 => json!("1"),
        Kind::Bytes => json!("AQID"),
        Kind::String => json!(text(name)),
    }
}

/// Text after the name of its field.
fn text(name: &str) -> &str {
    let ends = |end: &str| name == end || name.ends_with(&format!("_{end}"));
    if ends("id") {
        "a1"
    } else if ends("email") {
        "ada@example.com"
    } else if ends("url") || ends("uri") {
        "https://example.com/"
    } else if ends("currency") || ends("currency_code") {
        "EUR"
    } else if ends("time") || ends("at") || ends("timestamp") {
        "2024-01-31T12:00:00Z"
    } else if ends("date") || ends("day") {
        "2024-01-31"
    } else {
        name
    }
}

/// Values of messages that have a form of their own in JSON.
fn own_form(message: &MessageDescriptor) -> Option<Json> {
    Some(match message.full_name().strip_prefix("google.protobuf.")? {
        "Timestamp" => json!("2024-01-31T12:00:00Z"),
        "Duration" => json!("1.500s"),
        "Struct" => json!({"key": "value"}),
        "Value" | "StringValue" => json!("value"),
        "ListValue" => json!(["value"]),
        "FieldMask" => json!("name"),
        "Any" if message.parent_pool().get_message_by_name("google.protobuf.Duration").is_some() => {
            json!({"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.500s"})
        }
        "Any" => json!({"@type": "type.googleapis.com/google.protobuf.Any"}),
        "FloatValue" | "DoubleValue" => json!(9.5),
        "Int32Value" | "UInt32Value" => json!(1),
        "Int64Value" | "UInt64Value" => json!("1"),
        "BoolValue" => json!(true),
        "BytesValue" => json!("AQID"),
        _ => return None,
    })
}
