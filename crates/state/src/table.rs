//! A table in memory: shards, each locked for itself.

use parking_lot::RwLock;

use crate::arena::{Arena, hash};
use crate::spill::{Spill, SpillError};
use crate::store::Found;

/// A power of two; growth of one shard moves a sixteenth of the table.
const SHARDS: usize = 16;

/// Rows of one operator of one task.
#[derive(Debug)]
pub(crate) struct Table {
    shards: Vec<RwLock<Shard>>,
    spill: Option<Spill>,
}

/// Rows in memory, and whether older ones of the same shard lie in the spill.
#[derive(Debug, Default)]
struct Shard {
    warm: Arena,
    has_spilled: bool,
}

impl Table {
    pub(crate) fn new(spill: Option<Spill>) -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect(), spill }
    }

    /// The rows under `keys`, in their order.
    pub(crate) fn get_many(&self, keys: &[&[u8]]) -> Result<Found, SpillError> {
        let mut found = Found::with_capacity(keys.len());
        for key in keys {
            let hash = hash(key);
            let shard = self.shards[shard_of(hash)].read();
            match (shard.warm.get(hash, key), &self.spill) {
                (None, Some(spill)) if shard.has_spilled => found.push(spill.get(key)?.as_deref()),
                (value, _) => found.push(value),
            }
        }
        Ok(found)
    }

    /// Writes or deletes one row.
    pub(crate) fn apply(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), SpillError> {
        let hash = hash(key);
        let mut shard = self.shards[shard_of(hash)].write();
        match value {
            Some(value) => shard.warm.put(hash, key, value),
            None => {
                shard.warm.delete(hash, key);
                if let (true, Some(spill)) = (shard.has_spilled, &self.spill) {
                    spill.delete(key)?;
                }
            }
        }
        Ok(())
    }

    /// Every row, in no particular order. A row that was written after it was spilled shows its newer value.
    pub(crate) fn scan(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), SpillError> {
        let shards: Vec<_> = self.shards.iter().map(RwLock::read).collect();
        for shard in &shards {
            shard.warm.rows().for_each(|(key, value)| visit(key, value));
        }
        let Some(spill) = self.spill.as_ref().filter(|_| shards.iter().any(|s| s.has_spilled)) else {
            return Ok(());
        };
        spill.scan(&mut |key, value| {
            let hash = hash(key);
            if shards[shard_of(hash)].warm.get(hash, key).is_none() {
                visit(key, value);
            }
        })
    }

    /// Moves the largest shard out to the spill; the bytes freed.
    pub(crate) fn spill_largest(&self) -> Result<usize, SpillError> {
        let Some(spill) = &self.spill else { return Ok(0) };
        let largest = self.shards.iter().max_by_key(|shard| shard.read().warm.bytes());
        let mut shard = largest.expect("a table has shards").write();
        let bytes = shard.warm.bytes();
        spill.put_all(shard.warm.rows())?;
        *shard = Shard { warm: Arena::default(), has_spilled: true };
        Ok(bytes)
    }

    /// Removes every row.
    pub(crate) fn clear(&self) -> Result<(), SpillError> {
        let mut shards: Vec<_> = self.shards.iter().map(RwLock::write).collect();
        shards.iter_mut().for_each(|shard| **shard = Shard::default());
        self.spill.as_ref().map_or(Ok(()), Spill::clear)
    }

    /// Bytes held in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().warm.bytes()).sum()
    }
}

/// The shard is chosen by high bits, the place within it by low ones, so that the two do not go together.
fn shard_of(hash: u64) -> usize {
    (hash >> 60) as usize & (SHARDS - 1)
}
