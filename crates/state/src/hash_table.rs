//! A hash table: shards, each of which is copied when it is written while someone reads.
//!
//! Invariants: a [`HashCut`] is what the table was when it was taken, whatever is written after. Taking it costs a
//! reference a shard; a shard that is then written is copied first. So while a cut lives, a table takes up to
//! twice its memory, and a write waits for the copy of one shard at most, never for the reader.

use std::io;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::arena::hash;
use crate::shard::{RunFile, Shard};
use crate::spill::Spill;
use crate::store::FoundValues;

/// A power of two; growth of one shard moves that part of the table.
const SHARDS: usize = 16;

/// Rows of one operator of one task.
#[derive(Debug)]
pub(crate) struct HashTable {
    shards: Vec<RwLock<Arc<Shard>>>,
}

/// A table as it was at one moment.
pub(crate) struct HashCut(Vec<Arc<Shard>>);

impl HashTable {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }

    /// The rows under `keys`, in their order.
    pub(crate) fn get_many(&self, keys: &[&[u8]]) -> io::Result<FoundValues> {
        let cut = self.cut();
        let mut files: [RunFile; SHARDS] = Default::default();
        let mut found = FoundValues::with_capacity(keys.len());
        for key in keys {
            let hash = hash(key);
            let shard = shard_of(hash);
            cut.0[shard].get(&mut files[shard], hash, key, |value| found.push(value))?;
        }
        Ok(found)
    }

    /// Writes or deletes one row.
    pub(crate) fn apply(&self, key: &[u8], value: Option<&[u8]>) {
        let hash = hash(key);
        Arc::make_mut(&mut self.shards[shard_of(hash)].write()).apply(hash, key, value);
    }

    /// The table as it is now.
    pub(crate) fn cut(&self) -> HashCut {
        HashCut(self.shards.iter().map(|shard| Arc::clone(&shard.read())).collect())
    }

    /// Moves the shard with the most rows in memory out of it; the bytes freed. If that fails the rows stay.
    pub(crate) fn spill_largest(&self, spill: &Spill) -> io::Result<usize> {
        let largest = self.shards.iter().max_by_key(|shard| shard.read().bytes_of_rows());
        let mut shard = largest.expect("a table has shards").write();
        let before = shard.bytes();
        if shard.bytes_of_rows() == 0 {
            return Ok(0);
        }
        *shard = Arc::new(shard.spilled(spill)?);
        Ok(before.saturating_sub(shard.bytes()))
    }

    /// Bytes held in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().bytes()).sum()
    }

    /// Bytes held in memory that spilling would free.
    pub(crate) fn bytes_of_rows(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().bytes_of_rows()).sum()
    }

    /// Bytes of files of spilled rows.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.read().file_bytes()).sum()
    }

    /// Bytes of rows in memory of the fullest shard.
    pub(crate) fn fullest_shard(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().bytes_of_rows()).max().unwrap_or(0)
    }
}

impl HashCut {
    /// Every row, in no particular order.
    pub(crate) fn scan(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<()> {
        self.0.iter().try_for_each(|shard| shard.scan(visit))
    }
}

/// The shard is chosen by high bits, the place within it by low ones, so that the two do not go together.
fn shard_of(hash: u64) -> usize {
    (hash >> 60) as usize & (SHARDS - 1)
}
