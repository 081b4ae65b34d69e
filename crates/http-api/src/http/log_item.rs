//! What a read of the log gives, in order: records, and ranges that cannot be read.

use factum_eventlog::{Chunk, Unreadable};
use factum_types::{Offset, PartitionId, Record};
use serde::Serialize;
use utoipa::ToSchema;

/// One item of a partition.
pub(crate) enum LogItem {
    Record(Record),
    Unreadable(Unreadable),
}

impl LogItem {
    /// The items of a chunk, by offset.
    pub(crate) fn of(chunk: Chunk) -> impl Iterator<Item = Self> {
        let mut records = chunk.records.into_iter().peekable();
        let mut unreadable = chunk.unreadable.into_iter().peekable();
        std::iter::from_fn(move || {
            let range = unreadable.peek().map(|range| range.from);
            match records.next_if(|record| range.is_none_or(|from| record.offset < from)) {
                Some(record) => Some(Self::Record(record)),
                None => unreadable.next().map(Self::Unreadable),
            }
        })
    }

    /// Where reading goes on behind it.
    pub(crate) fn next(&self) -> Offset {
        match self {
            Self::Record(record) => record.offset.next(),
            Self::Unreadable(range) => range.next,
        }
    }

    /// About the bytes that it holds.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Record(record) => record.size_in_memory(),
            Self::Unreadable(range) => size_of_val(range) + range.reason.len(),
        }
    }
}

/// A range of a partition that cannot be read: damaged on disk, or never a batch that can be opened.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnreadableView {
    #[schema(value_type = i32, example = 0)]
    partition: PartitionId,
    /// The first offset that cannot be read, a 64-bit number as text.
    #[schema(example = "7")]
    from: String,
    /// Where reading goes on, a 64-bit number as text.
    #[schema(example = "9")]
    next: String,
    /// What is wrong.
    reason: String,
}

impl UnreadableView {
    pub(crate) fn of(partition: PartitionId, range: &Unreadable) -> Self {
        let (from, next) = (range.from.to_string(), range.next.to_string());
        Self { partition, from, next, reason: range.reason.clone() }
    }

    /// The view as one line of JSON.
    pub(crate) fn to_line(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text serialises")
    }
}
