//! The public keys that tokens are checked with: a JSON Web Key Set (RFC 7517) in a file, read again when it changes.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use factum_base::tasks::Stop;
use parking_lot::{Mutex, RwLock};
use ring::signature;
use serde::Deserialize;
use tracing::{info, warn};

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// How often the file is looked at.
const RELOAD_EVERY: Duration = Duration::from_secs(10);

/// Why a file has no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is no key set.
    #[error("{path} is not a JSON Web Key Set: {reason}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It has keys, and none of a kind that tokens are checked with.
    #[error("{path} has no key for RS256 or ES256", path = path.display())]
    NoUsableKey {
        /// The file.
        path: PathBuf,
    },
}

/// The keys of a file; a cheap handle.
#[derive(Clone)]
pub struct TokenKeys(Arc<TokenKeysState>);

struct TokenKeysState {
    path: PathBuf,
    keys: RwLock<Arc<KeySet>>,
    seen: Mutex<Vec<u8>>,
    failure: Mutex<Option<String>>,
}

/// Keys by their id; without one under the empty text.
pub(super) type KeySet = HashMap<String, Vec<PublicKey>>;

/// One key.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum PublicKey {
    /// For RS256.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// For ES256: an uncompressed point of P-256.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct JsonKeySet {
    keys: Vec<JsonKey>,
}

#[derive(Deserialize)]
struct JsonKey {
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl TokenKeys {
    /// Reads the keys.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn open(path: &Path) -> Result<Self, KeysError> {
        let bytes = read(path)?;
        let keys = RwLock::new(Arc::new(parse(path, &bytes)?));
        Ok(Self(Arc::new(TokenKeysState {
            path: path.to_owned(),
            keys,
            seen: Mutex::new(bytes),
            failure: Mutex::new(None),
        })))
    }

    /// Looks after the file until `stop`. What cannot be used is reported, and the keys read before stay in use.
    pub async fn watch(self, stop: Stop) {
        loop {
            tokio::select! {
                biased;
                () = stop.requested() => return,
                () = tokio::time::sleep(RELOAD_EVERY) => {}
            }
            let keys = self.clone();
            tokio::select! {
                biased;
                () = stop.requested() => return,
                _ = tokio::task::spawn_blocking(move || keys.reload()) => {}
            }
        }
    }

    /// What is wrong with the file, in words.
    pub fn problem(&self) -> Option<String> {
        self.0.failure.lock().clone()
    }

    pub(super) fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.0.keys.read())
    }

    fn reload(&self) {
        let shared = &self.0;
        let outcome = read(&shared.path).and_then(|bytes| {
            let is_known = *shared.seen.lock() == bytes && shared.failure.lock().is_none();
            if is_known {
                return Ok(());
            }
            *shared.keys.write() = Arc::new(parse(&shared.path, &bytes)?);
            *shared.seen.lock() = bytes;
            *shared.failure.lock() = None;
            info!(path = %shared.path.display(), "the keys of tokens were read again");
            Ok(())
        });
        if let Err(error) = outcome {
            let reason = format!("the keys of tokens stay those read before: {error}");
            let mut failure = shared.failure.lock();
            if failure.as_ref() != Some(&reason) {
                warn!("{reason}");
                *failure = Some(reason);
            }
        }
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKeys").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl PublicKey {
    /// Whether `signature` by `algorithm`, a name of RFC 7518, is one of `message`.
    pub(super) fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Rsa { modulus, exponent }, "RS256") => {
                let key = signature::RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            (Self::P256(point), "ES256") => {
                let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
                key.verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeysError> {
    let unreadable = |source| KeysError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = crate::regular_file::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let reason = "it is larger than 1 MiB".to_owned();
        return Err(KeysError::Malformed { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<KeySet, KeysError> {
    let set: JsonKeySet = serde_json::from_slice(bytes)
        .map_err(|error| KeysError::Malformed { path: path.to_owned(), reason: error.to_string() })?;
    let mut keys = KeySet::new();
    for key in set.keys {
        if key.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            continue;
        }
        if let Some(public) = public_key(&key) {
            keys.entry(key.kid).or_default().push(public);
        }
    }
    if keys.is_empty() {
        return Err(KeysError::NoUsableKey { path: path.to_owned() });
    }
    Ok(keys)
}

/// `None` for a key of a kind that is not used here.
fn public_key(key: &JsonKey) -> Option<PublicKey> {
    let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    match (key.kty.as_str(), key.crv.as_deref()) {
        ("RSA", _) => Some(PublicKey::Rsa { modulus: bytes(&key.n)?, exponent: bytes(&key.e)? }),
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes(&key.x)?, bytes(&key.y)?);
            (x.len() == 32 && y.len() == 32).then(|| PublicKey::P256([vec![4], x, y].concat()))
        }
        _ => None,
    }
}
