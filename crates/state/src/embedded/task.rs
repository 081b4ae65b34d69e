//! One task's rows and who may change them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use factum_types::Offset;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use super::{Inner, Packed, draw};
use crate::epoch;
use crate::spill::{Spill, SpillError};
use crate::table::Table;
use crate::{Fence, Progress, TableId, TaskId};

/// A task as this process keeps it.
pub(crate) struct Task {
    pub(crate) id: TaskId,
    /// Who may commit, and what is under way; held for the whole of a commit.
    pub(crate) held: Mutex<Held>,
    /// What readers see. Written for the moment it takes to apply an epoch, so that they see whole epochs.
    shown: RwLock<Shown>,
}

#[derive(Default)]
struct Shown {
    tables: BTreeMap<TableId, Arc<Table>>,
    progress: Progress,
}

/// What only the holder of a task changes.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) fence: Fence,
    pub(crate) progress: Progress,
    pub(crate) unapplied: Option<Unapplied>,
    /// Journal bytes since the last snapshot.
    pub(crate) journaled_bytes: u64,
    /// The first journal entry that recovery of this task needs.
    pub(crate) needed_from: Option<Offset>,
    pub(crate) snapshot: Option<PathBuf>,
    /// The store has it no more: whoever waited for it looks again, and no snapshot brings it back.
    pub(crate) is_forgotten: bool,
}

/// An epoch that is in the journal and not yet in memory.
pub(crate) struct Unapplied {
    pub(crate) offset: Offset,
    pub(crate) progress: Progress,
    pub(crate) changes: Packed,
}

/// Is shown the table, key and value of each row.
pub(crate) type VisitAll<'v> = dyn FnMut(TableId, &[u8], &[u8]) + 'v;

impl Task {
    pub(crate) fn new(id: TaskId) -> Self {
        Self { id, held: Mutex::default(), shown: RwLock::default() }
    }

    pub(crate) fn table(&self, table: TableId) -> Option<Arc<Table>> {
        self.shown.read().tables.get(&table).cloned()
    }

    pub(crate) fn progress(&self) -> Progress {
        self.shown.read().progress.clone()
    }

    /// Applies packed changes; readers see all of them or none.
    ///
    /// # Panics
    /// If `changes` is not whole: checksums guard it from where it was written.
    pub(crate) fn apply(
        &self,
        inner: &Inner,
        changes: &[u8],
        progress: Option<&Progress>,
    ) -> Result<(), SpillError> {
        let mut shown = self.shown.write();
        let mut current: Option<(TableId, Arc<Table>)> = None;
        for change in epoch::changes(changes) {
            let change = change.expect("packed changes are whole");
            let table = match &current {
                Some((id, table)) if *id == change.table => table,
                _ => {
                    let table = shown.tables.entry(change.table).or_insert_with(|| {
                        let name = format!("table-{}", draw(&inner.next_table));
                        Arc::new(Table::new(Some(Spill::new(inner.spill.clone(), name))))
                    });
                    &current.insert((change.table, Arc::clone(table))).1
                }
            };
            table.apply(change.key, change.value)?;
        }
        if let Some(progress) = progress {
            shown.progress.clone_from(progress);
        }
        Ok(())
    }

    /// Shows every row of `table`, all of one epoch, and tells which.
    pub(crate) fn scan(
        &self,
        table: TableId,
        visit: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<Progress, SpillError> {
        let shown = self.shown.read();
        if let Some(table) = shown.tables.get(&table) {
            table.scan(visit)?;
        }
        Ok(shown.progress.clone())
    }

    /// Shows every row of every table.
    pub(crate) fn scan_all(&self, visit: &mut VisitAll<'_>) -> Result<(), SpillError> {
        let shown = self.shown.read();
        shown.tables.iter().try_for_each(|(id, table)| table.scan(&mut |key, value| visit(*id, key, value)))
    }

    pub(crate) fn spill_largest(&self) -> Result<usize, SpillError> {
        let shown = self.shown.read();
        let largest = shown.tables.values().max_by_key(|table| table.bytes());
        largest.map_or(Ok(0), |table| table.spill_largest())
    }

    pub(crate) fn clear(&self) -> Result<(), SpillError> {
        let mut shown = self.shown.write();
        let tables = std::mem::take(&mut *shown).tables;
        tables.values().try_for_each(|table| table.clear())
    }

    /// Bytes of rows in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.shown.read().tables.values().map(|table| table.bytes()).sum()
    }
}
