//! One shard of a table: rows packed end to end in one buffer, found through a hash table of positions.
//!
//! ```text
//!   buffer  │ key len │ value len │ key │ value │ key len │ …      index  hash → position
//! ```
//!
//! A row costs its bytes, two short lengths and some five bytes of index, where a map of boxes pays about
//! 160. A changed value of the same length is written in place, as counts and sums are; any other leaves a
//! hole, and the shard is packed again when holes are most of it.
//!
//! Invariants: every position in the index begins a live row, and no two of them have the same key.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::packed::{length, push_length};

/// Below this, packing is not worth its while.
const SMALLEST_PACKED: usize = 4 * 1024;

/// Rows of one shard.
#[derive(Debug, Default, Clone)]
pub(crate) struct Arena {
    buffer: Vec<u8>,
    index: HashTable<u32>,
    holes: usize,
}

/// The hash that places a key in its shard and in the shard's index. Fixed, so that runs repeat.
pub(crate) fn hash(key: &[u8]) -> u64 {
    FixedState::with_seed(0x0fac_70fa).hash_one(key)
}

impl Arena {
    /// The value under `key`.
    pub(crate) fn get(&self, hash: u64, key: &[u8]) -> Option<&[u8]> {
        let at = *self.index.find(hash, |at| self.row(*at).key == key)?;
        Some(self.row(at).value)
    }

    /// Puts `value` under `key`.
    ///
    /// # Panics
    /// If the shard passes 4 GiB: commits are refused long before, see `Options::largest_shard`.
    pub(crate) fn put(&mut self, hash: u64, key: &[u8], value: &[u8]) {
        let Self { buffer, index, holes } = self;
        let found = index.find_mut(hash, |at| row(buffer, *at).key == key);
        if let Some(at) = found {
            let old = row(buffer, *at);
            if old.value.len() == value.len() {
                let start = old.value_start;
                buffer[start..start + value.len()].copy_from_slice(value);
                return;
            }
            *holes += old.encoded_len;
            *at = append(buffer, key, value);
        } else {
            let at = append(buffer, key, value);
            index.insert_unique(hash, at, |at| self::hash(row(buffer, *at).key));
        }
        self.pack_if_hollow();
    }

    /// Removes `key`; whether it was there.
    pub(crate) fn delete(&mut self, hash: u64, key: &[u8]) -> bool {
        let buffer = &self.buffer;
        let Ok(entry) = self.index.find_entry(hash, |at| row(buffer, *at).key == key) else { return false };
        let (at, _) = entry.remove();
        self.holes += row(buffer, at).encoded_len;
        self.pack_if_hollow();
        true
    }

    /// Every row, in no particular order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.index.iter().map(|at| {
            let row = self.row(*at);
            (row.key, row.value)
        })
    }

    /// Bytes held, holes and index included.
    pub(crate) fn bytes(&self) -> usize {
        self.buffer.capacity() + self.index.allocation_size()
    }

    fn row(&self, at: u32) -> Row<'_> {
        row(&self.buffer, at)
    }

    fn pack_if_hollow(&mut self) {
        if self.buffer.len() < SMALLEST_PACKED || self.holes * 2 < self.buffer.len() {
            return;
        }
        let mut packed = Vec::with_capacity(self.buffer.len() - self.holes);
        for at in self.index.iter_mut() {
            let live = row(&self.buffer, *at);
            *at = append(&mut packed, live.key, live.value);
        }
        self.buffer = packed;
        self.holes = 0;
    }
}

/// A row where it lies.
struct Row<'a> {
    key: &'a [u8],
    value: &'a [u8],
    value_start: usize,
    encoded_len: usize,
}

fn row(buffer: &[u8], at: u32) -> Row<'_> {
    let start = at as usize;
    let (key_len, after_key_len) = length(buffer, start);
    let (value_len, key_start) = length(buffer, after_key_len);
    let value_start = key_start + key_len;
    let end = value_start + value_len;
    Row {
        key: &buffer[key_start..value_start],
        value: &buffer[value_start..end],
        value_start,
        encoded_len: end - start,
    }
}

fn append(buffer: &mut Vec<u8>, key: &[u8], value: &[u8]) -> u32 {
    let at = u32::try_from(buffer.len()).expect("a shard stays below 4 GiB");
    push_length(buffer, key.len());
    push_length(buffer, value.len());
    buffer.extend_from_slice(key);
    buffer.extend_from_slice(value);
    at
}
