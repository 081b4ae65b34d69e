//! Some rows of an ordered table, packed in one buffer and found by their sorted places.
//!
//! ```text
//!   buffer  │ key len │ value len + 1, or 0 for a deletion │ key │ value │ …      places  in the order of keys
//! ```
//!
//! Invariants: places are those of live rows, in the order of their keys, no two of the same key.

use crate::packed::{length, push_length};

/// A leaf of more bytes is split, if it has two rows.
pub(super) const LEAF_BYTES: usize = 8 << 10;
/// A leaf of fewer bytes is merged with its neighbour, if it has room.
pub(super) const SMALL_LEAF_BYTES: usize = LEAF_BYTES / 4;
/// Below this, packing is not worth its while.
const SMALLEST_PACKED: usize = 1 << 10;

/// A key, and its value unless the key is deleted.
pub(super) type Row<'a> = (&'a [u8], Option<&'a [u8]>);

#[derive(Debug, Default, Clone)]
pub(super) struct Leaf {
    buffer: Vec<u8>,
    places: Vec<u32>,
    holes: usize,
}

impl Leaf {
    /// What the leaf has under `key`: a value or a deletion.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let slot = self.find(key).ok()?;
        Some(self.row(slot).1)
    }

    /// Puts a value or a deletion under `key`.
    ///
    /// # Panics
    /// If the leaf passes 4 GiB: a row is less than an epoch, and the leaf has others only below [`LEAF_BYTES`].
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        match self.find(key) {
            Ok(slot) => {
                let old = packed(&self.buffer, self.places[slot]);
                match (old.value, value) {
                    (Some(before), Some(value)) if before.len() == value.len() => {
                        let start = old.end - value.len();
                        self.buffer[start..start + value.len()].copy_from_slice(value);
                        return;
                    }
                    _ => self.holes += old.len(),
                }
                self.places[slot] = append(&mut self.buffer, (key, value));
            }
            Err(slot) => {
                let place = append(&mut self.buffer, (key, value));
                self.places.insert(slot, place);
            }
        }
        self.pack_if_hollow();
    }

    /// Removes what is under `key`.
    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Ok(slot) = self.find(key) {
            self.holes += packed(&self.buffer, self.places.remove(slot)).len();
            self.pack_if_hollow();
        }
    }

    /// The row at `slot`, which is below [`Leaf::len`].
    pub(super) fn row(&self, slot: usize) -> Row<'_> {
        let row = packed(&self.buffer, self.places[slot]);
        (row.key, row.value)
    }

    /// The first key of a leaf with rows.
    pub(super) fn first_key(&self) -> &[u8] {
        self.row(0).0
    }

    /// How many rows have keys below `key`, or up to it.
    pub(super) fn count_below(&self, key: &[u8], or_equal: bool) -> usize {
        match self.find(key) {
            Ok(slot) => slot + usize::from(or_equal),
            Err(slot) => slot,
        }
    }

    /// How many rows there are, deletions included.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Bytes of rows, holes not included.
    pub(super) fn live_bytes(&self) -> usize {
        self.buffer.len() - self.holes
    }

    /// Bytes held, with what it takes to hold the leaf.
    pub(super) fn bytes(&self) -> usize {
        const COUNTED_POINTER: usize = 3 * size_of::<usize>();
        self.buffer.capacity()
            + self.places.capacity() * size_of::<u32>()
            + size_of::<Self>()
            + COUNTED_POINTER
    }

    /// Keeps the rows before one slot and gives the others. `written` is the slot that was written last: where rows come
    /// in order the full part is left full, else the parts are equal.
    pub(super) fn split(&mut self, written: usize) -> Self {
        let slot = match written {
            _ if written + 1 == self.len() => written,
            0 => 1,
            _ => self.len() / 2,
        };
        let rest = self.packed(slot..self.len());
        *self = self.packed(0..slot);
        rest
    }

    /// Adds the rows of the leaf behind this one.
    pub(super) fn absorb(&mut self, next: &Self) {
        for slot in 0..next.len() {
            let place = append(&mut self.buffer, next.row(slot));
            self.places.push(place);
        }
    }

    fn find(&self, key: &[u8]) -> Result<usize, usize> {
        self.places.binary_search_by(|place| packed(&self.buffer, *place).key.cmp(key))
    }

    fn pack_if_hollow(&mut self) {
        if self.buffer.len() >= SMALLEST_PACKED && self.holes * 2 > self.buffer.len() {
            *self = self.packed(0..self.len());
        }
    }

    /// The rows at these slots, without holes.
    fn packed(&self, slots: std::ops::Range<usize>) -> Self {
        let places = &self.places[slots];
        let bytes = places.iter().map(|place| packed(&self.buffer, *place).len()).sum();
        let mut leaf =
            Self { buffer: Vec::with_capacity(bytes), places: Vec::with_capacity(places.len()), holes: 0 };
        for place in places {
            let row = packed(&self.buffer, *place);
            let place = append(&mut leaf.buffer, (row.key, row.value));
            leaf.places.push(place);
        }
        leaf
    }
}

/// A row where it lies.
struct PackedRow<'a> {
    key: &'a [u8],
    value: Option<&'a [u8]>,
    start: usize,
    end: usize,
}

impl PackedRow<'_> {
    fn len(&self) -> usize {
        self.end - self.start
    }
}

fn packed(buffer: &[u8], place: u32) -> PackedRow<'_> {
    let start = place as usize;
    let (key_len, after_key_len) = length(buffer, start);
    let (value_len, key_start) = length(buffer, after_key_len);
    let value_start = key_start + key_len;
    let end = value_start + value_len.saturating_sub(1);
    let value = (value_len > 0).then(|| &buffer[value_start..end]);
    PackedRow { key: &buffer[key_start..value_start], value, start, end }
}

fn append(buffer: &mut Vec<u8>, (key, value): Row<'_>) -> u32 {
    let place = u32::try_from(buffer.len()).expect("a leaf stays below 4 GiB");
    push_length(buffer, key.len());
    push_length(buffer, value.map_or(0, |value| value.len() + 1));
    buffer.extend_from_slice(key);
    buffer.extend_from_slice(value.unwrap_or_default());
    place
}
