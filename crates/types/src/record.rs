//! Records: what a batch holds once it is opened.
//!
//! ```text
//!  length │ attributes │ timestamp Δ │ offset Δ │ key length │ key │ value length │ value │ headers │ (key, value) …
//!  varint │ 1 byte, 0  │ varint      │ varint   │ varint     │     │ varint       │       │ varint  │
//! ```
//!
//! Invariants: a decoded record's key, value and header values are slices of the batch (or of a decompressed buffer),
//! not copies; no allocation is larger than what the bytes present can justify; what [`validate`] takes,
//! [`RecordReader`] reads.

mod builder;
mod marker;
mod reader;
mod stored;
mod times;
mod validate;

use bytes::Bytes;

use crate::batch;
use crate::compression::DecompressError;
use crate::{Offset, Timestamp};

pub use builder::BatchBuilder;
pub use marker::{TransactionMarker, TransactionOutcome, TransactionRange};
pub use reader::RecordReader;
pub use stored::{StoredRecord, StoredRecords};
pub use times::{RecordTimes, times};
pub use validate::{RecordSummary, validate};

/// The most bytes of records that one compressed batch may unpack to: the format has no bound of its own.
pub const MAX_UNPACKED_BYTES: usize = 128 << 20;
/// The most headers that one record may have when it is produced: each costs a reader many times its two bytes.
pub const MAX_RECORD_HEADERS: usize = 10_000;

/// The smallest header: an empty key and a null value.
const SMALLEST_HEADER_BYTES: usize = 2;

/// A named value beside a record's key and value. Names may repeat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Option<Bytes>,
}

impl Header {
    /// A header with a value.
    pub fn new(key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self { key: key.into(), value: Some(value.into()) }
    }
}

/// A record that has a place in a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its place.
    pub offset: Offset,
    /// When it was created, or appended where the topic says so.
    pub timestamp: Timestamp,
    /// The key.
    pub key: Option<Bytes>,
    /// The value; absent in a tombstone.
    pub value: Option<Bytes>,
    /// The headers, in order.
    pub headers: Vec<Header>,
}

/// Why a batch could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The batch's own header is wrong.
    #[error(transparent)]
    Batch(#[from] batch::Error),
    /// The records could not be decompressed.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    /// A record's bytes are not a record.
    #[error("record {index} of {count} at byte {at}: {what}")]
    Malformed {
        /// Which record, from 0.
        index: i32,
        /// How many the batch counts.
        count: i32,
        /// Where it begins, in bytes from the first record, decompressed.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl Record {
    /// About the bytes of memory that the record takes, its headers' own included.
    pub fn size_in_memory(&self) -> usize {
        let of = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        let header = |header: &Header| size_of::<Header>() + header.key.len() + of(&header.value);
        let headers: usize = self.headers.iter().map(header).sum();
        size_of::<Self>() + of(&self.key) + of(&self.value) + headers
    }

    /// The same in memory of its own: one that was read is a slice of its batch, and holds all of it.
    pub fn unshared(self) -> Self {
        let copy = |bytes: Option<Bytes>| bytes.map(|bytes| Bytes::copy_from_slice(&bytes));
        let header = |header: Header| Header { key: header.key, value: copy(header.value) };
        let headers = self.headers.into_iter().map(header).collect();
        Self { key: copy(self.key), value: copy(self.value), headers, ..self }
    }
}

/// Opens one batch: exactly one, already checked ([`batch::BatchHeader::check`]) where it entered.
///
/// Compressed records are expanded to at most `limit_bytes`; uncompressed ones are slices of `batch` and need no
/// limit. Otherwise as [`RecordReader`].
///
/// # Errors
/// [`Error`]; nothing is returned of a batch that is wrong anywhere.
pub fn decode(batch: &Bytes, limit_bytes: usize) -> Result<Vec<Record>, Error> {
    let mut reader = RecordReader::with_limit(batch, limit_bytes)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    Ok(records)
}
