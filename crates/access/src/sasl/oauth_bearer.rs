//! OAUTHBEARER (RFC 7628): a signed JSON Web Token (RFC 7519) says who the client is.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use factum_base::clock::SharedClock;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Login, LoginError, TokenKeys};
use crate::check_user_name;

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 30;
/// The end of the year 9999: a date beyond it is none.
const LATEST: i64 = 253_402_300_799;
/// Of the keys without an id, or with the same, so many are tried.
const MOST_KEYS: usize = 8;

/// The settings of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// A file with the public keys of who signs tokens, as a JSON Web Key Set; RS256 and ES256 are taken.
    pub jwks: PathBuf,
    /// What `iss` of a token must be.
    pub issuer: String,
    /// What `aud` of a token must be or have.
    pub audience: String,
    /// The claim that names the user.
    #[serde(default = "subject")]
    pub principal_claim: String,
}

fn subject() -> String {
    "sub".to_owned()
}

pub(super) struct TokenVerifier {
    options: Options,
    keys: TokenKeys,
    clock: SharedClock,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: String,
    /// Whether there are extensions that must be understood; none is.
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

impl TokenVerifier {
    pub(super) fn new(options: Options, keys: TokenKeys, clock: SharedClock) -> Self {
        Self { options, keys, clock }
    }

    /// Checks the client's one message.
    pub(super) fn check(&self, message: &[u8]) -> Result<Login, LoginError> {
        let (token, acts_as) = token(message)?;
        let malformed = LoginError::Malformed;
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("its token has not three parts"));
        };
        let decode =
            |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed("its token is not base64"));
        let no_json = |_| malformed("its token is not JSON");
        let (header_bytes, signature) = (decode(header)?, decode(signature)?);
        let Header { alg, kid, crit } = serde_json::from_slice(&header_bytes).map_err(no_json)?;
        if crit {
            return Err(LoginError::Refused);
        }
        let signed = &token.as_bytes()[..header.len() + 1 + claims.len()];
        let keys = self.keys.current();
        let mut candidates = keys.get(&kid).into_iter().flatten().take(MOST_KEYS);
        if !candidates.any(|key| key.verifies(&alg, signed, &signature)) {
            return Err(LoginError::Refused);
        }
        let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(no_json)?;
        // Who the client is says the token alone; it may say the same.
        let login = self.login(&claims).filter(|login| acts_as.is_none_or(|name| name == login.user));
        login.ok_or(LoginError::Refused)
    }

    /// Who a token with these claims says that its bearer is; `None` if it does not hold here and now.
    fn login(&self, claims: &Value) -> Option<Login> {
        let Options { issuer, audience, principal_claim, .. } = &self.options;
        let now = self.clock.now().as_millis() / 1_000;
        let expires = seconds(claims.get("exp")?)?;
        let is_for_us = match claims.get("aud")? {
            Value::String(one) => one == audience,
            Value::Array(all) => all.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        };
        let has_begun = match claims.get("nbf") {
            Some(begins) => seconds(begins)? <= now + LEEWAY,
            None => true,
        };
        let is_by = claims.get("iss").and_then(Value::as_str) == Some(issuer);
        if !is_for_us || !is_by || !has_begun || expires.saturating_add(LEEWAY) <= now {
            return None;
        }
        let user = claims.get(principal_claim)?.as_str().filter(|user| check_user_name(user).is_ok())?;
        let left = u64::try_from(expires.saturating_sub(now)).unwrap_or(0).max(1);
        Some(Login { user: user.to_owned(), reply: Vec::new(), valid_for: Some(Duration::from_secs(left)) })
    }
}

/// Notes that a field is there, also where it is null.
fn is_there<'de, D: serde::Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(value).map(|_| true)
}

/// A NumericDate, which may have a fraction; `None` beyond the year 9999.
fn seconds(value: &Value) -> Option<i64> {
    // A cast from a float saturates.
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    (0..=LATEST).contains(&seconds).then_some(seconds)
}

/// The token, and as whom the client wants to act, of `n,[a=NAME],^Aauth=Bearer TOKEN^A…^A^A`.
fn token(message: &[u8]) -> Result<(&str, Option<&str>), LoginError> {
    let malformed = LoginError::Malformed;
    let text = str::from_utf8(message).map_err(|_| malformed("it is not UTF-8"))?;
    let (header, pairs) = text.split_once('\x01').ok_or(malformed("it has no header"))?;
    let mut parts = header.split(',');
    let (Some("n" | "y"), Some(acts_as), Some(""), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed("its header is none"));
    };
    let acts_as = match acts_as.strip_prefix("a=") {
        Some(name) => Some(name).filter(|name| !name.is_empty()),
        None if acts_as.is_empty() => None,
        None => return Err(malformed("its header is none")),
    };
    let mut pairs = pairs.split('\x01').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == "auth").ok_or(malformed("it has no token"))?;
    let (scheme, token) = value.split_once(' ').ok_or(malformed("it has no token"))?;
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok((token.trim(), acts_as)),
        false => Err(malformed("its token is no bearer token")),
    }
}
