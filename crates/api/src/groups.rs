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
    /// The assignor chosen, or the protocol's word for what divides the work; empty if it has no members.
    #[schema(example = "range")]
    pub protocol: String,
    /// Its members.
    pub members: usize,
    /// The topics that it committed offsets of or that its members read, by name.
    pub topics: Vec<String>,
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
    /// The end of the partition, a 64-bit number as text; absent if the partition is gone.
    #[schema(value_type = Option<String>, example = "53")]
    pub end: Option<Int64>,
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
    /// The topic; without it, every topic that the group has committed offsets of.
    #[schema(example = "store.orders")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The partitions of `topic`; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<i32>>,
    /// `earliest`, `latest`, an offset (`-5` is the fifth before the end), a time in RFC 3339 form, or `10m ago`. Either this
    /// or `shift_by`.
    #[schema(example = "earliest")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// So many records on from the committed offset, back if negative; never beyond the ends of the partition. Partitions
    /// without a committed offset stay without one, unless `partitions` names them: then it is an error.
    #[schema(example = -100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_by: Option<i64>,
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

/// How the lag of a group went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LagHistory {
    /// Seconds between two samples.
    #[schema(example = 15)]
    pub interval_seconds: u64,
    /// Samples of each topic, by name; none where the group was not sampled yet, or more groups are there than are sampled.
    pub topics: Vec<TopicLag>,
}

/// How the lag of a group in one topic went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopicLag {
    /// The topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// Samples, the oldest first.
    pub samples: Vec<LagSample>,
}

/// The lag at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LagSample {
    /// When, in RFC 3339 form.
    #[schema(example = "2026-11-20T10:15:30.000Z")]
    pub at: String,
    /// Records behind the ends of all partitions, a 64-bit number as text.
    #[schema(value_type = String, example = "12")]
    pub lag: Int64,
}

/// The groups that read a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopicGroupList {
    /// The groups, by id; those that the caller may not see are left out.
    pub groups: Vec<TopicGroup>,
}

/// A group that reads a topic: a member has a partition of it, or an offset of it is committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopicGroup {
    /// Its id.
    #[schema(example = "mailer")]
    pub id: String,
    /// Its state.
    #[schema(example = "Stable")]
    pub state: String,
    /// Members that have partitions of this topic.
    pub members: usize,
    /// Partitions of this topic with a committed offset.
    pub partitions: usize,
    /// Records of this topic not yet committed, a 64-bit number as text.
    #[schema(value_type = String, example = "12")]
    pub lag: Int64,
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
