//! From the files of an earlier run to the same rows in memory: the journal behind the snapshots.
//!
//! Invariants: a task ends with a whole chain of epochs or at epoch 0. What a damaged stretch of the journal held is not
//! guessed: a task with entries behind it has a gap and starts over; one without is as it was before, where its
//! sources are read on from.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use factum_log as log;
use factum_types::{Offset, batch, record};
use tracing::info;

use super::journal::{Journal, path};
use super::recovery::Suspects;
use super::{Inner, OpenError};
use crate::journal::{self, Entry};
use crate::{Fence, Loss, Progress, TaskId};

/// How much of the journal is read at once.
const READ_BYTES: usize = 4 << 20;
/// The largest entry.
const ENTRY_BYTES: usize = 1 << 30;

/// The journal on its way into memory.
pub(super) struct Replay<'a> {
    inner: &'a mut Inner,
    suspects: Suspects,
    /// Tasks whose chain of epochs has a gap, how far they are known to have come, and their last fence.
    broken: HashMap<TaskId, (Loss, Fence)>,
    /// What is wrong with the journal.
    damage: Option<String>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(inner: &'a mut Inner, mut suspects: Suspects) -> Self {
        let damage = suspects.journal.take();
        Self { inner, suspects, broken: HashMap::new(), damage }
    }

    /// Applies every journal entry that no snapshot contains; why the journal must not be written on, if so.
    pub(super) fn run(mut self) -> Result<Option<String>, OpenError> {
        let bounds = self.journal().log.bounds();
        let (mut at, mut entries) = (bounds.log_start, 0_u64);
        while at < bounds.high_watermark {
            let read = self.journal().log.read(at, READ_BYTES, log::Isolation::ReadUncommitted);
            let next = match read {
                Ok(slice) => {
                    let mut next = at;
                    for chunk in slice.chunks {
                        (next, entries) = self.chunk(&chunk, next, entries)?;
                    }
                    self.inner.relieve().ok();
                    next
                }
                Err(log::ReadError::Damaged(damage)) => {
                    self.damage.get_or_insert_with(|| damage.to_string());
                    damage.next
                }
                Err(source) => return Err(OpenError::Unreadable { at, source }),
            };
            if next <= at {
                self.damage.get_or_insert_with(|| format!("nothing can be read from offset {at} on"));
                break;
            }
            at = next;
        }
        self.drop_broken();
        info!(entries, tasks = self.inner.tasks.read().len(), "recovered state");
        Ok(self.damage)
    }

    fn journal(&mut self) -> &Journal {
        self.inner.journal.get_mut()
    }

    /// Applies the entries of whole batches; where the journal goes on, and how many entries there were by now.
    fn chunk(
        &mut self,
        chunk: &Bytes,
        mut next: Offset,
        mut entries: u64,
    ) -> Result<(Offset, u64), OpenError> {
        for found in batch::headers(chunk) {
            let Ok((start, header)) = found else {
                self.damage.get_or_insert_with(|| format!("the batch at offset {next} has no header"));
                return Ok((next, entries));
            };
            next = Offset::new(header.last_offset()).next();
            let whole = chunk.slice(start..start + header.encoded_len());
            let Ok(records) = record::decode(&whole, ENTRY_BYTES) else {
                self.damage.get_or_insert_with(|| format!("the batch before offset {next} has no records"));
                continue;
            };
            for record in records {
                entries += 1;
                let known = self.entry(record.offset, record.key, record.value);
                let generation = self.journal().generation;
                known.ok_or_else(|| OpenError::Newer {
                    path: path(&self.inner.directory, generation),
                    directory: self.inner.directory.clone(),
                })?;
            }
        }
        Ok((next, entries))
    }

    /// Applies one entry; `None` if it is of no form that this version knows, although its checksum fits.
    fn entry(&mut self, at: Offset, key: Option<Bytes>, value: Option<Bytes>) -> Option<()> {
        let id = journal::decode_task(&key?).ok()?;
        let (fence, entry) = journal::decode(value?).ok()?;
        self.inner.see_fence(fence);
        if matches!(entry, Entry::Forgotten) {
            self.forgotten(&id, at);
            return Some(());
        }
        let task = self.inner.task_or_new(&id);
        let mut held = task.held.try_lock().expect("no one else has the task yet");
        if held.snapshot.is_some() && held.needed_from.is_some_and(|needed| at < needed) {
            return Some(());
        }
        held.needed_from.get_or_insert(at);
        let known_fence = held.fence;
        held.fence = held.fence.max(fence);
        match entry {
            Entry::TakenOver | Entry::Forgotten => {}
            Entry::LossAcknowledged => task.set_lost(None),
            Entry::Lost(loss) => {
                self.broken.remove(&id);
                self.suspects.tasks.remove(&id);
                task.clear();
                task.set_lost(Some(loss));
                held.progress = Progress::default();
                held.needed_from = Some(at);
            }
            Entry::SnapshotTaken { number, progress } => {
                self.inner.next_snapshot.fetch_max(number + 1, Ordering::Relaxed);
                let is_here = held.snapshot.as_ref().is_some_and(|snapshot| snapshot.number >= number);
                if !is_here && held.progress.epoch != progress.epoch {
                    let missing = || format!("the snapshot {number} is missing");
                    let reason = self.suspects.reasons.get(&number).cloned().unwrap_or_else(missing);
                    drop(held);
                    self.broken(id, progress, fence, reason);
                }
            }
            Entry::Committed { progress, changes } => {
                let is_next = progress.epoch == held.progress.epoch + 1 && fence <= known_fence;
                if !is_next || self.broken.contains_key(&id) {
                    drop(held);
                    self.broken(id, progress, fence, String::new());
                    return Some(());
                }
                held.journaled_bytes += changes.len() as u64;
                task.apply(&changes, Some(&progress));
                held.progress = progress;
            }
        }
        Some(())
    }

    /// Notes that the chain of a task has a gap. The first reason is kept, and how far the task came at last.
    fn broken(&mut self, id: TaskId, progress: Progress, fence: Fence, reason: String) {
        let progress = Progress { outbox: Vec::new(), ..progress };
        if let Some((loss, last)) = self.broken.get_mut(&id) {
            loss.progress = progress;
            *last = fence.max(*last);
            return;
        }
        let suspect = self.suspects.tasks.remove(&id).map(|loss| loss.reason);
        let damage = || self.damage.as_ref().map(|damage| format!("the journal is damaged: {damage}"));
        let reason = Some(reason).filter(|reason| !reason.is_empty()).or(suspect).or_else(damage);
        let reason = reason.unwrap_or_else(|| {
            let unknown: Vec<_> = self.suspects.reasons.values().cloned().collect();
            if unknown.is_empty() {
                "epochs are missing in the journal".to_owned()
            } else {
                unknown.join("; ")
            }
        });
        self.broken.insert(id, (Loss { progress, reason }, fence));
    }

    fn forgotten(&mut self, id: &TaskId, at: Offset) {
        let Some(task) = self.inner.task(id) else { return };
        let mut held = task.held.try_lock().expect("no one else has the task yet");
        let is_older = held.snapshot.is_some() && held.needed_from.is_some_and(|needed| at < needed);
        if is_older {
            return;
        }
        self.broken.remove(id);
        self.suspects.tasks.remove(id);
        self.inner.tasks.write().remove(id);
        if let Some(snapshot) = held.snapshot.take() {
            self.inner.remove(&snapshot.path);
        }
    }

    /// A task whose chain of epochs has a gap starts from nothing, and so does one whose damaged snapshot had more
    /// than the journal has.
    fn drop_broken(&mut self) {
        for (id, loss) in std::mem::take(&mut self.suspects.tasks) {
            let reached = self.inner.task(&id).map_or(0, |task| task.progress().epoch);
            if reached < loss.progress.epoch && !self.broken.contains_key(&id) {
                self.broken.insert(id, (loss, Fence::default()));
            }
        }
        for (id, (loss, fence)) in std::mem::take(&mut self.broken) {
            self.inner.begin_anew(&id, loss, fence);
        }
    }
}
