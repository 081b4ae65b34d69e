//! A note of each topic, kept apart from its directory: a topic whose directory was removed while no server ran is missed
//! at the next start, and never taken for one that was never there.
//!
//! ```text
//!   known-topics/<id>.json    {"format":1,"name":"store.orders","directory":"store.orders"}
//! ```
//!
//! Invariant: a topic is noted after it was made, and its note removed before it is. So a crash leaves no note of a topic
//! that was deleted, and a topic without one is noted at the next start.
//!
//! Notes protect and are needed for nothing: one that cannot be written or read stops no topic.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_log::{Disk, remove_if_there};
use factum_types::{TopicId, TopicName};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::error::StorageError;
use crate::json_file::{self, VersionedFile};

const ENDING: &str = ".json";

/// A topic that there was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownTopic {
    pub(crate) id: TopicId,
    pub(crate) name: TopicName,
    /// Its entry among the topics' directories.
    pub(crate) directory: String,
}

/// The content of a note.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    format: u32,
    name: TopicName,
    directory: String,
}

impl VersionedFile for Note {
    const FORMAT: u32 = 1;

    fn format(&self) -> u32 {
        self.format
    }
}

/// The notes of a data directory.
pub(crate) struct KnownTopics {
    disk: Arc<dyn Disk>,
    root: PathBuf,
}

impl KnownTopics {
    pub(crate) fn at(disk: Arc<dyn Disk>, data_dir: &Path) -> Self {
        Self { disk, root: data_dir.join("known-topics") }
    }

    /// Makes the directory of the notes, if it is missing.
    pub(crate) fn create(&self) {
        let data_dir = self.root.parent().unwrap_or(&self.root);
        let made = self.disk.create_dir_all(&self.root).and_then(|()| self.disk.sync_dir(data_dir));
        if let Err(error) = made {
            warn!(directory = %self.root.display(), %error, "topics cannot be noted");
        }
    }

    /// Where a topic is noted.
    pub(crate) fn path(&self, id: TopicId) -> PathBuf {
        self.root.join(format!("{id}{ENDING}"))
    }

    /// The ids of all topics that are noted. Reads no note: a start with thousands of topics needs none of them.
    pub(crate) fn ids(&self) -> BTreeSet<TopicId> {
        let names = self.disk.list(&self.root).unwrap_or_default();
        names.iter().filter_map(|name| name.strip_suffix(ENDING)?.parse().ok()).collect()
    }

    /// What is noted of a topic, if that can be read.
    pub(crate) fn read(&self, id: TopicId) -> Option<KnownTopic> {
        match json_file::read::<Note>(&*self.disk, &self.path(id)) {
            Ok(note) => note.map(|Note { name, directory, .. }| KnownTopic { id, name, directory }),
            Err(error) => {
                warn!(%id, %error, "the note of a topic cannot be read");
                None
            }
        }
    }

    /// Notes a topic that there is.
    pub(crate) fn add(&self, topic: &KnownTopic) {
        let KnownTopic { id, name, directory } = topic.clone();
        let note = Note { format: Note::FORMAT, name, directory };
        if let Err(error) = json_file::write(&*self.disk, &self.path(id), &note) {
            warn!(topic = %note.name, %error, "a topic cannot be noted; if its directory is removed, it will not be missed");
        }
    }

    /// Removes the note of a topic that is about to be deleted, or is given up for lost.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn remove(&self, id: TopicId) -> Result<(), StorageError> {
        let path = self.path(id);
        let removed = remove_if_there(&*self.disk, &path).and_then(|()| self.sync());
        removed.map_err(|source| StorageError::Directory { operation: "remove", path, source })
    }

    fn sync(&self) -> io::Result<()> {
        match self.disk.sync_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}
