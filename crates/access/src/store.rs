//! Users, rules and quotas, kept on the log: topic `_factum.access`.
//!
//! ```text
//!   a change ─▶ checked ─▶ appended, on disk ─▶ in memory, where listeners look ─▶ its answer
//! ```
//!
//! **Invariants:** those of a compacted topic, and: a change is one batch, and rules change in memory all at once: no one meets a rule
//! that allows without the one that denies beside it. Every change is logged, for auditors, with the principal that made it,
//! which the record has too.
//!
//! **Not here:** who may change them, which the listeners ask.

mod record;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use factum_eventlog::{
    CompactedTopic, CompactedTopicError, EventLog, KeyedRecord, ProduceError, UnreadableRecords,
};
use factum_types::{ByteSize, Principal, Record, TopicName};
use tracing::info;

use crate::acl::{Acl, AclError};
use crate::quota::{QuotaChange, QuotaEntity, QuotaError, QuotaLimits};
use crate::users::{MAX_USERS, check_new_user_name, check_user_name};
use crate::{Acls, Quotas, ScramCredential, ScramMechanism, UserNameError, Users};
pub(crate) use record::Change;

/// The topic that holds them.
pub const TOPIC: &str = "_factum.access";

/// Rules at most.
pub const MAX_ACLS: usize = 100_000;
/// Entities with quotas at most.
pub const MAX_QUOTAS: usize = 10_000;
/// The largest batch: a change, whose records may take [`MAX_CHANGE_BYTES`], with what a batch adds to each.
const MAX_BATCH: ByteSize = ByteSize::mib(24);
/// The most that the records of one change take. A record has at most two names, which may double as JSON.
const MAX_CHANGE_BYTES: usize = 16 << 20;
/// A change of more records is encoded, and put in memory, beside those that serve.
const MANY: usize = 200;
/// The target of log lines about changes.
const AUDIT: &str = "audit";

/// The users, rules and quotas of a server; a cheap handle.
#[derive(Clone)]
pub struct AccessStore(Arc<Inner>);

struct Inner {
    topic: CompactedTopic,
    memory: Memory,
    /// Whether a listener goes by the rules.
    is_enforced: bool,
    /// Told before the first change.
    note: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// Where listeners look.
#[derive(Debug, Clone, Default)]
struct Memory {
    users: Users,
    acls: Acls,
    quotas: Quotas,
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
    /// A user that was to be new.
    #[error("there is a user {name} already")]
    UserExists {
        /// The user.
        name: String,
    },
    /// A user that was to be there.
    #[error("there is no user {name}")]
    UnknownUser {
        /// The user.
        name: String,
    },
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
    /// Over the limit.
    #[error("too much in one change: its records take {bytes} bytes, the limit is {MAX_CHANGE_BYTES}")]
    TooLarge {
        /// What it takes.
        bytes: usize,
    },
    /// The topic cannot be made or read.
    #[error(transparent)]
    Topic(#[from] CompactedTopicError),
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
            | Self::UserExists { .. }
            | Self::UnknownUser { .. }
            | Self::UnknownCredential { .. }
            | Self::TooManyAcls
            | Self::TooManyQuotas
            | Self::TooManyUsers
            | Self::TooLarge { .. } => false,
            Self::Topic(_) | Self::Write(_) => true,
        }
    }
}

impl fmt::Debug for AccessStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (users, acls) = (self.users().len(), self.acls().len());
        f.debug_struct("AccessStore").field("users", &users).field("acls", &acls).finish_non_exhaustive()
    }
}

impl AccessStore {
    /// Over `log`, which may write reserved topics; nothing is read yet. `is_enforced` says whether a listener goes by the
    /// rules.
    pub fn new(log: Arc<dyn EventLog>, is_enforced: bool) -> Self {
        let topic = TopicName::new(TOPIC).expect("the constant is a valid name");
        let topic = CompactedTopic::new(log, topic, MAX_BATCH);
        Self(Arc::new(Inner { topic, memory: Memory::default(), is_enforced, note: OnceLock::new() }))
    }

    /// Has `note` called before the first change of users, rules or quotas. It may take as long as a disk.
    pub fn note_first(&self, note: impl Fn() + Send + Sync + 'static) {
        // A store has one owner that sets it up.
        drop(self.0.note.set(Box::new(note)));
    }

    /// Whether there is, or was, anything in the topic, as far as it was read.
    pub async fn had_records(&self) -> bool {
        self.0.topic.has_records().await
    }

    /// The users, for log-ins.
    pub fn users(&self) -> &Users {
        &self.0.memory.users
    }

    /// The rules, for the authoriser.
    pub fn acls(&self) -> &Acls {
        &self.0.memory.acls
    }

    /// The quotas, for what clients use.
    pub fn quotas(&self) -> &Quotas {
        &self.0.memory.quotas
    }

    /// Whether a listener goes by the rules.
    pub fn is_enforced(&self) -> bool {
        self.0.is_enforced
    }

    /// Reads what is on the log and was not read yet; gives what was passed over.
    ///
    /// # Errors
    /// [`ChangeError`] where the log does not answer.
    pub async fn read(&self) -> Result<UnreadableRecords, ChangeError> {
        let memory = &self.0.memory;
        Ok(self.0.topic.read(&|records, unreadable| memory.take(records, unreadable)).await?)
    }

    /// Puts rules in place for `by`, all or none; those that are there already stay. Answers once they are on disk.
    ///
    /// # Errors
    /// [`ChangeError`]; where it is transient, they may be in place, all of them.
    pub async fn add_acls(&self, by: &Principal, acls: Vec<Acl>) -> Result<(), ChangeError> {
        acls.iter().try_for_each(Acl::check)?;
        let mut change = self.0.begin().await?;
        let mut new: Vec<_> = acls.into_iter().filter(|acl| !self.acls().contains(acl)).collect();
        new.sort_unstable();
        new.dedup();
        if self.acls().len() + new.len() > MAX_ACLS {
            return Err(ChangeError::TooManyAcls);
        }
        change.write(by, new.into_iter().map(Change::SetAcl).collect()).await
    }

    /// Takes rules away for `by`, all or none; those that are not there are passed over. Answers once that is on disk.
    ///
    /// # Errors
    /// [`ChangeError`]; where it is transient, they may be gone, all of them.
    pub async fn remove_acls(&self, by: &Principal, acls: Vec<Acl>) -> Result<(), ChangeError> {
        let mut change = self.0.begin().await?;
        let there = acls.into_iter().filter(|acl| self.acls().contains(acl));
        change.write(by, there.map(Change::RemoveAcl).collect()).await
    }

    /// Changes, for `by`, what is kept of the passwords of user `name`, all or nothing. Answers once that is on disk.
    ///
    /// # Errors
    /// [`ChangeError`]; where it is transient, it may be in place.
    pub async fn change_user(
        &self,
        by: &Principal,
        name: &str,
        changes: Vec<CredentialChange>,
    ) -> Result<(), ChangeError> {
        self.change_user_that(None, by, name, changes).await
    }

    /// Changes a user that there is not yet: of several at once, one creates it.
    ///
    /// # Errors
    /// [`ChangeError::UserExists`]; those of [`AccessStore::change_user`].
    pub async fn create_user(
        &self,
        by: &Principal,
        name: &str,
        changes: Vec<CredentialChange>,
    ) -> Result<(), ChangeError> {
        self.change_user_that(Some(false), by, name, changes).await
    }

    /// Changes a user that there is: one that is deleted meanwhile stays deleted.
    ///
    /// # Errors
    /// [`ChangeError::UnknownUser`]; those of [`AccessStore::change_user`].
    pub async fn change_known_user(
        &self,
        by: &Principal,
        name: &str,
        changes: Vec<CredentialChange>,
    ) -> Result<(), ChangeError> {
        self.change_user_that(Some(true), by, name, changes).await
    }

    /// Changes a user that must exist or must not, where `exists` says so.
    async fn change_user_that(
        &self,
        exists: Option<bool>,
        by: &Principal,
        name: &str,
        changes: Vec<CredentialChange>,
    ) -> Result<(), ChangeError> {
        check_user_name(name)?;
        let mut change = self.0.begin().await?;
        match (exists, self.users().get(name).is_some()) {
            (_, false) if exists != Some(true) => check_new_user_name(name)?,
            (Some(false), true) => return Err(ChangeError::UserExists { name: name.to_owned() }),
            (Some(true), false) => return Err(ChangeError::UnknownUser { name: name.to_owned() }),
            _ => {}
        }
        let users = self.users();
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
        change.write(by, all).await
    }

    /// Changes quotas for `by`, all or nothing; an entity that is named twice has what is said of it last. Answers once that is
    /// on disk.
    ///
    /// # Errors
    /// [`ChangeError`]; where it is transient, they may be in place, all of them.
    pub async fn change_quotas(&self, by: &Principal, changes: Vec<QuotaChange>) -> Result<(), ChangeError> {
        changes.iter().try_for_each(QuotaChange::check)?;
        let mut change = self.0.begin().await?;
        let quotas = self.quotas();
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
        change.write(by, changes.collect()).await
    }
}

impl Inner {
    /// Begins a change: no other is under way, and memory has all that the log has.
    async fn begin(&self) -> Result<StoreChange<'_>, ChangeError> {
        if let Some(note) = self.note.get()
            && !self.topic.has_records().await
        {
            note();
        }
        let memory = &self.memory;
        let change = self.topic.begin(&|records, unreadable| memory.take(records, unreadable)).await?;
        Ok(StoreChange { change, memory })
    }
}

/// A change under way; no other begins before it is dropped.
struct StoreChange<'a> {
    change: factum_eventlog::Change<'a>,
    memory: &'a Memory,
}

impl StoreChange<'_> {
    /// Appends changes as one batch and applies them.
    async fn write(&mut self, by: &Principal, changes: Vec<Change>) -> Result<(), ChangeError> {
        if changes.is_empty() {
            return Ok(());
        }
        let (owner, count) = (by.clone(), changes.len());
        let (changes, records, bytes) = beside(count, move || encode(&owner, changes)).await;
        if bytes > MAX_CHANGE_BYTES {
            return Err(ChangeError::TooLarge { bytes });
        }
        let (memory, by) = (self.memory.clone(), by.clone());
        let take = move || {
            memory.apply(&changes);
            changes.iter().for_each(|change| info!(target: AUDIT, principal = %by, "{change}"));
        };
        Ok(self.change.append(records, beside(count, take)).await?)
    }
}

/// Does work over `count` changes: here where they are few, on a thread for blocking work where they are many.
async fn beside<T: Send + 'static>(count: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if count <= MANY {
        return work();
    }
    tokio::task::spawn_blocking(work).await.expect("encoding and applying do not panic")
}

/// The changes with their records, and how many bytes those take.
fn encode(by: &Principal, changes: Vec<Change>) -> (Vec<Change>, Vec<KeyedRecord>, usize) {
    let mut bytes = 0;
    let records = changes.iter().map(|change| {
        let (key, value) = change.encode(by);
        bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        (Bytes::from(key), value.map(Bytes::from))
    });
    let records = records.collect();
    (changes, records, bytes)
}

impl Memory {
    /// Applies what was read.
    fn take(&self, records: &[Record], unreadable: &mut UnreadableRecords) {
        let mut changes = Vec::with_capacity(records.len());
        for record in records {
            let key = record.key.as_deref().ok_or_else(|| "a record without a key is no one's".to_owned());
            match key.and_then(|key| Change::decode(key, record.value.as_deref())) {
                Ok(change) => changes.push(change),
                Err(reason) => unreadable.add_record(record.offset, reason),
            }
        }
        self.apply(&changes);
    }

    /// Does what changes say, rules all at once; what is so already stays.
    fn apply(&self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::SetCredential(name, credential) => self.users.set(name, credential.clone()),
                Change::RemoveCredential(name, mechanism) => {
                    self.users.remove(name, *mechanism);
                }
                Change::SetAcl(_) | Change::RemoveAcl(_) => {}
                Change::SetQuota(entity, limits) => self.quotas.set(entity, *limits),
            }
        }
        self.acls.change(changes.iter().filter_map(|change| match change {
            Change::SetAcl(acl) => Some((acl, true)),
            Change::RemoveAcl(acl) => Some((acl, false)),
            Change::SetCredential(..) | Change::RemoveCredential(..) | Change::SetQuota(..) => None,
        }));
    }
}
