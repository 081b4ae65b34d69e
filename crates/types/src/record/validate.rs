//! Walks the records of a batch that a client sent, as Kafka's broker does before it appends (`LogValidator`).
//!
//! Invariants: one pass, no allocation for records: an uncompressed batch is read where it lies, a compressed one
//! through a window, a large value in pieces. What is accepted here, [`super::RecordReader`] reads to the end.
//!
//! Not here: the rules of a topic, such as how far ahead a record may be dated.

use std::io::{BufRead, BufReader, Read};

use super::{Error, MAX_RECORD_HEADERS, SMALLEST_HEADER_BYTES};
use crate::batch::{HEADER_BYTES, RecordBatch};
use crate::compression::{Compression, DecompressError};
use crate::{Timestamp, batch, varint};

/// Bytes unpacked at once.
const WINDOW_BYTES: usize = 32 << 10;

/// What the records of a batch say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSummary {
    /// The greatest timestamp of any of them, whatever the batch's header claims.
    pub max_timestamp: Timestamp,
    /// The first record that has it, from 0.
    pub max_timestamp_index: i32,
    /// Their size, unpacked.
    pub bytes: usize,
    /// The first record without a key, from 0, if there is one.
    pub first_without_key: Option<i32>,
}

/// Checks every record of `batch`: lengths, the order of offsets, that fields stay inside their record, at most
/// [`MAX_RECORD_HEADERS`] headers each, and nothing behind the last one. Compressed records are unpacked as far as
/// `limit_bytes`, in constant memory.
///
/// # Errors
/// [`Error`], which names the first record that is wrong; [`DecompressError::TooLarge`] past the limit.
pub fn validate(batch: &RecordBatch, limit_bytes: usize) -> Result<RecordSummary, Error> {
    let body = &batch.as_bytes()[HEADER_BYTES..];
    match batch.header().compression().map_err(batch::Error::from)? {
        Compression::None => walk(batch, Plain { rest: body, total: body.len() }),
        codec => {
            let stream = BufReader::with_capacity(WINDOW_BYTES, codec.reader(body)?);
            walk(batch, CompressedRecords { codec, stream, at: 0, limit: limit_bytes })
        }
    }
}

/// Bytes of records, read from front to back.
trait Source {
    /// Bytes read so far.
    fn at(&self) -> usize;
    /// The next integer; `None` if there is none.
    fn varint(&mut self) -> Result<Option<i64>, DecompressError>;
    /// Whether there can be bytes up to `end`, as far as that is known without reading them.
    fn may_reach(&self, end: usize) -> bool;
    /// Passes over `count` bytes; false if there are fewer.
    fn skip(&mut self, count: usize) -> Result<bool, DecompressError>;
    fn is_at_end(&mut self) -> Result<bool, DecompressError>;
}

/// Why the walk ended early.
enum Fault {
    Malformed(&'static str),
    Decompress(DecompressError),
}

impl From<&'static str> for Fault {
    fn from(what: &'static str) -> Self {
        Self::Malformed(what)
    }
}

impl From<DecompressError> for Fault {
    fn from(error: DecompressError) -> Self {
        Self::Decompress(error)
    }
}

fn walk(batch: &RecordBatch, mut source: impl Source) -> Result<RecordSummary, Error> {
    let header = batch.header();
    let count = header.record_count;
    let error = |fault, index, at| match fault {
        Fault::Malformed(what) => Error::Malformed { index, count, at, what },
        Fault::Decompress(error) => Error::Decompress(error),
    };
    let (mut greatest_delta, mut max_timestamp_index, mut first_without_key) = (i64::MIN, 0, None);
    for index in 0..count {
        let at = source.at();
        let (delta, has_key) = walk_record(&mut source, index).map_err(|fault| error(fault, index, at))?;
        if !has_key && first_without_key.is_none() {
            first_without_key = Some(index);
        }
        if delta > greatest_delta {
            (greatest_delta, max_timestamp_index) = (delta, index);
        }
    }
    if !source.is_at_end()? {
        return Err(error(Fault::Malformed("there are bytes behind the last record"), count, source.at()));
    }
    let base = header.base_timestamp.as_millis();
    let max_timestamp = match header.is_log_append_time() {
        true => header.max_timestamp,
        false => Timestamp::from_millis(base.wrapping_add(greatest_delta)),
    };
    Ok(RecordSummary { max_timestamp, max_timestamp_index, bytes: source.at(), first_without_key })
}

/// Passes over one record; gives its timestamp's distance from the batch's, and whether it has a key.
#[inline]
fn walk_record(source: &mut impl Source, index: i32) -> Result<(i64, bool), Fault> {
    let length = source.varint()?.ok_or("its length is not a varint")?;
    let length = usize::try_from(length).map_err(|_| "its length is negative")?;
    let end = source.at().checked_add(length).filter(|end| source.may_reach(*end));
    let end = end.ok_or("its length passes the end of the batch")?;
    if length == 0 {
        return Err("it is empty".into());
    }
    if !source.skip(1)? {
        return Err("its length passes the end of the batch".into());
    }
    let timestamp_delta = source.varint()?.ok_or("its timestamp is not a varint")?;
    let offset_delta = source.varint()?.ok_or("its offset is not a varint")?;
    if offset_delta != i64::from(index) {
        return Err("its offset is not the next one".into());
    }
    let has_key = skip_field(source, end)?;
    skip_field(source, end)?;
    let headers = source.varint()?.ok_or("its header count is not a varint")?;
    if headers != 0 {
        skip_headers(source, headers, end)?;
    }
    match source.at() == end {
        true => Ok((timestamp_delta, has_key)),
        false if source.at() > end => Err("a field passes the end of its record".into()),
        false => Err("there are bytes behind its last header".into()),
    }
}

fn skip_headers(source: &mut impl Source, count: i64, end: usize) -> Result<(), Fault> {
    let count = usize::try_from(count).map_err(|_| "its header count is negative")?;
    if count > end.saturating_sub(source.at()) / SMALLEST_HEADER_BYTES {
        return Err("it counts more headers than it has bytes for".into());
    }
    if count > MAX_RECORD_HEADERS {
        return Err("it has more than 10000 headers".into());
    }
    for _ in 0..count {
        if !skip_field(source, end)? {
            return Err("a header has no name".into());
        }
        skip_field(source, end)?;
    }
    Ok(())
}

/// Passes over a length and that many bytes; false if the length says null.
#[inline]
fn skip_field(source: &mut impl Source, end: usize) -> Result<bool, Fault> {
    let length = source.varint()?.ok_or("a length is not a varint")?;
    if length < 0 {
        return Ok(false);
    }
    let length = usize::try_from(length).map_err(|_| "a length is impossible")?;
    if length > end.saturating_sub(source.at()) || !source.skip(length)? {
        return Err("a field passes the end of its record".into());
    }
    Ok(true)
}

/// Records as they lie in the batch.
struct Plain<'a> {
    rest: &'a [u8],
    total: usize,
}

impl Source for Plain<'_> {
    #[inline]
    fn at(&self) -> usize {
        self.total - self.rest.len()
    }

    #[inline]
    fn may_reach(&self, end: usize) -> bool {
        end <= self.total
    }

    #[inline]
    fn varint(&mut self) -> Result<Option<i64>, DecompressError> {
        Ok(varint::read(&mut self.rest))
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Result<bool, DecompressError> {
        match self.rest.split_at_checked(count) {
            Some((_, rest)) => {
                self.rest = rest;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn is_at_end(&mut self) -> Result<bool, DecompressError> {
        Ok(self.rest.is_empty())
    }
}

/// Records behind a codec.
struct CompressedRecords<R> {
    codec: Compression,
    stream: BufReader<R>,
    at: usize,
    limit: usize,
}

impl<R: Read> CompressedRecords<R> {
    /// What is unpacked and not read yet; empty at the end.
    fn ahead(&mut self) -> Result<&[u8], DecompressError> {
        self.stream.fill_buf().map_err(|error| self.codec.corrupt(&error))
    }

    fn pass(&mut self, count: usize) -> Result<(), DecompressError> {
        self.stream.consume(count);
        self.at += count;
        match self.at > self.limit {
            true => Err(DecompressError::TooLarge { codec: self.codec, limit: self.limit }),
            false => Ok(()),
        }
    }
}

impl<R: Read> Source for CompressedRecords<R> {
    fn at(&self) -> usize {
        self.at
    }

    fn may_reach(&self, _end: usize) -> bool {
        true
    }

    fn varint(&mut self) -> Result<Option<i64>, DecompressError> {
        let ahead = self.ahead()?;
        let mut rest = ahead;
        if let Some(value) = varint::read(&mut rest) {
            let read = ahead.len() - rest.len();
            self.pass(read)?;
            return Ok(Some(value));
        }
        // It lies across the edge of the window, or is none.
        let mut bytes = Vec::with_capacity(varint::MAX_BYTES);
        while bytes.len() < varint::MAX_BYTES {
            let Some(byte) = self.ahead()?.first().copied() else { return Ok(None) };
            self.pass(1)?;
            bytes.push(byte);
            if byte < 0x80 {
                break;
            }
        }
        Ok(varint::read(&mut bytes.as_slice()))
    }

    fn skip(&mut self, count: usize) -> Result<bool, DecompressError> {
        let mut left = count;
        while left > 0 {
            let ahead = self.ahead()?.len();
            if ahead == 0 {
                return Ok(false);
            }
            let step = ahead.min(left);
            self.pass(step)?;
            left -= step;
        }
        Ok(true)
    }

    fn is_at_end(&mut self) -> Result<bool, DecompressError> {
        Ok(self.ahead()?.is_empty())
    }
}
