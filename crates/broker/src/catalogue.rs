//! Every topic of the data directory, in memory and on disk.
//!
//! Invariants: what the index shows exists on disk, because a change is made there first. Changes are made one
//! at a time and block on the disk; looking a topic up never waits for one of them.

mod directory;
mod growth;
mod index;
mod opening;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_base::random::Random;
use factum_eventlog::{NewTopic, TopicConfig};
use factum_log::{Committer, Disk, Environment, NotAFile, PartitionLog};
use factum_types::{ByteSize, PartitionId, Timestamp, TopicId, TopicName, TopicPartition};
use parking_lot::{Mutex, RwLock};
use tracing::{error, info, warn};

use crate::append_rules::AppendRules;
use crate::contract::Contracts;
use crate::disk_room::DiskRoom;
use crate::error::{AlterTopicError, CreateTopicError, DeleteTopicError, StorageError};
use crate::heavy_work::HeavyWork;
use crate::metrics::{TopicLabels, TopicMetrics};
use crate::options::Options;
use crate::partition::{BatchChecks, Limits, Partition};
use crate::producer_ids::ProducerIds;
use crate::side_by_side;
use crate::topic::{self, Defaults, Topic, TopicFile};
use crate::topic_store::{StoredTopic, TopicStore, UnusableEntry};

use crate::access::Access;
use index::Index;

fn report(entry: &UnusableEntry) {
    let UnusableEntry { directory, reason, is_topic, .. } = entry;
    match is_topic {
        true => error!(directory, reason, "a topic cannot be used; the others go on"),
        false => warn!(directory, reason, "passed over what is no topic"),
    }
}

/// Names a topic.
#[derive(Debug, Clone)]
pub(crate) enum Which {
    Name(TopicName),
    Id(TopicId),
}

/// All topics.
pub(crate) struct Catalogue {
    store: TopicStore,
    environment: Environment,
    defaults: Defaults,
    default_partitions: i32,
    max_topic_partitions: i32,
    max_partitions: usize,
    clock: SharedClock,
    random: Random,
    labels: TopicLabels,
    /// What lies among the topics' directories and is none, as found at the start.
    unusable: RwLock<Vec<UnusableEntry>>,
    batch_checks: BatchChecks,
    index: RwLock<Index>,
    /// Held by the one change under way.
    change: Mutex<()>,
    is_closed: AtomicBool,
}

impl Catalogue {
    /// Opens every topic found on disk, and makes the coordinator's if it is missing.
    pub(crate) fn open(
        options: &Options,
        disk: Arc<dyn Disk>,
        environment: Environment,
        clock: SharedClock,
        random: Random,
        producer_ids: Arc<ProducerIds>,
    ) -> Result<Self, StorageError> {
        let store = TopicStore::open(disk, &options.data_dir)?;
        let (stored, unusable) = store.load()?;
        unusable.iter().for_each(report);
        store.note(&stored);
        let catalogue = Self {
            store,
            environment,
            defaults: Defaults::new(options),
            default_partitions: options.default_partitions,
            max_topic_partitions: options.max_topic_partitions,
            max_partitions: options.max_partitions,
            clock,
            random,
            labels: TopicLabels::default(),
            unusable: RwLock::new(unusable),
            batch_checks: BatchChecks::new(producer_ids),
            index: RwLock::default(),
            change: Mutex::new(()),
            is_closed: AtomicBool::new(false),
        };
        let (topics, unusable) = catalogue.open_usable_topics(stored)?;
        unusable.iter().for_each(report);
        catalogue.unusable.write().extend(unusable);
        catalogue.add(topics);
        Ok(catalogue)
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(crate) fn disk_room(&self) -> &DiskRoom {
        &self.batch_checks.room
    }

    pub(crate) fn heavy_work(&self) -> &Arc<HeavyWork> {
        &self.batch_checks.heavy_work
    }

    pub(crate) fn contracts(&self) -> &Contracts {
        &self.batch_checks.contracts
    }

    /// Who syncs the logs.
    pub(crate) fn committer(&self) -> &Committer {
        self.environment.committer()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Every topic, by name.
    pub(crate) fn topics(&self) -> Vec<Arc<Topic>> {
        self.index.read().topics()
    }

    pub(crate) fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.index.read().by_name(name)
    }

    pub(crate) fn topic_by_id(&self, id: TopicId) -> Option<Arc<Topic>> {
        self.index.read().by_id(id)
    }

    /// Checks whether `new` could be made now, and gives the number of partitions that it would get.
    pub(crate) fn validate(&self, new: &NewTopic) -> Result<i32, CreateTopicError> {
        if self.is_closed() {
            return Err(CreateTopicError::Stopping);
        }
        let index = self.index.read();
        if index.by_name(new.name.as_str()).is_some() {
            return Err(CreateTopicError::Exists { topic: new.name.clone() });
        }
        if let Some(unusable) = self.unusable.read().iter().find(|entry| entry.may_be(&new.name)) {
            return Err(StorageError::from(unusable.clone()).into());
        }
        let (asked, limit) = (new.partitions.unwrap_or(self.default_partitions), self.max_topic_partitions);
        if asked < 1 || asked > limit {
            return Err(CreateTopicError::InvalidPartitions { asked, limit });
        }
        let total = index.partitions() + usize::try_from(asked).unwrap_or(usize::MAX);
        if total > self.max_partitions {
            return Err(CreateTopicError::TooManyPartitions { total, limit: self.max_partitions });
        }
        topic::check_config(&new.config)?;
        Ok(asked)
    }

    /// Makes a topic: on disk and open when this returns. Blocks.
    pub(crate) fn create(&self, new: &NewTopic) -> Result<Arc<Topic>, CreateTopicError> {
        let _change = self.change.lock();
        let partitions = self.validate(new)?;
        let id = TopicId::new(self.random.uuid());
        let file = TopicFile::new(new.name.clone(), id, partitions, &new.config);
        let mut taken = self.index.read().directories().clone();
        taken.extend(self.unusable.read().iter().map(|entry| entry.directory.to_ascii_lowercase()));
        let directory = TopicStore::choose_directory(&new.name, id, &taken);
        let failed = |error: StorageError| match error.is_out_of_open_files() {
            true => CreateTopicError::OutOfOpenFiles { topic: new.name.clone(), source: error },
            false => error.into(),
        };
        self.store.create(&directory, &file).map_err(failed)?;
        let opened = self.open_topics(vec![StoredTopic { directory: directory.clone(), file }]);
        let topic = match opened {
            Ok(mut topics) => topics.pop().expect("one topic was opened"),
            Err(error) => {
                self.discard(&directory, id);
                return Err(failed(error));
            }
        };
        self.add(vec![Arc::clone(&topic)]);
        info!(topic = %new.name, partitions, %id, "created topic");
        Ok(topic)
    }

    /// The topic that a coordinator keeps its journal in, made at the first start. Blocks.
    pub(crate) fn journal_topic(&self, name: &'static str) -> Result<Arc<Topic>, CreateTopicError> {
        if let Some(topic) = self.topic(name) {
            return Ok(topic);
        }
        let name = TopicName::new(name).expect("a valid name");
        let config = TopicConfig {
            retention: Some(Duration::MAX),
            retention_bytes: Some(ByteSize(i64::MAX as u64)),
            // Only whole segments are deleted: small ones let a coordinator's snapshots free what they replace.
            segment_bytes: Some(ByteSize(8 << 20)),
            ..TopicConfig::default()
        };
        self.create(&NewTopic { name, partitions: Some(1), config })
    }

    /// Changes a topic's configuration by `edit`, which is given what is in force; on disk and in force when this
    /// returns. No other change comes between. Blocks.
    pub(crate) fn alter<E: From<AlterTopicError>>(
        &self,
        name: &TopicName,
        edit: impl FnOnce(TopicConfig) -> Result<TopicConfig, E>,
    ) -> Result<Arc<Topic>, E> {
        let _change = self.change.lock();
        let (topic, config) = self.validate_alteration(name, edit)?;
        let file = TopicFile::new(name.clone(), topic.id(), topic.partition_count(), &config);
        self.store.rewrite(topic.directory(), &file).map_err(AlterTopicError::from)?;
        topic.reconfigure(file.config(), &self.defaults);
        Ok(topic)
    }

    /// What [`Catalogue::alter`] would make of the topic.
    pub(crate) fn validate_alteration<E: From<AlterTopicError>>(
        &self,
        name: &TopicName,
        edit: impl FnOnce(TopicConfig) -> Result<TopicConfig, E>,
    ) -> Result<(Arc<Topic>, TopicConfig), E> {
        if self.is_closed() {
            return Err(AlterTopicError::Stopping.into());
        }
        if topic::is_journal(name) {
            return Err(AlterTopicError::Internal { topic: name.clone() }.into());
        }
        let topic =
            self.topic(name.as_str()).ok_or_else(|| AlterTopicError::Unknown { topic: name.clone() })?;
        let config = edit(topic.config())?;
        topic::check_config(&config).map_err(AlterTopicError::from)?;
        Ok((topic, config))
    }

    /// Removes a topic: gone for good when this returns; gives its name. Blocks.
    ///
    /// After an error of the disk the topic stays and is opened again, if the disk lets it.
    pub(crate) fn delete(&self, which: &Which, access: Access) -> Result<TopicName, DeleteTopicError> {
        let change = self.change.lock();
        if self.is_closed() {
            return Err(DeleteTopicError::Stopping);
        }
        // Found and removed under one lock: an id never takes away another topic that was made under its name.
        let name = self.find(which)?;
        if topic::is_journal(&name) || !access.reaches(&name) {
            return Err(DeleteTopicError::Internal { topic: name });
        }
        let topic = self.index.write().remove(&name);
        let Some(topic) = topic else { return self.give_up(name) };
        topic.mark_deleted();
        close_logs(topic.partitions().iter());
        let retired = match self.store.retire(topic.directory(), topic.id()) {
            Ok(retired) => retired,
            Err(error) if topic.is_missing() && error.is_not_found() => {
                warn!(topic = %name, "gave up a topic whose directory was removed");
                return Ok(name);
            }
            Err(error) => {
                self.reopen(&topic);
                return Err(error.into());
            }
        };
        drop(change);
        info!(topic = %name, id = %topic.id(), "deleted topic");
        self.free(&retired);
        Ok(name)
    }

    /// Removes what is left of a topic that cannot be used.
    fn give_up(&self, name: TopicName) -> Result<TopicName, DeleteTopicError> {
        let is_asked = |entry: &UnusableEntry| entry.known.as_ref().is_some_and(|known| known.name == name);
        let entries: Vec<_> = self.unusable.read().iter().filter(|entry| is_asked(entry)).cloned().collect();
        if entries.is_empty() {
            return Err(DeleteTopicError::Unknown { topic: name });
        }
        for entry in entries {
            let id = entry.known.as_ref().map_or(TopicId::NIL, |known| known.id);
            match entry.is_removed {
                true => self.store.forget(id)?,
                false => self.free(&self.store.retire(&entry.directory, id)?),
            }
            self.unusable.write().retain(|known| *known != entry);
            warn!(topic = %name, %id, reason = entry.reason, "deleted a topic that could not be used");
        }
        Ok(name)
    }

    /// The name of the topic that is asked for, which need not exist if it was asked for by name.
    fn find(&self, which: &Which) -> Result<TopicName, DeleteTopicError> {
        match which {
            Which::Name(name) => Ok(name.clone()),
            Which::Id(id) => match self.topic_by_id(*id) {
                Some(topic) => Ok(topic.name().clone()),
                None => Err(DeleteTopicError::UnknownId { id: *id }),
            },
        }
    }

    /// The greatest timestamp of any record, if there is one.
    pub(crate) fn newest_timestamp(&self) -> Option<Timestamp> {
        let topics = self.topics();
        let partitions = topics.iter().flat_map(|topic| topic.partitions());
        let segments = partitions.flat_map(|partition| partition.log().segments());
        segments.map(|segment| segment.max_timestamp).max().filter(|newest| *newest > Timestamp::NONE)
    }

    /// What lies among the topics' directories and is no topic that can be used.
    pub(crate) fn unusable(&self) -> Vec<UnusableEntry> {
        self.unusable.read().clone()
    }

    /// Why the topic of this name cannot be used, if it may be one that is out of reach.
    pub(crate) fn why_unusable(&self, topic: &TopicName) -> Option<String> {
        let unusable = self.unusable.read();
        unusable.iter().find(|entry| entry.may_be(topic)).map(|entry| entry.reason.clone())
    }

    /// Whether the topic is there, or may be there and cannot be used.
    pub(crate) fn may_exist(&self, topic: &TopicName) -> bool {
        self.topic(topic.as_str()).is_some() || self.unusable.read().iter().any(|entry| entry.may_be(topic))
    }

    /// Looks whether every topic still has its directory; one that was removed takes no more records. Blocks.
    pub(crate) fn check_directories(&self) {
        let topics = self.topics();
        let entries = match self.store.entries() {
            Ok(entries) => entries.into_iter().collect(),
            Err(StorageError::Directory { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                BTreeSet::new()
            }
            // Whether they are there cannot be told now.
            Err(_) => return,
        };
        for topic in topics {
            if !entries.contains(topic.directory()) && !self.is_closed() && topic.mark_missing() {
                error!(topic = %topic.name(), directory = topic.directory(), "the topic's directory was removed");
            }
        }
    }

    /// Closes every log; what comes later is refused. Blocks.
    pub(crate) fn close(&self) {
        let _change = self.change.lock();
        self.is_closed.store(true, Ordering::Release);
        let topics = self.topics();
        close_logs(topics.iter().flat_map(|topic| topic.partitions()));
    }

    fn add(&self, topics: Vec<Arc<Topic>>) {
        let mut index = self.index.write();
        topics.into_iter().for_each(|topic| index.insert(topic));
    }

    fn open_topics(&self, stored: Vec<StoredTopic>) -> Result<Vec<Arc<Topic>>, StorageError> {
        let opened = self.open_logs(stored).into_iter();
        let topics = opened.map(|(topic, logs)| Ok(Arc::new(self.assemble(topic, logs?.into_iter()))));
        topics.collect()
    }

    /// Opens those of `stored` that can be; in the others something else lies where a file should be.
    fn open_usable_topics(
        &self,
        stored: Vec<StoredTopic>,
    ) -> Result<(Vec<Arc<Topic>>, Vec<UnusableEntry>), StorageError> {
        let (mut topics, mut unusable) = (Vec::new(), Vec::new());
        for (topic, logs) in self.open_logs(stored) {
            match logs {
                Ok(logs) => topics.push(Arc::new(self.assemble(topic, logs.into_iter()))),
                Err(error) if NotAFile::is_cause_of(&error) => {
                    let entry = self.store.unusable(&topic.directory, &error);
                    unusable.push(UnusableEntry { known: Some(topic.known()), ..entry });
                }
                Err(error) => return Err(error),
            }
        }
        Ok((topics, unusable))
    }

    /// Each topic with the logs of its partitions, or why one of them could not be opened; the others are closed then.
    fn open_logs(
        &self,
        stored: Vec<StoredTopic>,
    ) -> Vec<(StoredTopic, Result<Vec<PartitionLog>, StorageError>)> {
        let mut wanted = Vec::new();
        for topic in &stored {
            let options = self.defaults.log_options(&topic.file.config());
            let paths = (0..topic.file.partitions).map(|n| self.store.partition_path(&topic.directory, n));
            wanted.extend(paths.map(|path| (path, options)));
        }
        let mut opened = opening::open_logs(&self.environment, &wanted).into_iter();
        let logs_of = |topic: StoredTopic| {
            let count = usize::try_from(topic.file.partitions).expect("checked when the topic was made");
            let logs: Vec<_> = opened.by_ref().take(count).collect();
            (topic, logs.into_iter().collect::<Result<_, _>>().map_err(StorageError::from))
        };
        stored.into_iter().map(logs_of).collect()
    }

    fn assemble(&self, stored: StoredTopic, logs: impl Iterator<Item = PartitionLog>) -> Topic {
        let StoredTopic { directory, file } = stored;
        let config = file.config();
        let limits = Limits::new(self.defaults.max_message_bytes(&config), AppendRules::new(&config));
        let limits = Arc::new(limits);
        let metrics = TopicMetrics::new(&file.name, &self.labels);
        let partitions = logs
            .zip(0..)
            .map(|(log, number)| self.partition(&file.name, file.id, number, log, &limits, metrics.clone()));
        let partitions = partitions.collect();
        Topic::new(&file, directory, partitions, limits)
    }

    fn partition(
        &self,
        topic: &TopicName,
        id: TopicId,
        number: PartitionId,
        log: PartitionLog,
        limits: &Arc<Limits>,
        metrics: TopicMetrics,
    ) -> Arc<Partition> {
        let name = TopicPartition::new(topic.clone(), number);
        let (limits, clock, checks) =
            (Arc::clone(limits), Arc::clone(&self.clock), self.batch_checks.clone());
        Arc::new(Partition::new(name, id, log, limits, clock, metrics, checks))
    }

    /// Takes away a topic whose logs could not be opened.
    fn discard(&self, directory: &str, id: TopicId) {
        match self.store.retire(directory, id) {
            Ok(retired) => self.free(&retired),
            Err(error) => warn!(directory, %error, "a topic that could not be opened was not cleared away"),
        }
    }

    /// Gives a topic back whose removal failed. Its old handles stay dead: they were told of a deletion.
    fn reopen(&self, topic: &Topic) {
        let stored = self.store.load_one(topic.directory().to_owned());
        if let Ok(stored) = &stored {
            self.store.note(std::slice::from_ref(stored));
        }
        match stored.and_then(|stored| self.open_topics(vec![stored])) {
            Ok(topics) => self.add(topics),
            Err(error) => {
                error!(topic = %topic.name(), %error, "topic is neither deleted nor usable until a restart");
            }
        }
    }

    /// Frees the bytes of what is a topic no more; the next start tries again if the disk refuses.
    fn free(&self, retired: &str) {
        if let Err(error) = self.store.purge(retired) {
            warn!(directory = retired, %error, "a deleted topic still takes space until the next start");
        }
    }
}

fn close_logs<'a>(partitions: impl Iterator<Item = &'a Arc<Partition>>) {
    let partitions: Vec<_> = partitions.collect();
    side_by_side::map(&partitions, |partition| {
        if let Err(error) = partition.log().close() {
            warn!(partition = %partition.topic_partition(), %error, "a log was not closed cleanly");
        }
    });
}
