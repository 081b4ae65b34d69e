//! A part of a table: rows that changed lately in memory, over a run of older ones on disk.
//!
//! Invariants: a key in memory hides the same key in the run; a key that was deleted since the run was written is
//! noted, and hides it too. So applying a change never touches the disk and cannot fail.

use std::io;

use factum_log::DiskFile;
use std::sync::Arc;

use crate::arena::{Arena, hash};
use crate::run::Run;
use crate::spill::Spill;

/// Rows of one shard. A clone is a copy of what is in memory.
#[derive(Debug, Default, Clone)]
pub(crate) struct Shard {
    rows: Arena,
    /// Keys of the run that were deleted since.
    deleted: Arena,
    /// In the order of hash and key.
    run: Option<Arc<Run<u64>>>,
}

/// The file of a shard's run, opened when the first key is looked for in it.
pub(crate) type RunFile = Option<Arc<dyn DiskFile>>;

impl Shard {
    /// Shows the value under `key` to `visit`.
    pub(crate) fn get<T>(
        &self,
        file: &mut RunFile,
        hash: u64,
        key: &[u8],
        visit: impl FnOnce(Option<&[u8]>) -> T,
    ) -> io::Result<T> {
        let value = self.rows.get(hash, key);
        let run = match &self.run {
            Some(run) if value.is_none() && self.deleted.get(hash, key).is_none() => run,
            _ => return Ok(visit(value)),
        };
        let file = match file {
            Some(file) => file,
            None => file.insert(run.open()?),
        };
        Ok(visit(run.get(&**file, &hash, key)?.as_deref()))
    }

    /// Writes or deletes one row.
    pub(crate) fn apply(&mut self, hash: u64, key: &[u8], value: Option<&[u8]>) {
        match value {
            Some(value) => {
                self.rows.put(hash, key, value);
                self.deleted.delete(hash, key);
            }
            None => {
                self.rows.delete(hash, key);
                if self.run.is_some() {
                    self.deleted.put(hash, key, &[]);
                }
            }
        }
    }

    /// Shows every row, in no particular order.
    pub(crate) fn scan(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<()> {
        self.rows.rows().for_each(|(key, value)| visit(key, value));
        let Some(run) = &self.run else { return Ok(()) };
        run.scan(|key, value| {
            if !self.hides(key) {
                visit(key, value);
            }
            Ok(())
        })
    }

    /// The same rows, all of them in a run.
    pub(crate) fn spilled(&self, spill: &Spill) -> io::Result<Self> {
        let mut writer = spill.create()?;
        let mut rows: Vec<_> = self.rows.rows().map(|(key, value)| (hash(key), key, value)).collect();
        rows.sort_unstable_by_key(|(hash, key, _)| (*hash, *key));
        let mut rows = rows.into_iter().peekable();
        if let Some(run) = &self.run {
            run.scan(|key, value| {
                let at = (hash(key), key);
                while let Some((_, key, value)) = rows.next_if(|(hash, key, _)| (*hash, *key) < at) {
                    writer.push(|| hash(key), key, value)?;
                }
                if self.hides(key) { Ok(()) } else { writer.push(|| hash(key), key, value) }
            })?;
        }
        for (hash, key, value) in rows {
            writer.push(|| hash, key, value)?;
        }
        Ok(Self { run: Some(Arc::new(writer.finish()?)), ..Self::default() })
    }

    /// Bytes held in memory that spilling would free.
    pub(crate) fn bytes_of_rows(&self) -> usize {
        self.rows.bytes() + self.deleted.bytes()
    }

    /// Bytes held in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes_of_rows() + self.run.as_ref().map_or(0, |run| run.bytes())
    }

    /// Bytes of the run's file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.run.as_ref().map_or(0, |run| run.file_bytes())
    }

    /// Whether the run's row under `key` is old.
    fn hides(&self, key: &[u8]) -> bool {
        let hash = hash(key);
        self.rows.get(hash, key).is_some() || self.deleted.get(hash, key).is_some()
    }
}
