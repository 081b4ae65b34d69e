//! Rows of views and queries, and changes of views.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One JSON object, its members in the order in which they came.
pub type JsonRow = Map<String, Value>;

/// Rows, and how far they are behind the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RowsView {
    /// Decimals, and whole numbers beyond 2^53, are text.
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<JsonRow>,
    /// How far they are behind the log.
    #[serde(flatten)]
    pub freshness: FreshnessView,
    /// What the rows do not contain of the topics that they were computed from; absent where that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOutView>,
    /// Values that are null because they cannot be computed, a hundred at most; left out where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<RowErrorView>,
}

/// How far rows are behind the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreshnessView {
    /// The time up to which the log was read for them; now, where there was nothing left to read.
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    pub as_of: String,
    /// Events in the log that they do not contain yet, a 64-bit number as text.
    #[schema(example = "0")]
    pub lag: String,
    /// What the view is doing: `live`, `building`, `waiting` or `failed`; the worst of them where there are several.
    #[schema(example = "live")]
    pub state: String,
    /// Why it waits or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What rows do not contain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeftOutView {
    /// Events whose columns, as far as they are named, could not be decoded, or that a view could not compute; a 64-bit
    /// number as text.
    #[schema(example = "4")]
    pub undecodable: String,
    /// Offsets that could not be read from the log; a 64-bit number as text.
    #[schema(example = "0")]
    pub unreadable: String,
    /// Why events are left out, and the topic of their dead letters if a view left them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A value that is null because it cannot be computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RowErrorView {
    /// The view whose row it is.
    pub view: String,
    /// What its group goes by; where that is not known, the columns that the value is computed from.
    #[schema(value_type = Object)]
    pub key: JsonRow,
    /// The column, aggregate or condition that has no value.
    pub column: String,
    /// Why.
    pub reason: String,
}

/// A change of a view: rows that went and rows that came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RowsChange {
    /// The rows that went.
    #[schema(value_type = Vec<Object>)]
    pub removed: Vec<JsonRow>,
    /// The rows that came.
    #[schema(value_type = Vec<Object>)]
    pub added: Vec<JsonRow>,
}
