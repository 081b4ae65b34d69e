//! The users that may log in, in memory: what a listener asks for each log-in.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::{ScramCredential, ScramMechanism};

type Credentials = HashMap<(String, ScramMechanism), ScramCredential>;

/// The users and their credentials; a cheap handle, the same for all who hold it.
#[derive(Clone, Debug, Default)]
pub struct Users(Arc<RwLock<Credentials>>);

impl Users {
    /// What is kept of the password of user `name` for `mechanism`; `None` for a user that there is not.
    pub fn credential(&self, name: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        self.0.read().get(&(name.to_owned(), mechanism)).cloned()
    }

    /// Keeps `credential` for user `name` in place of the one that it had for the mechanism.
    pub fn set(&self, name: &str, credential: ScramCredential) {
        self.0.write().insert((name.to_owned(), credential.mechanism), credential);
    }

    /// Forgets what user `name` had for `mechanism`; whether there was something.
    pub fn remove(&self, name: &str, mechanism: ScramMechanism) -> bool {
        self.0.write().remove(&(name.to_owned(), mechanism)).is_some()
    }
}
