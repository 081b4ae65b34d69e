//! Events as their project declares them, with who makes them and who reads them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::Int64;
use crate::subjects::VersionLine;

/// A part of the events that were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventList {
    /// The events, by topic.
    pub events: Vec<EventLine>,
    /// How many there are, of which `events` is a part.
    pub total: usize,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventLine {
    /// Its topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// The CloudEvents `type` of its events that come without one.
    #[schema(example = "contoso.store.orders")]
    pub event_type: String,
    /// The team that owns it.
    #[schema(example = "store")]
    pub team: String,
    /// The project that declares it.
    #[schema(example = "contoso")]
    pub project: String,
    /// What fact it states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "A customer paid for an order.")]
    pub summary: Option<String>,
    /// How its data is encoded: `json`, `avro` or `protobuf`.
    #[schema(example = "avro")]
    pub format: String,
    /// Whether a schema says what its data is like.
    pub has_schema: bool,
    /// Versions in the registry that are not deleted, of its subject.
    pub versions: usize,
    /// Who was seen to make it, of those that the caller may know of.
    pub producers: usize,
    /// Who was seen to read it, of those that the caller may know of.
    pub consumers: usize,
}

/// An event with its schema, an example and those who make and read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// The event.
    #[serde(flatten)]
    pub event: EventLine,
    /// Where the team that owns it can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "#store")]
    pub contact: Option<String>,
    /// The CloudEvents `source` of its events that come without one.
    #[schema(example = "/contoso/store")]
    pub source: String,
    /// The field whose value is the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "email")]
    pub key: Option<String>,
    /// The field that says when it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ordered_at")]
    pub time: Option<String>,
    /// Its schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<EventSchema>,
    /// The subject of its values in the registry.
    #[schema(example = "store.orders-value")]
    pub subject: String,
    /// The subject's versions that are not deleted, the oldest first.
    pub subject_versions: Vec<VersionLine>,
    /// Data that is valid for the schema, made from it; null where there is none that could be shown.
    #[schema(value_type = Option<Object>)]
    pub example: Option<Value>,
    /// Whether its topic exists.
    pub has_topic: bool,
    /// Who makes it, as far as that is known.
    pub made_by: Vec<Producer>,
    /// Who reads it.
    pub read_by: Vec<Consumer>,
}

/// The schema of an event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventSchema {
    /// The format: `AVRO`, `JSON` or `PROTOBUF`.
    #[schema(example = "AVRO")]
    pub schema_type: String,
    /// Its text.
    pub text: String,
    /// Its file in the project, where the project has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "teams/store/events/orders.avsc")]
    pub file: Option<String>,
}

/// Someone who makes an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Producer {
    /// `feed`: a generator of the project; `transaction`: a transactional id with an open transaction in the topic; `source`: the
    /// CloudEvents `source` of the latest events.
    #[schema(example = "source")]
    pub kind: String,
    /// Its name.
    #[schema(example = "/contoso/store")]
    pub name: String,
}

/// Someone who reads an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Consumer {
    /// `group`: a consumer group with members or committed offsets in the topic; `view`: a view that reads it.
    #[schema(example = "group")]
    pub kind: String,
    /// Its name.
    #[schema(example = "mailer")]
    pub name: String,
    /// A group's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Stable")]
    pub state: Option<String>,
    /// Members of a group that have partitions of the topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<usize>,
    /// Records that a group has not committed, a 64-bit number as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "12")]
    pub lag: Option<Int64>,
    /// Fields of the data that a view needs, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Views by which a view reads it; empty if it does itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
}

/// What a schema would change if it became the next version of a subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SchemaImpact {
    /// Whether it is compatible with the versions that it was compared with.
    pub is_compatible: bool,
    /// The compatibility level in effect.
    #[schema(example = "BACKWARD")]
    pub compatibility: String,
    /// Why it is incompatible, by version.
    pub reasons: Vec<IncompatibilityReason>,
    /// The topic whose events the subject describes, if it does so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "store.orders")]
    pub topic: Option<String>,
    /// Who reads the topic today, and what becomes of them.
    pub readers: Vec<ReaderImpact>,
    /// The same in a sentence.
    #[schema(example = "2 readers, of which 1 breaks: view store.revenue")]
    pub summary: String,
}

/// Why a schema is incompatible with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncompatibilityReason {
    /// The version.
    #[schema(example = 2)]
    pub version: i32,
    /// The place in the schema.
    #[schema(example = "/fields/1")]
    pub path: String,
    /// The kind of difference, as Confluent's registry names it.
    #[schema(example = "READER_FIELD_MISSING_DEFAULT_VALUE")]
    pub kind: String,
    /// What is wrong.
    pub reason: String,
}

/// What becomes of one who reads a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReaderImpact {
    /// Who reads it.
    #[serde(flatten)]
    pub reader: Consumer,
    /// `breaks`, `may_break` or `none`; `unknown` where it is not known what is read.
    #[schema(example = "breaks")]
    pub effect: String,
    /// Why, in words.
    #[schema(example = "it reads total, which the schema does not have")]
    pub reason: String,
}
