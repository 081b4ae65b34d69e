//! AlterUserScramCredentials (KIP-554).
//!
//! **Invariants:** neither `Debug` nor an error shows a salt or a salted password: the latter is as good as the password.

use std::fmt;

use bytes::Bytes;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Changes which users may log in by SCRAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterUserScramCredentialsRequest {
    /// Credentials that go.
    pub deletions: Vec<ScramDeletion>,
    /// Credentials that come, or come in place of others.
    pub upsertions: Vec<ScramUpsertion>,
}

/// A credential that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramDeletion {
    /// The user.
    pub name: String,
    /// The mechanism: 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512.
    pub mechanism: i8,
}

/// A credential that comes.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramUpsertion {
    /// The user.
    pub name: String,
    /// The mechanism: 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512.
    pub mechanism: i8,
    /// How often the client hashed the password.
    pub iterations: i32,
    /// The salt that the client chose.
    pub salt: Bytes,
    /// The password, salted.
    pub salted_password: Bytes,
}

/// Says what changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterUserScramCredentialsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each user.
    pub results: Vec<AlteredUser>,
}

/// What became of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlteredUser {
    /// The user.
    pub user: String,
    /// Why nothing of it changed.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
}

impl fmt::Debug for ScramUpsertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramUpsertion")
            .field("name", &self.name)
            .field("mechanism", &self.mechanism)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

impl Request for AlterUserScramCredentialsRequest {
    const API: ApiKey = ApiKey::AlterUserScramCredentials;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let deletions = r.array("deletions", |r| {
            let deletion = ScramDeletion { name: r.string("name")?, mechanism: r.i8("mechanism")? };
            r.skip_tagged_fields()?;
            Ok(deletion)
        })?;
        let upsertions = r.array("upsertions", |r| {
            let upsertion = ScramUpsertion {
                name: r.string("name")?,
                mechanism: r.i8("mechanism")?,
                iterations: r.i32("iterations")?,
                salt: r.owned_bytes("salt")?,
                salted_password: r.owned_bytes("salted_password")?,
            };
            r.skip_tagged_fields()?;
            Ok(upsertion)
        })?;
        r.skip_tagged_fields()?;
        Ok(Self { deletions, upsertions })
    }
}

impl Response for AlterUserScramCredentialsResponse {
    const API: ApiKey = ApiKey::AlterUserScramCredentials;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, |w, result| {
            w.string(&result.user);
            w.error_code(result.error_code);
            w.nullable_string(result.error_message.as_deref());
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
