//! Issuer of signed tokens for a test, with a key of its own.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// Signs JSON Web Tokens by ES256.
pub struct TokenIssuer(EcdsaKeyPair);

impl TokenIssuer {
    /// The id of its key.
    pub const KEY_ID: &'static str = "a-key-of-a-test";

    /// One with a new key.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn new() -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
        Self(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).expect("a key"))
    }

    /// Its public key as a JSON Web Key Set in `folder`.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn write_keys(&self, folder: &Path) -> PathBuf {
        let point = self.0.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": Self::KEY_ID, "x": x, "y": y});
        let path = folder.join("keys.json");
        std::fs::write(&path, json!({ "keys": [key] }).to_string()).expect("written");
        path
    }

    /// A token.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).expect("signed");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Default for TokenIssuer {
    fn default() -> Self {
        Self::new()
    }
}
