//! Checks of passwords against what is kept of them: the one place for every listener, whether a password comes with a login or
//! with every request.
//!
//! Invariants:
//! - No password is held. What was right is remembered by a keyed hash, of which a new password or a removed user makes nothing.
//! - A check takes the same work whatever comes of it: for a user that there is not, for either mechanism, for any number of
//!   iterations. It is that of the costliest credential that any user has, for both mechanisms.
//! - A check takes milliseconds of a processor, and anyone who reaches a port can ask for one: half of the processors are left to
//!   everything else, and half of the places to other addresses. One that has waited for long is given up.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use factum_base::blocking_work::BlockingWork;
use factum_base::clients::{ClientAddress, ClientLimit};
use factum_base::random::Random;
use parking_lot::Mutex;
use ring::hmac;
use subtle::ConstantTimeEq as _;
use tokio::time::timeout;

use crate::{ITERATIONS, ScramCredential, ScramMechanism, Users};

/// Passwords remembered as right; all are forgotten when there are more.
const REMEMBERED: usize = 10_000;
/// Bytes of a password that is looked at.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// How long a check waits for those before it. Clients give up after 30 s themselves.
const PATIENCE: Duration = Duration::from_secs(15);

/// Too many passwords are being checked; the client may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct TooManyChecks;

/// Checks passwords; a cheap handle.
#[derive(Clone)]
pub struct PasswordChecks(Arc<Inner>);

struct Inner {
    users: Users,
    key: hmac::Key,
    right: Mutex<HashSet<Vec<u8>>>,
    work: BlockingWork,
    by_client: Arc<ClientLimit>,
}

impl fmt::Debug for PasswordChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordChecks").finish_non_exhaustive()
    }
}

impl PasswordChecks {
    /// For `users`.
    pub fn new(users: Users, random: &Random) -> Self {
        let secret = [random.uuid(), random.uuid()].map(|uuid| uuid.into_bytes()).concat();
        let processors = available_parallelism().map_or(2, usize::from);
        let places = (processors / 2).max(2);
        Self(Arc::new(Inner {
            users,
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            right: Mutex::default(),
            work: BlockingWork::at_most(places),
            by_client: ClientLimit::new(places / 2),
        }))
    }

    /// Whether it is the password of user `name`. Takes microseconds if it was found to be before, and still is.
    ///
    /// # Errors
    /// [`TooManyChecks`].
    pub async fn accepts(
        &self,
        client: ClientAddress,
        name: &str,
        password: &str,
    ) -> Result<bool, TooManyChecks> {
        // A NUL at the end of a key is no part of it for HMAC: one password would be many.
        if password.len() > MAX_PASSWORD_BYTES || password.contains('\0') {
            return Ok(false);
        }
        if self.0.is_remembered(name, password) {
            return Ok(true);
        }
        let (inner, name, password) = (Arc::clone(&self.0), name.to_owned(), password.to_owned());
        self.run(client, move || inner.check(&name, &password)).await
    }

    /// Does work like that of a check for `client`, such as making what is kept of a password.
    ///
    /// # Errors
    /// [`TooManyChecks`].
    pub async fn run<T: Send + 'static>(
        &self,
        client: ClientAddress,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TooManyChecks> {
        let work = async {
            let share = self.0.by_client.wait(client, 1).await;
            // The work has the share: it is still done when no one waits for it any more.
            let work = move || {
                let _share = share;
                work()
            };
            self.0.work.run(work).await
        };
        timeout(PATIENCE, work).await.map_err(|_| TooManyChecks)
    }
}

impl Inner {
    fn is_remembered(&self, name: &str, password: &str) -> bool {
        let credential = self.users.latest_credential(name);
        credential
            .is_some_and(|credential| self.right.lock().contains(&self.tag(name, password, &credential)))
    }

    fn check(&self, name: &str, password: &str) -> bool {
        let credential = self.users.latest_credential(name);
        let is_right = is_password(credential.as_ref(), password, self.users.most_iterations());
        if is_right && let Some(credential) = credential {
            let tag = self.tag(name, password, &credential);
            let mut right = self.right.lock();
            if right.len() >= REMEMBERED {
                right.clear();
            }
            right.insert(tag);
        }
        is_right
    }

    /// What the name, the password and what is kept of it are remembered by.
    fn tag(&self, name: &str, password: &str, credential: &ScramCredential) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [name.as_bytes(), password.as_bytes(), &credential.salt, &credential.stored_key] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }
}

/// Whether `credential` is that of `password`, by as much work as any other credential of at most `most` iterations would take.
fn is_password(credential: Option<&ScramCredential>, password: &str, most: Option<NonZeroU32>) -> bool {
    let most = most.unwrap_or(ITERATIONS).max(ITERATIONS);
    let mut is_right = subtle::Choice::from(0);
    for mechanism in ScramMechanism::ALL {
        let credential = credential.filter(|credential| credential.mechanism == mechanism);
        let done = credential.map_or(0, |credential| credential.iterations.get());
        if let Some(credential) = credential {
            is_right |= credential.stored_key_of(password).ct_eq(&credential.stored_key);
        }
        if let Some(rest) = NonZeroU32::new(most.get().saturating_sub(done)) {
            std::hint::black_box(mechanism.salted_password(password.as_bytes(), &[0; 16], rest));
        }
    }
    is_right.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_ITERATIONS;

    const ANYONE: ClientAddress = ClientAddress::UNKNOWN;

    fn set(users: &Users, name: &str, mechanism: ScramMechanism, password: &str, salt: u8) {
        let credential = ScramCredential::from_password(mechanism, password, vec![salt; 16], ITERATIONS);
        users.set(name, credential);
    }

    #[tokio::test]
    async fn a_right_password_is_remembered_until_it_is_another() {
        let users = Users::default();
        set(&users, "ann", ScramMechanism::Sha256, "one", 1);
        let checks = PasswordChecks::new(users.clone(), &Random::seeded(1));
        let accepts = async |name: &str, password: &str| {
            checks.accepts(ANYONE, name, password).await.expect("there is room")
        };
        let is_remembered = |name: &str, password: &str| checks.0.is_remembered(name, password);
        assert!(!is_remembered("ann", "one"), "nothing was checked yet");
        assert!(!accepts("ann", "two").await && !accepts("bob", "one").await);
        assert!(accepts("ann", "one").await && is_remembered("ann", "one"));
        assert!(!accepts("ann", "one\0").await, "a NUL at its end makes it another");
        assert!(!is_remembered("ann", "two") && !is_remembered("bob", "one"));
        set(&users, "ann", ScramMechanism::Sha256, "two", 2);
        assert!(!is_remembered("ann", "one") && !accepts("ann", "one").await);
        assert!(accepts("ann", "two").await);
        users.remove("ann", ScramMechanism::Sha256);
        assert!(!is_remembered("ann", "two") && !accepts("ann", "two").await);
    }

    #[tokio::test]
    async fn the_password_that_was_set_last_counts_for_whichever_mechanism() {
        let [sha_256, sha_512] = ScramMechanism::ALL;
        for (first, second) in [(sha_256, sha_512), (sha_512, sha_256)] {
            let users = Users::default();
            set(&users, "ann", first, "old", 1);
            set(&users, "ann", second, "new", 2);
            let checks = PasswordChecks::new(users.clone(), &Random::seeded(1));
            assert_eq!(
                checks.accepts(ANYONE, "ann", "old").await,
                Ok(false),
                "{second} was set after {first}"
            );
            assert_eq!(checks.accepts(ANYONE, "ann", "new").await, Ok(true));
            users.remove("ann", second);
            assert_eq!(checks.accepts(ANYONE, "ann", "old").await, Ok(true), "it is the only one left");
        }
    }

    /// Of both mechanisms, each the iterations that are done; without a clock.
    #[test]
    fn every_outcome_takes_the_iterations_of_the_costliest_credential() {
        let users = Users::default();
        assert_eq!(users.most_iterations(), None);
        set(&users, "ann", ScramMechanism::Sha256, "pw", 1);
        let costly =
            ScramCredential::from_password(ScramMechanism::Sha512, "pw", vec![1; 24], MAX_ITERATIONS);
        users.set("bob", costly.clone());
        assert_eq!(users.most_iterations(), Some(MAX_ITERATIONS));
        for name in ["ann", "bob", "no one"] {
            let credential = users.latest_credential(name);
            let is_right = is_password(credential.as_ref(), "pw", users.most_iterations());
            assert_eq!(is_right, credential.is_some(), "{name}");
        }
        users.set("bob", ScramCredential { iterations: ITERATIONS, ..costly });
        assert_eq!(users.most_iterations(), Some(ITERATIONS));
        users.remove("bob", ScramMechanism::Sha512);
        assert_eq!(users.shapes(ScramMechanism::Sha512), []);
    }
}
