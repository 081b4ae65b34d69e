//! Items of a read of the log, in order: records, and ranges that cannot be read.

use factum_api::records::UnreadableView;
use factum_eventlog::{Chunk, Unreadable};
use factum_types::{Offset, PartitionId, Record};

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

    /// The same in memory of its own: a record is else a slice of its batch, and holds all of it.
    pub(crate) fn unshared(self) -> Self {
        match self {
            Self::Record(record) => Self::Record(record.unshared()),
            Self::Unreadable(range) => Self::Unreadable(range),
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

/// A range that cannot be read, as clients are shown it.
pub(crate) fn unreadable_view(partition: PartitionId, range: &Unreadable) -> UnreadableView {
    let (from, next) = (range.from.get().into(), range.next.get().into());
    UnreadableView { partition, from, next, reason: range.reason.clone() }
}
