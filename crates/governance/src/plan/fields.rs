//! The fields in which two definitions differ, as text.

use std::collections::BTreeSet;

use serde_json::Value;

use super::change::FieldChange;
use crate::kind::Definition;

/// The fields in which two definitions differ, by the names that they have in JSON and in manifests.
pub(super) fn between(before: &dyn Definition, after: &dyn Definition) -> Vec<FieldChange> {
    let definition = after;
    let (before, after) = (before.fields(), after.fields());
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| {
            let (from, mut to) = match (before.get(name), after.get(name)) {
                (Some(Value::String(before)), Some(Value::String(after))) => changed_line(before, after)
                    .map(|(before, after)| (Some(before), Some(after)))
                    .unwrap_or_else(|| (Some(lines(before)), Some(lines(after)))),
                (before, after) => (before.map(text), after.map(text)),
            };
            if from == to {
                to = to.map(|to| format!("{to}, others"));
            }
            FieldChange { name: definition.manifest_field(name).to_owned(), from, to }
        })
        .collect()
}

/// The one line in which two texts of several lines differ, before and after.
fn changed_line(before: &str, after: &str) -> Option<(String, String)> {
    let is_long = before.contains('\n') && before.lines().count() == after.lines().count();
    let mut differing = before.lines().zip(after.lines()).filter(|(before, after)| before != after);
    let (before, after) = differing.next().filter(|_| is_long)?;
    differing.next().is_none().then(|| (before.trim().to_owned(), after.trim().to_owned()))
}

/// A text, or how long it is.
fn lines(text: &str) -> String {
    if text.contains('\n') { format!("{} lines", text.lines().count()) } else { text.to_owned() }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => lines(text),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name} {}", text(value)))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}
