//! The sparse index of a segment: about every so many bytes, which offset lies where and how late the
//! timestamps before it are; and a summary of the segment as a whole.
//!
//! An index of a damaged segment says so, so that the next start reads the segment instead of believing the
//! summary. Where no one knows the times of damaged records any more, they count as later than any other.
//!
//! Invariants: entries rise in offset and position. An index is a cache: a reader believes no entry before
//! the batch that it points to has said the same, and one that is missing or wrong is rebuilt from the log.

use bytes::{Buf, BufMut};
use factum_types::{BatchHeader, Offset, Timestamp};

use crate::checkpoint::get_offset;
use crate::checksum::{self, Kind};

const SUMMARY_KIND: Kind = *b"FCTIDXS1";
/// A summary of a segment that is damaged.
const DAMAGED_KIND: Kind = *b"FCTIDXS2";
const ENTRIES_KIND: Kind = *b"FCTIDXE1";
const ENTRY_BYTES: usize = 16;
/// Bytes of the summary at the front of an index file.
pub(crate) const SUMMARY_BYTES: usize = 5 * 8 + checksum::OVERHEAD;

/// A segment as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Offset of its first record.
    pub(crate) base: Offset,
    /// Offset after its last.
    pub(crate) next: Offset,
    /// Bytes of its batches.
    pub(crate) bytes: u64,
    /// Greatest timestamp of its batches; [`Timestamp::NONE`] if none has one.
    pub(crate) max_timestamp: Timestamp,
    /// When the last batch was appended; [`Timestamp::NONE`] after a rebuild, which cannot know.
    pub(crate) appended_at: Timestamp,
    /// Whether something in it is not what was written.
    pub(crate) is_damaged: bool,
}

/// Later than any record: what may be the greatest timestamp of bytes that can no longer be read.
pub(crate) const UNKNOWN_TIME: Timestamp = Timestamp::from_millis(i64::MAX);

impl Summary {
    /// How recent its records are, for retention: one dated after its own append counts as old as that.
    pub(crate) fn latest(&self) -> Timestamp {
        if self.max_timestamp < Timestamp::from_millis(0) {
            return self.appended_at;
        }
        self.max_timestamp.min(self.appended_at)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let sound = checksum::unseal(SUMMARY_KIND, bytes);
        let is_damaged = sound.is_none();
        let mut payload = sound.or_else(|| checksum::unseal(DAMAGED_KIND, bytes))?;
        Some(Self {
            base: get_offset(&mut payload)?,
            next: get_offset(&mut payload)?,
            bytes: payload.try_get_u64().ok()?,
            max_timestamp: Timestamp::from_millis(payload.try_get_i64().ok()?),
            appended_at: Timestamp::from_millis(payload.try_get_i64().ok()?),
            is_damaged,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(SUMMARY_BYTES);
        payload.put_i64(self.base.get());
        payload.put_i64(self.next.get());
        payload.put_u64(self.bytes);
        payload.put_i64(self.max_timestamp.as_millis());
        payload.put_i64(self.appended_at.as_millis());
        checksum::seal(if self.is_damaged { DAMAGED_KIND } else { SUMMARY_KIND }, &payload)
    }
}

/// Where a batch lies, as the index has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its base offset.
    pub(crate) offset: Offset,
    /// Its first byte.
    pub(crate) position: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    relative_offset: u32,
    position: u32,
    /// Greatest timestamp of any batch before this one in the segment.
    max_timestamp_before: Timestamp,
}

/// A segment's summary and its index entries; grows with the active segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentIndex {
    pub(crate) summary: Summary,
    entries: Vec<Entry>,
    bytes_since_entry: u64,
}

impl SegmentIndex {
    /// The index of an empty segment.
    pub(crate) fn new(base: Offset) -> Self {
        let summary = Summary {
            base,
            next: base,
            bytes: 0,
            max_timestamp: Timestamp::NONE,
            appended_at: Timestamp::NONE,
            is_damaged: false,
        };
        Self { summary, entries: Vec::new(), bytes_since_entry: 0 }
    }

    /// Takes note of the batch that follows the last one.
    pub(crate) fn add(&mut self, header: &BatchHeader, appended_at: Timestamp, interval: u32) {
        let length = header.encoded_len() as u64;
        if self.bytes_since_entry >= u64::from(interval) {
            self.add_entry(Offset::new(header.base_offset));
        }
        self.bytes_since_entry += length;
        self.summary.bytes += length;
        self.summary.next = Offset::new(header.last_offset()).next();
        self.summary.max_timestamp = self.summary.max_timestamp.max(header.max_timestamp);
        self.summary.appended_at = appended_at;
    }

    /// Takes note that nothing readable lies between the last batch and `place`; what lay there may have had any
    /// time.
    pub(crate) fn skip_to(&mut self, place: Place) {
        self.summary.max_timestamp = UNKNOWN_TIME;
        self.summary.bytes = place.position;
        self.summary.next = place.offset;
        self.add_entry(place.offset);
    }

    /// A place beyond what four bytes reach gets no entry: it is found by walking there.
    fn add_entry(&mut self, offset: Offset) {
        let relative_offset = u32::try_from(offset.since(self.summary.base));
        let position = u32::try_from(self.summary.bytes);
        if let (Ok(relative_offset), Ok(position)) = (relative_offset, position) {
            let max_timestamp_before = self.summary.max_timestamp;
            self.entries.push(Entry { relative_offset, position, max_timestamp_before });
            self.bytes_since_entry = 0;
        }
    }

    /// The index of a damaged segment of which no one knows how late its records are.
    pub(crate) fn with_unknown_times(mut self) -> Self {
        self.summary.max_timestamp = UNKNOWN_TIME;
        self.summary.is_damaged = true;
        self
    }

    /// Where its entries lead, in order.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        (1..=self.entries.len()).map(|after| self.before(after))
    }

    /// The last batch known to start at or before `offset`.
    pub(crate) fn floor(&self, offset: Offset) -> Place {
        let relative = offset.since(self.summary.base);
        self.before(self.entries.partition_point(|entry| i64::from(entry.relative_offset) <= relative))
    }

    /// The last batch known to have no batch before it that reaches `timestamp`.
    pub(crate) fn before_time(&self, timestamp: Timestamp) -> Place {
        self.before(self.entries.partition_point(|entry| entry.max_timestamp_before < timestamp))
    }

    fn before(&self, after: usize) -> Place {
        let base = self.summary.base;
        match after.checked_sub(1).map(|at| &self.entries[at]) {
            Some(entry) => Place {
                offset: base.advance(i64::from(entry.relative_offset)),
                position: u64::from(entry.position),
            },
            None => Place { offset: base, position: 0 },
        }
    }

    /// The bytes of an index file: the summary, then the entries, each with its own checksum.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut entries = Vec::with_capacity(self.entries.len() * ENTRY_BYTES);
        for entry in &self.entries {
            entries.put_u32(entry.relative_offset);
            entries.put_u32(entry.position);
            entries.put_i64(entry.max_timestamp_before.as_millis());
        }
        let mut bytes = self.summary.encode();
        bytes.extend_from_slice(&checksum::seal(ENTRIES_KIND, &entries));
        bytes
    }

    /// Reads an index file; `None` if it is not whole.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (summary, entries) = bytes.split_at_checked(SUMMARY_BYTES)?;
        let summary = Summary::decode(summary)?;
        let entries = checksum::unseal(ENTRIES_KIND, entries)?;
        let entries: Vec<_> = entries.chunks(ENTRY_BYTES).map(decode_entry).collect::<Option<_>>()?;
        let last = entries.last().map_or(0, |entry| u64::from(entry.position));
        let bytes_since_entry = summary.bytes.checked_sub(last)?;
        Some(Self { summary, entries, bytes_since_entry })
    }

    /// Reads the front of an index file alone; `None` if that is not whole.
    pub(crate) fn decode_summary(bytes: &[u8]) -> Option<Summary> {
        Summary::decode(bytes.get(..SUMMARY_BYTES)?)
    }
}

fn decode_entry(mut bytes: &[u8]) -> Option<Entry> {
    Some(Entry {
        relative_offset: bytes.try_get_u32().ok()?,
        position: bytes.try_get_u32().ok()?,
        max_timestamp_before: Timestamp::from_millis(bytes.try_get_i64().ok()?),
    })
}
