//! SyncGroup: the leader hands out the partitions, every member learns its own.

use bytes::Bytes;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for the member's assignment; from the leader, brings everybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncGroupRequest {
    /// The group.
    pub group_id: String,
    /// The generation that the member joined.
    pub generation_id: i32,
    /// The member's id.
    pub member_id: String,
    /// The member's static identity, from version 3.
    pub group_instance_id: Option<String>,
    /// The kind of group, version 5.
    pub protocol_type: Option<String>,
    /// The protocol that the group follows, version 5.
    pub protocol_name: Option<String>,
    /// Everybody's assignment, from the leader; empty from the others.
    pub assignments: Vec<SyncGroupAssignment>,
}

/// One member's assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncGroupAssignment {
    /// The member.
    pub member_id: String,
    /// What it is assigned; the broker does not look inside.
    pub assignment: Bytes,
}

/// Gives the member's assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncGroupResponse {
    /// Milliseconds that the client should wait, from version 1.
    pub throttle_time_ms: i32,
    /// Why there is no assignment.
    pub error_code: ErrorCode,
    /// The kind of group, version 5.
    pub protocol_type: Option<String>,
    /// The protocol that the group follows, version 5.
    pub protocol_name: Option<String>,
    /// The assignment; empty after an error.
    pub assignment: Bytes,
}

impl Request for SyncGroupRequest {
    const API: ApiKey = ApiKey::SyncGroup;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            group_id: r.string("group_id")?,
            generation_id: r.i32("generation_id")?,
            member_id: r.string("member_id")?,
            group_instance_id: if version >= 3 { r.nullable_string("group_instance_id")? } else { None },
            protocol_type: if version >= 5 { r.nullable_string("protocol_type")? } else { None },
            protocol_name: if version >= 5 { r.nullable_string("protocol_name")? } else { None },
            assignments: r.array("assignments", SyncGroupAssignment::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl SyncGroupAssignment {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let assignment = Self { member_id: r.string("member_id")?, assignment: r.owned_bytes("assignment")? };
        r.skip_tagged_fields()?;
        Ok(assignment)
    }
}

impl Response for SyncGroupResponse {
    const API: ApiKey = ApiKey::SyncGroup;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.error_code(self.error_code);
        if version >= 5 {
            w.nullable_string(self.protocol_type.as_deref());
            w.nullable_string(self.protocol_name.as_deref());
        }
        w.bytes(&self.assignment);
        w.no_tagged_fields();
    }
}
