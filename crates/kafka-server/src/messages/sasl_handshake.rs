//! SaslHandshake: which mechanism a client wants to log in by.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Names a mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaslHandshakeRequest {
    /// The mechanism's name.
    pub mechanism: String,
}

/// Says whether it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaslHandshakeResponse {
    /// Why the login does not begin.
    pub error_code: ErrorCode,
    /// All that are offered.
    pub mechanisms: Vec<String>,
}

impl Request for SaslHandshakeRequest {
    const API: ApiKey = ApiKey::SaslHandshake;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        Ok(Self { mechanism: r.string("mechanism")? })
    }
}

impl Response for SaslHandshakeResponse {
    const API: ApiKey = ApiKey::SaslHandshake;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        None
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.error_code(self.error_code);
        w.array(&self.mechanisms, |w, mechanism| w.string(mechanism));
    }
}
