//! Connection strings, as clients of Azure Event Hubs have them for a password:
//! `Endpoint=sb://HOST/;SharedAccessKeyName=NAME;SharedAccessKey=KEY`.

use super::LoginError;

/// What a connection string says of who comes. Not `Debug`: it has the password.
pub(super) struct ConnectionString {
    pub(super) key_name: String,
    pub(super) key: String,
}

impl ConnectionString {
    /// The name under which a connection string comes for a password.
    pub(super) const USER: &str = "$ConnectionString";

    /// Reads the name and the key; the endpoint and whatever else is there are for clients.
    pub(super) fn parse(text: &str) -> Result<Self, LoginError> {
        let (mut name, mut key) = (None, None);
        for part in text.split(';') {
            let Some((word, value)) = part.split_once('=') else { continue };
            let place = match word.trim() {
                word if word.eq_ignore_ascii_case("SharedAccessKeyName") => &mut name,
                word if word.eq_ignore_ascii_case("SharedAccessKey") => &mut key,
                _ => continue,
            };
            if place.replace(value.trim()).is_some() {
                return Err(LoginError::Malformed("the connection string names a key twice"));
            }
        }
        match (name, key) {
            (Some(name), Some(key)) if !name.is_empty() && !key.is_empty() => {
                Ok(Self { key_name: name.to_owned(), key: key.to_owned() })
            }
            _ => Err(LoginError::Malformed("the connection string has no key")),
        }
    }
}
