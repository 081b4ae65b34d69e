//! The columns of an event: its data's fields, then its envelope.

mod change;
mod infer;
mod json_schema;

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use factum_types::{Record, TopicName};

use crate::decode::envelope;
use crate::definitions::EventDefinition;
use crate::names::suggest;
pub use change::{FieldChange, FieldChangeKind, field_changes};

/// What the events of a topic are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventSchema {
    /// The topic.
    pub(crate) topic: TopicName,
    /// Data columns, then envelope columns.
    pub(crate) schema: SchemaRef,
    /// The column of the event time.
    pub(crate) time: usize,
}

/// Why an event's contract gives no columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaError {
    /// The contract is not about an object.
    #[error("the schema of {topic} describes no object with properties")]
    NotAnObject {
        /// The topic.
        topic: TopicName,
    },
    /// A property's type cannot be read.
    #[error("{topic}: property {path}: {reason}")]
    Property {
        /// The topic.
        topic: TopicName,
        /// The property, with dots.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The manifest names an event time that the data does not have.
    #[error("{topic} has no field {field}, which its manifest names as the event time{}", suggested(.nearest.as_deref()))]
    NoTime {
        /// The topic.
        topic: TopicName,
        /// What the manifest says.
        field: String,
        /// A field of a similar name.
        nearest: Option<String>,
    },
}

fn suggested(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

impl EventSchema {
    /// The columns that a contract describes.
    pub(crate) fn from_contract(
        definition: &EventDefinition,
        contract: &serde_json::Value,
    ) -> Result<Self, SchemaError> {
        Self::new(definition, json_schema::fields(&definition.topic, contract)?)
    }

    /// The columns that the first events show, for a topic without a contract. The same events always give the
    /// same columns.
    pub(crate) fn infer(definition: &EventDefinition, samples: &[Record]) -> Result<Self, SchemaError> {
        Self::new(definition, infer::fields(samples))
    }

    fn new(definition: &EventDefinition, data: Vec<Field>) -> Result<Self, SchemaError> {
        let mut fields = data;
        let time = match &definition.time {
            Some(name) => {
                let place = fields.iter().position(|field| squashed(field.name()) == squashed(name));
                let place = place.ok_or_else(|| SchemaError::NoTime {
                    topic: definition.topic.clone(),
                    field: name.clone(),
                    nearest: nearest(name, &fields),
                })?;
                let field = fields[place].clone();
                fields[place] = field.with_data_type(envelope::instant_type());
                Some(place)
            }
            None => None,
        };
        let envelope_time = fields.len() + envelope::TIME;
        fields.extend(envelope::fields());
        Ok(Self {
            topic: definition.topic.clone(),
            time: time.unwrap_or(envelope_time),
            schema: Arc::new(Schema::new(fields)),
        })
    }

    /// How many columns come from the data.
    pub(crate) fn data_columns(&self) -> usize {
        self.schema.fields().len() - envelope::fields().len()
    }
}

/// A name without what people write differently: `OrderDate`, `order_date` and `orderdate` are one.
pub(crate) fn squashed(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

fn nearest(name: &str, fields: &[Field]) -> Option<String> {
    let names = fields.iter().map(|field| field.name().as_str());
    suggest::nearest(name, names).map(str::to_owned)
}

#[cfg(test)]
mod tests;
