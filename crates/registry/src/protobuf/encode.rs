//! Values from JSON to bytes, in Protobuf's JSON mapping.
//!
//! Messages, lists and maps are walked here, so that an error names its field. The types of `google.protobuf` that have a
//! form of their own in JSON (timestamps, wrappers, `Struct`, `Any`) are read as a whole.

use std::collections::HashMap;
use std::rc::Rc;

use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde_json::Value as Json;

use super::json::has_own_form;
use super::scalars::{self, type_name};
use crate::{MAX_DEPTH, ValueError};

/// Encodes the JSON of a message.
pub(super) fn encode(message: &MessageDescriptor, json: &[u8]) -> Result<Vec<u8>, ValueError> {
    check_depth(json)?;
    let invalid = |error| ValueError { path: None, reason: format!("invalid JSON: {error}") };
    let json: Json = serde_json::from_slice(json).map_err(invalid)?;
    let value = message_value(message, &json, &mut Path::default())?;
    Ok(value.encode_to_vec())
}

/// Counts brackets outside strings: what reads JSON goes into them by recursion.
fn check_depth(json: &[u8]) -> Result<(), ValueError> {
    let (mut depth, mut is_text, mut is_escape) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if is_escape => is_escape = false,
            b'\\' if is_text => is_escape = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => depth += 1,
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let reason = format!("nested too deeply: at most {MAX_DEPTH} brackets in one another");
            return Err(ValueError { path: None, reason });
        }
    }
    Ok(())
}

/// The way to the value that is being read: `details[2].price`.
#[derive(Default)]
struct Path {
    text: String,
    /// The required fields of the messages that were met, looked for once in each.
    required: HashMap<String, Rc<[FieldDescriptor]>>,
}

impl Path {
    fn within<T>(
        &mut self,
        step: &str,
        read: impl FnOnce(&mut Self) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        let length = self.text.len();
        if !self.text.is_empty() && !step.starts_with('[') {
            self.text.push('.');
        }
        self.text.push_str(step);
        let value = read(self);
        self.text.truncate(length);
        value
    }

    fn required(&mut self, message: &MessageDescriptor) -> Rc<[FieldDescriptor]> {
        if let Some(known) = self.required.get(message.full_name()) {
            return Rc::clone(known);
        }
        let fields: Rc<[_]> = message.fields().filter(FieldDescriptor::is_required).collect();
        self.required.insert(message.full_name().to_owned(), Rc::clone(&fields));
        fields
    }

    fn error(&self, reason: impl Into<String>) -> ValueError {
        ValueError { path: (!self.text.is_empty()).then(|| self.text.clone()), reason: reason.into() }
    }
}

fn message_value(
    message: &MessageDescriptor,
    json: &Json,
    path: &mut Path,
) -> Result<DynamicMessage, ValueError> {
    if has_own_form(message) {
        let invalid = |error| path.error(format!("no {}: {error}", message.full_name()));
        return DynamicMessage::deserialize(message.clone(), json).map_err(invalid);
    }
    let Json::Object(members) = json else {
        return Err(path.error(format!("{} is an object, and not {}", message.full_name(), kind_of(json))));
    };
    let mut value = DynamicMessage::new(message.clone());
    for (name, json) in members {
        path.within(name, |path| {
            let known = message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name));
            let Some(field) = known else {
                return match message.get_extension_by_json_name(name) {
                    Some(_) => Err(path.error("extensions cannot be encoded")),
                    None => Err(path.error(format!("{} has no such field", message.full_name()))),
                };
            };
            set(&mut value, &field, json, path)
        })?;
    }
    for field in path.required(message).iter() {
        if !value.has_field(field) {
            return path.within(field.json_name(), |path| Err(path.error("required, and missing")));
        }
    }
    Ok(value)
}

fn set(
    message: &mut DynamicMessage,
    field: &FieldDescriptor,
    json: &Json,
    path: &mut Path,
) -> Result<(), ValueError> {
    let kind = field.kind();
    if json.is_null() && !takes_null(&kind) {
        // As if the field were not there.
        return Ok(());
    }
    if message.has_field(field) {
        return Err(path.error("set twice, by its name and in lowerCamelCase"));
    }
    if let Some(oneof) = field.containing_oneof()
        && let Some(other) = oneof.fields().find(|other| message.has_field(other))
    {
        return Err(path.error(format!(
            "{} is set already, of the same oneof {}",
            other.json_name(),
            oneof.name()
        )));
    }
    let value = if field.is_map() {
        map_value(&kind, json, path)?
    } else if field.is_list() {
        let Json::Array(items) = json else {
            return Err(path.error(format!("a list of {}, and not {}", type_name(&kind), kind_of(json))));
        };
        let items = items.iter().enumerate().map(|(at, item)| {
            path.within(&format!("[{at}]"), |path| {
                if item.is_null() && !takes_null(&kind) {
                    return Err(path.error("null within a list"));
                }
                single_value(&kind, item, path)
            })
        });
        Value::List(items.collect::<Result<_, _>>()?)
    } else {
        single_value(&kind, json, path)?
    };
    message.try_set_field(field, value).map_err(|error| path.error(error.to_string()))
}

/// Whether `null` is a value.
fn takes_null(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => message.full_name() == "google.protobuf.Value",
        Kind::Enum(declared) => declared.full_name() == "google.protobuf.NullValue",
        _ => false,
    }
}

fn map_value(kind: &Kind, json: &Json, path: &mut Path) -> Result<Value, ValueError> {
    let Json::Object(members) = json else {
        return Err(path.error(format!("{} is an object, and not {}", type_name(kind), kind_of(json))));
    };
    let Kind::Message(entry) = kind else { return Err(path.error("a map without entries")) };
    let (key_kind, value_kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let entries = members.iter().map(|(name, json)| {
        path.within(&format!("[{name:?}]"), |path| {
            if json.is_null() && !takes_null(&value_kind) {
                return Err(path.error("null within a map"));
            }
            let key = map_key(&key_kind, name, path)?;
            Ok((key, single_value(&value_kind, json, path)?))
        })
    });
    Ok(Value::Map(entries.collect::<Result<_, _>>()?))
}

fn map_key(kind: &Kind, name: &str, path: &Path) -> Result<MapKey, ValueError> {
    let key = match kind {
        Kind::Bool => name.parse().ok().map(MapKey::Bool),
        Kind::String => Some(MapKey::String(name.to_owned())),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => name.parse().ok().map(MapKey::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => name.parse().ok().map(MapKey::I64),
        Kind::Uint32 | Kind::Fixed32 => name.parse().ok().map(MapKey::U32),
        Kind::Uint64 | Kind::Fixed64 => name.parse().ok().map(MapKey::U64),
        _ => None,
    };
    key.ok_or_else(|| path.error(format!("{name:?} is no key of type {}", type_name(kind))))
}

fn single_value(kind: &Kind, json: &Json, path: &mut Path) -> Result<Value, ValueError> {
    let value = match kind {
        Kind::Message(message) => return message_value(message, json, path).map(Value::Message),
        Kind::Bool => json.as_bool().map(Value::Bool),
        Kind::String => json.as_str().map(|text| Value::String(text.to_owned())),
        Kind::Bytes => json.as_str().and_then(scalars::bytes).map(|bytes| Value::Bytes(bytes.into())),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => scalars::integer(json).map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => scalars::integer(json).map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => scalars::integer(json).map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => scalars::integer(json).map(Value::U64),
        Kind::Float => scalars::float(json).map(Value::F32),
        Kind::Double => scalars::double(json).map(Value::F64),
        Kind::Enum(declared) => scalars::enum_number(declared, json).map(Value::EnumNumber),
    };
    value.ok_or_else(|| path.error(unfit(kind, json)))
}

/// Why a value is not of a type.
fn unfit(kind: &Kind, json: &Json) -> String {
    let shown = json.to_string();
    let shown = if shown.len() > 40 { kind_of(json).to_owned() } else { shown };
    match kind {
        Kind::Enum(declared) => {
            let names: Vec<String> = declared.values().take(8).map(|value| value.name().to_owned()).collect();
            let more = if declared.values().len() > names.len() { " …" } else { "" };
            format!("{shown} is no value of {}: {}{more}", declared.full_name(), names.join(", "))
        }
        Kind::Bytes => format!("{shown} is no bytes in base64"),
        other => format!("{shown} is no {}", type_name(other)),
    }
}

fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
