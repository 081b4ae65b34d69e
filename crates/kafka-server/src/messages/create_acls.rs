//! CreateAcls (KIP-140).

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Puts rules in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAclsRequest {
    /// The rules.
    pub creations: Vec<AclFields>,
}

/// A rule in Kafka's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclFields {
    /// The type of resource.
    pub resource_type: i8,
    /// The resource's name.
    pub resource_name: String,
    /// How the name is meant.
    pub pattern_type: i8,
    /// The principal.
    pub principal: String,
    /// The host.
    pub host: String,
    /// The operation.
    pub operation: i8,
    /// Whether it allows or denies.
    pub permission_type: i8,
}

/// Says which are in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAclsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each rule of the request, in its order.
    pub results: Vec<AclCreationResult>,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclCreationResult {
    /// Why it is not in place.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
}

impl Request for CreateAclsRequest {
    const API: ApiKey = ApiKey::CreateAcls;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let creations = r.array("creations", |r| {
            let creation = AclFields {
                resource_type: r.i8("resource_type")?,
                resource_name: r.string("resource_name")?,
                pattern_type: r.i8("resource_pattern_type")?,
                principal: r.string("principal")?,
                host: r.string("host")?,
                operation: r.i8("operation")?,
                permission_type: r.i8("permission_type")?,
            };
            r.skip_tagged_fields()?;
            Ok(creation)
        })?;
        r.skip_tagged_fields()?;
        Ok(Self { creations })
    }
}

impl Response for CreateAclsResponse {
    const API: ApiKey = ApiKey::CreateAcls;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, |w, result| {
            w.error_code(result.error_code);
            w.nullable_string(result.error_message.as_deref());
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
