//! DescribeUserScramCredentials (KIP-554).

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks which users may log in by SCRAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeUserScramCredentialsRequest {
    /// The users; null or none for all.
    pub users: Option<Vec<String>>,
}

/// Lists them, without anything of their passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeUserScramCredentialsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why none are listed.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// One for each user.
    pub results: Vec<UserScramDescription>,
}

/// The credentials of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserScramDescription {
    /// The user.
    pub user: String,
    /// Why it is not described.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// One for each mechanism.
    pub credential_infos: Vec<CredentialInfo>,
}

/// A user's credential for one mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialInfo {
    /// The mechanism: 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512.
    pub mechanism: i8,
    /// How often the password was hashed.
    pub iterations: i32,
}

impl Request for DescribeUserScramCredentialsRequest {
    const API: ApiKey = ApiKey::DescribeUserScramCredentials;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let users = r.nullable_array("users", |r| {
            let name = r.string("name")?;
            r.skip_tagged_fields()?;
            Ok(name)
        })?;
        r.skip_tagged_fields()?;
        Ok(Self { users })
    }
}

impl Response for DescribeUserScramCredentialsResponse {
    const API: ApiKey = ApiKey::DescribeUserScramCredentials;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        w.array(&self.results, |w, result| {
            w.string(&result.user);
            w.error_code(result.error_code);
            w.nullable_string(result.error_message.as_deref());
            w.array(&result.credential_infos, |w, info| {
                w.i8(info.mechanism);
                w.i32(info.iterations);
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
