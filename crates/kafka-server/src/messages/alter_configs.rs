//! AlterConfigs: replaces all settings of a resource. What is not named goes back to its default.

use super::create_topics::ConfigEntry;
use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Replaces configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterConfigsRequest {
    /// Whose, and all that is to be set.
    pub resources: Vec<ReplacedConfig>,
    /// Whether only to say what would come of it.
    pub validate_only: bool,
}

/// One resource's new configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedConfig {
    /// As in [`super::describe_configs`].
    pub resource_type: i8,
    /// The topic's name, or the node's id in decimal.
    pub resource_name: String,
    /// What is to be set.
    pub configs: Vec<ConfigEntry>,
}

/// Says what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterConfigsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each resource.
    pub responses: Vec<AlteredResource>,
}

/// What came of one resource's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlteredResource {
    /// Why nothing of it was changed.
    pub error_code: ErrorCode,
    /// Why, in words.
    pub error_message: Option<String>,
    /// The resource's type, as asked.
    pub resource_type: i8,
    /// The resource's name, as asked.
    pub resource_name: String,
}

impl Request for AlterConfigsRequest {
    const API: ApiKey = ApiKey::AlterConfigs;

    fn decode(r: &mut Reader<'_>, _version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            resources: r.array("resources", ReplacedConfig::decode)?,
            validate_only: r.bool("validate_only")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl ReplacedConfig {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let resource = Self {
            resource_type: r.i8("resource_type")?,
            resource_name: r.string("resource_name")?,
            configs: r.array("configs", ConfigEntry::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(resource)
    }
}

impl Response for AlterConfigsResponse {
    const API: ApiKey = ApiKey::AlterConfigs;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _version: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.responses, |w, response| response.encode(w));
        w.no_tagged_fields();
    }
}

impl AlteredResource {
    pub(super) fn encode(&self, w: &mut Writer) {
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        w.i8(self.resource_type);
        w.string(&self.resource_name);
        w.no_tagged_fields();
    }
}
