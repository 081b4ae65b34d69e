//! JoinGroup: a consumer becomes, or stays, a member of its group.

use bytes::Bytes;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks to be a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinGroupRequest {
    /// The group.
    pub group_id: String,
    /// Milliseconds without a heartbeat after which the member is taken for dead.
    pub session_timeout_ms: i32,
    /// Milliseconds that members have to join again, from version 1; -1 before: the session timeout counts.
    pub rebalance_timeout_ms: i32,
    /// The member's id; empty on its first join.
    pub member_id: String,
    /// The member's static identity, from version 5 (KIP-345).
    pub group_instance_id: Option<String>,
    /// The kind of group; consumers say `consumer`.
    pub protocol_type: String,
    /// The assignment protocols that the member can follow, its favourite first.
    pub protocols: Vec<JoinGroupProtocol>,
    /// Why it joins again, in words, from version 8.
    pub reason: Option<String>,
}

/// An assignment protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinGroupProtocol {
    /// Its name, such as `range`.
    pub name: String,
    /// What the member tells its leader; the broker does not look inside.
    pub metadata: Bytes,
}

/// Says who belongs to the new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinGroupResponse {
    /// Milliseconds that the client should wait, from version 2.
    pub throttle_time_ms: i32,
    /// Why it did not join.
    pub error_code: ErrorCode,
    /// The generation; -1 after an error.
    pub generation_id: i32,
    /// The kind of group, from version 7.
    pub protocol_type: Option<String>,
    /// The protocol that all members share; null is written as empty before version 7.
    pub protocol_name: Option<String>,
    /// The leader's member id.
    pub leader: String,
    /// Whether the leader need not assign, since nothing changed, version 9 (KIP-814).
    pub skip_assignment: bool,
    /// The member's id.
    pub member_id: String,
    /// Every member, for the leader; empty for the others.
    pub members: Vec<JoinGroupMember>,
}

/// A member of the new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinGroupMember {
    /// The member's id.
    pub member_id: String,
    /// The member's static identity, from version 5.
    pub group_instance_id: Option<String>,
    /// What it said under the chosen protocol.
    pub metadata: Bytes,
}

impl Request for JoinGroupRequest {
    const API: ApiKey = ApiKey::JoinGroup;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            group_id: r.string("group_id")?,
            session_timeout_ms: r.i32("session_timeout_ms")?,
            rebalance_timeout_ms: if version >= 1 { r.i32("rebalance_timeout_ms")? } else { -1 },
            member_id: r.string("member_id")?,
            group_instance_id: if version >= 5 { r.nullable_string("group_instance_id")? } else { None },
            protocol_type: r.string("protocol_type")?,
            protocols: r.array("protocols", JoinGroupProtocol::decode)?,
            reason: if version >= 8 { r.nullable_string("reason")? } else { None },
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl JoinGroupProtocol {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let protocol = Self { name: r.string("name")?, metadata: r.owned_bytes("metadata")? };
        r.skip_tagged_fields()?;
        Ok(protocol)
    }
}

impl Response for JoinGroupResponse {
    const API: ApiKey = ApiKey::JoinGroup;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 2 {
            w.i32(self.throttle_time_ms);
        }
        w.error_code(self.error_code);
        w.i32(self.generation_id);
        if version >= 7 {
            w.nullable_string(self.protocol_type.as_deref());
            w.nullable_string(self.protocol_name.as_deref());
        } else {
            w.string(self.protocol_name.as_deref().unwrap_or_default());
        }
        w.string(&self.leader);
        if version >= 9 {
            w.bool(self.skip_assignment);
        }
        w.string(&self.member_id);
        w.array(&self.members, |w, member| member.encode(w, version));
        w.no_tagged_fields();
    }
}

impl JoinGroupMember {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.string(&self.member_id);
        if version >= 5 {
            w.nullable_string(self.group_instance_id.as_deref());
        }
        w.bytes(&self.metadata);
        w.no_tagged_fields();
    }
}
