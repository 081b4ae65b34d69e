//! Record batches, their compression, and the CloudEvents that records carry.

use bytes::{Bytes, BytesMut};
use factum_types::{Compression, Event, Header, RecordBatch, batch, record};

/// More than a batch may unpack to here.
const LIMIT: usize = 1 << 20;

/// Decodes a batch. The checksum is put right first: a fuzzer would never find one.
pub(crate) fn batch(bytes: &[u8]) {
    let mut bytes = BytesMut::from(bytes);
    if bytes.len() >= batch::HEADER_BYTES {
        let crc = batch::crc(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    }
    batch::headers(&bytes).take(1_000).for_each(drop);
    drop(record::decode(&bytes.clone().freeze(), LIMIT));
    drop(RecordBatch::new(bytes));
}

/// Unpacks what lies behind a byte that names the codec.
pub(crate) fn compressed(bytes: &[u8]) {
    let Some((codec, rest)) = bytes.split_first() else { return };
    if let Ok(codec) = Compression::from_attributes(i16::from(*codec % 8)) {
        drop(codec.decompress(rest, LIMIT));
    }
}

/// Reads a record as a CloudEvent: lines of `name: value` as headers, an empty line, the value.
pub(crate) fn cloud_event(bytes: &[u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, value) = end.map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + 2..]));
    let headers: Vec<Header> = head
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let at = line.windows(2).position(|pair| pair == b": ")?;
            let value = Bytes::copy_from_slice(&line[at + 2..]);
            Some(Header::new(String::from_utf8_lossy(&line[..at]).into_owned(), value))
        })
        .collect();
    if let Some(Ok(event)) = Event::from_kafka(&headers, Some(Bytes::copy_from_slice(value))) {
        drop(event.validate());
        drop(event.into_kafka());
    }
}
