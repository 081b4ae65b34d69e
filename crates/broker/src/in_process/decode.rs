//! From encoded batches to records, in slices.
//!
//! Invariants: about as many bytes of decoded records as asked for, one record more at most, however far a batch
//! unpacks; a batch that cannot be read from some record on gives the records before it and one unreadable range; what
//! belongs to an aborted transaction is passed over.
//!
//! Going on inside a compressed batch unpacks it from its beginning again: reading the whole of one that unpacks to
//! `n` bytes in slices of `s` costs about `n * n / 2s` bytes of unpacking. `types` bounds `n`
//! ([`record::MAX_UNPACKED_BYTES`]).

use factum_eventlog::{Chunk, Unreadable};
use factum_log::{AbortedRanges, Damage, Slice};
use factum_types::{Compression, Offset, RecordReader, TopicId, batch, record};

use crate::partition::Partition;

/// Records below this are decoded where they are read.
const QUICK_BYTES: usize = 64 << 10;

/// The records of `slice` from `from` on, about `limit_bytes` of them but at least one if there is one.
pub(super) fn decode(topic: TopicId, from: Offset, slice: &Slice, limit_bytes: usize) -> Chunk {
    let (log_start, high_watermark) = (slice.bounds.log_start, slice.bounds.stable);
    let aborted = AbortedRanges::new(&slice.aborted);
    let mut chunk =
        Chunk { topic, records: Vec::new(), unreadable: Vec::new(), next: from, log_start, high_watermark };
    let mut room = limit_bytes;
    for bytes in &slice.chunks {
        for found in batch::headers(bytes) {
            let (at, header) = found.expect("the log hands out whole batches");
            let end = Offset::new(header.last_offset()).next();
            if aborted.contains(&header) {
                chunk.next = end;
                continue;
            }
            match add_records(
                RecordReader::new(&bytes.slice(at..at + header.encoded_len())),
                &mut chunk,
                room,
            ) {
                Ok(Some(left)) => room = left,
                Ok(None) => return chunk,
                Err(error) if chunk.next < end => {
                    let reason = error.to_string();
                    chunk.unreadable.push(Unreadable { from: chunk.next, next: end, reason });
                }
                // Something behind the last record, which every record is read without.
                Err(_) => {}
            }
            chunk.next = end;
        }
    }
    chunk
}

/// Adds the records of one batch to `chunk`; gives the room that is left, none if the chunk is full.
fn add_records(
    reader: Result<RecordReader, record::Error>,
    chunk: &mut Chunk,
    room: usize,
) -> Result<Option<usize>, record::Error> {
    let (mut reader, mut room) = (reader?, room);
    while let Some(record) = reader.next_record()? {
        if record.offset < chunk.next {
            continue;
        }
        chunk.next = record.offset.next();
        let size = record.size_in_memory();
        chunk.records.push(record);
        if size >= room {
            return Ok(None);
        }
        room -= size;
    }
    Ok(Some(room))
}

/// Whether `slice` has many records, or a batch that has to be unpacked.
pub(super) fn takes_long(slice: &Slice) -> bool {
    if slice.bytes > QUICK_BYTES {
        return true;
    }
    let mut headers = slice.chunks.iter().flat_map(|chunk| batch::headers(chunk)).map_while(Result::ok);
    headers.any(|(_, header)| header.compression() != Ok(Compression::None))
}

/// The range that bytes damaged on disk take from a reader.
pub(super) fn damaged(partition: &Partition, from: Offset, damage: &Damage) -> Chunk {
    let bounds = partition.bounds();
    let unreadable = Unreadable { from, next: damage.next.max(from.next()), reason: damage.to_string() };
    let (log_start, high_watermark) = (bounds.log_start, bounds.stable);
    let next = unreadable.next;
    let topic = partition.topic_id();
    Chunk { topic, records: Vec::new(), unreadable: vec![unreadable], next, log_start, high_watermark }
}
