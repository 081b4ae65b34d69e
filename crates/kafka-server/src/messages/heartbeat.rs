//! Heartbeat: a member says that it lives, and hears whether its group rebalances.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Says that a member lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatRequest {
    /// The group.
    pub group_id: String,
    /// The generation that the member joined.
    pub generation_id: i32,
    /// The member's id.
    pub member_id: String,
    /// The member's static identity, from version 3.
    pub group_instance_id: Option<String>,
}

/// Says whether all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatResponse {
    /// Milliseconds that the client should wait, from version 1.
    pub throttle_time_ms: i32,
    /// `REBALANCE_IN_PROGRESS` asks the member to join again.
    pub error_code: ErrorCode,
}

impl Request for HeartbeatRequest {
    const API: ApiKey = ApiKey::Heartbeat;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            group_id: r.string("group_id")?,
            generation_id: r.i32("generation_id")?,
            member_id: r.string("member_id")?,
            group_instance_id: if version >= 3 { r.nullable_string("group_instance_id")? } else { None },
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for HeartbeatResponse {
    const API: ApiKey = ApiKey::Heartbeat;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.error_code(self.error_code);
        w.no_tagged_fields();
    }
}
