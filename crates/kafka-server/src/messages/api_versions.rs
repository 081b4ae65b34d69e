//! ApiVersions: what a client asks first, to learn what it may ask.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks which APIs are served, in which versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiVersionsRequest {
    /// The client library's name, such as `librdkafka`; empty before version 3.
    pub client_software_name: String,
    /// The client library's version; empty before version 3.
    pub client_software_version: String,
}

/// Lists the APIs that are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiVersionsResponse {
    /// `UNSUPPORTED_VERSION` in an answer to a version that is not served.
    pub error_code: ErrorCode,
    /// The APIs.
    pub api_keys: Vec<ApiVersion>,
    /// Milliseconds that the client should wait, from version 1.
    pub throttle_time_ms: i32,
    /// Features that could be switched on, from version 3; those whose lowest level is 0 from version 4, since clients
    /// that speak version 3 take no such level (KAFKA-17492).
    pub supported_features: Vec<SupportedFeature>,
    /// Increases with every change of the finalized features; -1 while there are none (KIP-584).
    pub finalized_features_epoch: i64,
    /// Features that are switched on, from version 3; they steer how new Java clients behave.
    pub finalized_features: Vec<FinalizedFeature>,
}

/// One API and its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiVersion {
    /// The API's code.
    pub api_key: i16,
    /// The lowest version served.
    pub min_version: i16,
    /// The highest version served.
    pub max_version: i16,
}

/// A feature that could be switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedFeature {
    /// The feature's name.
    pub name: String,
    /// The lowest level.
    pub min_version: i16,
    /// The highest level.
    pub max_version: i16,
}

/// A feature that is switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalizedFeature {
    /// The feature's name.
    pub name: String,
    /// The highest level in force.
    pub max_version_level: i16,
    /// The lowest level in force.
    pub min_version_level: i16,
}

impl ApiVersionsResponse {
    /// What clients are told: the table of [`super::api`] and two features: `group.version` at level 1, the consumer protocol
    /// (KIP-848), and `transaction.version` at level 2: Produce and TxnOffsetCommit add partitions and groups to a transaction
    /// by themselves, and EndTxn raises the epoch (KIP-890).
    pub fn new(error_code: ErrorCode) -> Self {
        let api_keys = ApiKey::ALL.iter().map(|api| {
            let (min_version, max_version) = api.advertised_versions().into_inner();
            ApiVersion { api_key: api.code(), min_version, max_version }
        });
        let features = [("group.version", 1), ("transaction.version", 2)];
        let supported = features.map(|(name, max_version)| SupportedFeature {
            name: name.to_owned(),
            min_version: 0,
            max_version,
        });
        let finalized = features.map(|(name, level)| FinalizedFeature {
            name: name.to_owned(),
            max_version_level: level,
            min_version_level: level,
        });
        Self {
            error_code,
            api_keys: api_keys.collect(),
            throttle_time_ms: 0,
            supported_features: supported.into(),
            // Java clients heed finalized features of an epoch of 0 or more.
            finalized_features_epoch: 0,
            finalized_features: finalized.into(),
        }
    }
}

impl Request for ApiVersionsRequest {
    const API: ApiKey = ApiKey::ApiVersions;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        if version < 3 {
            return Ok(Self::default());
        }
        let request = Self {
            client_software_name: r.string("client_software_name")?,
            client_software_version: r.string("client_software_version")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for ApiVersionsResponse {
    const API: ApiKey = ApiKey::ApiVersions;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        w.array(&self.api_keys, |w, api| {
            w.i16(api.api_key);
            w.i16(api.min_version);
            w.i16(api.max_version);
            w.no_tagged_fields();
        });
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.tagged_fields(|fields| {
            let supported = self.supported_features.iter();
            let supported: Vec<_> =
                supported.filter(|feature| version >= 4 || feature.min_version != 0).collect();
            if !supported.is_empty() {
                fields.put(0, |w| w.array(&supported, |w, feature| feature.encode(w)));
            }
            if self.finalized_features_epoch != -1 {
                fields.put(1, |w| w.i64(self.finalized_features_epoch));
            }
            if !self.finalized_features.is_empty() {
                fields.put(2, |w| w.array(&self.finalized_features, FinalizedFeature::encode));
            }
        });
    }
}

impl SupportedFeature {
    fn encode(&self, w: &mut Writer) {
        w.string(&self.name);
        w.i16(self.min_version);
        w.i16(self.max_version);
        w.no_tagged_fields();
    }
}

impl FinalizedFeature {
    fn encode(w: &mut Writer, feature: &Self) {
        w.string(&feature.name);
        w.i16(feature.max_version_level);
        w.i16(feature.min_version_level);
        w.no_tagged_fields();
    }
}
