//! Opening a log: after a close that finished, by believing its checkpoint; after anything else, by reading
//! what was not known to be durable.
//!
//! ```text
//!   sealed segments ……………… │ recovery segment …………………… │ later segments …
//!   known whole and durable     durable up to the recovery     nothing in them was
//!   (presence and size checked) point, read again to the end   ever acknowledged
//! ```
//!
//! Invariants
//! - Bytes are cut off only behind the synced end (the note of the last acknowledgement, or the recovery point
//!   if that is further), and only if no good batch follows in their segment: that is a tail that a crash tore.
//!   If neither can be read, nothing is cut. Anything else that is not as written puts the log in quarantine, where
//!   it is read-only and nothing on disk is touched.
//! - What was cut off is synced away, and what was kept is synced, before anybody reads or appends.
//! - Every open that is not clean begins a new leader epoch. That needs space: without it the log opens
//!   read-only, and becomes writable as soon as the committer's next attempt succeeds (`new_epoch.rs`).

pub(crate) mod inventory;
mod replay;
mod survey;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};

use factum_types::{LeaderEpoch, Offset};
use parking_lot::{Mutex, RwLock};

use crate::active_file::ActiveFile;
use crate::checkpoint::Checkpoint;
use crate::compaction::load_compacted;
use crate::damage::{Damage, READ_ONLY};
use crate::disk::{Disk, create_dir_durably};
use crate::environment::Environment;
use crate::partition_log::{LogInner, OffsetCell, Options, PartitionLog, Writer};
use crate::producers::Producers;
use crate::segment::{Segment, State, log_path};
use crate::synced_end::Notes;
use crate::transactions::UndecidedTransactions;
use crate::trouble::Troubles;
use crate::waiters::Waiters;
use inventory::Inventory;
use survey::Survey;

/// What opening a log found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the log was closed in order, so that nothing needed to be read.
    pub clean: bool,
    /// Bytes of batches read and verified.
    pub scanned_bytes: u64,
    /// Bytes of a torn tail, never acknowledged, that were cut off.
    pub truncated_bytes: u64,
    /// The epoch that new batches get.
    pub leader_epoch: LeaderEpoch,
    /// What is broken; the log is then read-only.
    pub quarantined: Option<Damage>,
}

/// Why a log could not be opened at all.
#[derive(Debug, thiserror::Error)]
#[error("open the log in {}", dir.display())]
pub struct OpenError {
    /// Its directory.
    pub dir: PathBuf,
    /// What the disk said.
    #[source]
    pub source: io::Error,
}

impl PartitionLog {
    /// Makes the files of a log that holds nothing, in `dir`, which is made if it is missing: durable when this returns.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// Any error of the disk; some of the files may be there then.
    pub fn create(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        create_dir_durably(disk, dir)?;
        inventory::create(disk, dir)
    }

    /// Whether a log lies in `dir`, whatever its state.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn exists(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
        Ok(disk.list(dir)?.iter().any(|name| inventory::is_file_of_log(name)))
    }

    /// Opens the log in `dir`, which is made if it is missing, and recovers what a crash left.
    ///
    /// Nothing else may use the directory meanwhile. Blocks on the disk: in milliseconds after a clean close,
    /// for as long as it takes to read the last segment after a crash.
    ///
    /// # Errors
    /// [`OpenError`] if the disk does not answer. Damage is no error: see [`Recovery::quarantined`].
    pub fn open(
        environment: &Environment,
        dir: &Path,
        options: Options,
    ) -> Result<(Self, Recovery), OpenError> {
        let opened = open(environment, dir, options);
        opened.map_err(|source| OpenError { dir: dir.to_owned(), source })
    }
}

fn open(environment: &Environment, dir: &Path, options: Options) -> io::Result<(PartitionLog, Recovery)> {
    let disk = &*environment.disk;
    create_dir_durably(disk, dir)?;
    let inventory = Inventory::take(disk, dir)?;
    if inventory.is_new() {
        inventory::create(disk, dir)?;
        return open(environment, dir, options);
    }
    let survey = Survey::of(disk, dir, &inventory, options.index_interval_bytes)?;
    let checkpoint = settle(disk, dir, &inventory, &survey)?;
    let begins_epoch = !survey.is_clean && survey.damage.is_none();
    let producers = replay::producers(disk, dir, &inventory.names, &survey)?;
    let mut recovery = Recovery {
        clean: survey.is_clean,
        scanned_bytes: survey.scanned_bytes,
        truncated_bytes: survey.truncated_bytes,
        leader_epoch: survey.epochs.current(),
        quarantined: survey.damage.clone(),
    };
    report(dir, &recovery);
    let caches = (Notes::behind(inventory.note_slot), load_compacted(disk, dir, survey.end)?);
    let log = assemble(environment, dir, options, survey, producers, checkpoint, caches);
    if begins_epoch {
        log.0.begin_epoch_or_stall()?;
        recovery.leader_epoch = log.0.epochs().current();
    }
    Ok((log, recovery))
}

/// Makes durable what the survey kept and cut.
fn settle(disk: &dyn Disk, dir: &Path, inventory: &Inventory, survey: &Survey) -> io::Result<Checkpoint> {
    let last = inventory.checkpoint;
    let generation = last.map_or(0, |last| last.generation);
    let log_start = inventory.log_start().min(survey.end);
    let checkpoint = Checkpoint { generation, log_start, recovery_point: survey.mark(), clean: false };
    if let (true, Some(last)) = (survey.is_clean, last) {
        return Ok(last);
    }
    for file in &survey.scanned {
        file.sync()?;
    }
    if survey.damage.is_none() {
        disk.sync_dir(dir)?;
    }
    Ok(checkpoint)
}

fn report(dir: &Path, recovery: &Recovery) {
    let dir = dir.display();
    if let Some(damage) = &recovery.quarantined {
        tracing::error!(%dir, %damage, "{READ_ONLY}");
    } else if recovery.truncated_bytes > 0 {
        let bytes = recovery.truncated_bytes;
        tracing::warn!(%dir, bytes, "cut off a torn tail that was never acknowledged");
    } else if !recovery.clean {
        tracing::info!(%dir, scanned = recovery.scanned_bytes, "recovered a log that was not closed");
    }
}

fn assemble(
    environment: &Environment,
    dir: &Path,
    options: Options,
    survey: Survey,
    producers: Producers,
    checkpoint: Checkpoint,
    (notes, compacted): (Notes, Offset),
) -> PartitionLog {
    let end = survey.mark();
    let last_append = survey.active.summary.appended_at;
    let path = log_path(dir, end.segment);
    let file = ActiveFile::opened(&environment.active_files, &environment.disk, &path, survey.file);
    let state = State::Active { file: Arc::clone(&file), index: survey.active };
    let active = Arc::new(Segment::new(dir, state));
    let sealed = survey.sealed.iter().map(|summary| Arc::new(Segment::new(dir, State::Sealed(*summary))));
    let segments: Vec<_> = sealed.chain([Arc::clone(&active)]).collect();
    let bytes = segments.iter().map(|segment| segment.summary().bytes).sum();
    let mut undecided = UndecidedTransactions::new(producers.open_transactions());
    let writer = Writer {
        active,
        file,
        end,
        last_append,
        first_append: None,
        producers,
        sealed: Vec::new(),
        is_torn: false,
        request: None,
    };
    PartitionLog(Arc::new(LogInner {
        environment: environment.clone(),
        id: environment.tail_cache.register(),
        dir: dir.to_owned(),
        epochs: RwLock::new(Arc::new(survey.epochs)),
        quarantine: survey.damage.map_or_else(OnceLock::new, OnceLock::from),
        options: RwLock::new(options),
        segments: RwLock::new(Arc::new(segments)),
        log_start: OffsetCell::new(checkpoint.log_start),
        high_watermark: OffsetCell::new(survey.end),
        stable: OffsetCell::new(undecided.stable(survey.end)),
        log_end: OffsetCell::new(survey.end),
        bytes: AtomicU64::new(bytes),
        is_closed: AtomicBool::new(false),
        undecided: Mutex::new(undecided),
        writer: Mutex::new(writer),
        checkpoint: Mutex::new(checkpoint),
        notes,
        is_epoch_due: AtomicBool::new(false),
        compacting: Mutex::new(()),
        compacted: OffsetCell::new(compacted),
        unfinished_swap: Mutex::new(None),
        waiters: Mutex::new(Waiters::default()),
        failed: OnceLock::new(),
        troubles: Troubles::default(),
    }))
}
