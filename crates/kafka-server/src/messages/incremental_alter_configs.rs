//! IncrementalAlterConfigs (KIP-339): single settings of a resource; the others stay.

use super::alter_configs::AlteredResource;
use super::create_topics::ConfigEntry;
use super::{ApiKey, Request, Response};
use crate::wire::{self, Reader, Writer};

/// Sets the value.
pub const SET: i8 = 0;
/// Goes back to the default.
pub const DELETE: i8 = 1;
/// Adds to a list.
pub const APPEND: i8 = 2;
/// Takes from a list.
pub const SUBTRACT: i8 = 3;

/// Changes configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncrementalAlterConfigsRequest {
    /// Whose, and what.
    pub resources: Vec<EditedConfig>,
    /// Whether only to say what would come of it.
    pub validate_only: bool,
}

/// What is to change of one resource, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedConfig {
    /// As in [`super::describe_configs`].
    pub resource_type: i8,
    /// The topic's name, or the node's id in decimal.
    pub resource_name: String,
    /// What is to change.
    pub configs: Vec<ConfigEdit>,
}

/// What is to change of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEdit {
    /// [`SET`], [`DELETE`], [`APPEND`] or [`SUBTRACT`].
    pub operation: i8,
    /// The setting, and the value that the operation is done with.
    pub entry: ConfigEntry,
}

/// Says what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncrementalAlterConfigsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each resource.
    pub responses: Vec<AlteredResource>,
}

impl Request for IncrementalAlterConfigsRequest {
    const API: ApiKey = ApiKey::IncrementalAlterConfigs;

    fn decode(r: &mut Reader<'_>, _version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            resources: r.array("resources", EditedConfig::decode)?,
            validate_only: r.bool("validate_only")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl EditedConfig {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let resource = Self {
            resource_type: r.i8("resource_type")?,
            resource_name: r.string("resource_name")?,
            configs: r.array("configs", ConfigEdit::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(resource)
    }
}

impl ConfigEdit {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let name = r.string("name")?;
        let operation = r.i8("config_operation")?;
        let entry = ConfigEntry { name, value: r.nullable_string("value")? };
        r.skip_tagged_fields()?;
        Ok(Self { operation, entry })
    }
}

impl Response for IncrementalAlterConfigsResponse {
    const API: ApiKey = ApiKey::IncrementalAlterConfigs;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _version: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.responses, |w, response| response.encode(w));
        w.no_tagged_fields();
    }
}
