//! Responses of a group.

use std::fmt;

use bytes::Bytes;
use factum_types::GroupId;

/// A member's place in a new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinResult {
    /// The generation.
    pub generation: i32,
    /// The group's protocol type.
    pub protocol_type: Option<String>,
    /// The assignor that the members voted for.
    pub protocol: Option<String>,
    /// The member that assigns.
    pub leader: String,
    /// The member's own id.
    pub member_id: String,
    /// Everybody, for the leader; empty for the others.
    pub members: Vec<JoinedMember>,
    /// Whether the leader is to keep the assignment as it is (KIP-814).
    pub skip_assignment: bool,
}

/// A member as its leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: String,
    /// The name of a static member.
    pub instance_id: Option<String>,
    /// Its subscription under the protocol chosen.
    pub metadata: Bytes,
}

/// A member's share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncResult {
    /// The group's protocol type.
    pub protocol_type: Option<String>,
    /// The assignor that the members voted for.
    pub protocol: Option<String>,
    /// What the leader gave the member; empty if it gave nothing.
    pub assignment: Bytes,
}

/// What a group is doing; [`fmt::Display`] gives Kafka's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupState {
    /// No members; it may have offsets.
    Empty,
    /// Waiting for the members to join the next generation.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// Everybody has a share.
    Stable,
    /// Removed, or never there.
    Dead,
}

impl GroupState {
    /// Kafka's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Dead => "Dead",
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupListing {
    /// Its name.
    pub group: GroupId,
    /// Its protocol type; empty if it only keeps offsets.
    pub protocol_type: String,
    /// What it is doing.
    pub state: GroupState,
}

/// A group in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its name.
    pub group: GroupId,
    /// What it is doing; [`GroupState::Dead`] if there is no such group.
    pub state: GroupState,
    /// Its protocol type; empty if it only keeps offsets.
    pub protocol_type: String,
    /// The assignor chosen; empty unless stable.
    pub protocol: String,
    /// Its members, by id.
    pub members: Vec<MemberDescription>,
}

/// A member in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberDescription {
    /// Its id.
    pub member_id: String,
    /// The name of a static member.
    pub instance_id: Option<String>,
    /// What the client calls itself.
    pub client_id: String,
    /// Where it comes from.
    pub client_host: String,
    /// Its subscription; empty unless the group is stable.
    pub metadata: Bytes,
    /// Its share; empty unless the group is stable.
    pub assignment: Bytes,
}
