//! Reads the records of one batch one after the other, so that a batch which unpacks to much is never held whole.
//!
//! Invariants: what is in memory is one record and 64 KiB beyond it, whatever the batch unpacks to; a batch that is
//! wrong from some record on gives every record before it.
//!
//! Not here: going back. To continue inside a compressed batch is to unpack it from its beginning again.

use std::io::Read;
use std::ops::RangeInclusive;

use bytes::{Buf, Bytes, BytesMut};

use super::{Error, Header, MAX_UNPACKED_BYTES, Record, SMALLEST_HEADER_BYTES};
use crate::batch::{self, BatchHeader, HEADER_BYTES};
use crate::compression::{Compression, DecompressError};
use crate::{Offset, Timestamp, varint};

/// Bytes unpacked at once, unless one record is larger.
const PIECE_BYTES: usize = 64 << 10;

/// The records of one batch, in order.
///
/// Record times are the batch's own where it was stamped on append. A control batch gives no records. Header names
/// that are not UTF-8 are read as Kafka's Java client does, with replacement characters.
pub struct RecordReader {
    header: BatchHeader,
    source: Source,
    /// The next record, from 0.
    index: i32,
    /// The least that its distance from the base offset may be.
    least_delta: i64,
    /// Where it begins, in bytes from the first, decompressed.
    at: usize,
}

/// Bytes of records that were not read yet.
enum Source {
    Plain(Bytes),
    Packed(Unpacker),
}

impl RecordReader {
    /// A reader over exactly one batch, already checked ([`BatchHeader::check`]) where it entered. A compressed batch is
    /// read as far as [`MAX_UNPACKED_BYTES`].
    ///
    /// # Errors
    /// [`Error::Batch`] if the header does not fit the bytes, [`Error::Decompress`] if the codec cannot begin.
    pub fn new(batch: &Bytes) -> Result<Self, Error> {
        Self::with_limit(batch, MAX_UNPACKED_BYTES)
    }

    pub(super) fn with_limit(batch: &Bytes, limit: usize) -> Result<Self, Error> {
        let header = BatchHeader::parse(batch)?;
        if header.encoded_len() != batch.len() {
            let (needed, available) = (header.encoded_len(), batch.len());
            return Err(batch::Error::Truncated { needed, available }.into());
        }
        let body = batch.slice(HEADER_BYTES..);
        let source = match header.compression().map_err(batch::Error::from)? {
            Compression::None => Source::Plain(body),
            codec => Source::Packed(Unpacker::new(codec, body, limit)?),
        };
        Ok(Self { header, source, index: 0, least_delta: 0, at: 0 })
    }

    /// The next record; `None` behind the last.
    ///
    /// # Errors
    /// [`Error`] at the first record that is none, or if there are bytes behind the last. Nothing can be read behind an
    /// error: the reader must not be asked again.
    pub fn next_record(&mut self) -> Result<Option<Record>, Error> {
        if self.header.is_control() {
            return Ok(None);
        }
        self.next_of_any_batch()
    }

    /// The record of a control batch.
    pub(super) fn control_record(&mut self) -> Result<Option<Record>, Error> {
        if self.header.is_control() { self.next_of_any_batch() } else { Ok(None) }
    }

    fn next_of_any_batch(&mut self) -> Result<Option<Record>, Error> {
        if self.index >= self.header.record_count {
            return match self.source.is_at_end()? {
                true => Ok(None),
                false => Err(self.malformed("there are bytes behind the last record")),
            };
        }
        let begin = self.source.position();
        let fields = self.source.take_record()?.map_err(|what| self.malformed(what))?;
        let deltas = delta_range(&self.header, self.index, self.least_delta);
        let record = decode_fields(&self.header, deltas, &fields).map_err(|what| self.malformed(what))?;
        self.least_delta = record.offset.get() - self.header.base_offset + 1;
        self.at += self.source.position() - begin;
        self.index += 1;
        Ok(Some(record))
    }

    fn malformed(&self, what: &'static str) -> Error {
        Error::Malformed { index: self.index, count: self.header.record_count, at: self.at, what }
    }
}

impl Source {
    /// Bytes read so far, counted from any fixed place.
    fn position(&self) -> usize {
        match self {
            Self::Plain(rest) => usize::MAX - rest.len(),
            Self::Packed(unpacker) => unpacker.read,
        }
    }

    fn is_at_end(&mut self) -> Result<bool, DecompressError> {
        match self {
            Self::Plain(rest) => Ok(rest.is_empty()),
            Self::Packed(unpacker) => Ok(unpacker.fill(1)? == 0),
        }
    }

    /// The next record without its length, or what is wrong with the length.
    fn take_record(&mut self) -> Result<Result<Bytes, &'static str>, DecompressError> {
        let ahead: &[u8] = match self {
            Self::Plain(rest) => rest,
            Self::Packed(unpacker) => {
                unpacker.fill(varint::MAX_BYTES)?;
                &unpacker.buffer
            }
        };
        let mut rest = ahead;
        let Some(length) = varint::read(&mut rest) else { return Ok(Err("its length is not a varint")) };
        let Ok(length) = usize::try_from(length) else { return Ok(Err("its length is negative")) };
        let prefix = ahead.len() - rest.len();
        let whole = prefix.saturating_add(length);
        let available = match self {
            Self::Plain(rest) => rest.len(),
            Self::Packed(unpacker) => unpacker.fill(whole)?,
        };
        if available < whole {
            return Ok(Err("its length passes the end of the batch"));
        }
        Ok(Ok(match self {
            Self::Plain(rest) => rest.split_to(whole).slice(prefix..),
            Self::Packed(unpacker) => unpacker.take(whole).slice(prefix..),
        }))
    }
}

/// Decompressed bytes, as far as they are needed.
struct Unpacker {
    codec: Compression,
    stream: Box<dyn Read + Send>,
    /// Unpacked and not read yet.
    buffer: BytesMut,
    /// Bytes read so far.
    read: usize,
    limit: usize,
}

impl Unpacker {
    fn new(codec: Compression, packed: Bytes, limit: usize) -> Result<Self, DecompressError> {
        let stream = codec.reader(packed.reader())?;
        Ok(Self { codec, stream, buffer: BytesMut::new(), read: 0, limit })
    }

    /// Has `wanted` bytes in the buffer, or all that there are; gives how many it has.
    fn fill(&mut self, wanted: usize) -> Result<usize, DecompressError> {
        while self.buffer.len() < wanted {
            if self.read + self.buffer.len() > self.limit {
                return Err(DecompressError::TooLarge { codec: self.codec, limit: self.limit });
            }
            // Grows as the bytes come: a record may claim any length.
            let more = (wanted - self.buffer.len()).clamp(PIECE_BYTES, PIECE_BYTES.max(self.buffer.len()));
            let old = self.buffer.len();
            self.buffer.resize(old + more, 0);
            let came = read_some(&mut *self.stream, &mut self.buffer[old..]);
            self.buffer.truncate(old + *came.as_ref().unwrap_or(&0));
            if came.map_err(|error| self.codec.corrupt(&error))? == 0 {
                break;
            }
        }
        if self.read + self.buffer.len().min(wanted) > self.limit {
            return Err(DecompressError::TooLarge { codec: self.codec, limit: self.limit });
        }
        Ok(self.buffer.len())
    }

    fn take(&mut self, count: usize) -> Bytes {
        self.read += count;
        self.buffer.split_to(count).freeze()
    }
}

/// Fills `out` as far as the stream goes; fewer bytes than asked for mean its end.
fn read_some(stream: &mut (dyn Read + Send), out: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match stream.read(&mut out[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// The distances from the base offset that record `index` may have: rising from record to record, with room for those
/// behind it. As a producer sends it, a batch leaves no choice; compaction leaves gaps.
pub(super) fn delta_range(header: &BatchHeader, index: i32, least: i64) -> RangeInclusive<i64> {
    let behind = i64::from(header.record_count) - 1 - i64::from(index);
    least..=i64::from(header.last_offset_delta) - behind
}

fn decode_fields(
    header: &BatchHeader,
    deltas: RangeInclusive<i64>,
    record: &Bytes,
) -> Result<Record, &'static str> {
    let (_attributes, mut fields) = record.split_first().ok_or("it is empty")?;
    let timestamp_delta = varint::read(&mut fields).ok_or("its timestamp is not a varint")?;
    let offset_delta = varint::read(&mut fields).ok_or("its offset is not a varint")?;
    if !deltas.contains(&offset_delta) {
        return Err("its offset is not the next one");
    }
    let key = decode_bytes(record, &mut fields)?;
    let value = decode_bytes(record, &mut fields)?;
    let headers = decode_headers(record, &mut fields)?;
    if !fields.is_empty() {
        return Err("there are bytes behind its last header");
    }
    let offset = header.base_offset.checked_add(offset_delta).filter(|offset| *offset >= 0);
    let timestamp = match header.is_log_append_time() {
        true => header.max_timestamp,
        false => Timestamp::from_millis(header.base_timestamp.as_millis().wrapping_add(timestamp_delta)),
    };
    let offset = Offset::new(offset.ok_or("its offset is impossible")?);
    Ok(Record { offset, timestamp, key, value, headers })
}

fn decode_headers(record: &Bytes, fields: &mut &[u8]) -> Result<Vec<Header>, &'static str> {
    let count = varint::read(fields).ok_or("its header count is not a varint")?;
    let count = usize::try_from(count).map_err(|_| "its header count is negative")?;
    if count > fields.len() / SMALLEST_HEADER_BYTES {
        return Err("it counts more headers than it has bytes for");
    }
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        let key = decode_bytes(record, fields)?.ok_or("a header has no name")?;
        let value = decode_bytes(record, fields)?;
        headers.push(Header { key: String::from_utf8_lossy(&key).into_owned(), value });
    }
    Ok(headers)
}

/// A length and that many bytes; a negative length is null.
fn decode_bytes(record: &Bytes, fields: &mut &[u8]) -> Result<Option<Bytes>, &'static str> {
    let length = varint::read(fields).ok_or("a length is not a varint")?;
    if length < 0 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| "a length is impossible")?;
    let (bytes, tail) = fields.split_at_checked(length).ok_or("a field passes the end of its record")?;
    *fields = tail;
    // An empty slice may point anywhere: `slice_ref` would keep the whole batch alive for nothing.
    Ok(Some(if bytes.is_empty() { Bytes::new() } else { record.slice_ref(bytes) }))
}
