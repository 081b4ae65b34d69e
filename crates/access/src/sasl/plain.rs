//! The one message of PLAIN (RFC 4616).

use super::LoginError;
use super::connection_string::ConnectionString;

/// A user who says that it has this password.
pub(super) struct Password {
    pub(super) user: String,
    pub(super) password: String,
}

/// `[authzid] NUL authcid NUL passwd`.
pub(super) fn parse(message: &[u8]) -> Result<Password, LoginError> {
    let text = str::from_utf8(message).map_err(|_| LoginError::Malformed("it is not UTF-8"))?;
    let mut parts = text.split('\0');
    let (Some(acts_as), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(LoginError::Malformed("it has not three parts"));
    };
    if user.is_empty() || password.is_empty() {
        return Err(LoginError::Malformed("name or password is empty"));
    }
    if !acts_as.is_empty() && acts_as != user {
        return Err(LoginError::Malformed("no user may act as another one"));
    }
    if user == ConnectionString::USER {
        let ConnectionString { key_name, key } = ConnectionString::parse(password)?;
        return Ok(Password { user: key_name, password: key });
    }
    Ok(Password { user: user.to_owned(), password: password.to_owned() })
}
