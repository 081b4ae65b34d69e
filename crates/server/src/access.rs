//! The authoriser of a listener, the store of users and rules, and the first user.
//!
//! **Invariants:** no client reads or writes the topic that has what is kept of passwords, whatever else it may do. Where a part of
//! it is lost, super users alone are let in, until the operator says otherwise.

pub(crate) mod damage;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use factum_access::{
    AccessStore, AclAuthorizer, Acls, CredentialChange, ITERATIONS, MAX_PASSWORD_BYTES, ScramCredential,
    ScramMechanism, TOPIC,
};
use factum_base::random::Random;
use factum_eventlog::{AdminError, EventLog};
use factum_types::auth::{AccessDeniedError, AllowAll, Client};
use factum_types::{Action, Authorizer, Principal, Resource, TopicName};
use metrics::{Counter, counter, describe_counter, describe_gauge, gauge};
use tracing::{error, info, warn};

use self::damage::{AccessNote, LostRange};
use crate::options::{Access, AccessOptions};
use crate::{Options, StartError};

/// The user that may do everything, unless the configuration names others.
pub(crate) const ADMIN: &str = "admin";
/// Has the password that user `admin` is created with where there is no user yet.
const ADMIN_PASSWORD: &str = "FACTUM_ADMIN_PASSWORD";
/// Bytes of a password at least, as where one is set over HTTP.
pub(crate) const MIN_PASSWORD_BYTES: usize = 8;
const DENIED: &str = "factum_access_denied_total";
const DAMAGED: &str = "factum_access_damaged";

/// Users and rules, as a start found them.
pub(crate) struct AccessStart {
    pub(crate) store: AccessStore,
    /// What is lost of them, where rules decide and the operator has not accepted it.
    pub(crate) damage: Option<Arc<str>>,
}

/// The users and rules, read whole from `log`, and the first user where there never was one.
///
/// # Errors
/// [`StartError::Access`] where rules decide and cannot be read, or the first user cannot be created. Where they decide
/// nothing, a log that cannot be read is reported alone.
pub(crate) async fn start(
    options: &Options,
    data_dir: &Path,
    log: Arc<dyn EventLog>,
    random: &Random,
) -> Result<AccessStart, StartError> {
    let is_enforced = options.access.mode == Access::Acl;
    let note = AccessNote::at(data_dir);
    let store = AccessStore::new(Arc::clone(&log), is_enforced);
    let first = note.clone();
    store.note_first(move || first.begin());
    let mut damage = None;
    match store.read().await {
        Ok(unreadable) => {
            if !unreadable.is_empty() {
                error!(%unreadable, "some users or access rules cannot be read and have no effect");
            }
            if is_enforced {
                let topic = TopicName::new(TOPIC).expect("the constant is a valid name");
                let has_topic = !matches!(log.topic(&topic).await, Err(AdminError::UnknownTopic { .. }));
                let dir = data_dir.to_owned();
                let find = move || damage::find(&dir, has_topic, &unreadable);
                let lost =
                    tokio::task::spawn_blocking(find).await.expect("looking for damage does not panic");
                damage = judge(lost, &note, has_topic, options.access.accept_damage);
            }
        }
        Err(source) if is_enforced => return Err(StartError::Access(source)),
        Err(source) => {
            error!(error = &source as &dyn std::error::Error, "users and access rules cannot be read");
        }
    }
    let had_users = store.had_records().await || note.exists();
    if had_users {
        // An earlier version wrote none.
        note.begin();
    }
    // Not where there were users: what was lost may be the password of this one.
    if store.users().is_empty() && (!had_users || options.access.accept_damage) {
        match first_user(&store, random).await {
            Err(source) if is_enforced => return Err(source),
            Err(source) => error!(error = &source as &dyn std::error::Error, "cannot create user {ADMIN}"),
            Ok(()) => {}
        }
    }
    Ok(AccessStart { store, damage: damage.map(Arc::from) })
}

/// What is lost and not accepted, in words; accepts it where the operator says so.
fn judge(lost: Vec<LostRange>, note: &AccessNote, has_topic: bool, accepts: bool) -> Option<String> {
    describe_gauge!(DAMAGED, "1 while users or rules are lost, so that super users alone are let in");
    let lost = damage::not_accepted(lost, if has_topic { note.accepted() } else { Vec::new() }.as_slice());
    let is_damaged = !lost.is_empty() && !accepts;
    gauge!(DAMAGED).set(if is_damaged { 1.0 } else { 0.0 });
    if lost.is_empty() {
        if accepts {
            warn!("nothing of users and access rules is lost: take accept_damage out of the configuration");
        }
        return None;
    }
    let words = damage::in_words(&lost);
    if accepts {
        warn!(lost = %words, "what is lost of users and access rules is accepted: take accept_damage out of the configuration");
        if has_topic {
            note.accept(&lost);
        }
        return None;
    }
    error!(lost = %words, "users or access rules are lost: super users alone are let in");
    Some(format!(
        "users or access rules are lost ({words}): super users alone are let in. Among what is lost may be a rule that denies, a changed \
         password or the end of a user: check users and rules, then start once with accept_damage = true in [access]"
    ))
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
    access: &AccessStart,
    name: &'static str,
    address: SocketAddr,
) -> Arc<dyn Authorizer> {
    let rules: Arc<dyn Authorizer> = match options.mode {
        // Rules that are not whole allow nothing.
        Access::Acl if access.damage.is_some() => {
            Arc::new(AclAuthorizer::new(Acls::default(), options.super_users.iter().cloned(), false))
        }
        Access::Acl => Arc::new(AclAuthorizer::new(
            access.store.acls().clone(),
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
