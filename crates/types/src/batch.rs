//! Record batches as they cross the wire and lie on disk (Kafka's format, magic 2).
//!
//! ```text
//!  0        8       12      16   17      21     23         27         35       43        51     53      57      61
//!  ├────────┼───────┼───────┼────┼───────┼──────┼──────────┼──────────┼────────┼─────────┼──────┼───────┼───────┤
//!  base     batch   leader  magic crc    attri- last       base       max      producer  prod.  base    record  records …
//!  offset   length  epoch         32C    butes  offset Δ   timestamp  timestamp id       epoch  seq.    count
//!                                        ╰──────────── covered by the CRC ───────────────────────────────────────▶
//! ```
//!
//! Invariants: a [`RecordBatch`] has passed [`BatchHeader::check`], so its length, magic, counts and CRC agree.
//! The two fields that a broker assigns, base offset and leader epoch, lie before the CRC: assigning them
//! changes no checksum. Records inside stay encoded; [`crate::record`] reads them.

mod recompress;
mod stored;

use bytes::{Bytes, BytesMut};

use crate::compression::{Compression, UnknownCompression};
use crate::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

pub(crate) use stored::{DELETE_HORIZON_BIT, rewrite_header};
pub use stored::{emptied, empty, gap};

/// Bytes before the first record.
pub const HEADER_BYTES: usize = 61;
/// Bytes before the part that `batch length` counts.
pub const LENGTH_OVERHEAD: usize = 12;
/// Where the CRC's coverage begins.
const CRC_COVERS_FROM: usize = 21;
/// The smallest record: length, attributes, two deltas, null key, null value, no headers.
const SMALLEST_RECORD_BYTES: usize = 7;

/// The bits of the attributes that name the codec.
pub(crate) const COMPRESSION_BITS: i16 = 0b111;
const TIMESTAMP_TYPE_BIT: i16 = 1 << 3;
pub(crate) const TRANSACTIONAL_BIT: i16 = 1 << 4;
pub(crate) const CONTROL_BIT: i16 = 1 << 5;
const PRODUCERS_ATTRIBUTES: i16 = COMPRESSION_BITS | TIMESTAMP_TYPE_BIT | TRANSACTIONAL_BIT | CONTROL_BIT;

/// Where and why bytes are not a record batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer bytes than the header, or than its length field promises.
    #[error("record batch needs {needed} bytes, {available} are there")]
    Truncated {
        /// Bytes that a whole batch would have.
        needed: usize,
        /// Bytes present.
        available: usize,
    },
    /// The length field is smaller than a header.
    #[error("record batch length {length} is impossible")]
    BadLength {
        /// The field's value.
        length: i32,
    },
    /// A message format other than 2.
    #[error("record batch has magic {magic}; only 2 is supported")]
    BadMagic {
        /// The magic byte found.
        magic: i8,
    },
    /// The checksum does not fit the bytes.
    #[error("record batch checksum is {computed:#010x}, its header says {stored:#010x}")]
    BadCrc {
        /// What the header says.
        stored: u32,
        /// What the bytes give.
        computed: u32,
    },
    /// Counts in the header contradict each other or the length.
    #[error("record batch counts {records} records with last offset delta {last_offset_delta}")]
    BadCount {
        /// `records count` of the header.
        records: i32,
        /// `last offset delta` of the header.
        last_offset_delta: i32,
    },
    /// The attributes name a codec that does not exist.
    #[error(transparent)]
    Compression(#[from] UnknownCompression),
}

/// The fixed part of a record batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchHeader {
    /// Offset of the first record; a producer sends 0.
    pub base_offset: i64,
    /// The value of the length field: bytes after it.
    pub batch_length: i32,
    /// Epoch of the leader that appended it; -1 from a producer.
    pub leader_epoch: LeaderEpoch,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Compression, timestamp type, transactional and control bits.
    pub attributes: i16,
    /// Offset of the last record less that of the first.
    pub last_offset_delta: i32,
    /// Timestamp of the first record.
    pub base_timestamp: Timestamp,
    /// Greatest timestamp of any record.
    pub max_timestamp: Timestamp,
    /// The idempotent producer, or -1.
    pub producer_id: ProducerId,
    /// Its epoch, or -1.
    pub producer_epoch: ProducerEpoch,
    /// Sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// How many records follow.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header alone: lengths and magic are checked, the checksum is not.
    ///
    /// # Errors
    /// [`Error::Truncated`] if `bytes` ends before the header does, [`Error::BadLength`], [`Error::BadMagic`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(Error::Truncated { needed: HEADER_BYTES, available: bytes.len() });
        };
        let header = Self {
            base_offset: i64::from_be_bytes(field(head, 0)),
            batch_length: i32::from_be_bytes(field(head, 8)),
            leader_epoch: i32::from_be_bytes(field(head, 12)),
            crc: u32::from_be_bytes(field(head, 17)),
            attributes: i16::from_be_bytes(field(head, 21)),
            last_offset_delta: i32::from_be_bytes(field(head, 23)),
            base_timestamp: Timestamp::from_millis(i64::from_be_bytes(field(head, 27))),
            max_timestamp: Timestamp::from_millis(i64::from_be_bytes(field(head, 35))),
            producer_id: i64::from_be_bytes(field(head, 43)),
            producer_epoch: i16::from_be_bytes(field(head, 51)),
            base_sequence: i32::from_be_bytes(field(head, 53)),
            record_count: i32::from_be_bytes(field(head, 57)),
        };
        let magic = i8::from_be_bytes([head[16]]);
        if magic != 2 {
            return Err(Error::BadMagic { magic });
        }
        if usize::try_from(header.batch_length).map_or(true, |n| n < HEADER_BYTES - LENGTH_OVERHEAD) {
            return Err(Error::BadLength { length: header.batch_length });
        }
        Ok(header)
    }

    /// Reads and verifies the batch at the front of `bytes`: length, magic, counts, codec, CRC.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Truncated`] when more bytes might make it whole.
    pub fn check(bytes: &[u8]) -> Result<Self, Error> {
        let header = Self::check_sum(bytes)?;
        header.check_counts()?;
        header.compression()?;
        Ok(header)
    }

    /// Verifies length, magic and CRC.
    fn check_sum(bytes: &[u8]) -> Result<Self, Error> {
        let header = Self::parse(bytes)?;
        let Some(whole) = bytes.get(..header.encoded_len()) else {
            return Err(Error::Truncated { needed: header.encoded_len(), available: bytes.len() });
        };
        let computed = crc(&whole[CRC_COVERS_FROM..]);
        if computed != header.crc {
            return Err(Error::BadCrc { stored: header.crc, computed });
        }
        Ok(header)
    }

    /// Bytes of the whole batch, header included.
    pub fn encoded_len(&self) -> usize {
        usize::try_from(self.batch_length).map_or(0, |n| n + LENGTH_OVERHEAD)
    }

    /// Offset of the last record, for a batch that a log has placed.
    pub fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    /// The codec of the records.
    ///
    /// # Errors
    /// [`UnknownCompression`] if the attributes name none that exists.
    pub fn compression(&self) -> Result<Compression, UnknownCompression> {
        Compression::from_attributes(self.attributes)
    }

    /// Whether record times were set by the broker on append.
    pub fn is_log_append_time(&self) -> bool {
        self.attributes & TIMESTAMP_TYPE_BIT != 0
    }

    /// The attributes beyond those that producers have (codec, times, transaction, control): when what a compaction has
    /// kept is to go, and bits without a meaning.
    pub fn brokers_attributes(&self) -> i16 {
        self.attributes & !PRODUCERS_ATTRIBUTES
    }

    /// Whether the batch belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// Whether the batch holds a transaction marker rather than data.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    /// Whether an idempotent producer wrote it.
    pub fn is_idempotent(&self) -> bool {
        self.producer_id >= 0
    }

    fn check_counts(&self) -> Result<(), Error> {
        let dense = self.record_count > 0 && self.last_offset_delta == self.record_count - 1;
        if dense && self.has_room_for_records()? { Ok(()) } else { Err(self.bad_count()) }
    }

    /// Whether its body may hold as many records as it counts.
    fn has_room_for_records(&self) -> Result<bool, UnknownCompression> {
        let body = self.encoded_len() - HEADER_BYTES;
        Ok(match self.compression()? {
            Compression::None => self.record_count as usize <= body / SMALLEST_RECORD_BYTES,
            _ => body > 0,
        })
    }

    fn bad_count(&self) -> Error {
        Error::BadCount { records: self.record_count, last_offset_delta: self.last_offset_delta }
    }
}

/// One verified record batch, owned and not yet shared, so that a log may place it without a copy.
#[derive(Debug)]
pub struct RecordBatch {
    header: BatchHeader,
    bytes: BytesMut,
}

impl RecordBatch {
    /// Verifies that `bytes` is exactly one batch and takes it.
    ///
    /// # Errors
    /// Any [`Error`]; bytes behind the batch are [`Error::BadLength`].
    pub fn new(bytes: BytesMut) -> Result<Self, Error> {
        let header = BatchHeader::check(&bytes)?;
        if header.encoded_len() != bytes.len() {
            return Err(Error::BadLength { length: header.batch_length });
        }
        Ok(Self { header, bytes })
    }

    /// Takes a batch that was built in this process, all but its checksum, which is computed here.
    ///
    /// # Panics
    /// If the header is none of a batch of this length.
    pub(crate) fn built(bytes: BytesMut) -> Self {
        let header = BatchHeader::parse(&bytes).expect("the header of a batch built here");
        assert_eq!(header.encoded_len(), bytes.len(), "a batch built here has the length that it says");
        debug_assert!(header.check_counts().is_ok(), "a batch built here counts its records");
        let mut batch = Self { header, bytes };
        batch.seal();
        batch
    }

    /// Computes the checksum, after a change of what it covers.
    fn seal(&mut self) {
        self.header.crc = crc(&self.bytes[CRC_COVERS_FROM..]);
        self.bytes[17..21].copy_from_slice(&self.header.crc.to_be_bytes());
    }

    /// The header, with what [`RecordBatch::place`] assigned.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The encoded batch.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of the encoded batch.
    pub fn encoded_len(&self) -> usize {
        self.bytes.len()
    }

    /// Assigns the batch its place: the only two fields that a log may write.
    pub fn place(&mut self, base_offset: Offset, leader_epoch: LeaderEpoch) {
        self.header.base_offset = base_offset.get();
        self.header.leader_epoch = leader_epoch;
        self.bytes[0..8].copy_from_slice(&base_offset.get().to_be_bytes());
        self.bytes[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
    }

    /// Sets every record's time to `now` (`message.timestamp.type=LogAppendTime`); the CRC is recomputed.
    pub fn stamp(&mut self, now: Timestamp) {
        self.header.attributes |= TIMESTAMP_TYPE_BIT;
        self.header.max_timestamp = now;
        self.bytes[21..23].copy_from_slice(&self.header.attributes.to_be_bytes());
        self.bytes[35..43].copy_from_slice(&now.as_millis().to_be_bytes());
        self.seal();
    }

    /// Sets the header's greatest timestamp to what the records say; the CRC is recomputed. Kafka's broker does the
    /// same, because searches by time trust the header.
    pub fn correct_max_timestamp(&mut self, max_timestamp: Timestamp) {
        self.header.max_timestamp = max_timestamp;
        self.bytes[35..43].copy_from_slice(&max_timestamp.as_millis().to_be_bytes());
        self.seal();
    }

    /// Gives up ownership, so that readers may share the bytes.
    pub fn freeze(self) -> Bytes {
        self.bytes.freeze()
    }
}

/// Walks the batches that lie end to end in `bytes`, headers only, stopping before a cut-off last one.
pub fn headers(bytes: &[u8]) -> impl Iterator<Item = Result<(usize, BatchHeader), Error>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &bytes[at..];
        let header = match BatchHeader::parse(rest) {
            Ok(header) if header.encoded_len() <= rest.len() => header,
            Ok(_) | Err(Error::Truncated { .. }) => return None,
            Err(error) => {
                at = bytes.len();
                return Some(Err(error));
            }
        };
        let found = (at, header);
        at += header.encoded_len();
        Some(Ok(found))
    })
}

/// CRC-32C (Castagnoli), as RFC 3720 and the batch format use it.
pub fn crc(bytes: &[u8]) -> u32 {
    let wide = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes);
    u32::try_from(wide).expect("a 32-bit checksum fits 32 bits")
}

fn field<const N: usize>(head: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    head[at..at + N].try_into().expect("the header is longer than each of its fields")
}
