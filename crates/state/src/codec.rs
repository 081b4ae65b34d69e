//! Numbers, texts and a task's progress in bytes, as journal and snapshots share them (docs/format/state.md).
//!
//! Invariants: what was put is taken back, or an error; a count from the bytes sizes no allocation.

use bytes::{Buf, BufMut, Bytes};
use factum_types::{Offset, TopicName, TopicPartition};

use crate::{Loss, Outgoing, Progress};

const ABSENT: u32 = u32::MAX;

/// The bytes are not of a form that this version knows.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the bytes are not of a form that this version knows")]
pub(crate) struct Unreadable;

/// Appends a task's progress; snapshots carry it in the same form.
pub(crate) fn put_progress(
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

/// A task's progress, with its outbox.
pub(crate) fn put_progress_of(to: &mut Vec<u8>, progress: &Progress) {
    put_progress(to, progress.epoch, progress.watermark, &progress.offsets, &progress.outbox);
}

pub(crate) fn put_loss(to: &mut Vec<u8>, loss: &Loss) {
    put_progress_of(to, &loss.progress);
    put_bytes(to, Some(loss.reason.as_bytes()));
}

pub(crate) fn loss(from: &mut Bytes) -> Result<Loss, Unreadable> {
    Ok(Loss { progress: progress(from)?, reason: text(from)? })
}

pub(crate) fn progress(from: &mut Bytes) -> Result<Progress, Unreadable> {
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
pub(crate) trait Take: Sized {
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
