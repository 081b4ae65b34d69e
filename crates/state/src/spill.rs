//! Rows that memory has no room for, in an LSM tree on disk (fjall).
//!
//! Always holds: the spill is an extension of memory and no more. Nothing durable rests on it: it is emptied
//! at start, and recovery fills it again from snapshot and journal. So it never syncs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use parking_lot::Mutex;

/// The disk under the spill failed.
#[derive(Debug, thiserror::Error)]
#[error("the spill of state failed")]
pub(crate) struct SpillError(#[from] fjall::Error);

/// The tree that all tables spill to; opened when the first one does.
#[derive(Clone)]
pub(crate) struct SpillSpace(Arc<Mutex<Space>>);

enum Space {
    Closed { directory: PathBuf },
    Open(Database),
}

impl std::fmt::Debug for SpillSpace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpillSpace")
    }
}

/// Removes what a run that was killed left in the spill: its rows are old, and its tables' names are used again.
pub(crate) fn empty(spill: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(spill) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl SpillSpace {
    /// A space under `directory`, which is made and emptied when it is first needed.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(Space::Closed { directory })))
    }

    fn keyspace(&self, name: &str) -> Result<Keyspace, SpillError> {
        let mut space = self.0.lock();
        if let Space::Closed { directory } = &*space {
            let database = Database::builder(directory)
                .cache_size(8 << 20)
                .worker_threads(1)
                .manual_journal_persist(true)
                .temporary(true)
                .open()?;
            *space = Space::Open(database);
        }
        let Space::Open(database) = &*space else { unreachable!("it was opened above") };
        Ok(database.keyspace(name, KeyspaceCreateOptions::default)?)
    }
}

/// One table's part of the space.
pub(crate) struct Spill {
    space: SpillSpace,
    name: String,
    keyspace: Mutex<Option<Keyspace>>,
}

impl std::fmt::Debug for Spill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spill({})", self.name)
    }
}

impl Spill {
    /// A part named `name`, which no other table of this process has.
    pub(crate) fn new(space: SpillSpace, name: String) -> Self {
        Self { space, name, keyspace: Mutex::new(None) }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, SpillError> {
        Ok(self.keyspace()?.get(key)?.map(|value| value.to_vec()))
    }

    pub(crate) fn delete(&self, key: &[u8]) -> Result<(), SpillError> {
        Ok(self.keyspace()?.remove(key)?)
    }

    pub(crate) fn put_all<'a>(
        &self,
        rows: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), SpillError> {
        let keyspace = self.keyspace()?;
        rows.into_iter().try_for_each(|(key, value)| Ok(keyspace.insert(key, value)?))
    }

    pub(crate) fn scan(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), SpillError> {
        for row in self.keyspace()?.iter() {
            let (key, value) = row.into_inner()?;
            visit(&key, &value);
        }
        Ok(())
    }

    pub(crate) fn clear(&self) -> Result<(), SpillError> {
        match &*self.keyspace.lock() {
            Some(keyspace) => Ok(keyspace.clear()?),
            None => Ok(()),
        }
    }

    fn keyspace(&self) -> Result<Keyspace, SpillError> {
        let mut held = self.keyspace.lock();
        if held.is_none() {
            *held = Some(self.space.keyspace(&self.name)?);
        }
        Ok(held.clone().expect("it was opened above"))
    }
}
