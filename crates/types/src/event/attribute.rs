//! The rules for attribute names and values (CloudEvents 1.0.2, §3.1 and "Type System").

use super::Error;

/// Longer names are refused; the specification asks for 20 at most but does not require it.
const MAX_NAME_BYTES: usize = 64;

/// Why an attribute is refused; reads on after its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// Empty, too long, or with a character other than `a`–`z` and `0`–`9`.
    #[error("is not a name of 1 to {MAX_NAME_BYTES} lower-case letters and digits")]
    BadName,
    /// `data` is where JSON keeps the data.
    #[error("is reserved for the event's data")]
    Reserved,
    /// Present, and the empty string.
    #[error("is empty")]
    Empty,
    /// A control character or a code point that is no character.
    #[error("holds the character {found:?}, which is not allowed")]
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// Not RFC 3339.
    #[error("is not a time in RFC 3339 form: {found:?}")]
    BadTime {
        /// The text found.
        found: String,
    },
    /// Not RFC 3986.
    #[error("is not a URI reference: {found:?}")]
    BadUri {
        /// The text found.
        found: String,
    },
    /// Not RFC 2046.
    #[error("is not a media type: {found:?}")]
    BadMediaType {
        /// The text found.
        found: String,
    },
    /// Neither text, nor a whole number of 32 bits, nor true or false.
    #[error("is {found}, but must be text, true, false or a whole number of 32 bits")]
    BadType {
        /// What it is, in words.
        found: &'static str,
    },
    /// Not text, in an attribute of the specification, all of which are (JSON event format 1.0.2, §2.2).
    #[error("is {found}, but must be text")]
    NotText {
        /// What it is, in words.
        found: &'static str,
    },
    /// Given twice.
    #[error("is given twice")]
    Duplicate,
    /// `data` and `data_base64` together.
    #[error("is given beside data")]
    BesideData,
    /// Not RFC 4648.
    #[error("is not base64: {reason}")]
    BadBase64 {
        /// What the decoder says, with the position.
        reason: String,
    },
    /// Not text at all.
    #[error("is not UTF-8")]
    NotUtf8,
}

impl AttributeError {
    pub(super) fn of(self, name: &str) -> Error {
        Error::Attribute { name: name.to_owned(), reason: self }
    }
}

/// Whether `name` may name an attribute.
pub fn check_name(name: &str) -> Result<(), AttributeError> {
    let is_allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.as_bytes().iter().all(is_allowed) {
        return Err(AttributeError::BadName);
    }
    Ok(())
}

pub(super) fn check_extension_name(name: &str) -> Result<(), Error> {
    check_name(name).map_err(|reason| reason.of(name))?;
    if name == "data" {
        return Err(AttributeError::Reserved.of(name));
    }
    Ok(())
}

pub(super) fn check_text(name: &str, value: &str) -> Result<(), Error> {
    // Plain ASCII, the usual case, in one pass that the compiler can vectorise.
    if value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(());
    }
    match value.chars().find(|c| is_forbidden(*c)) {
        Some(found) => Err(AttributeError::BadCharacter { found }.of(name)),
        None => Ok(()),
    }
}

pub(super) fn check_non_empty_text(name: &str, value: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(AttributeError::Empty.of(name));
    }
    check_text(name, value)
}

/// Every character must be one that RFC 3986 allows; characters beyond ASCII are taken as an IRI's (RFC 3987).
pub(super) fn check_uri_reference(name: &str, value: &str) -> Result<(), Error> {
    check_non_empty_text(name, value)?;
    let is_outside =
        |byte: u8| matches!(byte, b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
    let mut escapes = value.split('%').skip(1);
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if value.bytes().any(is_outside) || !escapes.all(is_escape) {
        return Err(AttributeError::BadUri { found: value.to_owned() }.of(name));
    }
    Ok(())
}

/// A type and a subtype, each a token of RFC 2045; parameters may follow.
pub(super) fn check_media_type(name: &str, value: &str) -> Result<(), Error> {
    check_non_empty_text(name, value)?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    let is_token = |part: &str| {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !part.is_empty() && part.bytes().all(is_allowed)
    };
    match essence.split_once('/') {
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) => Ok(()),
        _ => Err(AttributeError::BadMediaType { found: value.to_owned() }.of(name)),
    }
}

/// RFC 3339: the zone is required, and no calendar annotation may follow.
pub(super) fn parse_time(value: &str) -> Result<jiff::Timestamp, Error> {
    let is_plain = value.len() >= "2026-01-01T00:00:00Z".len() && !value.contains('[');
    let parsed = is_plain.then(|| value.parse().ok()).flatten();
    parsed.ok_or_else(|| AttributeError::BadTime { found: value.to_owned() }.of("time"))
}

/// Control characters and noncharacters; surrogates cannot occur in a `str`.
fn is_forbidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control() || (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}
