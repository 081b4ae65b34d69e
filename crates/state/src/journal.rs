//! What a commit looks like in the journal.
//!
//! The journal is an ordinary [`factum_log::PartitionLog`]; each record is one entry, its key the task's name:
//!
//! ```text
//!   key    owner \0 name \0 partition (decimal); without the owner, which was "sql", before there were owners
//!   value  format u8 = 1 │ kind u8 │ fence u64 │ body            little-endian throughout
//!   body   of an epoch:  epoch u64 │ watermark flag u8, i64 │ offsets │ outbox │ changes (to the end)
//!          of a take-over or a forgetting: empty
//! ```
//!
//! Always holds: an entry decodes to what was encoded, or not at all; the log's checksums guard its bytes, so
//! one that does not decode was written by another version.

use bytes::{Buf, BufMut, Bytes};
use factum_types::{Offset, TopicName, TopicPartition};

use crate::{Epoch, Fence, Outgoing, Owner, Progress, TaskId};

const FORMAT: u8 = 1;
const ABSENT: u32 = u32::MAX;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The task has a new holder.
    TakenOver,
    /// The task and its rows are gone.
    Forgotten,
    /// An epoch was committed.
    Committed {
        /// How far the task is with it.
        progress: Progress,
        /// Packed [`crate::Changes`].
        changes: Bytes,
    },
}

/// The bytes are no entry of this version.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a journal entry is not of format {FORMAT}")]
pub(crate) struct Unreadable;

pub(crate) fn encode_task(task: &TaskId) -> Vec<u8> {
    format!("{}\0{}\0{}", task.owner(), task.name(), task.partition()).into_bytes()
}

pub(crate) fn decode_task(key: &[u8]) -> Result<TaskId, Unreadable> {
    let text = std::str::from_utf8(key).map_err(|_| Unreadable)?;
    let (task, partition) = text.rsplit_once('\0').ok_or(Unreadable)?;
    let (owner, name) = match task.split_once('\0') {
        Some((owner, name)) => (Owner::stored(owner).ok_or(Unreadable)?, name),
        None => (Owner::FIRST, task),
    };
    Ok(TaskId::new(owner, name, partition.parse().map_err(|_| Unreadable)?))
}

pub(crate) fn encode_mark(fence: Fence, entry: &Entry) -> Vec<u8> {
    let kind = match entry {
        Entry::Committed { .. } => unreachable!("an epoch is encoded where its rows are"),
        Entry::TakenOver => 2,
        Entry::Forgotten => 3,
    };
    let mut value = vec![FORMAT, kind];
    value.put_u64_le(fence.get());
    value
}

pub(crate) fn encode_epoch(fence: Fence, number: u64, epoch: &Epoch) -> Vec<u8> {
    let mut value = Vec::with_capacity(256 + epoch.changes.as_bytes().len());
    value.extend_from_slice(&[FORMAT, 1]);
    value.put_u64_le(fence.get());
    encode_progress(&mut value, number, epoch.watermark, &epoch.offsets, &epoch.outbox);
    value.put_slice(epoch.changes.as_bytes());
    value
}

pub(crate) fn decode(mut value: Bytes) -> Result<(Fence, Entry), Unreadable> {
    if u8::take(&mut value)? != FORMAT {
        return Err(Unreadable);
    }
    let kind = u8::take(&mut value)?;
    let fence = Fence::new(u64::take(&mut value)?);
    let entry = match kind {
        1 => Entry::Committed { progress: decode_progress(&mut value)?, changes: value },
        2 => Entry::TakenOver,
        3 => Entry::Forgotten,
        _ => return Err(Unreadable),
    };
    Ok((fence, entry))
}

/// Appends a task's progress; snapshots carry it in the same form.
pub(crate) fn encode_progress(
    to: &mut Vec<u8>,
    epoch: u64,
    watermark: Option<i64>,
    offsets: &[(TopicPartition, Offset)],
    outbox: &[Outgoing],
) {
    to.put_u64_le(epoch);
    to.put_u8(u8::from(watermark.is_some()));
    to.put_i64_le(watermark.unwrap_or(0));
    to.put_u32_le(count(offsets.len()));
    for (source, offset) in offsets {
        put_bytes(to, Some(source.topic.as_str().as_bytes()));
        to.put_i32_le(source.partition);
        to.put_i64_le(offset.get());
    }
    to.put_u32_le(count(outbox.len()));
    for record in outbox {
        put_bytes(to, Some(record.topic.as_bytes()));
        put_bytes(to, record.key.as_deref());
        put_bytes(to, record.value.as_deref());
        to.put_u32_le(count(record.headers.len()));
        for (name, value) in &record.headers {
            put_bytes(to, Some(name.as_bytes()));
            put_bytes(to, Some(value));
        }
    }
}

pub(crate) fn decode_progress(from: &mut Bytes) -> Result<Progress, Unreadable> {
    let epoch = u64::take(from)?;
    let has_watermark = u8::take(from)? != 0;
    let watermark = i64::take(from)?;
    let mut offsets = Vec::new();
    for _ in 0..u32::take(from)? {
        let topic = TopicName::new(text(from)?).map_err(|_| Unreadable)?;
        let partition = i32::take(from)?;
        let offset = i64::take(from)?;
        if offset < 0 {
            return Err(Unreadable);
        }
        offsets.push((TopicPartition::new(topic, partition), Offset::new(offset)));
    }
    let mut outbox = Vec::new();
    for _ in 0..u32::take(from)? {
        let (topic, key, value) = (text(from)?, bytes(from)?, bytes(from)?);
        let mut headers = Vec::new();
        for _ in 0..u32::take(from)? {
            headers.push((text(from)?, bytes(from)?.ok_or(Unreadable)?));
        }
        outbox.push(Outgoing { topic, key, value, headers });
    }
    Ok(Progress { epoch, offsets, watermark: has_watermark.then_some(watermark), outbox })
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("an epoch is thousands of records, not billions")
}

fn put_bytes(to: &mut Vec<u8>, bytes: Option<&[u8]>) {
    to.put_u32_le(bytes.map_or(ABSENT, |bytes| count(bytes.len())));
    to.put_slice(bytes.unwrap_or_default());
}

fn bytes(from: &mut Bytes) -> Result<Option<Bytes>, Unreadable> {
    match u32::take(from)? {
        ABSENT => Ok(None),
        length if length as usize <= from.len() => Ok(Some(from.split_to(length as usize))),
        _ => Err(Unreadable),
    }
}

fn text(from: &mut Bytes) -> Result<String, Unreadable> {
    let bytes = bytes(from)?.ok_or(Unreadable)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Unreadable)
}

/// A number at the front of the bytes, if they are long enough.
trait Take: Sized {
    fn take(from: &mut Bytes) -> Result<Self, Unreadable>;
}

macro_rules! take {
    ($($number:ty, $get:ident);*) => {$(
        impl Take for $number {
            fn take(from: &mut Bytes) -> Result<Self, Unreadable> {
                if from.len() < size_of::<$number>() {
                    return Err(Unreadable);
                }
                Ok(from.$get())
            }
        }
    )*};
}

take!(u8, get_u8; u32, get_u32_le; i32, get_i32_le; u64, get_u64_le; i64, get_i64_le);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Changes;

    fn epoch() -> Epoch {
        let topic = TopicName::new("store.orders").expect("valid");
        let mut changes = Changes::new();
        changes.put(1, b"key", b"value");
        Epoch {
            changes,
            offsets: vec![(TopicPartition::new(topic, 3), Offset::new(41))],
            watermark: Some(-5),
            outbox: vec![Outgoing {
                topic: "store.alerts".to_owned(),
                key: None,
                value: Some(Bytes::from_static(b"v")),
                headers: vec![("h".to_owned(), Bytes::from_static(b""))],
            }],
        }
    }

    #[test]
    fn an_epoch_comes_back_whole_and_never_in_part() {
        let (epoch, fence) = (epoch(), Fence::new(7));
        let value = Bytes::from(encode_epoch(fence, 12, &epoch));
        let progress = Progress {
            epoch: 12,
            offsets: epoch.offsets.clone(),
            watermark: epoch.watermark,
            outbox: epoch.outbox.clone(),
        };
        let changes = Bytes::copy_from_slice(epoch.changes.as_bytes());
        assert_eq!(decode(value.clone()), Ok((fence, Entry::Committed { progress, changes })));
        for length in 0..value.len() - epoch.changes.as_bytes().len() {
            assert_eq!(decode(value.slice(..length)), Err(Unreadable), "{length}");
        }
    }

    #[test]
    fn a_task_name_comes_back() {
        let task = TaskId::new(Owner::from_static("delivery"), "store.top_movies@3f", 2);
        assert_eq!(decode_task(&encode_task(&task)), Ok(task));
    }

    #[test]
    fn a_task_without_an_owner_belongs_to_the_first_one() {
        let task = TaskId::new(Owner::from_static("sql"), "store.top_movies@3f", 2);
        assert_eq!(decode_task(b"store.top_movies@3f\x002"), Ok(task));
    }
}
