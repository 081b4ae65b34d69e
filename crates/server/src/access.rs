//! The authoriser of a listener, the store of users and rules, and the first user.
//!
//! **Invariants:** no client reads or writes the topic that has what is kept of passwords, whatever else it may do.

use std::net::SocketAddr;
use std::sync::Arc;

use factum_access::{
    AccessStore, AclAuthorizer, CredentialChange, ITERATIONS, MAX_PASSWORD_BYTES, ScramCredential,
    ScramMechanism, TOPIC,
};
use factum_base::random::Random;
use factum_eventlog::EventLog;
use factum_types::auth::{AccessDeniedError, AllowAll, Client};
use factum_types::{Action, Authorizer, Principal, Resource};
use metrics::{Counter, counter, describe_counter};
use tracing::{error, info};

use crate::options::{Access, AccessOptions};
use crate::{Options, StartError};

/// The user that may do everything, unless the configuration names others.
pub(crate) const ADMIN: &str = "admin";
/// Has the password that user `admin` is created with where there is no user yet.
const ADMIN_PASSWORD: &str = "FACTUM_ADMIN_PASSWORD";
/// Bytes of a password at least, as where one is set over HTTP.
pub(crate) const MIN_PASSWORD_BYTES: usize = 8;
const DENIED: &str = "factum_access_denied_total";

/// The users and rules, read whole from `log`, and the first user where there is none.
///
/// # Errors
/// [`StartError::Access`] where rules decide and cannot be read, or the first user cannot be created. Where they decide
/// nothing, a log that cannot be read is reported alone.
pub(crate) async fn start(
    options: &Options,
    log: Arc<dyn EventLog>,
    random: &Random,
) -> Result<AccessStore, StartError> {
    let is_enforced = options.access.mode == Access::Acl;
    let store = AccessStore::new(log, is_enforced);
    match store.read().await {
        Ok(unreadable) if unreadable.is_empty() => {}
        Ok(unreadable) => error!(%unreadable, "some users or access rules cannot be read and have no effect"),
        Err(source) if is_enforced => return Err(StartError::Access(source)),
        Err(source) => {
            error!(error = &source as &dyn std::error::Error, "users and access rules cannot be read");
        }
    }
    if store.users().is_empty() {
        match first_user(&store, random).await {
            Err(source) if is_enforced => return Err(source),
            Err(source) => error!(error = &source as &dyn std::error::Error, "cannot create user {ADMIN}"),
            Ok(()) => {}
        }
    }
    Ok(store)
}

/// Creates user `admin` with the password in the environment, if there is one.
async fn first_user(store: &AccessStore, random: &Random) -> Result<(), StartError> {
    let password = std::env::var(ADMIN_PASSWORD).unwrap_or_default();
    if password.is_empty() {
        return Ok(());
    }
    let length = password.len();
    if !(MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&length) {
        return Err(StartError::AdminPassword { length });
    }
    let random = random.clone();
    let credentials = tokio::task::spawn_blocking(move || {
        ScramMechanism::ALL.map(|mechanism| {
            let salt = [random.uuid().into_bytes(), random.uuid().into_bytes()].concat();
            let credential = ScramCredential::from_password(mechanism, &password, salt, ITERATIONS);
            CredentialChange::Set(credential)
        })
    });
    let credentials = credentials.await.expect("hashing does not panic");
    let changed = store.change_user(&Principal::system(), ADMIN, credentials.to_vec()).await;
    changed.map_err(StartError::Access)?;
    info!("user {ADMIN} was created with the password in {ADMIN_PASSWORD}");
    Ok(())
}

/// The authoriser of the listener `name` on `address`: the choice is made once, not by each request.
pub(crate) fn authorizer(
    options: &AccessOptions,
    store: &AccessStore,
    name: &'static str,
    address: SocketAddr,
) -> Arc<dyn Authorizer> {
    let rules: Arc<dyn Authorizer> = match options.mode {
        Access::Acl => Arc::new(AclAuthorizer::new(
            store.acls().clone(),
            options.super_users.iter().cloned(),
            options.allow_everyone_if_no_acl_found,
        )),
        mode if mode.is_open_at(address) => Arc::new(AllowAll),
        _ => Arc::new(LoginAuthorizer),
    };
    Arc::new(ListenerAuthorizer::new(name, rules))
}

/// Allows everything to clients that have proved who they are, and nothing to others.
#[derive(Debug, Clone, Copy)]
struct LoginAuthorizer;

impl Authorizer for LoginAuthorizer {
    fn check(
        &self,
        client: Client<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        match *client.principal == Principal::anonymous() {
            true => Err(AccessDeniedError::new(client, action, resource)),
            false => Ok(()),
        }
    }
}

/// Adds to rules what goes for all of them: credentials are no one's to read, and refusals are counted.
struct ListenerAuthorizer {
    rules: Arc<dyn Authorizer>,
    system: Principal,
    denied: Vec<(Action, Counter)>,
}

impl ListenerAuthorizer {
    fn new(listener: &'static str, rules: Arc<dyn Authorizer>) -> Self {
        describe_counter!(
            DENIED,
            "Questions of a listener whether a client may do something that were answered no, by action; \
             those about what a list leaves out are among them"
        );
        let denied = Action::ALL.map(|action| {
            let labels = [("listener", listener.to_owned()), ("action", word(action).to_owned())];
            (action, counter!(DENIED, &labels))
        });
        Self { rules, system: Principal::system(), denied: denied.to_vec() }
    }
}

/// The action as a label.
fn word(action: Action) -> &'static str {
    factum_access::Operation::from(action).name()
}

impl Authorizer for ListenerAuthorizer {
    fn check(
        &self,
        client: Client<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        let is_secret = matches!(resource, Resource::Topic(topic) if topic.as_str() == TOPIC);
        let answer = match is_secret && *client.principal != self.system {
            true => Err(AccessDeniedError::new(client, action, resource)),
            false => self.rules.check(client, action, resource),
        };
        if answer.is_err()
            && let Some((_, counter)) = self.denied.iter().find(|(denied, _)| *denied == action)
        {
            counter.increment(1);
        }
        answer
    }
}
