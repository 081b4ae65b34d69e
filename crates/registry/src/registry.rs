//! The registry: subjects and their versions, kept on the log.
//!
//! ```text
//!   prepare (reads, compares: takes a processor) ──▶ commit (appends, on disk) ──▶ in memory ──▶ its response
//!        ▲                                              │
//!        └───── the subject changed meanwhile ──────────┘
//! ```
//!
//! **Invariants:** a version that is registered can be read, what it refers to is there, and it is as compatible as its subject
//! asks for; between reading and appending no one waits for a schema that takes long.
//!
//! **Not here:** who may do what, which the edge asks; HTTP.

mod check;
mod delete;
mod groups;
mod look_up;
mod register;
mod resolve;
mod settings;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use factum_base::tasks::Stop;
use factum_eventlog::{EventLog, UnreadableRecords};

#[cfg(doc)]
use crate::WorkError;
use crate::given_ids::IdFloors;
use crate::parsed_schemas::ParsedSchemas;
use crate::store::{KnownSchema, Store};
use crate::work::Work;
use crate::{GivenIds, Guid, Schema, StoreError, Subject, VersionId};

pub use check::{CheckError, VersionVerdict};
pub use delete::DeleteError;
pub use groups::{CreateGroupError, MAX_GROUPS, SchemaGroup};
pub use look_up::{LookUpError, SchemaFilter, VersionFilter};
pub use register::{MAX_SCHEMAS, NewSchema, PreparedVersion, RegisterError};
pub use resolve::ReferenceError;
pub use settings::SettingsError;
pub use values::{CodecError, DecodedValue};

/// The registry of a server; a cheap handle.
#[derive(Clone)]
pub struct Registry(
    Arc<Inner>,
    /// Ends what is read and compared through this handle.
    Stop,
);

struct Inner {
    store: Store,
    parsed: ParsedSchemas,
}

/// A version of a subject.
#[derive(Debug, Clone)]
pub struct SubjectVersion {
    /// The subject.
    pub subject: Subject,
    /// Its version.
    pub version: i32,
    /// Whether it is deleted, and can be restored by registering it again.
    pub is_deleted: bool,
    definition: Option<Arc<str>>,
    known: Arc<KnownSchema>,
}

impl SubjectVersion {
    /// The id of its schema in the subject's context.
    pub fn id(&self) -> i32 {
        self.known.id
    }

    /// The fingerprint of its schema.
    pub fn guid(&self) -> Guid {
        self.known.guid
    }

    /// Its schema.
    pub fn schema(&self) -> &Schema {
        &self.known.schema
    }

    /// Its schema's text as it was given, where a client asked for that to be kept; else as the registry keeps it.
    pub fn definition(&self) -> &str {
        self.definition.as_deref().unwrap_or(&self.known.schema.text)
    }

    /// Its own id, which no other version has.
    pub fn version_id(&self) -> VersionId {
        VersionId::of(&self.subject, self.version, self.definition())
    }
}

impl Registry {
    /// Over `log`, which may write reserved topics; nothing is read yet.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self(Arc::new(Inner { store: Store::new(log), parsed: ParsedSchemas::default() }), Stop::new())
    }

    /// The same registry for work that no one waits for after `stop` is requested: reading and comparing schemas ends then, with
    /// [`WorkError::Stopped`].
    #[must_use]
    pub fn until(&self, stop: Stop) -> Self {
        Self(Arc::clone(&self.0), stop)
    }

    fn work(&self) -> Work {
        Work::until(self.1.clone())
    }

    /// Reads what is on the log and was not read yet; gives what was passed over.
    ///
    /// # Errors
    /// [`StoreError`] where the log does not answer.
    pub async fn read(&self) -> Result<UnreadableRecords, StoreError> {
        self.0.store.read().await
    }

    /// Has `note` called after each change with the ids that it gave, on a thread for blocking work and before the change is
    /// answered: what was answered is noted.
    pub fn note_changes(&self, note: impl Fn(&GivenIds) + Send + Sync + 'static) {
        self.0.store.note_changes(Arc::new(note));
    }

    /// The ids that were given in all contexts, as far as the log was read.
    pub async fn given_ids(&self) -> GivenIds {
        self.0.store.given_ids().await
    }

    /// Gives no id up to these, whatever the log knows; `others` is for contexts that are not among them.
    pub fn keep_ids_above(&self, ids: BTreeMap<String, i32>, others: i32) {
        self.0.store.keep_ids_above(IdFloors { ids, others });
    }

    /// How many subjects and schemas there are.
    pub fn counts(&self) -> (usize, usize) {
        self.0.store.memory().counts()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subjects, schemas) = self.counts();
        f.debug_struct("Registry").field("subjects", &subjects).field("schemas", &schemas).finish()
    }
}
