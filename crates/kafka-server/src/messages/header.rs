//! The header of every request.

use super::ApiKey;
use crate::wire::{self, Reader};

/// What a request is, and what its response must carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API asked for.
    pub api: ApiKey,
    /// In which of its served versions.
    pub version: i16,
    /// Returned unchanged, so that the client finds the request that a response answers.
    pub correlation_id: i32,
    /// The client's name for itself.
    pub client_id: Option<String>,
}

/// Why a request cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The bytes are no header.
    #[error(transparent)]
    Wire(#[from] wire::Error),
    /// The API is not served; nothing can be answered, since even the response header's form is unknown.
    #[error("api key {code} is not served")]
    UnknownApi {
        /// The code found.
        code: i16,
    },
    /// The API is served, this version of it is not. For ApiVersions the answer is its version 0 with
    /// `UNSUPPORTED_VERSION` and the served versions (KIP-511); for any other API the connection ends.
    #[error("version {version} of {api} is not served")]
    UnsupportedVersion {
        /// The API asked for.
        api: ApiKey,
        /// The version found.
        version: i16,
        /// For the answer.
        correlation_id: i32,
    },
}

impl RequestHeader {
    /// Reads the header and leaves `r` before the body, in the body's encoding.
    ///
    /// # Errors
    /// [`HeaderError`]; what follows an unknown API or version is not looked at.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, HeaderError> {
        let code = r.i16("api_key")?;
        let version = r.i16("api_version")?;
        let correlation_id = r.i32("correlation_id")?;
        let api = ApiKey::from_code(code).ok_or(HeaderError::UnknownApi { code })?;
        if !api.versions().contains(&version) {
            return Err(HeaderError::UnsupportedVersion { api, version, correlation_id });
        }
        // Always in the legacy encoding, so that a broker can read it from any version (KIP-482).
        let client_id = r.nullable_string("client_id")?;
        r.set_flexible(api.is_flexible(version));
        r.skip_tagged_fields()?;
        Ok(Self { api, version, correlation_id, client_id })
    }
}
