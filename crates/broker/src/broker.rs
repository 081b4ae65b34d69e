//! The handle that edges hold: cheap to clone, safe to share, never blocking an async thread on the disk for long.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use factum_base::blocking_work::BlockingWork;
use factum_base::clock::SharedClock;
use factum_base::tasks::TaskGroup;
use factum_eventlog::{NewTopic, Partitioner, TopicConfig};
use factum_types::{Offset, ProducerEpoch, ProducerId, TopicId, TopicName};
use tokio::sync::oneshot;
use tracing::warn;

use crate::access::Access;
use crate::auto_create::AutoCreate;
use crate::catalogue::{Catalogue, Which};
use crate::compaction::Compactor;
use crate::contract::RecordValidator;
use crate::coordinator::Coordinator;
use crate::data_dir_lock::LockFile;
use crate::declared_settings::DeclaredSettings;
use crate::disk_space::DiskSpace;
use crate::error::{
    AlterTopicError, CreatePartitionsError, CreateTopicError, DeleteRecordsError, DeleteTopicError,
    EnsureTopicError, ProducerIdError,
};
use crate::fetch::{Fetch, FetchResult};
use crate::health::{Health, health};
use crate::heavy_work::HeavyWork;
use crate::in_process::{InternalLog, ProducerPool};
use crate::metrics;
use crate::name_registry::{NameRegistry, TakenNames};
use crate::options::Options;
use crate::partition::Partition;
use crate::producer_ids::ProducerIds;
use crate::topic::Topic;
use crate::transactions::TransactionCoordinator;
use crate::trusted_time::TrustedTime;

/// The only node there is.
const NODE_ID: i32 = 1;

/// The embedded log. Nothing is acknowledged before [`crate::Service::run`] is under way.
#[derive(Clone)]
pub struct Broker(Arc<BrokerInner>);

pub(crate) struct BrokerInner {
    pub(crate) options: Options,
    pub(crate) cluster_id: String,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) compactor: Arc<Compactor>,
    pub(crate) producer_ids: Arc<ProducerIds>,
    pub(crate) coordinator: Coordinator,
    pub(crate) transactions: TransactionCoordinator,
    pub(crate) clock: SharedClock,
    pub(crate) heavy_work: Arc<HeavyWork>,
    /// Reads of what is no longer in memory.
    pub(crate) cold_reads: BlockingWork,
    pub(crate) trusted_time: Arc<TrustedTime>,
    pub(crate) auto_create: AutoCreate,
    pub(crate) taken_names: TakenNames,
    pub(crate) declared_settings: DeclaredSettings,
    pub(crate) partitioner: Partitioner,
    /// Producers of requests that are stored whole over several partitions.
    pub(crate) whole_requests: ProducerPool,
    /// The file that keeps other servers away, if one does.
    pub(crate) lock_file: OnceLock<LockFile>,
    /// Where members of groups run their heartbeats; there once the service runs.
    pub(crate) tasks: OnceLock<TaskGroup>,
}

impl Broker {
    pub(crate) fn new(shared: BrokerInner) -> Self {
        Self(Arc::new(shared))
    }

    pub(crate) fn shared(&self) -> &BrokerInner {
        &self.0
    }

    /// Every topic, by name.
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        self.0.catalogue.topics()
    }

    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.0.catalogue.topic(name)
    }

    /// Why the topic of this name is out of reach, if there may be one that is.
    pub(crate) fn unusable_topic(&self, name: &TopicName) -> Option<String> {
        self.0.catalogue.why_unusable(name)
    }

    /// The topic of this id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<Arc<Topic>> {
        self.0.catalogue.topic_by_id(id)
    }

    /// Makes a topic; it exists on disk when this returns. Dropping the future does not stop the making.
    ///
    /// # Errors
    /// [`CreateTopicError`]; nothing of the topic exists then.
    pub async fn create_topic(&self, new: NewTopic) -> Result<Arc<Topic>, CreateTopicError> {
        self.create_topic_as(Access::Client, new).await
    }

    pub(crate) async fn create_topic_as(
        &self,
        access: Access,
        new: NewTopic,
    ) -> Result<Arc<Topic>, CreateTopicError> {
        self.check_name(access, &new.name)?;
        self.change("create", move |catalogue| catalogue.create(&new)).await
    }

    /// Checks a topic as [`Broker::create_topic`] would, and gives the number of partitions that it would have.
    ///
    /// # Errors
    /// [`CreateTopicError`], but for the disk's.
    pub fn validate_topic(&self, new: &NewTopic) -> Result<i32, CreateTopicError> {
        self.check_name(Access::Client, &new.name)?;
        self.0.catalogue.validate(new)
    }

    /// Asks `has_project` from now on whether a project is applied, which says what topics there are
    /// ([`crate::AutoCreateTopics::WithoutProject`]). It must not block. The first one given stays.
    pub fn follow_project(&self, has_project: impl Fn() -> bool + Send + Sync + 'static) {
        self.0.auto_create.follow_project(Box::new(has_project));
    }

    /// Has `validator` asked for the contract of every topic from now on. The first one given stays.
    pub fn validate_records(&self, validator: impl RecordValidator) {
        self.0.catalogue.contracts().ask(Box::new(validator));
    }

    /// Has `registry` asked from now on whether a name that a client gives to a new topic is free. The first one given
    /// stays.
    pub fn share_names(&self, registry: impl NameRegistry) {
        self.0.taken_names.ask(Box::new(registry));
    }

    /// Has `declared` asked from now on for the settings that a project declares for a topic. It must not block. The first
    /// one given stays.
    pub fn follow_declared_settings(
        &self,
        declared: impl Fn(&TopicName) -> TopicConfig + Send + Sync + 'static,
    ) {
        self.0.declared_settings.ask(Box::new(declared));
    }

    /// What the settings of a topic go back to: what a project declares for it, and nothing where none does.
    pub fn declared_settings(&self, topic: &TopicName) -> TopicConfig {
        self.0.declared_settings.of(topic)
    }

    /// Whether a topic that is missing is created now when a client first uses it.
    pub fn auto_creates_topics(&self) -> bool {
        self.0.auto_create.is_allowed()
    }

    /// The topic of this name, made with the default number of partitions if it is missing, `allow_auto_create` and
    /// [`Broker::auto_creates_topics`]. However many ask at the same time, one topic is made.
    ///
    /// # Errors
    /// [`EnsureTopicError`].
    pub async fn ensure_topic(
        &self,
        name: &TopicName,
        allow_auto_create: bool,
    ) -> Result<Arc<Topic>, EnsureTopicError> {
        let unknown = || EnsureTopicError::Unknown { topic: name.clone() };
        if let Some(topic) = self.topic(name.as_str()) {
            return Ok(topic);
        }
        if !allow_auto_create {
            return Err(unknown());
        }
        if !self.auto_creates_topics() {
            self.0.auto_create.note_refused(name);
            return Err(unknown());
        }
        let new = NewTopic { name: name.clone(), partitions: None, config: TopicConfig::default() };
        match self.create_topic(new).await {
            Ok(topic) => Ok(topic),
            // Someone else was first; should the topic be gone again already, the client asks again.
            Err(CreateTopicError::Exists { .. }) => self.topic(name.as_str()).ok_or_else(unknown),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the records of `partition` below `before` (Kafka's DeleteRecords); gives the first offset that is kept, on
    /// disk when this returns. Segments that are wholly below it are removed; a `before` below the log start changes
    /// nothing. Dropping the future takes nothing back.
    ///
    /// # Errors
    /// [`DeleteRecordsError`].
    pub async fn delete_records(
        &self,
        partition: &Arc<Partition>,
        before: Offset,
    ) -> Result<Offset, DeleteRecordsError> {
        let topic = &partition.topic_partition().topic;
        if !Access::Client.reaches(topic) {
            return Err(DeleteRecordsError::Internal { topic: topic.clone() });
        }
        let partition = Arc::clone(partition);
        blocking(move || {
            partition.log().truncate_before(before)?;
            Ok(partition.bounds().log_start)
        })
        .await
    }

    /// The folder of all logs.
    pub fn data_dir(&self) -> &Path {
        &self.0.options.data_dir
    }

    /// What its file system has.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn disk_space(&self) -> io::Result<DiskSpace> {
        DiskSpace::of(self.data_dir())
    }

    /// Replaces a topic's configuration; on disk and in force when this returns.
    ///
    /// # Errors
    /// [`AlterTopicError`]; the old configuration stays then.
    pub async fn alter_topic(
        &self,
        name: &TopicName,
        config: TopicConfig,
    ) -> Result<Arc<Topic>, AlterTopicError> {
        self.edit_topic(name, |_| Ok(config)).await
    }

    /// Changes a topic's configuration by `edit`, which is given what is in force; on disk and in force when this
    /// returns. Changes by others come before or after it, never between.
    ///
    /// # Errors
    /// [`AlterTopicError`], or what `edit` says; the old configuration stays then.
    pub async fn edit_topic<E: From<AlterTopicError> + Send + 'static>(
        &self,
        name: &TopicName,
        edit: impl FnOnce(TopicConfig) -> Result<TopicConfig, E> + Send + 'static,
    ) -> Result<Arc<Topic>, E> {
        self.edit_topic_as(Access::Client, name, edit).await
    }

    pub(crate) async fn edit_topic_as<E: From<AlterTopicError> + Send + 'static>(
        &self,
        access: Access,
        name: &TopicName,
        edit: impl FnOnce(TopicConfig) -> Result<TopicConfig, E> + Send + 'static,
    ) -> Result<Arc<Topic>, E> {
        if !access.reaches(name) {
            return Err(AlterTopicError::Internal { topic: name.clone() }.into());
        }
        let name = name.clone();
        self.change("alter", move |catalogue| catalogue.alter(&name, edit)).await
    }

    /// Checks a change as [`Broker::edit_topic`] would, and changes nothing.
    ///
    /// # Errors
    /// [`AlterTopicError`], but for the disk's, or what `edit` says.
    pub fn validate_edit<E: From<AlterTopicError>>(
        &self,
        name: &TopicName,
        edit: impl FnOnce(TopicConfig) -> Result<TopicConfig, E>,
    ) -> Result<(), E> {
        if !Access::Client.reaches(name) {
            return Err(AlterTopicError::Internal { topic: name.clone() }.into());
        }
        self.0.catalogue.validate_alteration(name, edit).map(drop)
    }

    /// Gives a topic partitions until it has `count` of them; on disk and in use when this returns. Records stay where they
    /// are; those to come are spread over all partitions. Dropping the future takes nothing back.
    ///
    /// # Errors
    /// [`CreatePartitionsError`]; the topic is as it was then.
    pub async fn create_partitions(
        &self,
        name: &TopicName,
        count: i32,
    ) -> Result<Arc<Topic>, CreatePartitionsError> {
        self.create_partitions_as(Access::Client, name, count).await
    }

    pub(crate) async fn create_partitions_as(
        &self,
        access: Access,
        name: &TopicName,
        count: i32,
    ) -> Result<Arc<Topic>, CreatePartitionsError> {
        if !access.reaches(name) {
            return Err(CreatePartitionsError::Internal { topic: name.clone() });
        }
        let name = name.clone();
        self.change("grow", move |catalogue| catalogue.create_partitions(&name, count)).await
    }

    /// Checks a growth as [`Broker::create_partitions`] would, and changes nothing.
    ///
    /// # Errors
    /// [`CreatePartitionsError`], but for the disk's.
    pub fn validate_partitions(&self, name: &TopicName, count: i32) -> Result<(), CreatePartitionsError> {
        if !Access::Client.reaches(name) {
            return Err(CreatePartitionsError::Internal { topic: name.clone() });
        }
        self.0.catalogue.validate_partitions(name, count).map(drop)
    }

    /// Removes a topic, its records and the offsets that groups committed for it. Dropping the future does not
    /// stop the removal.
    ///
    /// # Errors
    /// [`DeleteTopicError`].
    pub async fn delete_topic(&self, name: &TopicName) -> Result<(), DeleteTopicError> {
        self.delete_topic_as(Access::Client, Which::Name(name.clone())).await
    }

    /// Removes the topic of this id and never another that was made under its name; else as [`Broker::delete_topic`].
    ///
    /// # Errors
    /// [`DeleteTopicError`].
    pub async fn delete_topic_by_id(&self, id: TopicId) -> Result<(), DeleteTopicError> {
        self.delete_topic_as(Access::Client, Which::Id(id)).await
    }

    pub(crate) async fn delete_topic_as(&self, access: Access, which: Which) -> Result<(), DeleteTopicError> {
        let broker = self.clone();
        let removal = async move {
            let name = broker.change("delete", move |catalogue| catalogue.delete(&which, access)).await?;
            if let Err(error) = broker.0.coordinator.forget_topic(&name).await {
                // Otherwise the topic is gone, and the next start forgets what it finds.
                warn!(topic = %name, %error, "offsets of a deleted topic are kept until the next start");
            }
            Ok(())
        };
        self.to_the_end(removal).await
    }

    /// The identity of the data directory, as Kafka clients are told it.
    pub fn cluster_id(&self) -> &str {
        &self.0.cluster_id
    }

    /// The id of the one node.
    pub fn node_id(&self) -> i32 {
        NODE_ID
    }

    /// The settings, which are the defaults of each topic.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// The consumer groups.
    pub fn coordinator(&self) -> &Coordinator {
        &self.0.coordinator
    }

    /// Transactions.
    pub fn transactions(&self) -> &TransactionCoordinator {
        &self.0.transactions
    }

    /// The clock that records are stamped by.
    pub fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    /// An id for an idempotent producer, never given out before, with its first epoch.
    ///
    /// # Errors
    /// [`ProducerIdError`].
    pub async fn allocate_producer_id(&self) -> Result<(ProducerId, ProducerEpoch), ProducerIdError> {
        if self.0.catalogue.is_closed() {
            return Err(ProducerIdError::Stopping);
        }
        if let Some(id) = self.0.producer_ids.take_reserved() {
            return Ok((id, 0));
        }
        let shared = Arc::clone(&self.0);
        let id = blocking(move || shared.producer_ids.take()).await?;
        Ok((id, 0))
    }

    /// Reads many partitions, waiting for records where there are none yet; see [`Fetch`].
    /// Answers in the order of the partitions asked for.
    pub async fn fetch(&self, fetch: Fetch) -> Vec<FetchResult> {
        fetch.run(&self.0.cold_reads).await
    }

    /// Lets clients write `bytes` more, until it is said again; what the server itself writes has no such limit.
    /// Beyond it they are refused as on a full disk.
    pub fn set_disk_room(&self, bytes: u64) {
        self.0.catalogue.disk_room().set(bytes);
    }

    /// Whether [`Broker::set_disk_room`] has made a batch be refused since this was asked last.
    pub fn has_refused_for_room(&self) -> bool {
        self.0.catalogue.disk_room().has_refused()
    }

    /// How the embedded log is.
    pub fn health(&self) -> Health {
        let lock_problem = self.0.lock_file.get().and_then(LockFile::problem);
        let coordinators = [self.0.coordinator.problem(), self.0.transactions.problem()];
        let others = coordinators.into_iter().chain([self.0.trusted_time.problem(), lock_problem]);
        let others = others.flatten().chain(self.0.compactor.problems()).chain(self.hanging_transactions());
        health(&self.0.catalogue, others)
    }

    /// The same log for the server's own parts: it may write reserved topics too, the coordinator's own excepted.
    /// Never hand it to what acts for a client.
    pub fn internal_log(&self) -> InternalLog {
        InternalLog::new(self.clone())
    }

    fn check_name(&self, access: Access, name: &TopicName) -> Result<(), CreateTopicError> {
        if !access.reaches(name) {
            return Err(CreateTopicError::Reserved { topic: name.clone() });
        }
        let owner = Some(name).filter(|_| access == Access::Client);
        match owner.and_then(|name| self.0.taken_names.owner(name)) {
            Some(owner) => Err(CreateTopicError::NameTaken { topic: name.clone(), owner }),
            None => Ok(()),
        }
    }

    /// Runs `work` to its end even if no one waits for it any more.
    async fn to_the_end<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let Some(tasks) = self.0.tasks.get() else { return work.await };
        let (reply, answer) = oneshot::channel();
        tasks.spawn_quiet(async move {
            // The caller may have gone away.
            drop(reply.send(work.await));
        });
        answer.await.expect("tasks are never dropped half-way")
    }

    async fn change<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Catalogue) -> T + Send + 'static,
    ) -> T {
        let (catalogue, started) = (Arc::clone(&self.0.catalogue), self.0.clock.monotonic());
        let result = blocking(move || work(&catalogue)).await;
        let took = self.0.clock.monotonic().saturating_duration_since(started);
        metrics::observe_topic_change(operation, took);
        result
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("cluster_id", &self.0.cluster_id).finish_non_exhaustive()
    }
}

/// Disk work that may take long runs beside the async threads, and to its end whether or not it is waited for.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
