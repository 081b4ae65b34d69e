//! Effects of a schema's change on one reader, in words.

use factum_api::catalogue::{Consumer, ReaderImpact};
use factum_registry::Incompatibility;
use factum_sql::{FieldChange, FieldChangeKind, field_changes};
use factum_types::TopicName;
use serde_json::Value;

/// It can no longer do what it does.
const BREAKS: &str = "breaks";
/// Whether it can depends on what is not known here.
const MAY_BREAK: &str = "may_break";
/// It goes on.
const NONE: &str = "none";
/// It is not known what it reads.
const UNKNOWN: &str = "unknown";
/// Readers that a summary names.
const NAMED: usize = 5;

/// The difference between the schema that readers go by and the new one.
pub(super) struct SchemaChange {
    /// Why clients that have the schema so far cannot read what is written with the new one; `None` without a schema so far.
    pub(super) unreadable: Option<Vec<Incompatibility>>,
    /// Both as JSON Schemas of values; `None` without a schema so far, or of values that have no fields.
    pub(super) fields: Option<(Value, Value)>,
    /// The field that is the time of events: text is read as a time there.
    pub(super) time: Option<String>,
}

impl SchemaChange {
    /// What becomes of a reader of `topic`, and why.
    pub(super) fn effect(&self, topic: Option<&TopicName>, reader: &Consumer) -> (&'static str, String) {
        match (reader.kind.as_str(), topic) {
            ("view", Some(topic)) => self.on_view(topic, reader),
            _ => self.on_group(),
        }
    }

    fn on_group(&self) -> (&'static str, String) {
        match self.unreadable.as_deref() {
            None => (UNKNOWN, "it reads the topic, which has no schema so far".to_owned()),
            Some([]) => (
                NONE,
                "it reads the topic; with the schema so far it can read what is written with this one"
                    .to_owned(),
            ),
            Some([first, others @ ..]) => {
                let more = match others.len() {
                    0 => String::new(),
                    1 => "; and one more reason".to_owned(),
                    more => format!("; and {more} more reasons"),
                };
                let words =
                    "it reads the topic; with the schema so far it cannot read what is written with this one";
                (MAY_BREAK, format!("{words}: {}{more}", first.message))
            }
        }
    }

    fn on_view(&self, topic: &TopicName, view: &Consumer) -> (&'static str, String) {
        let by = match view.through.last() {
            Some(last) => format!("by way of {last} it reads"),
            None => "it reads".to_owned(),
        };
        let Some((before, after)) = self.fields.as_ref().filter(|_| !view.fields.is_empty()) else {
            return (UNKNOWN, format!("{by} the topic; of which fields is not known"));
        };
        let mut changes = field_changes(topic, before, after, &view.fields);
        changes.retain(|change| !self.is_still_a_time(change));
        if changes.is_empty() {
            return (NONE, format!("{by} {}, which the schema keeps", view.fields.join(", ")));
        }
        let is_whole = |change: &FieldChange| view.fields.contains(&change.field);
        let breaks = |change: &FieldChange| match change.kind {
            FieldChangeKind::Removed => is_whole(change),
            FieldChangeKind::Unreadable { .. } => true,
            FieldChangeKind::Type { .. } => false,
        };
        let effect = if changes.iter().any(breaks) { BREAKS } else { MAY_BREAK };
        (effect, format!("{by} {}", words(&changes)))
    }

    fn is_still_a_time(&self, change: &FieldChange) -> bool {
        let is_text = matches!(&change.kind, FieldChangeKind::Type { after, .. } if after == "text" || after == "timestamp");
        is_text && self.time.as_ref() == Some(&change.field)
    }
}

/// What becomes of the fields, those that are gone first.
fn words(changes: &[FieldChange]) -> String {
    let is_removed = |change: &&FieldChange| change.kind == FieldChangeKind::Removed;
    let removed: Vec<_> = changes.iter().filter(is_removed).map(|change| change.field.as_str()).collect();
    let mut parts = Vec::new();
    if !removed.is_empty() {
        parts.push(format!("{}, which the schema does not have", removed.join(", ")));
    }
    for FieldChange { field, kind } in changes {
        match kind {
            FieldChangeKind::Removed => {}
            FieldChangeKind::Type { before, after } => {
                parts.push(format!("{field}, which becomes {after} and was {before}"));
            }
            FieldChangeKind::Unreadable { reason } => {
                parts.push(format!("{field}, for which SQL has no type then ({reason})"));
            }
        }
    }
    parts.join("; and ")
}

/// All effects in a sentence.
pub(super) fn summary(topic: Option<&TopicName>, readers: &[ReaderImpact]) -> String {
    let Some(topic) = topic else {
        return "the subject is not that of a topic's values, so that its readers are not known".to_owned();
    };
    let count = match readers.len() {
        0 => return format!("no one was seen to read topic {topic}"),
        1 => format!("1 reader of topic {topic}"),
        many => format!("{many} readers of topic {topic}"),
    };
    let told = [
        (BREAKS, "breaks", "break"),
        (MAY_BREAK, "may break", "may break"),
        (UNKNOWN, "is not known", "are not known"),
    ];
    let parts = told.into_iter().filter_map(|(effect, one, many)| {
        let of: Vec<_> = readers.iter().filter(|reader| reader.effect == effect).collect();
        let names = of.iter().take(NAMED).map(|each| format!("{} {}", each.reader.kind, each.reader.name));
        let names = names.collect::<Vec<_>>().join(", ");
        let names = if of.len() > NAMED { format!("{names}, …") } else { names };
        match of.len() {
            0 => None,
            1 => Some(format!("1 {one} ({names})")),
            number => Some(format!("{number} {many} ({names})")),
        }
    });
    let parts: Vec<_> = parts.collect();
    match parts.is_empty() {
        true => format!("{count}: none is affected"),
        false => format!("{count}: {}", parts.join(", ")),
    }
}
