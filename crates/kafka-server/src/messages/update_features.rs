//! UpdateFeatures: the levels of the cluster's features (KIP-584).

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for features to be at other levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateFeaturesRequest {
    /// Milliseconds that the client will wait.
    pub timeout_ms: i32,
    /// The features.
    pub feature_updates: Vec<FeatureUpdate>,
    /// Whether to check only, and change nothing, from version 1.
    pub validate_only: bool,
}

/// The level that a feature is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureUpdate {
    /// The feature.
    pub feature: String,
    /// The level; below 1, none.
    pub max_version_level: i16,
    /// 1: higher, 2: lower if nothing is lost, 3: lower in any case. Before version 1 a flag stands for 1 and 2.
    pub upgrade_type: i8,
}

/// Says which features have their levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateFeaturesResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why not all have. From version 2 on all change or none, and this is all that is said.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// One for each feature, before version 2.
    pub results: Vec<FeatureResult>,
}

/// What became of one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureResult {
    /// The feature.
    pub feature: String,
    /// Why it is as it was.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
}

impl Request for UpdateFeaturesRequest {
    const API: ApiKey = ApiKey::UpdateFeatures;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            timeout_ms: r.i32("timeout_ms")?,
            feature_updates: r.array("feature_updates", |r| FeatureUpdate::decode(r, version))?,
            validate_only: version >= 1 && r.bool("validate_only")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl FeatureUpdate {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let update = Self {
            feature: r.string("feature")?,
            max_version_level: r.i16("max_version_level")?,
            upgrade_type: match version {
                0 => 1 + i8::from(r.bool("allow_downgrade")?),
                _ => r.i8("upgrade_type")?,
            },
        };
        r.skip_tagged_fields()?;
        Ok(update)
    }
}

impl Response for UpdateFeaturesResponse {
    const API: ApiKey = ApiKey::UpdateFeatures;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        if version < 2 {
            w.array(&self.results, |w, result| {
                w.string(&result.feature);
                w.error_code(result.error_code);
                w.nullable_string(result.error_message.as_deref());
                w.no_tagged_fields();
            });
        }
        w.no_tagged_fields();
    }
}
