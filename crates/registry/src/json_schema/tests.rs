//! JSON Schema from outside: texts, values and pairs of schemas in, what is said of them out.

mod compatibility;
mod examples;
mod hostile;
mod texts;
mod values;

use std::sync::Arc;

use super::Schema;
use crate::ReferencedSchema;

/// A schema that is known to be one.
fn schema(text: &str) -> Schema {
    Schema::parse(text, &[]).unwrap_or_else(|invalid| panic!("{text}: {invalid}"))
}

fn reference(name: &str, text: &str) -> ReferencedSchema {
    ReferencedSchema { name: name.to_owned(), text: Arc::from(text) }
}

/// What is said of a text with its references.
fn parsed(text: &str, references: &[ReferencedSchema]) -> String {
    Schema::parse(text, references).map_or_else(|invalid| invalid.to_string(), |_| "ok".to_owned())
}

/// What is said of a value.
fn validated(schema: &Schema, value: &str) -> String {
    schema.validate(value.as_bytes()).map_or_else(|error| error.to_string(), |()| "ok".to_owned())
}
