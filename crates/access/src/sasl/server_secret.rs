//! A secret of the server, from which it makes what it shows of users that there are not.

use factum_base::random::Random;
use ring::{digest, hmac};

use crate::{ITERATIONS, ScramCredential, ScramMechanism};

/// Bytes of the salt of a password.
pub const SALT_BYTES: usize = 32;

/// The secret; in no `Debug`.
#[derive(Clone)]
pub struct ServerSecret([u8; Self::BYTES]);

impl ServerSecret {
    /// Its length.
    pub const BYTES: usize = 32;

    /// A new one.
    pub fn random(random: &Random) -> Self {
        let (one, other) = (random.uuid(), random.uuid());
        let drawn = [*one.as_bytes(), *other.as_bytes()].concat();
        Self(digest::digest(&digest::SHA256, &drawn).as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// The one that was kept as these bytes.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// To be kept where no one else reads it.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        self.0
    }

    /// A credential that looks like others, is the same each time, and is that of no password.
    pub(super) fn credential_of_no_one(&self, user: &str, mechanism: ScramMechanism) -> ScramCredential {
        let key = hmac::Key::new(hmac::HMAC_SHA512, &self.0);
        let derive = |purpose: &str, bytes: usize| {
            let tag = hmac::sign(&key, format!("{purpose} {mechanism} {user}").as_bytes());
            tag.as_ref()[..bytes].to_vec()
        };
        ScramCredential {
            mechanism,
            salt: derive("salt", SALT_BYTES),
            iterations: ITERATIONS,
            stored_key: derive("stored key", mechanism.key_bytes()),
            server_key: derive("server key", mechanism.key_bytes()),
        }
    }
}
