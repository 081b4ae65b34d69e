//! A secret of the server, from which it makes what it shows of users that there are not.

use factum_base::random::Random;
use ring::{digest, hmac};

use crate::users::Shape;
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

    /// A credential that looks like others, which have these `shapes`, is the same each time, and is that of no password. It has the
    /// shape that scores highest for the name: where shapes come and go, most names keep theirs.
    pub(super) fn credential_of_no_one(
        &self,
        user: &str,
        mechanism: ScramMechanism,
        shapes: &[Shape],
    ) -> ScramCredential {
        let key = hmac::Key::new(hmac::HMAC_SHA512, &self.0);
        let tag = |purpose: &str| hmac::sign(&key, format!("{purpose} {mechanism} {user}").as_bytes());
        let derive = |purpose: &str, bytes: usize| {
            let rounds = bytes.div_ceil(digest::SHA512_OUTPUT_LEN);
            let tags = (0..rounds).flat_map(|round| match round {
                0 => tag(purpose).as_ref().to_vec(),
                round => tag(&format!("{purpose} {round}")).as_ref().to_vec(),
            });
            tags.take(bytes).collect()
        };
        let score =
            |shape: &&Shape| tag(&format!("{} {}", shape.iterations, shape.salt_bytes)).as_ref().to_vec();
        let shape = shapes.iter().max_by_key(score);
        let (iterations, salt_bytes) =
            shape.map_or((ITERATIONS, SALT_BYTES), |shape| (shape.iterations, shape.salt_bytes));
        ScramCredential {
            mechanism,
            salt: derive("salt", salt_bytes),
            iterations,
            stored_key: derive("stored key", mechanism.key_bytes()),
            server_key: derive("server key", mechanism.key_bytes()),
        }
    }
}
