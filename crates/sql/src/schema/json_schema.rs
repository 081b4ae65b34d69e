//! Columns from a JSON Schema: the part of it that says what fields there are.
//!
//! Money is exact: a `number` is a decimal with as many digits behind the point as its `multipleOf` says, else
//! six. Keywords that only restrict values (`minimum`, `pattern`, …) change no column.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use factum_types::TopicName;
use serde_json::Value;

use super::SchemaError;
use crate::decode::envelope;

/// Digits of every decimal; the most that 128 bits hold.
const PRECISION: u8 = 38;
/// Digits behind the point where the contract does not say.
pub(super) const DEFAULT_SCALE: i8 = 6;
/// Schemas nested deeper than this are refused: no query reads them.
const MAX_DEPTH: usize = 32;

pub(super) fn fields(topic: &TopicName, contract: &Value) -> Result<Vec<Field>, SchemaError> {
    let reader = Reader { topic, root: contract };
    let Some(properties) = contract.get("properties").and_then(Value::as_object) else {
        return Err(SchemaError::NotAnObject { topic: topic.clone() });
    };
    properties.iter().map(|(name, schema)| reader.field(name, schema, name, 0)).collect()
}

/// The type of one field; `None` if the contract does not have it.
pub(super) fn data_type(
    topic: &TopicName,
    contract: &Value,
    field: &str,
) -> Option<Result<DataType, SchemaError>> {
    let schema = contract.get("properties")?.as_object()?.get(field)?;
    Some(Reader { topic, root: contract }.kind(schema, field, 0))
}

struct Reader<'a> {
    topic: &'a TopicName,
    root: &'a Value,
}

impl Reader<'_> {
    /// Every field may be null: an event that breaks its contract is poison only where a type is wrong.
    fn field(&self, name: &str, schema: &Value, path: &str, depth: usize) -> Result<Field, SchemaError> {
        Ok(Field::new(name, self.kind(schema, path, depth)?, true))
    }

    fn kind(&self, schema: &Value, path: &str, depth: usize) -> Result<DataType, SchemaError> {
        if depth > MAX_DEPTH {
            return Err(self.refused(path, format!("nested deeper than {MAX_DEPTH}")));
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            let target = target.ok_or_else(|| self.refused(path, format!("{reference} leads nowhere")))?;
            return self.kind(target, path, depth + 1);
        }
        match self.type_name(schema, path)? {
            "string" => Ok(match schema.get("format").and_then(Value::as_str) {
                Some("date-time") => envelope::instant_type(),
                Some("date") => DataType::Date32,
                _ => DataType::Utf8,
            }),
            "integer" => Ok(DataType::Int64),
            "number" => Ok(DataType::Decimal128(PRECISION, self.scale(schema, path)?)),
            "boolean" => Ok(DataType::Boolean),
            "array" => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                let item = self.field("item", items, &format!("{path}[]"), depth + 1)?;
                Ok(DataType::List(Arc::new(item)))
            }
            "object" => self.object(schema, path, depth),
            other => Err(self.refused(path, format!("unknown type {other:?}"))),
        }
    }

    fn object(&self, schema: &Value, path: &str, depth: usize) -> Result<DataType, SchemaError> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let properties = properties.ok_or_else(|| self.refused(path, "an object without properties"))?;
        let fields: Result<Vec<_>, _> = properties
            .iter()
            .map(|(name, schema)| self.field(name, schema, &format!("{path}.{name}"), depth + 1))
            .collect();
        Ok(DataType::Struct(Fields::from(fields?)))
    }

    /// The one type that a schema allows beside null.
    fn type_name<'s>(&self, schema: &'s Value, path: &str) -> Result<&'s str, SchemaError> {
        let named: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ if schema.get("properties").is_some() => vec!["object"],
            _ if schema.get("enum").is_some() || schema.get("const").is_some() => vec!["string"],
            _ => return Err(self.refused(path, "no type")),
        };
        match named.iter().copied().filter(|name| *name != "null").collect::<Vec<_>>()[..] {
            [name] => Ok(name),
            ["integer", "number"] | ["number", "integer"] => Ok("number"),
            _ => Err(self.refused(path, format!("types {} at once", named.join(", ")))),
        }
    }

    fn scale(&self, schema: &Value, path: &str) -> Result<i8, SchemaError> {
        let Some(step) = schema.get("multipleOf") else { return Ok(DEFAULT_SCALE) };
        let text = step.to_string();
        let digits = match text.split_once(['e', 'E']) {
            Some((_, exponent)) => exponent.parse::<i8>().ok().map(|exponent| (-exponent).max(0)),
            None => i8::try_from(text.split_once('.').map_or(0, |(_, fraction)| fraction.len())).ok(),
        };
        let fits = digits.filter(|digits| *digits <= 18);
        fits.ok_or_else(|| self.refused(path, format!("multipleOf {text} is finer than 18 digits")))
    }

    fn refused(&self, path: &str, reason: impl Into<String>) -> SchemaError {
        SchemaError::Property { topic: self.topic.clone(), path: path.to_owned(), reason: reason.into() }
    }
}
