//! Logging in by SASL, without a connection: messages of a client in, messages for it out.
//!
//! **Invariants:**
//! - A client cannot find out which users there are: an unknown name is asked for its proof with a salt like others, which is the same
//!   each time, and is refused like a wrong password, after as much work.
//! - Passwords are checked as everywhere (see [`PasswordChecks`]).
//! - An exchange ends with the first message that is wrong; it cannot be gone on with.
//! - No error says more to a client than that it was refused; passwords, proofs and tokens are in no error.
//!
//! **Not here:** Kafka's requests that the messages travel in, and what who logged in may do.

mod connection_string;
mod mechanism;
mod oauth_bearer;
mod plain;
mod scram_exchange;
mod server_secret;
mod token_keys;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clients::ClientAddress;
use factum_base::clock::SharedClock;
use factum_base::random::Random;

pub use mechanism::Mechanism;
pub use oauth_bearer::Options as OAuthBearerOptions;
pub use server_secret::{SALT_BYTES, ServerSecret};
pub use token_keys::{KeysError, TokenKeys};

use crate::{PasswordChecks, ScramCredential, ScramMechanism, TooManyChecks, Users};
use oauth_bearer::TokenVerifier;
use scram_exchange::ServerFirst;

/// The longest message of a client. Tokens may be some kilobytes.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// What logins are checked with; a cheap handle.
#[derive(Clone)]
pub struct Logins(Arc<LoginChecks>);

struct LoginChecks {
    users: Users,
    secret: ServerSecret,
    random: Random,
    passwords: PasswordChecks,
    tokens: Option<TokenVerifier>,
}

/// Why a client is not logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Its message breaks the mechanism's rules.
    #[error("malformed message: {0}")]
    Malformed(&'static str),
    /// Name and proof do not go together, or there is no such user.
    #[error("unknown user, wrong password or invalid token")]
    Refused,
    /// Too many passwords are being checked; the client may try again.
    #[error("too many passwords are being checked at once")]
    Busy,
}

/// What comes of a message.
#[derive(PartialEq, Eq)]
pub enum Step {
    /// The client has to answer this.
    Challenge(Vec<u8>),
    /// The client is who it says.
    Success(Login),
}

/// A client that has proved who it is.
#[derive(PartialEq, Eq)]
pub struct Login {
    /// The user's name, without `User:`.
    pub user: String,
    /// The last message to the client.
    pub reply: Vec<u8>,
    /// For how long its proof holds; `None` without an end.
    pub valid_for: Option<Duration>,
}

/// One login.
pub struct Exchange {
    logins: Logins,
    client: ClientAddress,
    state: State,
}

enum State {
    Plain,
    Scram(ScramMechanism),
    /// The client has to prove that it knows the password.
    Challenged(Box<ServerFirst>),
    OAuthBearer,
    /// Nothing is taken any more.
    Over,
}

impl Logins {
    /// Of `users`, whose passwords `passwords` checks; `secret` has to stay the same over restarts.
    pub fn new(users: Users, passwords: PasswordChecks, secret: ServerSecret, random: Random) -> Self {
        Self(Arc::new(LoginChecks { users, secret, random, passwords, tokens: None }))
    }

    /// The same, and clients may come with tokens that were signed with one of `keys`.
    #[must_use]
    pub fn with_tokens(&self, options: OAuthBearerOptions, keys: TokenKeys, clock: SharedClock) -> Self {
        let LoginChecks { users, secret, random, passwords, .. } = &*self.0;
        let tokens = Some(TokenVerifier::new(options, keys, clock));
        let (users, secret, random) = (users.clone(), secret.clone(), random.clone());
        Self(Arc::new(LoginChecks { users, secret, random, passwords: passwords.clone(), tokens }))
    }

    /// Begins a login of a client at that address.
    pub fn begin(&self, mechanism: Mechanism, client: ClientAddress) -> Exchange {
        let state = match mechanism {
            Mechanism::Plain => State::Plain,
            Mechanism::ScramSha256 => State::Scram(ScramMechanism::Sha256),
            Mechanism::ScramSha512 => State::Scram(ScramMechanism::Sha512),
            Mechanism::OAuthBearer => State::OAuthBearer,
        };
        Exchange { logins: self.clone(), client, state }
    }

    /// What a user proves its password against; of one that there is not, something that no password fits.
    fn credential(&self, user: &str, mechanism: ScramMechanism) -> ScramCredential {
        // Made for everyone, so that it takes the same time.
        let other = self.0.secret.credential_of_no_one(user, mechanism, &self.0.users.shapes(mechanism));
        self.0.users.credential(user, mechanism).unwrap_or(other)
    }
}

impl Exchange {
    /// Takes the client's next message.
    ///
    /// # Errors
    /// [`LoginError`]; the exchange is then over.
    pub async fn next(&mut self, message: &[u8]) -> Result<Step, LoginError> {
        if message.len() > MAX_MESSAGE_BYTES {
            self.state = State::Over;
            return Err(LoginError::Malformed("it is longer than 64 KiB"));
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Plain => self.check_password(message).await,
            State::Scram(mechanism) => self.challenge(mechanism, message),
            State::Challenged(first) => first.check(message).map(Step::Success),
            State::OAuthBearer => {
                let tokens = self.logins.0.tokens.as_ref().ok_or(LoginError::Refused)?;
                tokens.check(message).map(Step::Success)
            }
            State::Over => Err(LoginError::Malformed("the exchange is over")),
        }
    }

    async fn check_password(&self, message: &[u8]) -> Result<Step, LoginError> {
        let plain::Password { user, password } = plain::parse(message)?;
        let checked = self.logins.0.passwords.accepts(self.client, &user, &password).await;
        match checked.map_err(|TooManyChecks| LoginError::Busy)? {
            true => Ok(Step::Success(Login { user, reply: Vec::new(), valid_for: None })),
            false => Err(LoginError::Refused),
        }
    }

    fn challenge(&mut self, mechanism: ScramMechanism, message: &[u8]) -> Result<Step, LoginError> {
        let random = &self.logins.0.random;
        // 244 bits.
        let nonce = format!("{}{}", random.uuid().simple(), random.uuid().simple());
        let credential = |user: &str| self.logins.credential(user, mechanism);
        let first = ServerFirst::answer(message, &nonce, credential)?;
        let challenge = first.text().as_bytes().to_vec();
        self.state = State::Challenged(Box::new(first));
        Ok(Step::Challenge(challenge))
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("client", &self.client).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
