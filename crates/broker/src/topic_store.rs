//! The topics' directories.
//!
//! ```text
//!   ~new-<id>      being made: topic.json, and a directory with an empty log for each partition
//!       │ rename            ← the topic exists from here on
//!   <topic>        in use
//!       │ rename            ← the topic is gone from here on
//!   ~deleted-<id>  being removed
//! ```
//!
//! Entries that are none of these, and topics whose `topic.json` cannot be understood, are passed over and said.
//!
//! Invariants: a directory under a topic's name is complete, and a topic whose directory was removed is missed
//! ([`KnownTopics`]). What a crash leaves behind under another name is
//! removed at the next start. `~` is in no topic's name, so neither prefix can be mistaken for a topic.
//!
//! A directory is named as its topic, but for a topic whose name differs only by case from another's: there the
//! topic's id is appended, because some file systems do not tell case apart. `topic.json` has the true name.

use std::collections::BTreeSet;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_log::{Disk, PartitionLog, printable_name};
use factum_types::{TopicId, TopicName};
use tracing::{info, warn};

use crate::error::StorageError;
use crate::json_file;
use crate::known_topics::{KnownTopic, KnownTopics};
use crate::side_by_side;
use crate::topic::TopicFile;

const STAGED: &str = "~new-";
const DELETED: &str = "~deleted-";
/// Leaves room for `~` and an id within the 255 bytes that file systems allow.
const LONGEST_PREFIX: usize = 200;

/// A topic found on disk.
pub(crate) struct StoredTopic {
    pub(crate) directory: String,
    pub(crate) file: TopicFile,
}

impl StoredTopic {
    /// What is noted of it.
    pub(crate) fn known(&self) -> KnownTopic {
        KnownTopic { id: self.file.id, name: self.file.name.clone(), directory: self.directory.clone() }
    }
}

/// An entry among the topics' directories that is no usable topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnusableEntry {
    /// Its name, and what is wrong, as they may be printed.
    pub(crate) directory: String,
    pub(crate) reason: String,
    /// Whether a topic was here: then records are out of reach. Else someone put it there.
    pub(crate) is_topic: bool,
    /// The topic that is noted to be here.
    pub(crate) known: Option<KnownTopic>,
    /// Whether the whole directory was removed.
    pub(crate) is_removed: bool,
}

impl UnusableEntry {
    /// Whether `topic` may be the one that was here; see the naming rule above.
    pub(crate) fn may_be(&self, topic: &TopicName) -> bool {
        if let Some(known) = &self.known {
            return known.name == *topic;
        }
        let prefix = self.directory.split('~').next().unwrap_or_default();
        self.is_topic
            && topic.as_str().starts_with(prefix)
            && (prefix.len() == topic.as_str().len() || prefix.len() >= LONGEST_PREFIX)
    }
}

impl From<UnusableEntry> for StorageError {
    fn from(entry: UnusableEntry) -> Self {
        let UnusableEntry { directory, reason, is_removed, .. } = entry;
        match is_removed {
            true => Self::Removed { directory, reason },
            false => Self::Unusable { directory, reason },
        }
    }
}

/// Makes, finds and removes topics' directories.
pub(crate) struct TopicStore {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    known: KnownTopics,
}

impl TopicStore {
    /// The topics in `data_dir` as they lie there; changes nothing.
    pub(crate) fn at(disk: Arc<dyn Disk>, data_dir: &Path) -> Self {
        let known = KnownTopics::at(Arc::clone(&disk), data_dir);
        Self { disk, root: data_dir.join("topics"), known }
    }

    /// Whether a directory of this name is half made or half removed; the next start removes it.
    pub(crate) fn is_leftover(directory: &str) -> bool {
        directory.starts_with(STAGED) || directory.starts_with(DELETED)
    }

    /// Opens `<data_dir>/topics`, made if missing, and finishes what a crash interrupted there.
    pub(crate) fn open(disk: Arc<dyn Disk>, data_dir: &Path) -> Result<Self, StorageError> {
        let store = Self::at(disk, data_dir);
        store.in_root("make", |disk, root| disk.create_dir_all(root))?;
        store.in_root("sync", |disk, _| disk.sync_dir(data_dir))?;
        store.known.create();
        let entries = store.entries()?;
        let leftovers = entries.iter().filter(|name| Self::is_leftover(name));
        for name in leftovers {
            info!(directory = %printable_name(name), "removing what was left half made or half removed");
            store.purge(name)?;
        }
        Ok(store)
    }

    /// Every topic on disk, in the order of their directories' names, and what lies among them that is none. An entry
    /// that is no topic, or a damaged one, stops no other.
    pub(crate) fn load(&self) -> Result<(Vec<StoredTopic>, Vec<UnusableEntry>), StorageError> {
        let mut entries = self.entries()?;
        entries.sort_unstable();
        let (mut topics, mut unusable) = (Vec::new(), Vec::new());
        let mut names = BTreeSet::new();
        for directory in entries.into_iter().filter(|directory| !Self::is_leftover(directory)) {
            match self.load_one(directory.clone()) {
                Ok(topic) if names.insert(topic.file.name.clone()) => topics.push(topic),
                Ok(topic) => unusable.push(UnusableEntry {
                    directory: printable_name(&directory),
                    reason: format!("topic {} is in another directory too", topic.file.name),
                    is_topic: true,
                    known: None,
                    is_removed: false,
                }),
                Err(error) => unusable.push(self.unusable(&directory, &error)),
            }
        }
        let found: BTreeSet<_> = topics.iter().map(|topic| topic.file.id).collect();
        let missed = self.known.ids().into_iter().filter(|id| !found.contains(id));
        let mut missed: Vec<_> = missed.filter_map(|id| self.known.read(id)).collect();
        missed.sort_unstable_by(|one, other| one.directory.cmp(&other.directory));
        for known in missed {
            match unusable.iter_mut().find(|entry| entry.directory == known.directory) {
                Some(entry) => entry.known = Some(known),
                None => unusable.push(self.removed(known)),
            }
        }
        Ok((topics, unusable))
    }

    /// The entry of a topic whose directory is gone.
    fn removed(&self, topic: KnownTopic) -> UnusableEntry {
        let note = self.known.path(topic.id);
        let reason = "its directory was removed while no server ran; restore it, or give it up: delete the topic, or remove";
        UnusableEntry {
            directory: topic.directory.clone(),
            reason: format!("{reason} {}", note.display()),
            is_topic: true,
            known: Some(topic),
            is_removed: true,
        }
    }

    /// Notes topics that are not noted yet.
    pub(crate) fn note(&self, topics: &[StoredTopic]) {
        let known = self.known.ids();
        for topic in topics.iter().filter(|topic| !known.contains(&topic.file.id)) {
            self.known.add(&topic.known());
        }
    }

    /// Removes the note of a topic whose directory is gone.
    pub(crate) fn forget(&self, id: TopicId) -> Result<(), StorageError> {
        self.known.remove(id)
    }

    /// The names in the root, in no particular order.
    pub(crate) fn entries(&self) -> Result<Vec<String>, StorageError> {
        self.in_root("list", |disk, root| disk.list(root))
    }

    /// What is to be said of the entry `directory`, which cannot be used because of `error`.
    pub(crate) fn unusable(&self, directory: &str, error: &StorageError) -> UnusableEntry {
        let inside = self.disk.list(&self.root.join(directory)).unwrap_or_default();
        let is_topic = inside.iter().any(|name| name == "topic.json" || name.parse::<u32>().is_ok());
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        let reason = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
        UnusableEntry {
            directory: printable_name(directory),
            reason: printable_name(&reason),
            is_topic,
            known: None,
            is_removed: false,
        }
    }

    /// Where partition `number` of the topic in `directory` keeps its log.
    pub(crate) fn partition_path(&self, directory: &str, number: i32) -> PathBuf {
        self.root.join(directory).join(number.to_string())
    }

    /// A directory name for a new topic, apart from those `taken` (in lower case).
    pub(crate) fn choose_directory(name: &TopicName, id: TopicId, taken: &BTreeSet<String>) -> String {
        let name = name.as_str();
        if !taken.contains(&name.to_ascii_lowercase()) {
            return name.to_owned();
        }
        format!("{}~{}", &name[..name.len().min(LONGEST_PREFIX)], id.uuid().simple())
    }

    /// Makes a topic without records: on disk when this returns.
    ///
    /// After an error the topic is not there, unless the disk refused even to take it away again: then it appears,
    /// empty, at the next start.
    pub(crate) fn create(&self, directory: &str, file: &TopicFile) -> Result<(), StorageError> {
        let staged = format!("{STAGED}{}", file.id);
        let result = self.stage(&staged, file).and_then(|()| self.publish(&staged, directory));
        if result.is_err()
            && let Err(error) = self.purge(&staged)
        {
            warn!(topic = %file.name, %error, "what was left half made takes space until the next start");
        }
        if result.is_ok() {
            let (id, name, directory) = (file.id, file.name.clone(), directory.to_owned());
            self.known.add(&KnownTopic { id, name, directory });
        }
        result
    }

    /// Makes the logs of the partitions that the topic in `directory`, which is as `file` says, lacks to have `wanted`; on
    /// disk when this returns. What an attempt before left of them goes first: `file` is written again, because that
    /// attempt may have failed when it was on disk already.
    pub(crate) fn add_logs(
        &self,
        directory: &str,
        file: &TopicFile,
        wanted: i32,
    ) -> Result<(), StorageError> {
        let path = self.root.join(directory);
        let failed = |operation| {
            let path = path.clone();
            move |source| StorageError::Directory { operation, path, source }
        };
        let inside: BTreeSet<_> = self.disk.list(&path).map_err(failed("list"))?.into_iter().collect();
        let numbers: Vec<_> = (file.partitions..wanted).map(|number| number.to_string()).collect();
        let left: Vec<_> = numbers.iter().filter(|number| inside.contains(*number)).collect();
        if !left.is_empty() {
            self.rewrite(directory, file)?;
        }
        for number in left {
            self.disk.remove_dir_all(&path.join(number)).map_err(failed("remove a log in"))?;
        }
        let made =
            side_by_side::map(&numbers, |number| PartitionLog::create(&*self.disk, &path.join(number)));
        made.into_iter().collect::<io::Result<()>>().map_err(failed("make a log in"))?;
        self.disk.sync_dir(&path).map_err(failed("sync"))
    }

    /// Replaces the topic's `topic.json`.
    pub(crate) fn rewrite(&self, directory: &str, file: &TopicFile) -> Result<(), StorageError> {
        Ok(json_file::write(&*self.disk, &self.root.join(directory).join("topic.json"), file)?)
    }

    /// Takes the topic away; its bytes are freed by [`TopicStore::purge`] of the name returned. After an error the
    /// topic is where it was, unless the disk refused even to put it back.
    pub(crate) fn retire(&self, directory: &str, id: TopicId) -> Result<String, StorageError> {
        let retired = format!("{DELETED}{id}");
        self.known.remove(id)?;
        self.rename(directory, &retired)?;
        self.sync_root().inspect_err(|_| {
            if let Err(error) = self.rename(&retired, directory) {
                warn!(directory, %error, "a topic that could not be removed is not where it was");
            }
        })?;
        Ok(retired)
    }

    /// Removes a directory that is no topic's any more.
    pub(crate) fn purge(&self, name: &str) -> Result<(), StorageError> {
        let path = self.root.join(name);
        match self.disk.remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StorageError::Directory { operation: "remove", path, source })
            }
            _ => self.sync_root(),
        }
    }

    fn publish(&self, staged: &str, directory: &str) -> Result<(), StorageError> {
        self.rename(staged, directory)?;
        self.sync_root().inspect_err(|_| {
            if let Err(error) = self.rename(directory, staged) {
                warn!(directory, %error, "a topic that could not be made is still there");
            }
        })
    }

    fn stage(&self, staged: &str, file: &TopicFile) -> Result<(), StorageError> {
        let path = self.root.join(staged);
        self.in_root("make a directory in", |disk, _| disk.create_dir_all(&path))?;
        let partitions: Vec<_> = (0..file.partitions).map(|number| path.join(number.to_string())).collect();
        let created = side_by_side::map(&partitions, |path| PartitionLog::create(&*self.disk, path));
        for (path, created) in partitions.into_iter().zip(created) {
            created.map_err(|source| StorageError::Directory { operation: "make a log in", path, source })?;
        }
        self.rewrite(staged, file)?;
        self.disk.sync_dir(&path).map_err(|source| StorageError::Directory {
            operation: "sync",
            path,
            source,
        })
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        self.in_root("rename a directory in", |disk, root| disk.rename(&root.join(from), &root.join(to)))
    }

    fn sync_root(&self) -> Result<(), StorageError> {
        self.in_root("sync", |disk, root| disk.sync_dir(root))
    }

    /// The topic in `directory`, which must be complete.
    pub(crate) fn load_one(&self, directory: String) -> Result<StoredTopic, StorageError> {
        let path = self.root.join(&directory);
        let file: Option<TopicFile> = json_file::read(&*self.disk, &path.join("topic.json"))?;
        let Some(file) = file else {
            return Err(StorageError::NotATopic { path });
        };
        let inside = self.disk.list(&path).map_err(|source| StorageError::Directory {
            operation: "list",
            path: path.clone(),
            source,
        })?;
        let inside: BTreeSet<_> = inside.into_iter().collect();
        if let Some(missing) = (0..file.partitions).find(|number| !inside.contains(&number.to_string())) {
            return Err(StorageError::Missing { path: path.join(missing.to_string()) });
        }
        for number in 0..file.partitions {
            self.check_log(path.join(number.to_string()))?;
        }
        Ok(StoredTopic { directory, file })
    }

    /// Checks that a partition has a log. One that has none is not new: it is made with its topic.
    fn check_log(&self, path: PathBuf) -> Result<(), StorageError> {
        match PartitionLog::exists(&*self.disk, &path) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StorageError::NoLog { path }),
            Err(source) => Err(StorageError::Directory { operation: "list", path, source }),
        }
    }

    fn in_root<T>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&dyn Disk, &Path) -> io::Result<T>,
    ) -> Result<T, StorageError> {
        act(&*self.disk, &self.root).map_err(|source| StorageError::Directory {
            operation,
            path: self.root.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn names_that_differ_by_case_get_directories_apart() {
        let id = TopicId::new(Uuid::from_u128(0xabc));
        let name = |text: &str| TopicName::new(text.to_owned()).expect("valid");
        let taken = BTreeSet::from(["orders".to_owned(), "x".repeat(249)]);
        assert_eq!(TopicStore::choose_directory(&name("sales"), id, &taken), "sales");
        let apart = TopicStore::choose_directory(&name("Orders"), id, &taken);
        assert_eq!(apart, "Orders~00000000000000000000000000000abc");
        let longest = TopicStore::choose_directory(&name(&"X".repeat(249)), id, &taken);
        assert!(longest.len() <= 255, "{} bytes", longest.len());
    }
}
