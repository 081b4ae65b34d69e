//! The users that may log in, in memory: what a listener asks for each log-in.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::{ScramCredential, ScramMechanism};

/// Users at most.
pub const MAX_USERS: usize = 10_000;
/// Bytes of a user's name.
pub const MAX_USER_BYTES: usize = 255;

type Credentials = HashMap<String, BTreeMap<ScramMechanism, ScramCredential>>;

/// The users and their credentials; a cheap handle, the same for all who hold it.
#[derive(Clone, Debug, Default)]
pub struct Users(Arc<RwLock<Credentials>>);

/// A user, without what is kept of its password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Its name: its principal is `User:<name>`.
    pub name: String,
    /// The mechanisms that it may log in by, and how often its password was hashed for each.
    pub mechanisms: Vec<(ScramMechanism, NonZeroU32)>,
}

/// Why a name is no user's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserNameError {
    /// No name.
    #[error("the user's name is empty")]
    Empty,
    /// A name over the limit.
    #[error("the user's name has {length} bytes: at most {MAX_USER_BYTES}")]
    TooLong {
        /// Its bytes.
        length: usize,
    },
    /// A name that rules would take for everyone or no one.
    #[error("{name:?} is no user's name: it stands for everyone, or for clients that have not logged in")]
    Reserved {
        /// The name.
        name: String,
    },
    /// A character that could hide or end a name where it is shown.
    #[error("a user's name has no control characters")]
    Control,
}

/// Checks the name of a user that is to be.
///
/// # Errors
/// [`UserNameError`].
pub fn check_user_name(name: &str) -> Result<(), UserNameError> {
    match name {
        "" => Err(UserNameError::Empty),
        "*" | "ANONYMOUS" => Err(UserNameError::Reserved { name: name.to_owned() }),
        _ if name.len() > MAX_USER_BYTES => Err(UserNameError::TooLong { length: name.len() }),
        _ if name.contains(char::is_control) => Err(UserNameError::Control),
        _ => Ok(()),
    }
}

impl Users {
    /// What is kept of the password of user `name` for `mechanism`; `None` for a user that there is not.
    pub fn credential(&self, name: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        self.0.read().get(name).and_then(|of| of.get(&mechanism)).cloned()
    }

    /// The credential of user `name` that is checked fastest against a password; `None` for a user that there is not.
    pub fn any_credential(&self, name: &str) -> Option<ScramCredential> {
        self.0.read().get(name).and_then(|of| of.values().next()).cloned()
    }

    /// Keeps `credential` for user `name` in place of the one that it had for the mechanism.
    pub fn set(&self, name: &str, credential: ScramCredential) {
        self.0.write().entry(name.to_owned()).or_default().insert(credential.mechanism, credential);
    }

    /// Forgets what user `name` had for `mechanism`; whether there was something.
    pub fn remove(&self, name: &str, mechanism: ScramMechanism) -> bool {
        let mut all = self.0.write();
        let Some(of) = all.get_mut(name) else { return false };
        let was = of.remove(&mechanism).is_some();
        if of.is_empty() {
            all.remove(name);
        }
        was
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.0.read().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }

    /// One user.
    pub fn get(&self, name: &str) -> Option<User> {
        self.0.read().get(name).map(|of| user(name, of))
    }

    /// All of them, by name.
    pub fn list(&self) -> Vec<User> {
        let mut all: Vec<_> = self.0.read().iter().map(|(name, of)| user(name, of)).collect();
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        all
    }
}

fn user(name: &str, of: &BTreeMap<ScramMechanism, ScramCredential>) -> User {
    let mechanisms = of.iter().map(|(mechanism, credential)| (*mechanism, credential.iterations));
    User { name: name.to_owned(), mechanisms: mechanisms.collect() }
}
