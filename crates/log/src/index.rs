//! The sparse index of a segment: about every so many bytes, which offset lies where and how late the
//! timestamps before it are; the aborted transactions that end in it; and a summary of the segment as a whole.
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
use crate::transactions::AbortedTransaction;

const SUMMARY_KIND: Kind = *b"FCTIDXS1";
/// A summary of a segment that is damaged.
const DAMAGED_KIND: Kind = *b"FCTIDXS2";
/// A summary of a segment in which aborted transactions end, and of such a one that is damaged.
const ABORTED_KIND: Kind = *b"FCTIDXS3";
const ABORTED_DAMAGED_KIND: Kind = *b"FCTIDXS4";
const ENTRIES_KIND: Kind = *b"FCTIDXE1";
const ENTRY_BYTES: usize = 16;
const ABORTED_LIST_KIND: Kind = *b"FCTIDXA1";
const ABORTED_BYTES: usize = 32;
/// Bytes of a summary at the front of an index file, without and with aborted transactions.
const PLAIN_SUMMARY_BYTES: usize = 5 * 8 + checksum::OVERHEAD;
const ABORTED_SUMMARY_BYTES: usize = PLAIN_SUMMARY_BYTES + 12;
/// The most bytes that a summary takes.
pub(crate) const SUMMARY_BYTES: usize = ABORTED_SUMMARY_BYTES;

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
    /// The aborted transactions that end in it, if there are any.
    pub(crate) aborted: Option<AbortedSummary>,
}

/// The aborted transactions that end in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AbortedSummary {
    /// The first record of them all; it may lie in an earlier segment.
    pub(crate) first: Offset,
    pub(crate) count: u32,
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

    /// Reads the summary at the front of `bytes`; returns it with its length.
    fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let kind = *bytes.first_chunk::<8>()?;
        let (length, is_damaged) = match kind {
            SUMMARY_KIND => (PLAIN_SUMMARY_BYTES, false),
            DAMAGED_KIND => (PLAIN_SUMMARY_BYTES, true),
            ABORTED_KIND => (ABORTED_SUMMARY_BYTES, false),
            ABORTED_DAMAGED_KIND => (ABORTED_SUMMARY_BYTES, true),
            _ => return None,
        };
        let mut payload = checksum::unseal(kind, bytes.get(..length)?)?;
        let mut summary = Self {
            base: get_offset(&mut payload)?,
            next: get_offset(&mut payload)?,
            bytes: payload.try_get_u64().ok()?,
            max_timestamp: Timestamp::from_millis(payload.try_get_i64().ok()?),
            appended_at: Timestamp::from_millis(payload.try_get_i64().ok()?),
            is_damaged,
            aborted: None,
        };
        if length == ABORTED_SUMMARY_BYTES {
            let (first, count) = (get_offset(&mut payload)?, payload.try_get_u32().ok()?);
            summary.aborted = Some(AbortedSummary { first, count });
        }
        Some((summary, length))
    }

    fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(SUMMARY_BYTES);
        payload.put_i64(self.base.get());
        payload.put_i64(self.next.get());
        payload.put_u64(self.bytes);
        payload.put_i64(self.max_timestamp.as_millis());
        payload.put_i64(self.appended_at.as_millis());
        if let Some(aborted) = &self.aborted {
            payload.put_i64(aborted.first.get());
            payload.put_u32(aborted.count);
        }
        let kind = match (self.aborted.is_some(), self.is_damaged) {
            (false, false) => SUMMARY_KIND,
            (false, true) => DAMAGED_KIND,
            (true, false) => ABORTED_KIND,
            (true, true) => ABORTED_DAMAGED_KIND,
        };
        checksum::seal(kind, &payload)
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
    /// By their markers.
    aborted: Vec<AbortedTransaction>,
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
            aborted: None,
        };
        Self { summary, entries: Vec::new(), bytes_since_entry: 0, aborted: Vec::new() }
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
        // A marker is no record: no search by time finds it, and it keeps no record longer.
        if !header.is_control() {
            self.summary.max_timestamp = self.summary.max_timestamp.max(header.max_timestamp);
        }
        self.summary.appended_at = appended_at;
    }

    /// Takes note of what the batch added last ended, if it was an aborted transaction.
    pub(crate) fn add_aborted(&mut self, aborted: Option<AbortedTransaction>) {
        let Some(aborted) = aborted else { return };
        let known = self.summary.aborted.unwrap_or(AbortedSummary { first: aborted.first, count: 0 });
        let first = known.first.min(aborted.first);
        self.summary.aborted = Some(AbortedSummary { first, count: known.count + 1 });
        self.aborted.push(aborted);
    }

    /// The aborted transactions that end in the segment, by their markers.
    pub(crate) fn aborted(&self) -> &[AbortedTransaction] {
        &self.aborted
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

    /// The bytes of an index file: the summary, the aborted transactions if there are any, then the entries, each with
    /// its own checksum.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut entries = Vec::with_capacity(self.entries.len() * ENTRY_BYTES);
        for entry in &self.entries {
            entries.put_u32(entry.relative_offset);
            entries.put_u32(entry.position);
            entries.put_i64(entry.max_timestamp_before.as_millis());
        }
        let mut bytes = self.summary.encode();
        if !self.aborted.is_empty() {
            bytes.extend_from_slice(&checksum::seal(ABORTED_LIST_KIND, &self.encode_aborted()));
        }
        bytes.extend_from_slice(&checksum::seal(ENTRIES_KIND, &entries));
        bytes
    }

    fn encode_aborted(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.aborted.len() * ABORTED_BYTES);
        for aborted in &self.aborted {
            payload.put_i64(aborted.producer_id);
            payload.put_i64(aborted.first.get());
            payload.put_i64(aborted.last.get());
            payload.put_i64(aborted.stable.get());
        }
        payload
    }

    /// Reads an index file; `None` if it is not whole.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (summary, length) = Summary::decode(bytes)?;
        let rest = &bytes[length..];
        let aborted = summary.aborted.map_or(0, |aborted| aborted.count as usize);
        let length = if aborted == 0 { 0 } else { aborted.checked_mul(ABORTED_BYTES)? + checksum::OVERHEAD };
        let (list, entries) = rest.split_at_checked(length)?;
        let aborted = if aborted == 0 { &[][..] } else { checksum::unseal(ABORTED_LIST_KIND, list)? };
        let aborted = aborted.chunks(ABORTED_BYTES).map(decode_aborted).collect::<Option<_>>()?;
        let entries = checksum::unseal(ENTRIES_KIND, entries)?;
        let entries: Vec<_> = entries.chunks(ENTRY_BYTES).map(decode_entry).collect::<Option<_>>()?;
        let last = entries.last().map_or(0, |entry| u64::from(entry.position));
        let bytes_since_entry = summary.bytes.checked_sub(last)?;
        Some(Self { summary, entries, bytes_since_entry, aborted })
    }

    /// Reads the front of an index file alone; `None` if that is not whole.
    pub(crate) fn decode_summary(bytes: &[u8]) -> Option<Summary> {
        Summary::decode(bytes).map(|(summary, _)| summary)
    }
}

fn decode_aborted(mut bytes: &[u8]) -> Option<AbortedTransaction> {
    Some(AbortedTransaction {
        producer_id: bytes.try_get_i64().ok()?,
        first: get_offset(&mut bytes)?,
        last: get_offset(&mut bytes)?,
        stable: get_offset(&mut bytes)?,
    })
}

fn decode_entry(mut bytes: &[u8]) -> Option<Entry> {
    Some(Entry {
        relative_offset: bytes.try_get_u32().ok()?,
        position: bytes.try_get_u32().ok()?,
        max_timestamp_before: Timestamp::from_millis(bytes.try_get_i64().ok()?),
    })
}
