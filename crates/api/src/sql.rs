//! Queries.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RequestBody;

/// A query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// One SELECT. Names have their team before them.
    #[schema(example = "SELECT count(*) AS orders FROM store.orders")]
    pub query: String,
}

impl RequestBody for SqlRequest {
    const EXAMPLE: &'static str = r#"{"query": "SELECT count(*) AS orders FROM store.orders"}"#;
}

/// How a query or a view would be computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// In words, for people; its form may change.
    pub plan: String,
    /// The plans as DataFusion shows them, for those who know it; their form may change.
    #[serde(default)]
    pub raw: String,
}
