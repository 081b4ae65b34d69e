//! Events that were appended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Int64;

/// Where each event was put, in the order given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// One for each event.
    pub offsets: Vec<AcceptedOffset>,
}

/// Where one event was put.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedOffset {
    /// The partition.
    #[schema(example = 0)]
    pub partition: i32,
    /// A 64-bit number as text.
    #[schema(value_type = String, example = "41")]
    pub offset: Int64,
}
