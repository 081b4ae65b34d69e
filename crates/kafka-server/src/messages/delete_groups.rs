//! DeleteGroups (KIP-229).

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for groups to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteGroupsRequest {
    /// The groups.
    pub groups: Vec<String>,
}

/// Says which groups were deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteGroupsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each group.
    pub results: Vec<DeletedGroup>,
}

/// What became of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedGroup {
    /// The group.
    pub group_id: String,
    /// Why it was not deleted.
    pub error_code: ErrorCode,
}

impl Request for DeleteGroupsRequest {
    const API: ApiKey = ApiKey::DeleteGroups;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self { groups: r.array("groups_names", |r| r.string("groups_names"))? };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for DeleteGroupsResponse {
    const API: ApiKey = ApiKey::DeleteGroups;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, |w, group| {
            w.string(&group.group_id);
            w.error_code(group.error_code);
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
