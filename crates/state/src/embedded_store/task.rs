//! One task's rows and who may change them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use factum_types::Offset;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use super::JournalBytes;
use crate::epoch;
use crate::ordered::Sizes;
use crate::spill::Spill;
use crate::table::{Cut, Table};
use crate::{Fence, KeptTask, Loss, Progress, TableId, TaskId, Version};

/// A task as this process keeps it.
pub(crate) struct Task {
    pub(crate) id: TaskId,
    /// Who may commit, and what is under way; held for the whole of a commit.
    pub(crate) held: Mutex<TaskInProgress>,
    /// What readers see. Locked for the moment it takes to apply an epoch or to take a cut, so that a cut is of one
    /// whole epoch and no one waits for a reader.
    shown: RwLock<VisibleState>,
    sizes: Sizes,
}

#[derive(Default)]
struct VisibleState {
    tables: BTreeMap<TableId, Arc<Table>>,
    progress: Progress,
    lost: Option<Loss>,
    /// Which life of the task this is; 0 until someone holds it.
    incarnation: u64,
}

impl VisibleState {
    fn version(&self) -> Version {
        Version::new(self.incarnation, self.progress.epoch)
    }
}

/// What only the holder of a task changes.
#[derive(Default)]
pub(crate) struct TaskInProgress {
    pub(crate) fence: Fence,
    pub(crate) progress: Progress,
    pub(crate) unapplied: Option<UnappliedEpoch>,
    /// Journal bytes since the last snapshot.
    pub(crate) journaled_bytes: u64,
    /// The first journal entry that recovery of this task needs.
    pub(crate) needed_from: Option<Offset>,
    pub(crate) snapshot: Option<Snapshot>,
    /// The journal does not know yet of the loss that is shown.
    pub(crate) is_loss_unrecorded: bool,
    /// The store has it no more: its waiters look again, and no snapshot brings it back.
    pub(crate) is_forgotten: bool,
}

/// A snapshot of the task that is durable.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
}

/// What is in the journal and not yet in memory. It counts even if its caller goes away.
pub(crate) struct UnappliedEpoch {
    pub(crate) offset: Offset,
    pub(crate) effect: Effect,
}

pub(crate) enum Effect {
    /// An epoch was committed.
    Epoch { progress: Progress, changes: JournalBytes },
    /// The task was forgotten.
    Forgotten,
}

impl Task {
    pub(crate) fn new(id: TaskId, sizes: Sizes) -> Self {
        Self { id, held: Mutex::default(), shown: RwLock::default(), sizes }
    }

    /// Takes the fence of the first holder in this process for the number of this life: it is in the journal before
    /// anything is committed, so no other life of the task has it.
    pub(crate) fn begin_incarnation(&self, fence: Fence) {
        let mut shown = self.shown.write();
        if shown.incarnation == 0 {
            shown.incarnation = fence.get();
        }
    }

    pub(crate) fn table(&self, table: TableId) -> Option<Arc<Table>> {
        self.shown.read().tables.get(&table).cloned()
    }

    pub(crate) fn progress(&self) -> Progress {
        self.shown.read().progress.clone()
    }

    /// What damage took, until it is acknowledged.
    pub(crate) fn lost(&self) -> Option<Loss> {
        self.shown.read().lost.clone()
    }

    pub(crate) fn set_lost(&self, lost: Option<Loss>) {
        self.shown.write().lost = lost;
    }

    /// Applies packed changes; readers see all of them or none.
    ///
    /// # Panics
    /// If `changes` are not whole: decoding them made sure of it.
    pub(crate) fn apply(&self, changes: &[u8], progress: Option<&Progress>) {
        let mut shown = self.shown.write();
        let mut current: Option<(TableId, Arc<Table>)> = None;
        for change in epoch::changes(changes) {
            let change = change.expect("packed changes are whole");
            let table = match &current {
                Some((id, table)) if *id == change.table => table,
                _ => {
                    let new = || Arc::new(Table::new(change.table, self.sizes));
                    let table = shown.tables.entry(change.table).or_insert_with(new);
                    &current.insert((change.table, Arc::clone(table))).1
                }
            };
            table.apply(change.key, change.value);
        }
        if let Some(progress) = progress {
            shown.progress.clone_from(progress);
        }
    }

    /// The rows of `table`, all of one epoch, and which that is.
    pub(crate) fn cut(&self, table: TableId) -> (Option<Cut>, Progress) {
        let shown = self.shown.read();
        (shown.tables.get(&table).map(|table| table.cut()), shown.progress.clone())
    }

    /// The rows of `table`, all of one epoch, and their version.
    pub(crate) fn cut_with_version(&self, table: TableId) -> (Option<Cut>, Version) {
        let shown = self.shown.read();
        (shown.tables.get(&table).map(|table| table.cut()), shown.version())
    }

    /// The rows of every table, all of one epoch.
    pub(crate) fn cut_all(&self) -> Vec<(TableId, Cut)> {
        self.shown.read().tables.iter().map(|(id, table)| (*id, table.cut())).collect()
    }

    pub(crate) fn spill_largest(&self, spill: &Spill) -> io::Result<usize> {
        let largest = self.shown.read().tables.values().max_by_key(|table| table.bytes_of_rows()).cloned();
        largest.map_or(Ok(0), |table| table.spill_largest(spill))
    }

    /// Removes every row; what is left is a task that never committed.
    pub(crate) fn clear(&self) {
        *self.shown.write() = VisibleState::default();
    }

    /// Bytes held in memory that spilling would free.
    pub(crate) fn bytes_of_rows(&self) -> usize {
        self.shown.read().tables.values().map(|table| table.bytes_of_rows()).sum()
    }

    /// Bytes held in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.shown.read().tables.values().map(|table| table.bytes()).sum()
    }

    /// How far the task is, and how large.
    pub(crate) fn kept(&self) -> KeptTask {
        let shown = self.shown.read();
        let disk = shown.tables.values().map(|table| table.file_bytes()).sum();
        let progress = shown.progress.clone();
        drop(shown);
        KeptTask { task: self.id.clone(), progress, memory: self.bytes() as u64, disk }
    }

    /// Tables with a shard of more than `bytes` in memory.
    pub(crate) fn tables_over(&self, bytes: usize) -> Vec<Arc<Table>> {
        let shown = self.shown.read();
        shown.tables.values().filter(|table| table.fullest_shard() > bytes).cloned().collect()
    }
}
