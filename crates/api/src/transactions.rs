//! Transactions, and the partitions that they hold back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::groups::PartitionName;
use crate::{Int64, RequestBody};

/// A transactional id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransactionView {
    /// The transactional id.
    #[schema(example = "billing")]
    pub id: String,
    /// Kafka's word for where it stands.
    #[schema(example = "Ongoing")]
    pub state: String,
    /// Its producer, a 64-bit number as text.
    #[schema(value_type = String, example = "4711")]
    pub producer_id: Int64,
    /// The producer's epoch.
    pub producer_epoch: i16,
    /// When its open transaction began, if one is open.
    #[schema(example = "2026-11-20T10:00:00Z")]
    pub open_since: Option<String>,
    /// Milliseconds that a transaction of it may stay open, a 64-bit number as text.
    #[schema(value_type = String, example = "60000")]
    pub timeout_ms: Int64,
    /// The partitions of the open transaction.
    pub partitions: Vec<PartitionName>,
}

/// A partition whose readers of committed records wait for a transaction to end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeldPartitionView {
    /// The topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The first record that they do not see, a 64-bit number as text.
    #[schema(value_type = String, example = "41")]
    pub start_offset: Int64,
    /// Records from there on, a 64-bit number as text.
    #[schema(value_type = String, example = "12")]
    pub records: Int64,
    /// Whose transaction it is, a 64-bit number as text.
    #[schema(value_type = String, example = "4711")]
    pub producer_id: Int64,
    /// Whether no transactional id knows the transaction any more, so that no producer ends it.
    pub is_hanging: bool,
    /// Its transactional id, where there is one that the caller may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "billing")]
    pub transactional_id: Option<String>,
    /// When the transaction began, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-20T10:00:00Z")]
    pub since: Option<String>,
}

/// Every transactional id, and what is held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransactionList {
    /// Every transactional id, by name.
    pub transactions: Vec<TransactionView>,
    /// Every partition that an open transaction holds back.
    pub held_back: Vec<HeldPartitionView>,
}

/// A transaction to abort that no transactional id knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AbortTransaction {
    /// The topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The first record that readers of committed records do not see, a 64-bit number as text.
    #[schema(value_type = String, example = "41")]
    pub start_offset: Int64,
}

impl RequestBody for AbortTransaction {
    const EXAMPLE: &'static str = r#"{"topic": "store.orders", "partition": 0, "start_offset": "41"}"#;
}
