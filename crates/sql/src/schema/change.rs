//! Fields of an event that another contract changes, as queries see them.

use arrow::datatypes::DataType;
use factum_types::TopicName;
use serde_json::Value;

use super::json_schema;
use crate::wording;

/// What becomes of a field that a query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field; with dots where it is within another.
    pub field: String,
    /// What becomes of it.
    pub kind: FieldChangeKind,
}

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldChangeKind {
    /// The new contract does not have it.
    Removed,
    /// It has another type: SQL's words for both.
    Type {
        /// So far.
        before: String,
        /// By the new contract.
        after: String,
    },
    /// SQL has no type for it any more.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// What becomes of `fields` of a topic's events if JSON Schema `after` takes the place of `before`. What `before` does not
/// have, or SQL has no type for, is passed over; what is added breaks no query.
pub fn field_changes(
    topic: &TopicName,
    before: &Value,
    after: &Value,
    fields: &[String],
) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for name in fields {
        let Some(Ok(old)) = json_schema::data_type(topic, before, name) else { continue };
        match json_schema::data_type(topic, after, name) {
            None => changes.push(FieldChange { field: name.clone(), kind: FieldChangeKind::Removed }),
            Some(Err(error)) => {
                let kind = FieldChangeKind::Unreadable { reason: error.to_string() };
                changes.push(FieldChange { field: name.clone(), kind });
            }
            Some(Ok(new)) => compare(name, &old, &new, &mut changes),
        }
    }
    changes
}

/// Types are nested no deeper than they are read.
fn compare(path: &str, before: &DataType, after: &DataType, changes: &mut Vec<FieldChange>) {
    match (before, after) {
        (before, after) if before == after => {}
        (DataType::List(before), DataType::List(after)) => {
            compare(&format!("{path}[]"), before.data_type(), after.data_type(), changes);
        }
        (DataType::Struct(before), DataType::Struct(after)) => {
            for field in before {
                let path = format!("{path}.{}", field.name());
                match after.find(field.name()) {
                    Some((_, new)) => compare(&path, field.data_type(), new.data_type(), changes),
                    None => changes.push(FieldChange { field: path, kind: FieldChangeKind::Removed }),
                }
            }
        }
        (before, after) => {
            let kind = FieldChangeKind::Type {
                before: wording::type_name(before),
                after: wording::type_name(after),
            };
            changes.push(FieldChange { field: path.to_owned(), kind });
        }
    }
}
