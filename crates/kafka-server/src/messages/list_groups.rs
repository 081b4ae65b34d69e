//! ListGroups.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks which groups there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListGroupsRequest {
    /// The states wanted, from version 4; empty for all.
    pub states_filter: Vec<String>,
    /// The types wanted, version 5; empty for all.
    pub types_filter: Vec<String>,
}

/// Lists groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListGroupsResponse {
    /// Milliseconds that the client should wait, from version 1.
    pub throttle_time_ms: i32,
    /// Why there is no list.
    pub error_code: ErrorCode,
    /// The groups.
    pub groups: Vec<ListedGroup>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// The group.
    pub group_id: String,
    /// The kind of group, such as `consumer`.
    pub protocol_type: String,
    /// Its state, from version 4.
    pub group_state: String,
    /// Its type, version 5: `classic` or `consumer` (KIP-848).
    pub group_type: String,
}

impl Request for ListGroupsRequest {
    const API: ApiKey = ApiKey::ListGroups;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let mut filter = |field, since| match version >= since {
            true => r.array(field, |r| r.string(field)),
            false => Ok(Vec::new()),
        };
        let request =
            Self { states_filter: filter("states_filter", 4)?, types_filter: filter("types_filter", 5)? };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for ListGroupsResponse {
    const API: ApiKey = ApiKey::ListGroups;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.error_code(self.error_code);
        w.array(&self.groups, |w, group| {
            w.string(&group.group_id);
            w.string(&group.protocol_type);
            if version >= 4 {
                w.string(&group.group_state);
            }
            if version >= 5 {
                w.string(&group.group_type);
            }
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
