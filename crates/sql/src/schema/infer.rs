//! Columns of events that no contract describes, from what the first of them show.
//!
//! Invariants: a field has the one type that all samples agree on; where they do not, it is text and its
//! values are kept as JSON only if they are strings. Fields come in the order in which they first appear.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use factum_types::Record;
use serde_json::{Map, Value};

use super::json_schema::DEFAULT_SCALE;
use crate::decode::{envelope, instant};

/// What is known of a value's type.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// Only nulls so far.
    Null,
    Boolean,
    Integer,
    Number,
    Instant,
    Text,
    List(Box<Shape>),
    Object(Vec<(String, Shape)>),
}

pub(super) fn fields(samples: &[Record]) -> Vec<Field> {
    let mut seen = Vec::new();
    for record in samples {
        let Some(value) = &record.value else { continue };
        if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(value) {
            merge_fields(&mut seen, of_object(&object));
        }
    }
    seen.iter().map(|(name, shape)| Field::new(name, shape.data_type(), true)).collect()
}

fn of_object(object: &Map<String, Value>) -> Vec<(String, Shape)> {
    object.iter().map(|(name, value)| (name.clone(), of(value))).collect()
}

fn of(value: &Value) -> Shape {
    match value {
        Value::Null => Shape::Null,
        Value::Bool(_) => Shape::Boolean,
        Value::Number(number) if number.is_i64() => Shape::Integer,
        Value::Number(_) => Shape::Number,
        Value::String(text) if text.len() >= 19 && instant::micros(text).is_some() => Shape::Instant,
        Value::String(_) => Shape::Text,
        Value::Array(items) => Shape::List(Box::new(items.iter().map(of).fold(Shape::Null, Shape::merged))),
        Value::Object(object) => Shape::Object(of_object(object)),
    }
}

fn merge_fields(into: &mut Vec<(String, Shape)>, from: Vec<(String, Shape)>) {
    for (name, shape) in from {
        match into.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = std::mem::replace(known, Shape::Null).merged(shape),
            None => into.push((name, shape)),
        }
    }
}

impl Shape {
    fn merged(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, shape) | (shape, Self::Null) => shape,
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
            (Self::List(one), Self::List(other)) => Self::List(Box::new(one.merged(*other))),
            (Self::Object(mut one), Self::Object(other)) => {
                merge_fields(&mut one, other);
                Self::Object(one)
            }
            (one, other) if one == other => one,
            _ => Self::Text,
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Decimal128(38, DEFAULT_SCALE),
            Self::Instant => envelope::instant_type(),
            Self::Null | Self::Text => DataType::Utf8,
            Self::List(item) => DataType::List(Arc::new(Field::new("item", item.data_type(), true))),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, shape)| Field::new(name, shape.data_type(), true));
                DataType::Struct(Fields::from(fields.collect::<Vec<_>>()))
            }
        }
    }
}
