//! LeaveGroup: members go without waiting to be taken for dead.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Takes members out of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveGroupRequest {
    /// The group.
    pub group_id: String,
    /// Who leaves; exactly one before version 3.
    pub members: Vec<LeavingMember>,
}

/// A member that leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingMember {
    /// The member's id; empty if it is named by its static identity.
    pub member_id: String,
    /// The member's static identity, from version 3.
    pub group_instance_id: Option<String>,
    /// Why it leaves, in words, version 5.
    pub reason: Option<String>,
}

/// Says who left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveGroupResponse {
    /// Milliseconds that the client should wait, from version 1.
    pub throttle_time_ms: i32,
    /// Why no member left. Before version 3 the only member's error is written here, if this is none.
    pub error_code: ErrorCode,
    /// What became of each, in the order of the request.
    pub members: Vec<LeftMember>,
}

/// What became of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftMember {
    /// The member's id.
    pub member_id: String,
    /// The member's static identity.
    pub group_instance_id: Option<String>,
    /// Why it did not leave.
    pub error_code: ErrorCode,
}

impl Request for LeaveGroupRequest {
    const API: ApiKey = ApiKey::LeaveGroup;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            group_id: r.string("group_id")?,
            members: match version {
                ..3 => vec![LeavingMember {
                    member_id: r.string("member_id")?,
                    group_instance_id: None,
                    reason: None,
                }],
                _ => r.array("members", |r| LeavingMember::decode(r, version))?,
            },
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl LeavingMember {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let member = Self {
            member_id: r.string("member_id")?,
            group_instance_id: r.nullable_string("group_instance_id")?,
            reason: if version >= 5 { r.nullable_string("reason")? } else { None },
        };
        r.skip_tagged_fields()?;
        Ok(member)
    }
}

impl LeaveGroupResponse {
    /// The error to write where members have none of their own.
    fn overall_error(&self) -> ErrorCode {
        match self.members.first() {
            Some(member) if self.error_code.is_none() => member.error_code,
            _ => self.error_code,
        }
    }
}

impl Response for LeaveGroupResponse {
    const API: ApiKey = ApiKey::LeaveGroup;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        if version < 3 {
            w.error_code(self.overall_error());
            return;
        }
        w.error_code(self.error_code);
        w.array(&self.members, |w, member| {
            w.string(&member.member_id);
            w.nullable_string(member.group_instance_id.as_deref());
            w.error_code(member.error_code);
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
