//! Settings and modes of subjects, of contexts, and of all of them.

use serde_json::{Map, Value};

use super::Registry;
use super::register::MAX_TOTAL_BYTES;
use crate::json_size::json_size;
use crate::store::{Entry, Memory};
use crate::subject::Subject;
use crate::{Config, DEFAULT_CONTEXT, Mode, StoreError};

/// Bytes of the settings of a scope as JSON, at most.
const MAX_CONFIG_BYTES: usize = 64 * 1024;
/// Scopes with settings or a mode that are no subject, and no context that was created, at most.
const MAX_UNUSED_SCOPES: usize = 10_000;

/// Why settings or a mode did not change.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The subject's mode does not allow it.
    #[error("{} is in read-only mode", scope_in_words(scope.as_ref()))]
    ReadOnly {
        /// The scope.
        scope: Option<Subject>,
    },
    /// Nothing is set for the subject.
    #[error("Subject '{subject}' not found.")]
    NotSet {
        /// The subject.
        subject: Subject,
    },
    /// A setting has a value that it cannot have.
    #[error("invalid settings: {reason}")]
    Invalid {
        /// Which one, and why.
        reason: String,
    },
    /// Over a limit.
    #[error("{what} too large: {bytes} bytes, at most {limit} are possible")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Over the limit.
    #[error("too many settings and modes of subjects that are not there: the limit is {MAX_UNUSED_SCOPES}")]
    TooMany,
    /// Mode IMPORT is for scopes without subjects.
    #[error("Cannot import since found existing subjects")]
    HasSubjects,
    /// A deleted version of the scope is referred to from elsewhere.
    #[error("One or more references exist to subject {subject} version {version}")]
    Referenced {
        /// The subject.
        subject: Subject,
        /// The version.
        version: i32,
    },
    /// The change is not durable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn scope_in_words(scope: Option<&Subject>) -> String {
    scope.map_or_else(
        || "The registry".to_owned(),
        |subject| format!("Subject {subject} in context {}", subject.context()),
    )
}

impl Registry {
    /// What is set for exactly this scope: a subject, a context, or all without one.
    pub fn config(&self, scope: Option<&Subject>) -> Option<Config> {
        self.0.store.memory().config(scope).cloned()
    }

    /// The subject that `subject` stands for by its setting `alias`: one in its context, unless the alias names another. Itself
    /// without one; the alias of an alias is not followed.
    #[must_use]
    pub fn follow_alias(&self, subject: Subject) -> Subject {
        let memory = self.0.store.memory();
        let alias = memory.config(Some(&subject)).and_then(|config| config.alias.as_deref());
        let followed = alias.filter(|alias| !alias.is_empty()).and_then(|alias| subject.referred(alias).ok());
        followed.filter(|followed| !followed.is_context()).unwrap_or(subject)
    }

    /// What holds for a subject.
    pub fn config_in_effect(&self, subject: &Subject) -> Config {
        self.0.store.memory().config_in_effect(subject)
    }

    /// Changes settings of a scope: `changes` names settings as [`Config`] writes them, and `null` takes one away. Gives what is
    /// set then, once it is on disk.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub async fn set_config(
        &self,
        scope: Option<&Subject>,
        changes: Map<String, Value>,
    ) -> Result<Config, SettingsError> {
        let mut change = self.0.store.begin().await?;
        let config = {
            let memory = self.0.store.memory();
            check_mode(&memory, scope)?;
            let config = merged(&memory.config(scope).cloned().unwrap_or_default(), changes)?;
            check_room(&memory, scope, json_size(&config))?;
            config
        };
        let entry = Entry::Config { scope: scope.cloned(), config: Some(Box::new(config.clone())) };
        change.append(vec![entry]).await?;
        Ok(config)
    }

    /// Takes away what is set for a scope; gives what was set, once that is on disk.
    ///
    /// # Errors
    /// [`SettingsError::ReadOnly`], [`SettingsError::NotSet`] of a subject, [`SettingsError::Store`].
    pub async fn delete_config(&self, scope: Option<&Subject>) -> Result<Config, SettingsError> {
        let mut change = self.0.store.begin().await?;
        let config = {
            let memory = self.0.store.memory();
            check_mode(&memory, scope)?;
            match (memory.config(scope), scope) {
                (None, Some(subject)) => return Err(SettingsError::NotSet { subject: subject.clone() }),
                (config, _) => config.cloned().unwrap_or_default(),
            }
        };
        change.append(vec![Entry::Config { scope: scope.cloned(), config: None }]).await?;
        Ok(config)
    }

    /// The mode of exactly this scope.
    pub fn mode(&self, scope: Option<&Subject>) -> Option<Mode> {
        self.0.store.memory().mode(scope)
    }

    /// The mode that holds for a subject.
    pub fn mode_in_effect(&self, subject: &Subject) -> Mode {
        self.0.store.memory().mode_in_effect(subject)
    }

    /// Sets the mode of a scope. Mode IMPORT is for scopes without subjects, unless `force`; what is left of deleted ones goes.
    ///
    /// # Errors
    /// [`SettingsError::HasSubjects`], [`SettingsError::Referenced`], [`SettingsError::Store`].
    pub async fn set_mode(
        &self,
        scope: Option<&Subject>,
        mode: Mode,
        force: bool,
    ) -> Result<(), SettingsError> {
        let mut change = self.0.store.begin().await?;
        let mut entries = Vec::new();
        {
            let memory = self.0.store.memory();
            check_room(&memory, scope, 0)?;
            let is_import = match scope {
                Some(subject) => memory.mode_in_effect(subject) == Mode::Import,
                None => memory.mode(None) == Some(Mode::Import),
            };
            if mode == Mode::Import && !is_import && !force {
                entries = cleared(&memory, scope)?;
            }
        }
        entries.push(Entry::Mode { scope: scope.cloned(), mode: Some(mode) });
        Ok(change.append(entries).await?)
    }

    /// Takes away the mode of a scope; gives what it was, once that is on disk.
    ///
    /// # Errors
    /// [`SettingsError::NotSet`] of a subject, [`SettingsError::Store`].
    pub async fn delete_mode(&self, scope: Option<&Subject>) -> Result<Mode, SettingsError> {
        let mut change = self.0.store.begin().await?;
        let mode = match (self.mode(scope), scope) {
            (None, Some(subject)) => return Err(SettingsError::NotSet { subject: subject.clone() }),
            (mode, _) => mode.unwrap_or_default(),
        };
        change.append(vec![Entry::Mode { scope: scope.cloned(), mode: None }]).await?;
        Ok(mode)
    }
}

fn check_mode(memory: &Memory, scope: Option<&Subject>) -> Result<(), SettingsError> {
    let mode = match scope {
        Some(subject) => memory.mode_in_effect(subject),
        None => memory.mode(None).unwrap_or_default(),
    };
    match mode.is_read_only() {
        true => Err(SettingsError::ReadOnly { scope: scope.cloned() }),
        false => Ok(()),
    }
}

/// Whether a scope may have settings of so many bytes, or a mode.
fn check_room(memory: &Memory, scope: Option<&Subject>, bytes: usize) -> Result<(), SettingsError> {
    let check = |what, bytes, limit| match bytes > limit {
        true => Err(SettingsError::TooLarge { what, bytes, limit }),
        false => Ok(()),
    };
    check("settings", bytes, MAX_CONFIG_BYTES)?;
    check("all schemas and settings", memory.bytes().saturating_add(bytes), MAX_TOTAL_BYTES)?;
    let unused = memory.unused_scopes();
    let is_new = scope.is_some_and(|scope| !memory.has_scope(scope) && !unused.contains(scope));
    match is_new && unused.len() >= MAX_UNUSED_SCOPES {
        true => Err(SettingsError::TooMany),
        false => Ok(()),
    }
}

fn merged(config: &Config, changes: Map<String, Value>) -> Result<Config, SettingsError> {
    let mut all = match serde_json::to_value(config) {
        Ok(Value::Object(all)) => all,
        _ => Map::new(),
    };
    for (name, value) in changes {
        match value {
            Value::Null => all.remove(&name),
            value => all.insert(name, value),
        };
    }
    serde_json::from_value(Value::Object(all))
        .map_err(|error| SettingsError::Invalid { reason: error.to_string() })
}

/// The ends of what is left of deleted versions in a scope that has no other.
fn cleared(memory: &Memory, scope: Option<&Subject>) -> Result<Vec<Entry>, SettingsError> {
    let all = Subject::of_context(DEFAULT_CONTEXT);
    let scope = scope.unwrap_or(&all);
    let mut entries = Vec::new();
    for (subject, versions) in memory.within(scope) {
        if versions.values().any(|known| !known.is_deleted) {
            return Err(SettingsError::HasSubjects);
        }
        for &version in versions.keys() {
            let mut referrers = memory.referrers(subject, version);
            if referrers.any(|(referrer, _)| referrer != subject) {
                return Err(SettingsError::Referenced { subject: subject.clone(), version });
            }
            entries.push(Entry::Version { subject: subject.clone(), version, value: None });
        }
    }
    if !entries.is_empty() {
        entries.push(Entry::ClearSubject { subject: scope.clone() });
    }
    Ok(entries)
}
