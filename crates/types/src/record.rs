//! Records: what a batch holds once it is opened.
//!
//! ```text
//!  length │ attributes │ timestamp Δ │ offset Δ │ key length │ key │ value length │ value │ headers │ (key, value) …
//!  varint │ 1 byte, 0  │ varint      │ varint   │ varint     │     │ varint       │       │ varint  │
//! ```
//!
//! Always holds: a decoded record's key, value and header values are slices of the batch (or of its one
//! decompressed buffer), not copies; no allocation is larger than what the bytes present can justify.

mod builder;
mod times;

use bytes::Bytes;

use crate::batch::{self, BatchHeader, HEADER_BYTES};
use crate::compression::{Compression, DecompressError};
use crate::{Offset, Timestamp, varint};

pub use builder::BatchBuilder;
pub use times::{RecordTimes, times};

/// The smallest record: length, attributes, two deltas, null key, null value, no headers.
const SMALLEST_RECORD_BYTES: usize = 7;
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

/// Opens one batch: exactly one, already checked ([`BatchHeader::check`]) where it entered.
///
/// Compressed records are expanded to at most `limit_bytes`; uncompressed ones are slices of `batch` and need no
/// limit. Record times are the batch's own where it was stamped on append. A control batch gives no records.
/// Header names that are not UTF-8 are read as Kafka's Java client does, with replacement characters.
///
/// # Errors
/// [`Error`]; nothing is returned of a batch that is wrong anywhere.
pub fn decode(batch: &Bytes, limit_bytes: usize) -> Result<Vec<Record>, Error> {
    let header = BatchHeader::parse(batch)?;
    if header.encoded_len() != batch.len() {
        return Err(batch::Error::Truncated { needed: header.encoded_len(), available: batch.len() }.into());
    }
    if header.is_control() {
        return Ok(Vec::new());
    }
    let body = batch.slice(HEADER_BYTES..);
    let body = match header.compression().map_err(batch::Error::from)? {
        Compression::None => body,
        codec => Bytes::from(codec.decompress(&body, limit_bytes)?),
    };
    decode_records(&header, &body)
}

fn decode_records(header: &BatchHeader, body: &Bytes) -> Result<Vec<Record>, Error> {
    let count = usize::try_from(header.record_count).unwrap_or(0);
    let mut records = Vec::with_capacity(count.min(body.len() / SMALLEST_RECORD_BYTES));
    let mut rest: &[u8] = body;
    for index in 0..header.record_count {
        let at = body.len() - rest.len();
        let record = decode_record(header, index, body, &mut rest);
        records.push(record.map_err(|what| Error::Malformed {
            index,
            count: header.record_count,
            at,
            what,
        })?);
    }
    if !rest.is_empty() {
        let at = body.len() - rest.len();
        let (index, count) = (header.record_count, header.record_count);
        return Err(Error::Malformed { index, count, at, what: "there are bytes behind the last record" });
    }
    Ok(records)
}

fn decode_record(
    header: &BatchHeader,
    index: i32,
    body: &Bytes,
    rest: &mut &[u8],
) -> Result<Record, &'static str> {
    let length = varint::read(rest).ok_or("its length is not a varint")?;
    let length = usize::try_from(length).map_err(|_| "its length is negative")?;
    let (mut fields, tail) = rest.split_at_checked(length).ok_or("its length passes the end of the batch")?;
    let (_attributes, after) = fields.split_first().ok_or("it is empty")?;
    fields = after;
    let timestamp_delta = varint::read(&mut fields).ok_or("its timestamp is not a varint")?;
    let offset_delta = varint::read(&mut fields).ok_or("its offset is not a varint")?;
    if offset_delta != i64::from(index) {
        return Err("its offset is not the next one");
    }
    let key = decode_bytes(body, &mut fields)?;
    let value = decode_bytes(body, &mut fields)?;
    let headers = decode_headers(body, &mut fields)?;
    if !fields.is_empty() {
        return Err("there are bytes behind its last header");
    }
    *rest = tail;
    let offset = header.base_offset.checked_add(offset_delta).filter(|offset| *offset >= 0);
    let timestamp = match header.is_log_append_time() {
        true => header.max_timestamp,
        false => Timestamp::from_millis(header.base_timestamp.as_millis().wrapping_add(timestamp_delta)),
    };
    Ok(Record {
        offset: Offset::new(offset.ok_or("its offset is impossible")?),
        timestamp,
        key,
        value,
        headers,
    })
}

fn decode_headers(body: &Bytes, fields: &mut &[u8]) -> Result<Vec<Header>, &'static str> {
    let count = varint::read(fields).ok_or("its header count is not a varint")?;
    let count = usize::try_from(count).map_err(|_| "its header count is negative")?;
    if count > fields.len() / SMALLEST_HEADER_BYTES {
        return Err("it counts more headers than it has bytes for");
    }
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        let key = decode_bytes(body, fields)?.ok_or("a header has no name")?;
        let value = decode_bytes(body, fields)?;
        headers.push(Header { key: String::from_utf8_lossy(&key).into_owned(), value });
    }
    Ok(headers)
}

/// A length and that many bytes; a negative length is null.
fn decode_bytes(body: &Bytes, fields: &mut &[u8]) -> Result<Option<Bytes>, &'static str> {
    let length = varint::read(fields).ok_or("a length is not a varint")?;
    if length < 0 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| "a length is impossible")?;
    let (bytes, tail) = fields.split_at_checked(length).ok_or("a field passes the end of its record")?;
    *fields = tail;
    // An empty slice may point anywhere: `slice_ref` would keep the whole batch alive for nothing.
    Ok(Some(if bytes.is_empty() { Bytes::new() } else { body.slice_ref(bytes) }))
}
