//! Consumer groups.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::transactions::HeldPartitionView;
use crate::{Int64, RequestBody};

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupLine {
    /// Its id.
    #[schema(example = "mailer")]
    pub id: String,
    /// Kafka's word for its state.
    #[schema(example = "Stable")]
    pub state: String,
    /// Its members.
    pub members: usize,
    /// Records not yet committed over all its partitions, a 64-bit number as text.
    #[schema(value_type = String, example = "12")]
    pub lag: Int64,
}

/// Every group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupList {
    /// Every group, by id.
    pub groups: Vec<GroupLine>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    /// Its id.
    #[schema(example = "mailer")]
    pub id: String,
    /// Its state.
    #[schema(example = "Stable")]
    pub state: String,
    /// `consumer` for consumers.
    #[schema(example = "consumer")]
    pub protocol_type: String,
    /// The assignor chosen.
    #[schema(example = "range")]
    pub protocol: String,
    /// Its members.
    pub members: Vec<MemberView>,
    /// Offsets, one for each partition.
    pub offsets: Vec<CommittedView>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Its id.
    pub id: String,
    /// The id that its client gave.
    pub client_id: String,
    /// The address of its client.
    pub client_host: String,
    /// The partitions that it reads.
    pub assignment: Vec<PartitionName>,
}

/// A partition, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartitionName {
    /// The topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// The partition.
    pub partition: i32,
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CommittedView {
    /// The topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset to read next, a 64-bit number as text.
    #[schema(value_type = String, example = "41")]
    pub offset: Int64,
    /// Records behind the end, a 64-bit number as text; absent if the partition is gone.
    #[schema(value_type = Option<String>, example = "12")]
    pub lag: Option<Int64>,
    /// What the client stored with the offset.
    pub metadata: String,
    /// The open transaction that readers of committed records wait for, if they do: part of the lag is its.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldPartitionView>,
}

/// Where a group is to read on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetOffsets {
    /// The topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// The partitions; without it, all.
    #[serde(default)]
    pub partitions: Option<Vec<i32>>,
    /// `earliest`, `latest`, an offset (`-5` is the fifth before the end), a time in RFC 3339 form, or `10m ago`.
    #[schema(example = "earliest")]
    pub to: String,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Create the group where there is none of this name; else that is an error.
    #[serde(default)]
    pub create: bool,
}

impl RequestBody for ResetOffsets {
    const EXAMPLE: &'static str = r#"{"topic": "store.orders", "to": "earliest"}"#;
}

/// What was moved, or would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResetOffsetsResult {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Offsets, one for each partition.
    pub offsets: Vec<MovedOffset>,
}

/// A committed offset that moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MovedOffset {
    /// The topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset committed before; absent if there was none.
    #[schema(value_type = Option<String>, example = "41")]
    pub from: Option<Int64>,
    /// The offset committed now.
    #[schema(value_type = String, example = "0")]
    pub to: Int64,
}
