//! The users that may log in, in memory: what a listener asks for each log-in.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;
use regex::Regex;

use crate::{ScramCredential, ScramMechanism};

/// Users at most.
pub const MAX_USERS: usize = 10_000;
/// Bytes of a user's name.
pub const MAX_USER_BYTES: usize = 255;

/// What a client sees of a credential before it has proved anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Shape {
    pub(crate) mechanism: ScramMechanism,
    pub(crate) iterations: NonZeroU32,
    pub(crate) salt_bytes: usize,
}

impl Shape {
    fn of(credential: &ScramCredential) -> Self {
        let ScramCredential { mechanism, iterations, .. } = *credential;
        Self { mechanism, iterations, salt_bytes: credential.salt.len() }
    }
}

#[derive(Debug, Default)]
struct AllUsers {
    by_name: HashMap<String, OfUser>,
    /// How many credentials there are of each.
    shapes: BTreeMap<Shape, usize>,
    iterations: BTreeMap<NonZeroU32, usize>,
}

#[derive(Debug)]
struct OfUser {
    credentials: BTreeMap<ScramMechanism, ScramCredential>,
    /// The mechanism whose password was set last.
    latest: ScramMechanism,
}

/// Shapes that are told apart of those who are no users.
const SHAPES: usize = 16;

/// The users and their credentials; a cheap handle, the same for all who hold it.
#[derive(Clone, Debug, Default)]
pub struct Users(Arc<RwLock<AllUsers>>);

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
    /// A character that is not seen: two names would look alike.
    #[error(
        "a user's name has no characters that are not seen, and no blanks but single ones between words: U+{code:04X}"
    )]
    Unseen {
        /// The character.
        code: u32,
    },
}

/// Characters that are not seen: of format, unassigned, for private use; and blanks that look like one, at an end or beside another.
static UNSEEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{C}\p{Z}&&[^ ]]|^ | $|  ").expect("a pattern of our own"));

/// Checks the name of a user that there is not yet.
///
/// # Errors
/// [`UserNameError`].
pub fn check_new_user_name(name: &str) -> Result<(), UserNameError> {
    check_user_name(name)?;
    match UNSEEN.find(name).and_then(|found| found.as_str().chars().next()) {
        Some(unseen) => Err(UserNameError::Unseen { code: unseen.into() }),
        None => Ok(()),
    }
}

/// Checks the name of a user that there may be: earlier versions took characters that are not seen.
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
        self.0.read().by_name.get(name).and_then(|of| of.credentials.get(&mechanism)).cloned()
    }

    /// The credential of user `name` that a password is checked against: what was set last, so that no password goes that was
    /// changed for another mechanism. `None` for a user that there is not.
    pub fn latest_credential(&self, name: &str) -> Option<ScramCredential> {
        let all = self.0.read();
        let of = all.by_name.get(name)?;
        of.credentials.get(&of.latest).cloned()
    }

    /// The most iterations of any credential.
    pub(crate) fn most_iterations(&self) -> Option<NonZeroU32> {
        self.0.read().iterations.keys().next_back().copied()
    }

    /// Shapes that credentials for `mechanism` have.
    pub(crate) fn shapes(&self, mechanism: ScramMechanism) -> Vec<Shape> {
        let all = self.0.read();
        let of_mechanism = all.shapes.keys().filter(|shape| shape.mechanism == mechanism);
        of_mechanism.take(SHAPES).copied().collect()
    }

    /// Keeps `credential` for user `name` in place of the one that it had for the mechanism.
    pub fn set(&self, name: &str, credential: ScramCredential) {
        let mut all = self.0.write();
        let (shape, latest) = (Shape::of(&credential), credential.mechanism);
        let of = all.by_name.entry(name.to_owned());
        let of = of.or_insert_with(|| OfUser { credentials: BTreeMap::new(), latest });
        of.latest = latest;
        let before = of.credentials.insert(latest, credential);
        all.count(shape);
        if let Some(before) = before {
            all.discount(Shape::of(&before));
        }
    }

    /// Forgets what user `name` had for `mechanism`; whether there was something.
    pub fn remove(&self, name: &str, mechanism: ScramMechanism) -> bool {
        let mut all = self.0.write();
        let Some(of) = all.by_name.get_mut(name) else { return false };
        let removed = of.credentials.remove(&mechanism);
        match of.credentials.keys().next_back().copied() {
            None => {
                all.by_name.remove(name);
            }
            Some(other) if of.latest == mechanism => of.latest = other,
            Some(_) => {}
        }
        if let Some(removed) = &removed {
            all.discount(Shape::of(removed));
        }
        removed.is_some()
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.0.read().by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.read().by_name.is_empty()
    }

    /// One user.
    pub fn get(&self, name: &str) -> Option<User> {
        self.0.read().by_name.get(name).map(|of| user(name, of))
    }

    /// All of them, by name.
    pub fn list(&self) -> Vec<User> {
        let mut all: Vec<_> = self.0.read().by_name.iter().map(|(name, of)| user(name, of)).collect();
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        all
    }
}

impl AllUsers {
    fn count(&mut self, shape: Shape) {
        *self.shapes.entry(shape).or_default() += 1;
        *self.iterations.entry(shape.iterations).or_default() += 1;
    }

    fn discount(&mut self, shape: Shape) {
        discount(&mut self.shapes, &shape);
        discount(&mut self.iterations, &shape.iterations);
    }
}

fn discount<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn user(name: &str, of: &OfUser) -> User {
    let mechanisms = of.credentials.iter().map(|(mechanism, credential)| (*mechanism, credential.iterations));
    User { name: name.to_owned(), mechanisms: mechanisms.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_new_users_are_seen() {
        for name in ["ann", "CN=reader, O=Example", "Zoë", "用户", "a_b-c.d@e"] {
            assert_eq!(check_new_user_name(name), Ok(()), "{name:?}");
        }
        for name in
            ["a\u{200b}nn", "\u{202e}nna", "an\u{ad}n", " ann", "ann ", "a  b", "a\u{a0}b", "\u{e000}"]
        {
            assert!(matches!(check_new_user_name(name), Err(UserNameError::Unseen { .. })), "{name:?}");
            assert_eq!(check_user_name(name), Ok(()), "an earlier version took it: {name:?}");
        }
    }
}
