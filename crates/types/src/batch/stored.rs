//! Batches as a log stores them after compaction or a repair: some or all of their records are gone.
//!
//! Invariants: a stored batch keeps the offsets of the batch that was appended: its base offset and its last offset
//! delta. A batch without records is 61 bytes, and there are three kinds of it:
//!
//! | producer id | delete horizon bit | it is |
//! |---|---|---|
//! | none | no | [`empty`]: records that a repair gave up |
//! | none | yes | [`gap`]: batches that compaction removed |
//! | one | no | [`emptied`]: the last batch of a producer, kept for its sequence numbers |

use super::{
    BatchHeader, COMPRESSION_BITS, CRC_COVERS_FROM, Error, HEADER_BYTES, LENGTH_OVERHEAD, TRANSACTIONAL_BIT,
    crc,
};
use crate::{LeaderEpoch, Offset, Timestamp};

/// Says that the base timestamp is the time from which tombstones and markers may be removed (KIP-534).
pub(crate) const DELETE_HORIZON_BIT: i16 = 1 << 6;

impl BatchHeader {
    /// As [`BatchHeader::check`], for bytes that a log stored: a batch may hold fewer records than offsets, or none,
    /// which no producer may send.
    ///
    /// # Errors
    /// As [`BatchHeader::check`].
    pub fn check_stored(bytes: &[u8]) -> Result<Self, Error> {
        let header = Self::check_sum(bytes)?;
        header.check_stored_counts()?;
        header.compression()?;
        Ok(header)
    }

    /// Whether it holds offsets without records.
    pub fn is_empty(&self) -> bool {
        self.record_count == 0 && self.last_offset_delta >= 0 && self.encoded_len() == HEADER_BYTES
    }

    /// Whether it is a [`gap`]: offsets of batches that compaction removed.
    pub fn is_gap(&self) -> bool {
        self.is_empty() && !self.is_idempotent() && self.has_delete_horizon()
    }

    /// The time from which its tombstones, or its marker, may be removed (KIP-534); `None` before compaction has set it.
    pub fn delete_horizon(&self) -> Option<Timestamp> {
        self.has_delete_horizon().then_some(self.base_timestamp)
    }

    fn has_delete_horizon(&self) -> bool {
        self.attributes & DELETE_HORIZON_BIT != 0
    }

    fn check_stored_counts(&self) -> Result<(), Error> {
        let fits = self.record_count > 0
            && self.last_offset_delta >= self.record_count - 1
            && self.has_room_for_records()?;
        if fits || self.is_empty() { Ok(()) } else { Err(self.bad_count()) }
    }
}

/// A batch without records that holds `offsets` offsets from `base` on, at least one, where a repair gave records up.
/// Kafka's log cleaner leaves such batches where compaction removed every record
/// (`DefaultRecordBatch.writeEmptyHeader`), so that clients know how to step over them.
pub fn empty(base: Offset, offsets: i32, leader_epoch: LeaderEpoch) -> [u8; HEADER_BYTES] {
    without_records(base, offsets, leader_epoch, 0)
}

/// As [`empty`], where compaction removed whole batches.
pub fn gap(base: Offset, offsets: i32, leader_epoch: LeaderEpoch) -> [u8; HEADER_BYTES] {
    without_records(base, offsets, leader_epoch, DELETE_HORIZON_BIT)
}

/// The stored batch `batch` without its records, for the sequence numbers of its producer. It is no part of a
/// transaction any more.
///
/// # Errors
/// [`Error`] if there is no header at the front of `batch`.
pub fn emptied(batch: &[u8]) -> Result<Vec<u8>, Error> {
    let header = BatchHeader::parse(batch)?;
    let attributes = header.attributes & !(COMPRESSION_BITS | TRANSACTIONAL_BIT | DELETE_HORIZON_BIT);
    let none = Timestamp::NONE;
    let mut bytes = batch[..HEADER_BYTES].to_vec();
    let header =
        BatchHeader { attributes, base_timestamp: none, max_timestamp: none, record_count: 0, ..header };
    rewrite_header(&mut bytes, &header);
    Ok(bytes)
}

/// Puts into the batch `bytes` those fields of `header` that compaction changes; length and checksum follow from the bytes.
pub(crate) fn rewrite_header(bytes: &mut [u8], header: &BatchHeader) {
    let batch_length =
        i32::try_from(bytes.len() - LENGTH_OVERHEAD).expect("unpacked records stay below their limit");
    bytes[8..12].copy_from_slice(&batch_length.to_be_bytes());
    bytes[21..23].copy_from_slice(&header.attributes.to_be_bytes());
    bytes[27..35].copy_from_slice(&header.base_timestamp.as_millis().to_be_bytes());
    bytes[35..43].copy_from_slice(&header.max_timestamp.as_millis().to_be_bytes());
    bytes[57..61].copy_from_slice(&header.record_count.to_be_bytes());
    let sum = crc(&bytes[CRC_COVERS_FROM..]);
    bytes[17..21].copy_from_slice(&sum.to_be_bytes());
}

fn without_records(
    base: Offset,
    offsets: i32,
    leader_epoch: LeaderEpoch,
    attributes: i16,
) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    let batch_length = i32::try_from(HEADER_BYTES - LENGTH_OVERHEAD).expect("a header is short");
    let none = Timestamp::NONE.as_millis().to_be_bytes();
    bytes[0..8].copy_from_slice(&base.get().to_be_bytes());
    bytes[8..12].copy_from_slice(&batch_length.to_be_bytes());
    bytes[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
    bytes[16] = 2;
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    bytes[23..27].copy_from_slice(&(offsets - 1).max(0).to_be_bytes());
    bytes[27..35].copy_from_slice(&none);
    bytes[35..43].copy_from_slice(&none);
    // No producer: id, epoch and sequence are -1.
    bytes[43..57].fill(0xff);
    let sum = crc(&bytes[CRC_COVERS_FROM..]);
    bytes[17..21].copy_from_slice(&sum.to_be_bytes());
    bytes
}
