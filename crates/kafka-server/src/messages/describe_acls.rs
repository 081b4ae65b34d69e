//! DescribeAcls (KIP-140), and the parts of rules that the three APIs of ACLs share.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Which rules are meant, in Kafka's numbers; null text and the number 1 stand for any.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AclFilterFields {
    /// The type of resource.
    pub resource_type: i8,
    /// The resource's name.
    pub resource_name: Option<String>,
    /// How the name is meant.
    pub pattern_type: i8,
    /// The principal.
    pub principal: Option<String>,
    /// The host.
    pub host: Option<String>,
    /// The operation.
    pub operation: i8,
    /// Whether it allows or denies.
    pub permission_type: i8,
}

/// Asks for rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeAclsRequest {
    /// Which.
    pub filter: AclFilterFields,
}

/// Lists rules, by what they are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeAclsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why none are listed.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// The rules.
    pub resources: Vec<AclResource>,
}

/// The rules of one pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclResource {
    /// The type of resource.
    pub resource_type: i8,
    /// The resource's name.
    pub resource_name: String,
    /// How the name is meant.
    pub pattern_type: i8,
    /// The rules.
    pub acls: Vec<AclDescription>,
}

/// One rule of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclDescription {
    /// The principal.
    pub principal: String,
    /// The host.
    pub host: String,
    /// The operation.
    pub operation: i8,
    /// Whether it allows or denies.
    pub permission_type: i8,
}

impl AclFilterFields {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            resource_type: r.i8("resource_type_filter")?,
            resource_name: r.nullable_string("resource_name_filter")?,
            pattern_type: r.i8("pattern_type_filter")?,
            principal: r.nullable_string("principal_filter")?,
            host: r.nullable_string("host_filter")?,
            operation: r.i8("operation")?,
            permission_type: r.i8("permission_type")?,
        })
    }
}

impl Request for DescribeAclsRequest {
    const API: ApiKey = ApiKey::DescribeAcls;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let filter = AclFilterFields::decode(r)?;
        r.skip_tagged_fields()?;
        Ok(Self { filter })
    }
}

impl Response for DescribeAclsResponse {
    const API: ApiKey = ApiKey::DescribeAcls;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        w.array(&self.resources, |w, resource| {
            w.i8(resource.resource_type);
            w.string(&resource.resource_name);
            w.i8(resource.pattern_type);
            w.array(&resource.acls, |w, acl| {
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
