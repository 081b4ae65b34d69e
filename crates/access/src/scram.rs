//! The credential that a server keeps of a password (RFC 5802): a salt and two keys that it can be checked with and not logged in with.

use std::fmt;
use std::num::NonZeroU32;

use ring::{digest, hmac, pbkdf2};
use subtle::ConstantTimeEq as _;

/// The fewest iterations that a credential may have, as in Kafka.
pub const MIN_ITERATIONS: NonZeroU32 = NonZeroU32::new(4_096).expect("not 0");
/// The most, as in Kafka: who may log in by password must not keep a processor busy for long.
pub const MAX_ITERATIONS: NonZeroU32 = NonZeroU32::new(16_384).expect("not 0");
/// What a credential gets that is made here.
pub const ITERATIONS: NonZeroU32 = MIN_ITERATIONS;

/// A mechanism of the SCRAM family, by its hash function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ScramMechanism {
    /// SCRAM-SHA-256 (RFC 7677).
    Sha256,
    /// SCRAM-SHA-512, made like it.
    Sha512,
}

impl ScramMechanism {
    /// Both, the weaker first.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// Its name as a SASL mechanism: `SCRAM-SHA-256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The mechanism of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// Bytes of each key.
    pub fn key_bytes(self) -> usize {
        match self {
            Self::Sha256 => digest::SHA256_OUTPUT_LEN,
            Self::Sha512 => digest::SHA512_OUTPUT_LEN,
        }
    }

    /// HMAC of `data` by `key`.
    pub fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), data).as_ref().to_vec()
    }

    /// The hash of `data`.
    pub fn hash(self, data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, data).as_ref().to_vec()
    }

    /// `Hi(password, salt, iterations)` of RFC 5802: the password, salted. Takes milliseconds of a processor.
    pub fn salted_password(self, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        let mut salted = vec![0; self.key_bytes()];
        pbkdf2::derive(algorithm, iterations, salt, password, &mut salted);
        salted
    }
}

impl fmt::Display for ScramMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is kept of one user's password, for one mechanism.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredential {
    /// The mechanism that it is for.
    pub mechanism: ScramMechanism,
    /// Random bytes, told to a client that begins to log in.
    pub salt: Vec<u8>,
    /// How often the password was hashed.
    pub iterations: NonZeroU32,
    /// `H(ClientKey)`: a client's proof is checked with it.
    pub stored_key: Vec<u8>,
    /// The server proves with it that it knows the user.
    pub server_key: Vec<u8>,
}

impl ScramCredential {
    /// Of a password. Takes milliseconds of a processor.
    pub fn from_password(
        mechanism: ScramMechanism,
        password: &str,
        salt: Vec<u8>,
        iterations: NonZeroU32,
    ) -> Self {
        let salted = mechanism.salted_password(password.as_bytes(), &salt, iterations);
        Self::from_salted_password(mechanism, &salted, salt, iterations)
    }

    /// Of a password that a client has salted, as in AlterUserScramCredentials (KIP-554).
    pub fn from_salted_password(
        mechanism: ScramMechanism,
        salted: &[u8],
        salt: Vec<u8>,
        iterations: NonZeroU32,
    ) -> Self {
        let client_key = mechanism.hmac(salted, b"Client Key");
        let stored_key = mechanism.hash(&client_key);
        let server_key = mechanism.hmac(salted, b"Server Key");
        Self { mechanism, salt, iterations, stored_key, server_key }
    }

    /// What the stored key would be if `password` were the password. Takes milliseconds of a processor.
    pub(crate) fn stored_key_of(&self, password: &str) -> Vec<u8> {
        let salted = self.mechanism.salted_password(password.as_bytes(), &self.salt, self.iterations);
        self.mechanism.hash(&self.mechanism.hmac(&salted, b"Client Key"))
    }

    /// Whether it is the credential of `password`, in a time that does not depend on how much of it is right. Takes
    /// milliseconds of a processor.
    pub fn accepts(&self, password: &str) -> bool {
        self.stored_key_of(password).ct_eq(&self.stored_key).into()
    }
}

impl fmt::Debug for ScramCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mechanism, iterations) = (self.mechanism, self.iterations);
        f.debug_struct("ScramCredential")
            .field("mechanism", &mechanism)
            .field("iterations", &iterations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677 §3: its salt, iterations and password, and the server's signature there.
    #[test]
    fn keys_are_those_of_the_rfc() {
        let salt = vec![
            0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81,
        ];
        let credential =
            ScramCredential::from_password(ScramMechanism::Sha256, "pencil", salt, MIN_ITERATIONS);
        let exchange = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = ScramMechanism::Sha256.hmac(&credential.server_key, exchange.as_bytes());
        // v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=
        assert_eq!(signature[..4], [0xea, 0xba, 0xe2, 0x4d]);
        assert!(credential.accepts("pencil"));
        assert!(!credential.accepts("pencils"));
        assert!(!format!("{credential:?}").contains("stored_key"));
    }
}
