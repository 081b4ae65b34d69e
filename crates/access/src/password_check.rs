//! Passwords that come with every request, checked against what is kept of them.
//!
//! **Invariants:** no password is held. A check takes as long for a user that there is not as for one that there is. What was
//! right is remembered by a keyed hash, of which a new password or a removed user makes nothing.

use std::collections::HashSet;

use parking_lot::Mutex;
use ring::hmac;

use crate::{ITERATIONS, ScramMechanism, Users};

/// Passwords remembered as right; all are forgotten when there are more.
const REMEMBERED: usize = 10_000;
/// Bytes of a password that is looked at.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Checks passwords.
pub struct PasswordCheck {
    users: Users,
    key: hmac::Key,
    right: Mutex<HashSet<Vec<u8>>>,
}

impl PasswordCheck {
    /// For `users`; `secret` is random and drawn for this check alone.
    pub fn new(users: Users, secret: &[u8]) -> Self {
        Self { users, key: hmac::Key::new(hmac::HMAC_SHA256, secret), right: Mutex::default() }
    }

    /// Whether the password was found to be right before, and still is. Takes microseconds.
    pub fn is_remembered(&self, name: &str, password: &str) -> bool {
        self.tag(name, password).is_some_and(|tag| self.right.lock().contains(&tag))
    }

    /// Whether it is the password of user `name`. Takes milliseconds of a processor.
    pub fn accepts(&self, name: &str, password: &str) -> bool {
        if password.len() > MAX_PASSWORD_BYTES {
            return false;
        }
        let Some(credential) = self.users.any_credential(name) else {
            // As long as for a user that there is.
            let salted = ScramMechanism::Sha256.salted_password(password.as_bytes(), &[0; 16], ITERATIONS);
            std::hint::black_box(salted);
            return false;
        };
        let is_right = credential.accepts(password);
        if is_right && let Some(tag) = self.tag(name, password) {
            let mut right = self.right.lock();
            if right.len() >= REMEMBERED {
                right.clear();
            }
            right.insert(tag);
        }
        is_right
    }

    /// What the name, the password and what is kept of it are remembered by; `None` for a user that there is not.
    fn tag(&self, name: &str, password: &str) -> Option<Vec<u8>> {
        let credential = self.users.any_credential(name)?;
        let mut context = hmac::Context::with_key(&self.key);
        for part in [name.as_bytes(), password.as_bytes(), &credential.salt, &credential.stored_key] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        Some(context.sign().as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScramCredential;

    #[test]
    fn a_right_password_is_remembered_until_it_is_another() {
        let users = Users::default();
        let set = |password: &str, salt: u8| {
            let salt = vec![salt; 16];
            users.set(
                "ann",
                ScramCredential::from_password(ScramMechanism::Sha256, password, salt, ITERATIONS),
            );
        };
        set("one", 1);
        let check = PasswordCheck::new(users.clone(), b"secret");
        assert!(!check.is_remembered("ann", "one"), "nothing was checked yet");
        assert!(!check.accepts("ann", "two") && !check.accepts("bob", "one"));
        assert!(check.accepts("ann", "one") && check.is_remembered("ann", "one"));
        assert!(!check.is_remembered("ann", "two") && !check.is_remembered("bob", "one"));
        set("two", 2);
        assert!(!check.is_remembered("ann", "one") && !check.accepts("ann", "one"));
        assert!(check.accepts("ann", "two"));
        users.remove("ann", ScramMechanism::Sha256);
        assert!(!check.is_remembered("ann", "two") && !check.accepts("ann", "two"));
    }
}
