//! The server's side of SCRAM (RFC 5802 §5), without channel binding.
//!
//! ```text
//!   n,,n=user,r=abc ─▶                      ─▶ r=abcXYZ,s=c2FsdA==,i=4096
//!   c=biws,r=abcXYZ,p=cHJvb2Y= ─▶           ─▶ v=c2lnbmF0dXJl
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use super::{Login, LoginError};
use crate::ScramCredential;

/// The longest message; names and nonces are short.
const MAX_BYTES: usize = 4 << 10;

/// The client's first message.
struct ClientFirst<'a> {
    /// Up to and with the second comma.
    header: &'a str,
    /// Behind it.
    bare: &'a str,
    user: String,
    nonce: &'a str,
}

/// What was answered to it.
pub(super) struct ServerFirst {
    user: String,
    credential: ScramCredential,
    header: String,
    client_first_bare: String,
    /// Of both sides.
    nonce: String,
    text: String,
}

impl ServerFirst {
    /// Answers a client's first message with a nonce and what `credential` says of the user.
    pub(super) fn answer(
        message: &[u8],
        nonce: &str,
        credential: impl FnOnce(&str) -> ScramCredential,
    ) -> Result<Self, LoginError> {
        let first = ClientFirst::parse(message)?;
        let credential = credential(&first.user);
        let nonce = format!("{}{nonce}", first.nonce);
        let text = format!("r={nonce},s={},i={}", STANDARD.encode(&credential.salt), credential.iterations);
        let (header, client_first_bare) = (first.header.to_owned(), first.bare.to_owned());
        Ok(Self { user: first.user, credential, header, client_first_bare, nonce, text })
    }

    /// The answer.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Checks the client's final message.
    pub(super) fn check(self, message: &[u8]) -> Result<Login, LoginError> {
        let text = text(message)?;
        let (without_proof, proof) =
            text.rsplit_once(",p=").ok_or(LoginError::Malformed("it has no proof"))?;
        let mut attributes = without_proof.split(',');
        let binding = attributes.next().and_then(|binding| binding.strip_prefix("c="));
        // What it said at first of channel binding has to be what it says now: no one in between has changed it.
        if binding != Some(STANDARD.encode(&self.header).as_str()) {
            return Err(LoginError::Malformed("its channel binding is not that of its first message"));
        }
        if attributes.next().and_then(|nonce| nonce.strip_prefix("r=")) != Some(self.nonce.as_str()) {
            return Err(LoginError::Malformed("its nonce is not the one that it was given"));
        }
        let proof = STANDARD.decode(proof).map_err(|_| LoginError::Malformed("its proof is not base64"))?;
        let exchange = format!("{},{},{without_proof}", self.client_first_bare, self.text);
        let ScramCredential { mechanism, stored_key, server_key, .. } = &self.credential;
        let signature = mechanism.hmac(stored_key, exchange.as_bytes());
        if proof.len() != signature.len() {
            return Err(LoginError::Malformed("its proof has another length"));
        }
        let client_key: Vec<_> = proof.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
        if !bool::from(mechanism.hash(&client_key).ct_eq(stored_key)) {
            return Err(LoginError::Refused);
        }
        let signature = STANDARD.encode(mechanism.hmac(server_key, exchange.as_bytes()));
        Ok(Login { user: self.user, reply: format!("v={signature}").into_bytes(), valid_for: None })
    }
}

impl<'a> ClientFirst<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, LoginError> {
        let text = text(message)?;
        let malformed = LoginError::Malformed;
        let mut parts = text.splitn(3, ',');
        let (Some(flag), Some(acts_as), Some(bare)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("it has no header"));
        };
        match flag {
            // `y`: the client could bind, and thinks that the server cannot, which is so.
            "n" | "y" => {}
            _ if flag.starts_with("p=") => return Err(malformed("channel binding is not offered")),
            _ => return Err(malformed("its header is none")),
        }
        let mut attributes = bare.split(',');
        // An extension that must be understood (`m=`) would stand here.
        let user = attributes.next().and_then(|user| user.strip_prefix("n="));
        let user = user.and_then(unescape).ok_or(malformed("it has no name"))?;
        let nonce = attributes.next().and_then(|nonce| nonce.strip_prefix("r="));
        let nonce = nonce.filter(|nonce| is_nonce(nonce)).ok_or(malformed("it has no nonce"))?;
        let acts_as = match acts_as.strip_prefix("a=") {
            Some(name) => Some(unescape(name).ok_or(malformed("its header is none"))?),
            None if acts_as.is_empty() => None,
            None => return Err(malformed("its header is none")),
        };
        if acts_as.is_some_and(|name| name != user) {
            return Err(malformed("no user may act as another one"));
        }
        Ok(Self { header: &text[..text.len() - bare.len()], bare, user, nonce })
    }
}

fn text(message: &[u8]) -> Result<&str, LoginError> {
    if message.len() > MAX_BYTES {
        return Err(LoginError::Malformed("it is longer than 4 KiB"));
    }
    str::from_utf8(message).map_err(|_| LoginError::Malformed("it is not UTF-8"))
}

/// A name, in which `,` and `=` are written `=2C` and `=3D`.
fn unescape(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (letter, rest) = match part.split_at_checked(2)? {
            ("2C", rest) => (',', rest),
            ("3D", rest) => ('=', rest),
            _ => return None,
        };
        text.push(letter);
        text.push_str(rest);
    }
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}

/// Printable, and no comma.
fn is_nonce(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_graphic())
}
