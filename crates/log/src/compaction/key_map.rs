//! Key map: the latest offset of each key, in bounded memory.
//!
//! Keys are held as hashes of 128 bits, as Kafka's cleaner holds them (`SkimpyOffsetMap`). The hash is SipHash under keys
//! that are drawn for each map, so that no one can choose two keys that are taken for one.
//!
//! Invariants: no more memory than allowed, while it grows too. An offset in the map is that of a record that was put.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use factum_types::Offset;

const SLOT_BYTES: usize = size_of::<Slot>();
/// Slots of a map that begins.
const FIRST_SLOTS: usize = 1 << 10;

#[derive(Clone, Copy)]
struct Slot {
    hash: [u64; 2],
    /// -1 if it is free.
    offset: i64,
}

const FREE: Slot = Slot { hash: [0; 2], offset: -1 };

/// The latest offset of each key.
pub(crate) struct KeyMap {
    /// Searched from a hash's own slot on (open addressing); a quarter of them is free.
    slots: Vec<Slot>,
    keys: usize,
    most_slots: usize,
    hashers: [RandomState; 2],
}

impl KeyMap {
    /// A map that takes at most `memory` bytes, but always some keys.
    pub(crate) fn new(memory: usize) -> Self {
        // While it grows for the last time there are the old half and the new whole.
        let most_slots = (memory / SLOT_BYTES * 2 / 3).max(FIRST_SLOTS);
        let hashers = [RandomState::new(), RandomState::new()];
        Self { slots: vec![FREE; FIRST_SLOTS], keys: 0, most_slots, hashers }
    }

    /// Takes note of a record behind all others. False if there is no room for its key.
    pub(crate) fn put(&mut self, key: &[u8], offset: Offset) -> bool {
        if self.is_full() && !self.grow() {
            let hash = self.hash(key);
            let at = self.find(&hash);
            let is_known = self.slots[at].offset >= 0;
            if is_known {
                self.slots[at].offset = offset.get();
            }
            return is_known;
        }
        let hash = self.hash(key);
        let at = self.find(&hash);
        self.keys += usize::from(self.slots[at].offset < 0);
        self.slots[at] = Slot { hash, offset: offset.get() };
        true
    }

    /// The offset of the latest record of a key; `None` if no record of it was put.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Offset> {
        let slot = self.slots[self.find(&self.hash(key))];
        (slot.offset >= 0).then(|| Offset::new(slot.offset))
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        [self.hashers[0].hash_one(key), self.hashers[1].hash_one(key)]
    }

    fn is_full(&self) -> bool {
        self.keys >= self.slots.len() / 4 * 3
    }

    /// The slot of a hash, or the free one where it would be.
    fn find(&self, hash: &[u64; 2]) -> usize {
        let count = self.slots.len();
        let own = (u128::from(hash[0]) * count as u128) >> 64;
        let own = usize::try_from(own).expect("it is below the count");
        let holds = |at: &usize| self.slots[*at].offset < 0 || self.slots[*at].hash == *hash;
        let (behind, before): (Range<usize>, Range<usize>) = (own..count, 0..own);
        behind.chain(before).find(holds).expect("some slots are free")
    }

    /// Takes twice the room; whether there was any left to take.
    fn grow(&mut self) -> bool {
        let count = (self.slots.len() * 2).min(self.most_slots);
        if count <= self.slots.len() {
            return false;
        }
        let old = std::mem::replace(&mut self.slots, vec![FREE; count]);
        for slot in old.into_iter().filter(|slot| slot.offset >= 0) {
            let at = self.find(&slot.hash);
            self.slots[at] = slot;
        }
        !self.is_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_offset_of_each_key_is_found_however_far_it_grows() {
        let mut map = KeyMap::new(1 << 20);
        for offset in 0..20_000 {
            let key = format!("key {}", offset % 7_000);
            assert!(map.put(key.as_bytes(), Offset::new(offset)));
        }
        for key in 0..7_000_i64 {
            let latest = (0..3).map(|round| round * 7_000 + key).rfind(|offset| *offset < 20_000);
            assert_eq!(map.get(format!("key {key}").as_bytes()).map(Offset::get), latest);
        }
        assert_eq!(map.get(b"another"), None);
    }

    #[test]
    fn a_full_map_takes_no_new_key_and_goes_on_with_those_it_has() {
        let mut map = KeyMap::new(100_000);
        let fits = (0..).take_while(|n| map.put(&i64::to_be_bytes(*n), Offset::new(*n))).count();
        assert!(fits > 1_000 && map.slots.len() * SLOT_BYTES <= 100_000, "{fits}");
        assert!(map.put(&7_i64.to_be_bytes(), Offset::new(99_999)));
        assert_eq!(map.get(&7_i64.to_be_bytes()), Some(Offset::new(99_999)));
        assert!(!map.put(b"new", Offset::new(100_000)));
        assert_eq!(map.get(b"new"), None);
    }
}
