//! One topic: its identity, its partitions and what is set for it.

mod config;
mod file;

use std::fmt;
use std::sync::Arc;

use factum_eventlog::TopicConfig;
use factum_types::{PartitionId, TopicId, TopicName};
use parking_lot::RwLock;

use crate::Partition;
use crate::append_rules::AppendRules;
use crate::partition::Limits;

pub(crate) use config::{Defaults, InvalidConfig, check as check_config, own_name};
pub(crate) use file::TopicFile;

/// The topic that the group coordinator keeps its state in; no one else writes to it, not even the server's other parts.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The topic that the coordinator of transactions keeps its state in; no one else writes to it either.
pub const TRANSACTIONS_TOPIC: &str = "__transaction_state";

/// A topic that exists on disk.
pub struct Topic {
    name: TopicName,
    id: TopicId,
    /// Its entry among the topics' directories.
    directory: String,
    partitions: Vec<Arc<Partition>>,
    limits: Arc<Limits>,
    /// Also of handles from before the topic was given partitions.
    config: Arc<RwLock<TopicConfig>>,
}

impl Topic {
    pub(crate) fn new(
        file: &TopicFile,
        directory: String,
        partitions: Vec<Arc<Partition>>,
        limits: Arc<Limits>,
    ) -> Self {
        let config = Arc::new(RwLock::new(file.config()));
        Self { name: file.name.clone(), id: file.id, directory, partitions, limits, config }
    }

    /// Its name.
    pub fn name(&self) -> &TopicName {
        &self.name
    }

    /// Its identity: another topic of this name, made after a deletion, has another.
    pub fn id(&self) -> TopicId {
        self.id
    }

    /// What was set for it; what is `None` follows [`crate::Options`].
    pub fn config(&self) -> TopicConfig {
        self.config.read().clone()
    }

    /// Its partitions, by number, when this handle was given out: a topic that is given more is another handle.
    pub fn partitions(&self) -> &[Arc<Partition>] {
        &self.partitions
    }

    /// One partition.
    pub fn partition(&self, number: PartitionId) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(number).ok()?)
    }

    /// How many partitions it has.
    pub fn partition_count(&self) -> i32 {
        i32::try_from(self.partitions.len()).expect("a topic has at most i32::MAX partitions")
    }

    /// Whether the server keeps its own records here: listings set it apart, and [`Partition::append`] refuses.
    pub fn is_internal(&self) -> bool {
        self.name.is_internal()
    }

    pub(crate) fn directory(&self) -> &str {
        &self.directory
    }

    /// The same topic with `more` partitions behind those that it has.
    pub(crate) fn with_partitions(&self, more: impl Iterator<Item = Arc<Partition>>) -> Self {
        Self {
            name: self.name.clone(),
            id: self.id,
            directory: self.directory.clone(),
            partitions: self.partitions.iter().cloned().chain(more).collect(),
            limits: Arc::clone(&self.limits),
            config: Arc::clone(&self.config),
        }
    }

    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// Takes a new configuration that is on disk already.
    pub(crate) fn reconfigure(&self, config: TopicConfig, defaults: &Defaults) {
        self.limits.set_max_message_bytes(defaults.max_message_bytes(&config));
        self.limits.set_rules(AppendRules::new(&config));
        for partition in &self.partitions {
            partition.log().set_options(defaults.log_options(&config));
        }
        *self.config.write() = config;
    }

    /// From here on its partitions answer that they are gone.
    pub(crate) fn mark_deleted(&self) {
        self.limits.mark_deleted();
    }

    /// From here on its partitions refuse records; true the first time.
    pub(crate) fn mark_missing(&self) -> bool {
        self.limits.mark_missing()
    }

    /// Whether its directory was removed while it was in use.
    pub(crate) fn is_missing(&self) -> bool {
        self.limits.is_missing()
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partitions = self.partitions.len();
        f.debug_struct("Topic").field("name", &self.name).field("partitions", &partitions).finish()
    }
}

/// Whether the topic keeps the offsets of groups.
pub(crate) fn is_offsets_topic(name: &TopicName) -> bool {
    name.as_str() == OFFSETS_TOPIC
}

/// Whether the topic is a coordinator's own.
pub(crate) fn is_journal(name: &TopicName) -> bool {
    [OFFSETS_TOPIC, TRANSACTIONS_TOPIC].contains(&name.as_str())
}
