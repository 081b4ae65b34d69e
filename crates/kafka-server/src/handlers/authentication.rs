//! Authentication of a connection's client: its principal, and how far it has come in proving it.
//!
//! ```text
//!   awaited ──handshake──▶ exchanging ──last message──▶ done ──handshake before the session's end (KIP-368)──▶ exchanging …
//!      │                       │                         │
//!      ╰──── any other ────────┴──── wrong ──────────────┴─ another request after the session's end ──▶ the connection ends
//! ```
//!
//! Invariants:
//! - On a listener with SASL nothing but ApiVersions, SaslHandshake and SaslAuthenticate is begun for a client that has not logged in.
//! - A connection has one principal for as long as it lasts: logging in again, it can only prove to be the same.
//! - After a refusal nothing more is begun.
//!
//! Not here: the mechanisms (see `factum_access::sasl`).

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use factum_access::sasl::{Exchange, Login, LoginError, Logins, Mechanism, Step};
use factum_base::clients::ClientAddress;
use factum_types::Principal;

use crate::error_code::ErrorCode;
use crate::messages::ApiKey;

/// What a listener asks of those who log in.
#[derive(Debug, Clone)]
pub(crate) struct LoginRules {
    pub(crate) logins: Logins,
    pub(crate) mechanisms: Vec<Mechanism>,
    /// After what time a client has to log in again.
    pub(crate) reauthenticate_after: Option<Duration>,
}

/// The client of one connection.
#[derive(Debug)]
pub(crate) struct Authentication {
    /// None on a listener that asks for no login.
    rules: Option<LoginRules>,
    principal: OnceLock<Principal>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// There is no login here.
    NotAsked,
    /// Nothing was begun.
    Awaited,
    Exchanging(Box<Attempt>),
    Done {
        mechanism: Mechanism,
        /// When requests end to be taken.
        until: Option<Instant>,
    },
    /// The connection ends.
    Refused,
}

/// A login that was begun.
#[derive(Debug)]
struct Attempt {
    mechanism: Mechanism,
    /// `None` while a message is being dealt with.
    exchange: Option<Exchange>,
    /// Its messages come without requests around them.
    is_bare: bool,
}

/// The way of a login after a message.
pub(super) enum Progress {
    /// The client has to answer.
    Challenge(Reply),
    /// It is logged in.
    Done(Reply),
}

/// A message to the client.
pub(super) struct Reply {
    pub(super) message: Vec<u8>,
    /// For how long the client may go on until it logs in again; `None` without an end, and before it is logged in.
    pub(super) lifetime: Option<Duration>,
}

/// Why a request is not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAuthenticatedError {
    /// The client has not logged in.
    #[error("{api} request of a client that has not logged in")]
    Before {
        /// What it asked for.
        api: ApiKey,
    },
    /// It should have logged in again.
    #[error("{api} request after the end of a session: the client did not log in again")]
    Expired {
        /// What it asked for.
        api: ApiKey,
    },
}

impl Authentication {
    /// Of a client that is `principal` already, on a listener without logins.
    pub(crate) fn of(principal: Principal) -> Self {
        Self { rules: None, principal: OnceLock::from(principal), state: Mutex::new(State::NotAsked) }
    }

    /// Of a client that has to log in.
    pub(crate) fn awaited(rules: LoginRules) -> Self {
        Self { rules: Some(rules), principal: OnceLock::new(), state: Mutex::new(State::Awaited) }
    }

    /// Who the client is; `None` before it has logged in.
    pub(super) fn principal(&self) -> Option<&Principal> {
        self.principal.get()
    }

    /// The mechanisms that it may log in by.
    pub(super) fn mechanisms(&self) -> &[Mechanism] {
        self.rules.as_ref().map_or(&[], |rules| &rules.mechanisms)
    }

    /// Whether the client has yet to log in for the first time.
    pub(crate) fn is_awaited(&self) -> bool {
        self.principal.get().is_none()
    }

    /// Whether the client was refused: nothing more is to be begun.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(*self.state(), State::Refused)
    }

    /// Whether the next frame is a message of the mechanism and no request.
    pub(super) fn expects_bare_message(&self) -> bool {
        matches!(&*self.state(), State::Exchanging(attempt) if attempt.is_bare)
    }

    /// Whether a request may begin.
    ///
    /// # Errors
    /// [`NotAuthenticatedError`]: the connection ends.
    pub(super) fn admit(&self, api: ApiKey, now: Instant) -> Result<(), NotAuthenticatedError> {
        let is_of_a_login =
            matches!(api, ApiKey::ApiVersions | ApiKey::SaslHandshake | ApiKey::SaslAuthenticate);
        match &*self.state() {
            State::NotAsked => Ok(()),
            State::Refused => Err(NotAuthenticatedError::Before { api }),
            _ if is_of_a_login => Ok(()),
            State::Done { until: Some(until), .. } if *until <= now => {
                Err(NotAuthenticatedError::Expired { api })
            }
            State::Done { .. } => Ok(()),
            State::Awaited | State::Exchanging(_) => Err(NotAuthenticatedError::Before { api }),
        }
    }

    /// Begins a login by the mechanism of that name.
    pub(super) fn begin(&self, name: &str, is_bare: bool, client: ClientAddress, now: Instant) -> ErrorCode {
        let mut state = self.state();
        let Some(rules) = &self.rules else { return ErrorCode::IllegalSaslState };
        let again = match &*state {
            State::NotAsked => return ErrorCode::IllegalSaslState,
            State::Awaited => None,
            // Only where sessions end, and with what it logged in by at first, as in Kafka.
            State::Done { mechanism, until: Some(_) } => Some(*mechanism),
            State::Done { until: None, .. } | State::Exchanging(_) | State::Refused => {
                *state = State::Refused;
                return ErrorCode::IllegalSaslState;
            }
        };
        let offered = rules.mechanisms.iter().copied().find(|mechanism| mechanism.name() == name);
        let Some(mechanism) = offered.filter(|mechanism| again.is_none_or(|first| first == *mechanism))
        else {
            *state = State::Refused;
            return ErrorCode::UnsupportedSaslMechanism;
        };
        tracing::trace!(%mechanism, ?now, "a login begins");
        let exchange = Some(rules.logins.begin(mechanism, client));
        *state = State::Exchanging(Box::new(Attempt { mechanism, exchange, is_bare }));
        ErrorCode::None
    }

    /// Takes the exchange for the client's next message; `None` if no login was begun, and then the connection ends, but where
    /// there are no logins.
    pub(super) fn take_exchange(&self) -> Option<(Mechanism, Exchange)> {
        let mut state = self.state();
        let taken = match &mut *state {
            State::Exchanging(attempt) => {
                attempt.exchange.take().map(|exchange| (attempt.mechanism, exchange))
            }
            State::NotAsked => return None,
            State::Awaited | State::Done { .. } | State::Refused => None,
        };
        if taken.is_none() {
            *state = State::Refused;
        }
        taken
    }

    /// Goes on with what came of the message.
    ///
    /// # Errors
    /// [`LoginError`]; the client is refused from then on.
    pub(super) fn proceed(
        &self,
        exchange: Exchange,
        outcome: Result<Step, LoginError>,
        now: Instant,
    ) -> Result<Progress, LoginError> {
        let mut state = self.state();
        let State::Exchanging(attempt) = &mut *state else { return Err(LoginError::Refused) };
        let login = match outcome {
            Ok(Step::Challenge(message)) => {
                attempt.exchange = Some(exchange);
                return Ok(Progress::Challenge(Reply { message, lifetime: None }));
            }
            Ok(Step::Success(login)) => login,
            Err(error) => {
                *state = State::Refused;
                return Err(error);
            }
        };
        let mechanism = attempt.mechanism;
        let Login { user, reply: message, valid_for } = login;
        let principal = Principal::new(format!("User:{user}"));
        if *self.principal.get_or_init(|| principal.clone()) != principal {
            *state = State::Refused;
            return Err(LoginError::Refused);
        }
        let most = self.rules.as_ref().and_then(|rules| rules.reauthenticate_after);
        let lifetime = [most, valid_for].into_iter().flatten().min();
        let until = lifetime.and_then(|lifetime| now.checked_add(lifetime));
        *state = State::Done { mechanism, until };
        Ok(Progress::Done(Reply { message, lifetime }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
