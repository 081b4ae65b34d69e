//! Builds one record batch.

use bytes::{BufMut, BytesMut};

use super::Header;
use crate::batch::{CONTROL_BIT, HEADER_BYTES, LENGTH_OVERHEAD, RecordBatch, TRANSACTIONAL_BIT};
use crate::{Compression, ProducerEpoch, ProducerId, Timestamp, varint};

const MAGIC: i8 = 2;

/// Collects records and encodes them as one batch, at base offset 0 and with no leader epoch: a log assigns both.
///
/// Records are encoded as they are pushed, so that [`BatchBuilder::encoded_len`] is exact while no codec is chosen.
#[derive(Debug)]
pub struct BatchBuilder {
    /// Room for the header, then the records, not compressed.
    bytes: BytesMut,
    compression: Compression,
    producer: (ProducerId, ProducerEpoch, i32),
    /// The bits that say what kind of batch it is.
    kind: i16,
    count: i32,
    base_timestamp: Timestamp,
    max_timestamp: Timestamp,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch, not compressed, of no idempotent producer.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// The same with room for `record_bytes` bytes of records.
    pub fn with_capacity(record_bytes: usize) -> Self {
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES + record_bytes);
        bytes.put_bytes(0, HEADER_BYTES);
        Self {
            bytes,
            compression: Compression::None,
            producer: (-1, -1, -1),
            kind: 0,
            count: 0,
            base_timestamp: Timestamp::NONE,
            max_timestamp: Timestamp::NONE,
        }
    }

    /// Chooses the codec.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Names the idempotent producer and the sequence number of the first record.
    #[must_use]
    pub fn producer(mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) -> Self {
        self.producer = (id, epoch, base_sequence);
        self
    }

    /// Makes it a part of the producer's transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.kind = TRANSACTIONAL_BIT;
        self
    }

    /// Makes it a control batch of a producer's transaction.
    pub(super) fn control(mut self, id: ProducerId, epoch: ProducerEpoch) -> Self {
        self.kind = TRANSACTIONAL_BIT | CONTROL_BIT;
        self.producer(id, epoch, -1)
    }

    /// Adds a record at the end.
    ///
    /// # Panics
    /// If the record, or the batch with it, passes 2 GiB: callers keep to a topic's limit, far below.
    pub fn push(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header],
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp_delta = timestamp.as_millis().wrapping_sub(self.base_timestamp.as_millis());
        let offset_delta = i64::from(self.count);
        let length = record_len(timestamp_delta, offset_delta, key, value, headers);
        self.bytes.reserve(length + 5);
        put_varint(&mut self.bytes, i64::try_from(length).expect("a record fits memory"));
        self.bytes.put_i8(0);
        put_varint(&mut self.bytes, timestamp_delta);
        put_varint(&mut self.bytes, offset_delta);
        put_bytes(&mut self.bytes, key);
        put_bytes(&mut self.bytes, value);
        put_varint(&mut self.bytes, headers.len() as i64);
        for header in headers {
            put_bytes(&mut self.bytes, Some(header.key.as_bytes()));
            put_bytes(&mut self.bytes, header.value.as_deref());
        }
        self.count += 1;
        assert!(i32::try_from(self.bytes.len()).is_ok(), "a batch stays below 2 GiB");
    }

    /// Records so far.
    pub fn len(&self) -> usize {
        usize::try_from(self.count).expect("a count is never negative")
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch so far, header included, before compression.
    pub fn encoded_len(&self) -> usize {
        self.bytes.len()
    }

    /// The batch, complete with its checksum.
    ///
    /// # Panics
    /// If no record was pushed: a batch without records does not exist.
    pub fn build(mut self) -> RecordBatch {
        assert!(self.count > 0, "a batch has at least one record");
        if self.compression != Compression::None {
            let records = self.compression.compress(&self.bytes[HEADER_BYTES..]);
            self.bytes.truncate(HEADER_BYTES);
            self.bytes.extend_from_slice(&records);
        }
        let head = self.encode_header();
        self.bytes[..HEADER_BYTES].copy_from_slice(&head);
        RecordBatch::built(self.bytes)
    }

    fn encode_header(&self) -> [u8; HEADER_BYTES] {
        let length = i32::try_from(self.bytes.len() - LENGTH_OVERHEAD).expect("a batch stays below 2 GiB");
        let (producer_id, producer_epoch, base_sequence) = self.producer;
        let mut head = [0; HEADER_BYTES];
        let mut out = &mut head[..];
        out.put_i64(0);
        out.put_i32(length);
        out.put_i32(-1);
        out.put_i8(MAGIC);
        out.put_u32(0);
        out.put_i16(self.compression.code() | self.kind);
        out.put_i32(self.count - 1);
        out.put_i64(self.base_timestamp.as_millis());
        out.put_i64(self.max_timestamp.as_millis());
        out.put_i64(producer_id);
        out.put_i16(producer_epoch);
        out.put_i32(base_sequence);
        out.put_i32(self.count);
        head
    }
}

fn record_len(
    timestamp_delta: i64,
    offset_delta: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[Header],
) -> usize {
    let headers_len: usize = headers
        .iter()
        .map(|header| bytes_len(Some(header.key.as_bytes())) + bytes_len(header.value.as_deref()))
        .sum();
    1 + varint::len(timestamp_delta)
        + varint::len(offset_delta)
        + bytes_len(key)
        + bytes_len(value)
        + varint::len(headers.len() as i64)
        + headers_len
}

fn bytes_len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint::len(bytes.len() as i64) + bytes.len())
}

fn put_bytes(out: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes {
        None => put_varint(out, -1),
        Some(bytes) => {
            put_varint(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}

fn put_varint(out: &mut BytesMut, value: i64) {
    varint::write(out, value);
}
