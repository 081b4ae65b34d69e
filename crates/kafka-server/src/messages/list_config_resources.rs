//! ListConfigResources: what has settings (KIP-1142). In version 0, under another name, the subscriptions to clients'
//! metrics alone (KIP-714).

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks what has settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListConfigResourcesRequest {
    /// Of which types, from version 1; none for all.
    pub resource_types: Vec<i8>,
}

/// Lists what has settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListConfigResourcesResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why there is no list.
    pub error_code: ErrorCode,
    /// The list.
    pub config_resources: Vec<ListedResource>,
}

/// Something that has settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedResource {
    /// Its name.
    pub resource_name: String,
    /// Its type, from version 1.
    pub resource_type: i8,
}

impl Request for ListConfigResourcesRequest {
    const API: ApiKey = ApiKey::ListConfigResources;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let resource_types = match version {
            0 => Vec::new(),
            _ => r.array("resource_types", |r| r.i8("resource_type"))?,
        };
        r.skip_tagged_fields()?;
        Ok(Self { resource_types })
    }
}

impl Response for ListConfigResourcesResponse {
    const API: ApiKey = ApiKey::ListConfigResources;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.array(&self.config_resources, |w, resource| {
            w.string(&resource.resource_name);
            if version >= 1 {
                w.i8(resource.resource_type);
            }
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
