//! Opens the embedded log, keeps it going and closes it in order.
//!
//! ```text
//!   open   lock ─► cluster.json ─► producer ids ─► every log, in parallel ─► groups ─► transactions
//!   run    committer threads · timers of groups and transactions · retention · compaction
//!   stop   edges have stopped admitting ─► timers end, last syncs ─► every log closed ─► lock released
//! ```

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use factum_base::blocking_work::BlockingWork;
use factum_base::clock::SharedClock;
use factum_base::random::Random;
use factum_base::tasks::{BoxError, OnError, Stop, TaskGroup};
use factum_eventlog::Partitioner;
use factum_log::{Committer, Disk, Environment, EnvironmentOptions, LocalDisk};
use factum_types::TopicName;
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::auto_create::AutoCreate;
use crate::broker::{Broker, BrokerInner};
use crate::catalogue::Catalogue;
use crate::compaction::{CompactionLimits, Compactor};
use crate::coordinator::Coordinator;
use crate::data_dir_lock::DataDirLock;
use crate::declared_settings::DeclaredSettings;
use crate::error::{OpenError, StorageError};
use crate::in_process::ProducerPool;
use crate::journal::log::PartitionJournal;
use crate::name_registry::TakenNames;
use crate::options::{DEFAULT_OPEN_FILES, Options};
use crate::partition::Partition;
use crate::producer_ids::ProducerIds;
use crate::topic::{Defaults, OFFSETS_TOPIC, TRANSACTIONS_TOPIC};
use crate::transactions::{self, Markers, TransactionCoordinator};
use crate::trusted_time::TrustedTime;
use crate::{cluster, metrics, retention};

/// More threads than this only wait for each other at the disk.
const MOST_SYNC_THREADS: usize = 64;

/// Most fetches that read files at one time; each holds a thread and the bytes of its answer.
const COLD_READS: usize = 16;

/// Of the open files, at most so many for sealed segments that are read.
const MOST_SEALED_SEGMENTS: usize = 512;
const FEWEST_OPEN_FILES: usize = 8;

/// The running part of the embedded log; [`Broker`] is the handle on it.
pub struct Service {
    broker: Broker,
    environment: Environment,
    /// Keeps other servers away; released after the last log is closed.
    lock: Option<DataDirLock>,
}

impl Service {
    /// Opens the data directory on the machine's own disk, made if it is missing, and keeps other servers away
    /// from it. Blocks for as long as recovery takes.
    ///
    /// # Errors
    /// [`OpenError`], which names what stands in the way. A damaged partition is no error: it is quarantined.
    pub fn open_local(
        options: Options,
        clock: SharedClock,
        random: Random,
    ) -> Result<(Self, Broker), OpenError> {
        let lock = DataDirLock::acquire(&options.data_dir)?;
        let (mut service, broker) = Self::open(options, Arc::new(LocalDisk), clock, random)?;
        broker.shared().lock_file.get_or_init(|| lock.file().clone());
        service.lock = Some(lock);
        Ok((service, broker))
    }

    /// Opens the data directory on `disk`, which the caller knows to be no one else's.
    ///
    /// # Errors
    /// As [`Service::open_local`], but for [`OpenError::InUse`].
    pub fn open(
        options: Options,
        disk: Arc<dyn Disk>,
        clock: SharedClock,
        random: Random,
    ) -> Result<(Self, Broker), OpenError> {
        check(&options)?;
        metrics::describe();
        make_data_dir(&*disk, &options.data_dir)?;
        let cluster_id = cluster::id(&*disk, &options.data_dir, &random)?;
        let producer_ids = Arc::new(ProducerIds::open(Arc::clone(&disk), &options.data_dir, &random)?);
        let environment = Environment::new(Arc::clone(&disk), environment_options(&options));
        let own_disk = Arc::clone(&disk);
        let catalogue = Arc::new(Catalogue::open(
            &options,
            disk,
            environment.clone(),
            Arc::clone(&clock),
            random.clone(),
            Arc::clone(&producer_ids),
        )?);
        let newest = catalogue.newest_timestamp();
        let trusted_time =
            Arc::new(TrustedTime::open(own_disk, &options.data_dir, Arc::clone(&clock), newest));
        // A first reading, so that a clock that jumped is named from the start on.
        trusted_time.now();
        let offsets = journal_partition(&catalogue, OFFSETS_TOPIC)?;
        let coordinator = Coordinator::open(
            offsets,
            Arc::<Catalogue>::clone(&catalogue),
            options.groups.clone(),
            Arc::clone(&clock),
            Arc::clone(&trusted_time),
            random,
        )
        .map_err(OpenError::Groups)?;
        let transactions =
            open_transactions(&options, &catalogue, &coordinator, &clock, &trusted_time, &producer_ids)?;
        let topics = catalogue.topics().len();
        info!(data_dir = %options.data_dir.display(), topics, "opened the embedded log");
        let heavy_work = Arc::clone(catalogue.heavy_work());
        let (catalogue_of, time_of) = (Arc::clone(&catalogue), Arc::clone(&trusted_time));
        let limits = compaction_limits(&options);
        let compactor = Arc::new(Compactor::new(catalogue_of, time_of, Arc::clone(&clock), limits));
        let (partitioner, tasks) = (Partitioner::default(), OnceLock::new());
        let auto_create = AutoCreate::new(options.auto_create_topics);
        let broker = Broker::new(BrokerInner {
            auto_create,
            taken_names: TakenNames::default(),
            declared_settings: DeclaredSettings::default(),
            options,
            cluster_id,
            catalogue,
            compactor,
            producer_ids,
            coordinator,
            transactions,
            clock,
            heavy_work,
            cold_reads: BlockingWork::at_most(COLD_READS),
            trusted_time,
            partitioner,
            whole_requests: ProducerPool::default(),
            lock_file: OnceLock::new(),
            tasks,
        });
        Ok((Self { broker: broker.clone(), environment, lock: None }, broker))
    }

    /// Runs until `stop` is requested, then closes every log. Its threads and timers run in `tasks`, which must
    /// follow the same stop; edges must have stopped admitting before.
    ///
    /// # Errors
    /// None of its own; a failed committer stops the server through `tasks`.
    pub fn run(
        self,
        stop: Stop,
        tasks: TaskGroup,
    ) -> impl Future<Output = Result<(), BoxError>> + Send + 'static {
        // At once, so that a group may be joined before this future is first polled.
        self.broker.shared().tasks.get_or_init(|| tasks.clone());
        self.broker.shared().transactions.complete_in(tasks.clone());
        self.run_until(stop, tasks)
    }

    async fn run_until(self, stop: Stop, tasks: TaskGroup) -> Result<(), BoxError> {
        let shared = self.broker.shared();
        let (committer, committed) = self.start_committers(&tasks);
        let (coordinator, group_stop) = (shared.coordinator.clone(), stop.clone());
        tasks.spawn("group-timers", OnError::StopServer, async move {
            coordinator.run(group_stop).await;
            Ok(())
        });
        let (transactions, transaction_stop) = (shared.transactions.clone(), stop.clone());
        tasks.spawn("transaction-timers", OnError::StopServer, async move {
            transactions.run(transaction_stop).await;
            Ok(())
        });
        let catalogue = Arc::clone(&shared.catalogue);
        let (interval, retention_stop) = (shared.options.retention_check_interval, stop.clone());
        let trusted_time = Arc::clone(&shared.trusted_time);
        tasks.spawn("retention", OnError::Log, async move {
            retention::run(catalogue, trusted_time, interval, retention_stop).await;
            Ok(())
        });
        let (compactor, compaction_stop) = (Arc::clone(&shared.compactor), stop.clone());
        tasks.spawn("compaction", OnError::Log, async move {
            compactor.run(compaction_stop).await;
            Ok(())
        });
        let exists = |topic: &TopicName| shared.catalogue.may_exist(topic);
        if let Err(error) = shared.coordinator.retain_topics(exists).await {
            warn!(%error, "offsets of topics that are gone are kept until the next start");
        }
        stop.requested().await;
        committer.stop();
        for committed in committed {
            // An error only tells that the thread is gone, whichever way.
            drop(committed.await);
        }
        let catalogue = Arc::clone(&shared.catalogue);
        let trusted_time = Arc::clone(&shared.trusted_time);
        let close = move || {
            catalogue.close();
            trusted_time.close();
        };
        tokio::task::spawn_blocking(close).await?;
        drop(self.lock);
        info!("closed the embedded log");
        Ok(())
    }

    /// Starts the threads that sync; each receiver resolves once its thread has nothing left to commit.
    fn start_committers(&self, tasks: &TaskGroup) -> (Committer, Vec<oneshot::Receiver<()>>) {
        let committer = self.environment.committer().clone();
        let start = |_| {
            let (done, committed) = oneshot::channel();
            let running = committer.clone();
            tasks.spawn_thread("committer", OnError::StopServer, move |_| {
                running.run();
                done.send(()).map_err(|()| "no one closes the logs".into())
            });
            committed
        };
        let committed = (0..self.broker.options().sync_threads).map(start).collect();
        (committer, committed)
    }
}

/// The coordinator of transactions, with what its journal and the logs say.
fn open_transactions(
    options: &Options,
    catalogue: &Arc<Catalogue>,
    groups: &Coordinator,
    clock: &SharedClock,
    trusted_time: &Arc<TrustedTime>,
    producer_ids: &Arc<ProducerIds>,
) -> Result<TransactionCoordinator, OpenError> {
    let journal = journal_partition(catalogue, TRANSACTIONS_TOPIC)?;
    let transactions = TransactionCoordinator::new(transactions::Parts {
        options: options.transactions.clone(),
        clock: Arc::clone(clock),
        trusted_time: Arc::clone(trusted_time),
        producer_ids: Arc::clone(producer_ids),
        epoch: journal.bounds().leader_epoch,
        journal: Arc::new(PartitionJournal { partition: journal, clock: Arc::clone(clock) }),
        markers: Markers::new(Arc::clone(catalogue), groups.clone(), Arc::clone(clock)),
        memory: Arc::clone(groups.memory()),
    });
    transactions.recover().map_err(OpenError::Transactions)?;
    Ok(transactions)
}

/// The partition of a coordinator's journal.
fn journal_partition(catalogue: &Catalogue, topic: &'static str) -> Result<Arc<Partition>, OpenError> {
    let found = catalogue.journal_topic(topic);
    let found = found.map_err(|source| OpenError::JournalTopic { topic, source })?;
    Ok(Arc::clone(&found.partitions()[0]))
}

fn check(options: &Options) -> Result<(), OpenError> {
    let limit = options.max_topic_partitions;
    if options.default_partitions < 1 || options.default_partitions > limit {
        let expected = format!("1 to {limit}");
        return Err(OpenError::InvalidOption { key: "default_partitions", expected });
    }
    if options.open_files.is_some_and(|files| files < FEWEST_OPEN_FILES) {
        let expected = format!("at least {FEWEST_OPEN_FILES}");
        return Err(OpenError::InvalidOption { key: "open_files", expected });
    }
    if !(1..=100).contains(&options.compaction_cpu_percent) {
        let expected = "1 to 100".to_owned();
        return Err(OpenError::InvalidOption { key: "compaction_cpu_percent", expected });
    }
    if !(1..=MOST_SYNC_THREADS).contains(&options.sync_threads) {
        let expected = format!("1 to {MOST_SYNC_THREADS}");
        return Err(OpenError::InvalidOption { key: "sync_threads", expected });
    }
    Defaults::new(options).check().map_err(|error| {
        let key = match error.key {
            "segment.bytes" => "segment_bytes",
            _ => "max_message_bytes",
        };
        OpenError::InvalidOption { key, expected: error.reason.trim_start_matches("must be ").to_owned() }
    })
}

/// Makes the directory, and its name durable: what is acknowledged in it must be found again.
fn make_data_dir(disk: &dyn Disk, data_dir: &Path) -> Result<(), StorageError> {
    let failed = |operation, path: &Path, source| {
        Err(StorageError::Directory { operation, path: path.to_owned(), source })
    };
    if let Err(source) = disk.create_dir_all(data_dir) {
        return failed("make", data_dir, source);
    }
    for above in data_dir.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match disk.sync_dir(above) {
            Ok(()) => {}
            Err(error) if is_not_ours(&error) => break,
            Err(source) => return failed("sync", above, source),
        }
    }
    Ok(())
}

/// Whether a directory could not have been made by us, so that there is nothing to sync.
fn is_not_ours(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | Unsupported | InvalidInput)
}

fn compaction_limits(options: &Options) -> CompactionLimits {
    CompactionLimits {
        interval: options.compaction_check_interval,
        memory: usize::try_from(options.compaction_memory.0).unwrap_or(usize::MAX),
        cpu_percent: options.compaction_cpu_percent,
    }
}

fn environment_options(options: &Options) -> EnvironmentOptions {
    let open_files = options.open_files.unwrap_or(DEFAULT_OPEN_FILES);
    let open_segments = (open_files / 4).min(MOST_SEALED_SEGMENTS);
    EnvironmentOptions {
        tail_cache_bytes: usize::try_from(options.tail_cache.0).unwrap_or(usize::MAX),
        open_segments,
        active_segments: open_files - open_segments,
        ..EnvironmentOptions::default()
    }
}
