//! Topics by name and by id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use factum_types::{TopicId, TopicName};

use crate::topic::Topic;

#[derive(Default)]
pub(crate) struct Index {
    by_name: BTreeMap<TopicName, Arc<Topic>>,
    by_id: HashMap<TopicId, Arc<Topic>>,
    /// In lower case: some file systems do not tell case apart.
    directories: BTreeSet<String>,
    partitions: usize,
    version: u64,
}

impl Index {
    pub(crate) fn topics(&self) -> Vec<Arc<Topic>> {
        self.by_name.values().cloned().collect()
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<Topic>> {
        self.by_name.get(name).cloned()
    }

    pub(crate) fn by_id(&self, id: TopicId) -> Option<Arc<Topic>> {
        self.by_id.get(&id).cloned()
    }

    /// The directories in use, in lower case.
    pub(crate) fn directories(&self) -> &BTreeSet<String> {
        &self.directories
    }

    /// How many partitions all topics have together.
    pub(crate) fn partitions(&self) -> usize {
        self.partitions
    }

    /// Another number whenever a topic comes or goes.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn insert(&mut self, topic: Arc<Topic>) {
        self.version += 1;
        self.partitions += topic.partitions().len();
        self.directories.insert(topic.directory().to_ascii_lowercase());
        self.by_id.insert(topic.id(), Arc::clone(&topic));
        self.by_name.insert(topic.name().clone(), topic);
    }

    pub(crate) fn remove(&mut self, name: &TopicName) -> Option<Arc<Topic>> {
        let topic = self.by_name.remove(name)?;
        self.version += 1;
        self.by_id.remove(&topic.id());
        self.directories.remove(&topic.directory().to_ascii_lowercase());
        self.partitions -= topic.partitions().len();
        Some(topic)
    }
}
