//! Views, and columns of rows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A view in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ViewLine {
    /// Its name.
    #[schema(example = "store.top_movies")]
    pub name: String,
    /// The team that owns it.
    #[schema(example = "store")]
    pub team: String,
    /// `live`, `building`, `waiting` or `failed`.
    #[schema(example = "live")]
    pub state: String,
    /// Why it waits or failed.
    pub reason: Option<String>,
    /// Its columns, in order; empty while it waits for an event to learn them from.
    pub columns: Vec<ColumnView>,
    /// The views, tables and topics that it reads.
    pub depends_on: Vec<String>,
    /// How many rows it had when they were computed last; null if it was not read since the start.
    #[schema(example = 10)]
    pub rows: Option<u64>,
    /// That it sends events to dead letters, or that it has more than 80 % of the rows that can be followed or read at once,
    /// and what to do.
    pub warning: Option<String>,
    /// Of these, what is about the number of its rows.
    pub row_limit: Option<String>,
}

/// A column of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ColumnView {
    /// Its name.
    #[schema(example = "sold")]
    pub name: String,
    /// SQL's word for what stands in it.
    #[schema(example = "bigint")]
    pub r#type: String,
    /// Whether a value may be missing.
    pub nullable: bool,
}

/// Every view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ViewList {
    /// Views.
    pub views: Vec<ViewLine>,
}
