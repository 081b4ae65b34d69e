//! DeleteAcls (KIP-140).

use super::create_acls::AclFields;
use super::describe_acls::AclFilterFields;
use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Takes rules away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteAclsRequest {
    /// Which.
    pub filters: Vec<AclFilterFields>,
}

/// Says which are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteAclsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each filter of the request, in its order.
    pub filter_results: Vec<AclDeletionResult>,
}

/// What became of the rules that a filter means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclDeletionResult {
    /// Why none are gone.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// Those that are gone.
    pub matching_acls: Vec<MatchingAcl>,
}

/// A rule that a filter means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchingAcl {
    /// Why it is not gone.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// The rule.
    pub acl: AclFields,
}

impl Request for DeleteAclsRequest {
    const API: ApiKey = ApiKey::DeleteAcls;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let filters = r.array("filters", |r| {
            let filter = AclFilterFields::decode(r)?;
            r.skip_tagged_fields()?;
            Ok(filter)
        })?;
        r.skip_tagged_fields()?;
        Ok(Self { filters })
    }
}

impl Response for DeleteAclsResponse {
    const API: ApiKey = ApiKey::DeleteAcls;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.filter_results, |w, result| {
            w.error_code(result.error_code);
            w.nullable_string(result.error_message.as_deref());
            w.array(&result.matching_acls, |w, MatchingAcl { error_code, error_message, acl }| {
                w.error_code(*error_code);
                w.nullable_string(error_message.as_deref());
                w.i8(acl.resource_type);
                w.string(&acl.resource_name);
                w.i8(acl.pattern_type);
                w.string(&acl.principal);
                w.string(&acl.host);
                w.i8(acl.operation);
                w.i8(acl.permission_type);
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
