//! Epochs: what a task commits at once, and reads back after a restart.

use bytes::{BufMut, Bytes, BytesMut};
use factum_types::{Offset, TopicPartition};

use crate::TableId;

/// Rows that an epoch wrote and deleted, packed as the journal keeps them.
///
/// ```text
///   table u16 │ key len u32 │ value len u32, or all ones for a deletion │ key │ value │ …
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    bytes: BytesMut,
    rows: usize,
}

const DELETED: u32 = u32::MAX;
const ROW_HEADER: usize = 2 + 4 + 4;

impl Changes {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `value` under `key`. A later change of the same key in one epoch wins.
    ///
    /// # Panics
    /// If a key or value is 4 GiB long: no operator writes such a row.
    pub fn put(&mut self, table: TableId, key: &[u8], value: &[u8]) {
        self.header(table, key, u32::try_from(value.len()).expect("a value is below 4 GiB"), value.len());
        self.bytes.put_slice(value);
    }

    /// Removes the row under `key`, if there is one.
    pub fn delete(&mut self, table: TableId, key: &[u8]) {
        self.header(table, key, DELETED, 0);
    }

    /// How many rows are written or deleted.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// How many bytes it takes in the journal.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The packed form.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The packed form, to keep.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes.freeze()
    }

    fn header(&mut self, table: TableId, key: &[u8], value_len: u32, reserve: usize) {
        self.rows += 1;
        self.bytes.reserve(ROW_HEADER + key.len() + reserve);
        self.bytes.put_u16_le(table);
        self.bytes.put_u32_le(u32::try_from(key.len()).expect("a key is below 4 GiB"));
        self.bytes.put_u32_le(value_len);
        self.bytes.put_slice(key);
    }
}

/// One change, where it lies in the packed form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change<'a> {
    pub(crate) table: TableId,
    pub(crate) key: &'a [u8],
    /// `None` deletes.
    pub(crate) value: Option<&'a [u8]>,
}

/// Walks packed changes; `None` in place of a change where the bytes do not hold one.
pub(crate) fn changes(mut bytes: &[u8]) -> impl Iterator<Item = Option<Change<'_>>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let change = split_change(&mut bytes);
        if change.is_none() {
            bytes = &[];
        }
        Some(change)
    })
}

/// Whether `bytes` are packed changes from end to end.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    changes(bytes).all(|change| change.is_some())
}

fn split_change<'a>(bytes: &mut &'a [u8]) -> Option<Change<'a>> {
    let (head, rest) = bytes.split_first_chunk::<ROW_HEADER>()?;
    let table = u16::from_le_bytes([head[0], head[1]]);
    let key_len = u32::from_le_bytes([head[2], head[3], head[4], head[5]]) as usize;
    let value_len = u32::from_le_bytes([head[6], head[7], head[8], head[9]]);
    let (key, rest) = rest.split_at_checked(key_len)?;
    let (value, rest) = if value_len == DELETED {
        (None, rest)
    } else {
        let (value, rest) = rest.split_at_checked(value_len as usize)?;
        (Some(value), rest)
    };
    *bytes = rest;
    Some(Change { table, key, value })
}

/// A record that is to be published once the epoch is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic.
    pub topic: String,
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// Headers, in order.
    pub headers: Vec<(String, Bytes)>,
}

/// The result of one unit of work.
#[derive(Debug, Clone, Default)]
pub struct Epoch {
    /// Rows.
    pub changes: Changes,
    /// Where each source is to be read on.
    pub offsets: Vec<(TopicPartition, Offset)>,
    /// No event at or before this time (microseconds since 1970) is expected any more.
    pub watermark: Option<i64>,
    /// What others are to be told; kept until the next commit, so that it can be sent again.
    pub outbox: Vec<Outgoing>,
}

/// How far a task is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Epochs committed.
    pub epoch: u64,
    /// Where each source is to be read on.
    pub offsets: Vec<(TopicPartition, Offset)>,
    /// See [`Epoch::watermark`].
    pub watermark: Option<i64>,
    /// What the last epoch had to say; it may or may not have been sent.
    pub outbox: Vec<Outgoing>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_back_as_they_went_in() {
        let mut packed = Changes::new();
        packed.put(3, b"key", b"value");
        packed.delete(0, b"");
        packed.put(1, b"k", b"");
        let read: Vec<_> = changes(packed.as_bytes()).map(|change| change.expect("whole")).collect();
        assert_eq!(
            read,
            [
                Change { table: 3, key: b"key", value: Some(b"value") },
                Change { table: 0, key: b"", value: None },
                Change { table: 1, key: b"k", value: Some(b"") },
            ]
        );
    }

    #[test]
    fn every_truncation_is_noticed() {
        let mut packed = Changes::new();
        packed.put(3, b"key", b"value");
        for length in 1..packed.as_bytes().len() {
            let read: Vec<_> = changes(&packed.as_bytes()[..length]).collect();
            assert_eq!(read, [None], "{length}");
        }
    }
}
