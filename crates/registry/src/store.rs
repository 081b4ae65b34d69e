//! Schemas on the log: topic `_schemas`, compacted, in the record layout of Confluent's registry.
//!
//! **Invariants:** memory has no change that is not on disk.

mod memory;
mod record;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use factum_eventlog::{
    Change, CompactedTopic, CompactedTopicError, EventLog, ProduceError, UnreadableRecords,
};
use factum_types::{ByteSize, Record, TopicName};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use crate::given_ids::IdFloors;
use crate::{GivenIds, metrics};
pub(crate) use memory::{KnownSchema, KnownVersion, Memory, Versions};
pub(crate) use record::{ContextEntry, Entry, VersionEntry};

/// The topic that has them.
pub const TOPIC: &str = "_schemas";
/// The text of a schema is at most 1 MiB, and may double as JSON within JSON; a change may have several.
const MAX_BATCH: ByteSize = ByteSize::mib(8);

/// Why a change of schemas or settings was not made durable; the same change may succeed later.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The topic cannot be read or created.
    #[error(transparent)]
    Topic(#[from] CompactedTopicError),
    /// The change is not durable.
    #[error("the change could not be written")]
    Write(#[from] ProduceError),
}

/// The topic, and what it says.
pub(crate) struct Store {
    topic: CompactedTopic,
    memory: Arc<RwLock<Memory>>,
    note: OnceLock<Note>,
    /// Contexts that were changed since the last note: a change whose future was dropped is noted with the next one.
    unnoted: Mutex<BTreeSet<String>>,
}

/// Notes which ids were given. Blocking.
pub(crate) type Note = Arc<dyn Fn(&GivenIds) + Send + Sync>;

/// A change under way; no other begins before it is dropped.
pub(crate) struct StoreChange<'a> {
    change: Change<'a>,
    store: &'a Store,
}

impl Store {
    pub(crate) fn new(log: Arc<dyn EventLog>) -> Self {
        let name = TopicName::new(TOPIC).expect("the constant is a valid name");
        let topic = CompactedTopic::new(log, name, MAX_BATCH);
        Self { topic, memory: Arc::default(), note: OnceLock::new(), unnoted: Mutex::default() }
    }

    /// Has `note` called after each change, before it is answered.
    pub(crate) fn note_changes(&self, note: Note) {
        // A registry has one owner that sets it up.
        drop(self.note.set(note));
    }

    /// The highest ids of all contexts.
    pub(crate) async fn given_ids(&self) -> GivenIds {
        let end = self.topic.end().await;
        GivenIds { end, ids: self.memory().last_ids() }
    }

    /// Ids that are not given, whatever the log knows.
    pub(crate) fn keep_ids_above(&self, floors: IdFloors) {
        self.memory.write().set_floors(floors);
    }

    /// Reads what was not read yet; gives what was passed over.
    ///
    /// # Errors
    /// [`StoreError`] where the log does not answer.
    pub(crate) async fn read(&self) -> Result<UnreadableRecords, StoreError> {
        let unreadable =
            self.topic.read(&|records, unreadable| take(&self.memory, records, unreadable)).await?;
        let (subjects, schemas) = self.memory().counts();
        metrics::counts(subjects, schemas);
        Ok(unreadable)
    }

    /// Begins a change.
    ///
    /// # Errors
    /// [`StoreError`] where the log does not answer.
    pub(crate) async fn begin(&self) -> Result<StoreChange<'_>, StoreError> {
        let change = self.topic.begin(&|records, unreadable| take(&self.memory, records, unreadable)).await?;
        Ok(StoreChange { change, store: self })
    }

    /// What is known. Held for as short as possible, and never across an await.
    pub(crate) fn memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read()
    }
}

impl StoreChange<'_> {
    /// Appends entries, all or none, and applies them once they are on disk.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub(crate) async fn append(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let records = entries.iter().map(Entry::encode).collect();
        let memory = &self.store.memory;
        self.store.unnoted.lock().extend(entries.iter().filter_map(Entry::id_context));
        let apply = async move {
            let mut memory = memory.write();
            for entry in entries {
                if let Err(reason) = memory.apply(entry) {
                    tracing::error!(reason, "a change of schemas contradicts those before it");
                }
            }
            let (subjects, schemas) = memory.counts();
            drop(memory);
            metrics::counts(subjects, schemas);
        };
        self.change.append(records, apply).await?;
        self.note().await;
        Ok(())
    }

    /// Notes the ids of what was changed. It goes on also where no one waits for it.
    async fn note(&self) {
        let Some(note) = self.store.note.get().cloned() else { return };
        let contexts = std::mem::take(&mut *self.store.unnoted.lock());
        let given = {
            let memory = self.store.memory();
            let ids = contexts.into_iter().map(|context| (memory.last_id(&context), context));
            GivenIds { end: self.change.end(), ids: ids.map(|(id, context)| (context, id)).collect() }
        };
        if let Err(failed) = tokio::task::spawn_blocking(move || note(&given)).await {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("topic", &self.topic).finish_non_exhaustive()
    }
}

fn take(memory: &RwLock<Memory>, records: &[Record], unreadable: &mut UnreadableRecords) {
    let mut memory = memory.write();
    for record in records {
        let key = record.key.as_deref().ok_or_else(|| "a record without a key is no one's".to_owned());
        let entry = key.and_then(|key| Entry::decode(key, record.value.as_deref()));
        if let Err(reason) = entry.and_then(|entry| memory.apply(entry)) {
            unreadable.add_record(record.offset, reason);
        }
    }
}
