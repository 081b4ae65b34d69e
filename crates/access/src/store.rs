//! Users, rules and quotas, kept on the log: topic `_factum.access`.
//!
//! ```text
//!   a change ─▶ checked ─▶ appended, on disk ─▶ in memory, where listeners look ─▶ its answer
//! ```
//!
//! **Invariants:** memory has no change that is not on disk, and has them in the order of the log. After an append that may or
//! may not have happened, the log is read again before the next change. What cannot be read is passed over and listed. Every
//! change is logged, for auditors, with the principal that made it, which the record has too.
//!
//! **Not here:** who may change them, which the listeners ask.

mod read;
mod record;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use factum_eventlog::{
    Admin, AdminError, CleanupPolicy, EventLog, NewRecord, NewTopic, ProduceError, ReadError, TopicConfig,
};
use factum_types::{ByteSize, Offset, Principal, TopicName};
use tokio::sync::Mutex;
use tracing::info;

use crate::acl::{Acl, AclError};
use crate::quota::{QuotaChange, QuotaEntity, QuotaError, QuotaLimits};
use crate::users::{MAX_USERS, check_user_name};
use crate::{Acls, Quotas, ScramCredential, ScramMechanism, UserNameError, Users};
pub use read::UnreadableAccess;
pub(crate) use record::Change;

/// The topic that holds them.
pub const TOPIC: &str = "_factum.access";

/// Rules at most.
pub const MAX_ACLS: usize = 100_000;
/// Entities with quotas at most.
pub const MAX_QUOTAS: usize = 10_000;
/// A record has at most two names, which may double as JSON.
const MAX_BATCH: ByteSize = ByteSize::mib(4);
/// Records are written together up to about this many bytes.
const BATCH_BYTES: usize = 512 * 1024;
/// The target of log lines about changes.
const AUDIT: &str = "audit";

/// The users, rules and quotas of a server; a cheap handle.
#[derive(Clone)]
pub struct AccessStore(Arc<Inner>);

struct Inner {
    log: Arc<dyn EventLog>,
    users: Users,
    acls: Acls,
    quotas: Quotas,
    /// Whether a listener goes by the rules.
    is_enforced: bool,
    journal: Mutex<Journal>,
}

/// Where the log was read to.
#[derive(Debug, Default)]
struct Journal {
    next: Offset,
    /// Whether the log may have changes that memory has not.
    is_stale: bool,
    has_topic: bool,
}

/// What a user is to have for a mechanism.
#[derive(Debug, Clone)]
pub enum CredentialChange {
    /// This, in place of what it had.
    Set(ScramCredential),
    /// Nothing.
    Remove(ScramMechanism),
}

/// Why users, rules or quotas did not change.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// A rule that cannot be.
    #[error(transparent)]
    Acl(#[from] AclError),
    /// A name that is no user's.
    #[error(transparent)]
    Name(#[from] UserNameError),
    /// A quota that cannot be.
    #[error(transparent)]
    Quota(#[from] QuotaError),
    /// No such user, or none with this mechanism.
    #[error("there is no user {name:?} with a password for {mechanism}")]
    UnknownCredential {
        /// The user.
        name: String,
        /// The mechanism.
        mechanism: ScramMechanism,
    },
    /// Over the limit.
    #[error("too many rules: the limit is {MAX_ACLS}")]
    TooManyAcls,
    /// Over the limit.
    #[error("too many quotas: the limit is {MAX_QUOTAS} entities")]
    TooManyQuotas,
    /// Over the limit.
    #[error("too many users: the limit is {MAX_USERS}")]
    TooManyUsers,
    /// The topic cannot be made or used.
    #[error("topic {TOPIC} cannot be used")]
    Topic(#[from] AdminError),
    /// The topic cannot be read.
    #[error("topic {TOPIC} cannot be read")]
    Read(#[from] ReadError),
    /// The log gave no record where there are some.
    #[error("topic {TOPIC} gave no records before its end")]
    Stalled,
    /// The change is not durable.
    #[error("the change could not be written")]
    Write(#[from] ProduceError),
}

impl ChangeError {
    /// Whether the log is to blame, so that the same change may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Acl(_)
            | Self::Name(_)
            | Self::Quota(_)
            | Self::UnknownCredential { .. }
            | Self::TooManyAcls
            | Self::TooManyQuotas
            | Self::TooManyUsers => false,
            Self::Topic(_) | Self::Read(_) | Self::Stalled | Self::Write(_) => true,
        }
    }
}

impl fmt::Debug for AccessStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (users, acls) = (self.0.users.len(), self.0.acls.len());
        f.debug_struct("AccessStore").field("users", &users).field("acls", &acls).finish_non_exhaustive()
    }
}

impl AccessStore {
    /// Over `log`, which may write reserved topics; nothing is read yet. `is_enforced` says whether a listener goes by the
    /// rules.
    pub fn new(log: Arc<dyn EventLog>, is_enforced: bool) -> Self {
        let (users, acls, quotas) = (Users::default(), Acls::default(), Quotas::default());
        Self(Arc::new(Inner { log, users, acls, quotas, is_enforced, journal: Mutex::default() }))
    }

    /// The users, for log-ins.
    pub fn users(&self) -> &Users {
        &self.0.users
    }

    /// The rules, for the authoriser.
    pub fn acls(&self) -> &Acls {
        &self.0.acls
    }

    /// The quotas, for what clients use.
    pub fn quotas(&self) -> &Quotas {
        &self.0.quotas
    }

    /// Whether a listener goes by the rules.
    pub fn is_enforced(&self) -> bool {
        self.0.is_enforced
    }

    /// Reads what is on the log and was not read yet; gives what was passed over.
    ///
    /// # Errors
    /// [`ChangeError`] where the log does not answer.
    pub async fn read(&self) -> Result<UnreadableAccess, ChangeError> {
        let mut journal = self.0.journal.lock().await;
        self.0.read_on(&mut journal).await
    }

    /// Puts rules in place for `by`, all or none; those that are there already stay. Answers once they are on disk.
    ///
    /// # Errors
    /// [`ChangeError`]; where it is transient, some may be in place.
    pub async fn add_acls(&self, by: &Principal, acls: Vec<Acl>) -> Result<(), ChangeError> {
        acls.iter().try_for_each(Acl::check)?;
        let mut journal = self.0.begin().await?;
        let mut new: Vec<_> = acls.into_iter().filter(|acl| !self.0.acls.contains(acl)).collect();
        new.sort_unstable();
        new.dedup();
        if self.0.acls.len() + new.len() > MAX_ACLS {
            return Err(ChangeError::TooManyAcls);
        }
        self.0.write(&mut journal, by, new.into_iter().map(Change::SetAcl).collect()).await
    }

    /// Takes rules away for `by`; those that are not there are passed over. Answers once that is on disk.
    ///
    /// # Errors
    /// [`ChangeError`]; where it is transient, some may be gone.
    pub async fn remove_acls(&self, by: &Principal, acls: Vec<Acl>) -> Result<(), ChangeError> {
        let mut journal = self.0.begin().await?;
        let there = acls.into_iter().filter(|acl| self.0.acls.contains(acl));
        self.0.write(&mut journal, by, there.map(Change::RemoveAcl).collect()).await
    }

    /// Changes, for `by`, what is kept of the passwords of user `name`, all or nothing. Answers once that is on disk.
    ///
    /// # Errors
    /// [`ChangeError`]; where it is transient, some of it may be in place.
    pub async fn change_user(
        &self,
        by: &Principal,
        name: &str,
        changes: Vec<CredentialChange>,
    ) -> Result<(), ChangeError> {
        check_user_name(name)?;
        let mut journal = self.0.begin().await?;
        let users = &self.0.users;
        let mut all = Vec::with_capacity(changes.len());
        for change in changes {
            all.push(match change {
                CredentialChange::Set(credential) => Change::SetCredential(name.to_owned(), credential),
                CredentialChange::Remove(mechanism) => {
                    if users.credential(name, mechanism).is_none() {
                        return Err(ChangeError::UnknownCredential { name: name.to_owned(), mechanism });
                    }
                    Change::RemoveCredential(name.to_owned(), mechanism)
                }
            });
        }
        let adds = all.iter().any(|change| matches!(change, Change::SetCredential(..)));
        if adds && users.get(name).is_none() && users.len() >= MAX_USERS {
            return Err(ChangeError::TooManyUsers);
        }
        self.0.write(&mut journal, by, all).await
    }

    /// Changes quotas for `by`, all or nothing; an entity that is named twice has what is said of it last. Answers once that is
    /// on disk.
    ///
    /// # Errors
    /// [`ChangeError`]; where it is transient, some may be in place.
    pub async fn change_quotas(&self, by: &Principal, changes: Vec<QuotaChange>) -> Result<(), ChangeError> {
        changes.iter().try_for_each(QuotaChange::check)?;
        let mut journal = self.0.begin().await?;
        let quotas = &self.0.quotas;
        let mut all = BTreeMap::new();
        for QuotaChange { entity, limits: changed } in changes {
            let limits = all.entry(entity).or_insert_with_key(|entity| quotas.get(entity));
            changed.into_iter().for_each(|(key, value)| limits.set(key, value));
        }
        all.retain(|entity, limits| quotas.get(entity) != *limits);
        let is_new = |(entity, limits): &(&QuotaEntity, &QuotaLimits)| {
            !limits.is_empty() && quotas.get(entity).is_empty()
        };
        let new = all.iter().filter(is_new).count();
        if new > 0 && quotas.len() + new > MAX_QUOTAS {
            return Err(ChangeError::TooManyQuotas);
        }
        let changes = all.into_iter().map(|(entity, limits)| Change::SetQuota(entity, limits));
        self.0.write(&mut journal, by, changes.collect()).await
    }
}

impl Inner {
    /// Begins a change: no other is under way, and memory has all that the log has.
    async fn begin(&self) -> Result<tokio::sync::MutexGuard<'_, Journal>, ChangeError> {
        let mut journal = self.journal.lock().await;
        if journal.is_stale {
            self.read_on(&mut journal).await?;
        }
        if !journal.has_topic {
            ensure_topic(self.log.as_ref()).await?;
            journal.has_topic = true;
        }
        Ok(journal)
    }

    /// Appends changes and applies them.
    async fn write(
        &self,
        journal: &mut Journal,
        by: &Principal,
        changes: Vec<Change>,
    ) -> Result<(), ChangeError> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let last = changes.len();
        for (at, change) in changes.into_iter().enumerate() {
            let (key, value) = change.encode(by);
            bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            batch.push((change, new_record(key, value)));
            if bytes >= BATCH_BYTES || at + 1 == last {
                let (changes, records): (Vec<_>, Vec<_>) = std::mem::take(&mut batch).into_iter().unzip();
                bytes = 0;
                // Until it is known to have happened, and also if this future is dropped meanwhile.
                journal.is_stale = true;
                let written = self.log.produce(&topic(), records).await?;
                for change in &changes {
                    self.apply(change);
                    info!(target: AUDIT, principal = %by, "{change}");
                }
                if let Some(last) = written.last() {
                    journal.next = journal.next.max(last.offset.advance(1));
                }
                journal.is_stale = false;
            }
        }
        Ok(())
    }

    /// Does in memory what a record says; what is so already stays.
    fn apply(&self, change: &Change) {
        match change {
            Change::SetCredential(name, credential) => self.users.set(name, credential.clone()),
            Change::RemoveCredential(name, mechanism) => {
                self.users.remove(name, *mechanism);
            }
            Change::SetAcl(acl) => {
                self.acls.insert(acl);
            }
            Change::RemoveAcl(acl) => {
                self.acls.remove(acl);
            }
            Change::SetQuota(entity, limits) => self.quotas.set(entity, *limits),
        }
    }
}

/// The topic's name.
fn topic() -> TopicName {
    TopicName::new(TOPIC).expect("the constant is a valid name")
}

fn new_record(key: String, value: Option<Vec<u8>>) -> NewRecord {
    NewRecord {
        partition: Some(0),
        key: Some(Bytes::from(key)),
        value: value.map(Bytes::from),
        ..NewRecord::default()
    }
}

/// Makes the topic where it does not exist: one partition, so that the order is total; the last record of a key stays.
async fn ensure_topic(log: &dyn Admin) -> Result<(), AdminError> {
    match log.topic(&topic()).await {
        Err(AdminError::UnknownTopic { .. }) => {}
        found => return found.map(drop),
    }
    let config = TopicConfig {
        cleanup_policy: Some(CleanupPolicy::Compact),
        max_message_bytes: Some(MAX_BATCH),
        ..TopicConfig::default()
    };
    match log.create_topic(NewTopic { name: topic(), partitions: Some(1), config }).await {
        Ok(_) | Err(AdminError::TopicExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
