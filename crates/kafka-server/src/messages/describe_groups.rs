//! DescribeGroups: a group with its members, for people and tools.

use bytes::Bytes;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks about groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeGroupsRequest {
    /// The groups.
    pub groups: Vec<String>,
    /// Whether to tell what the client may do with each, from version 3.
    pub include_authorized_operations: bool,
}

/// Describes groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeGroupsResponse {
    /// Milliseconds that the client should wait, from version 1.
    pub throttle_time_ms: i32,
    /// One for each group, in their order.
    pub groups: Vec<DescribedGroup>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedGroup {
    /// Why the rest is empty.
    pub error_code: ErrorCode,
    /// Why the rest is empty, in words, version 6.
    pub error_message: Option<String>,
    /// The group.
    pub group_id: String,
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`.
    pub group_state: String,
    /// The kind of group, such as `consumer`.
    pub protocol_type: String,
    /// The assignment protocol that it follows.
    pub protocol_data: String,
    /// The members.
    pub members: Vec<DescribedGroupMember>,
    /// What the client may do with it as ACL bits, from version 3.
    pub authorized_operations: i32,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedGroupMember {
    /// The member's id.
    pub member_id: String,
    /// The member's static identity, from version 4.
    pub group_instance_id: Option<String>,
    /// The client's name for itself.
    pub client_id: String,
    /// The client's address.
    pub client_host: String,
    /// What it said under the group's protocol.
    pub member_metadata: Bytes,
    /// What it is assigned.
    pub member_assignment: Bytes,
}

impl Request for DescribeGroupsRequest {
    const API: ApiKey = ApiKey::DescribeGroups;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            groups: r.array("groups", |r| r.string("groups"))?,
            include_authorized_operations: version >= 3 && r.bool("include_authorized_operations")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for DescribeGroupsResponse {
    const API: ApiKey = ApiKey::DescribeGroups;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.array(&self.groups, |w, group| group.encode(w, version));
        w.no_tagged_fields();
    }
}

impl DescribedGroup {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        if version >= 6 {
            w.nullable_string(self.error_message.as_deref());
        }
        w.string(&self.group_id);
        w.string(&self.group_state);
        w.string(&self.protocol_type);
        w.string(&self.protocol_data);
        w.array(&self.members, |w, member| member.encode(w, version));
        if version >= 3 {
            w.i32(self.authorized_operations);
        }
        w.no_tagged_fields();
    }
}

impl DescribedGroupMember {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.string(&self.member_id);
        if version >= 4 {
            w.nullable_string(self.group_instance_id.as_deref());
        }
        w.string(&self.client_id);
        w.string(&self.client_host);
        w.bytes(&self.member_metadata);
        w.bytes(&self.member_assignment);
        w.no_tagged_fields();
    }
}
