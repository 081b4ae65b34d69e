//! SaslAuthenticate: the messages of a mechanism (KIP-152, KIP-368).

use std::fmt;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Brings a message of the client.
#[derive(Clone, PartialEq, Eq)]
pub struct SaslAuthenticateRequest {
    /// The message, which may have a password in it.
    pub auth_bytes: Vec<u8>,
}

/// Answers it.
#[derive(Clone, PartialEq, Eq)]
pub struct SaslAuthenticateResponse {
    /// Why the client is not logged in.
    pub error_code: ErrorCode,
    /// The same in words, as far as the client may know.
    pub error_message: Option<String>,
    /// The server's message.
    pub auth_bytes: Vec<u8>,
    /// Milliseconds after which the client has to log in again; 0 without an end.
    pub session_lifetime_ms: i64,
}

impl Request for SaslAuthenticateRequest {
    const API: ApiKey = ApiKey::SaslAuthenticate;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let auth_bytes = r.bytes("auth_bytes")?.to_vec();
        r.skip_tagged_fields()?;
        Ok(Self { auth_bytes })
    }
}

impl Response for SaslAuthenticateResponse {
    const API: ApiKey = ApiKey::SaslAuthenticate;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        None
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        w.bytes(&self.auth_bytes);
        if version >= 1 {
            w.i64(self.session_lifetime_ms);
        }
        w.no_tagged_fields();
    }
}

/// Shows the length alone.
impl fmt::Debug for SaslAuthenticateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.auth_bytes.len();
        f.debug_struct("SaslAuthenticateRequest").field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// Shows the length of the message alone.
impl fmt::Debug for SaslAuthenticateResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaslAuthenticateResponse")
            .field("error_code", &self.error_code)
            .field("error_message", &self.error_message)
            .field("bytes", &self.auth_bytes.len())
            .field("session_lifetime_ms", &self.session_lifetime_ms)
            .finish_non_exhaustive()
    }
}
