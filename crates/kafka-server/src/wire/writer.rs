//! Writes Kafka's primitive types into one response frame.
//!
//! Encoded fields go into one buffer. Records are not copied into it: the writer notes where they belong, and
//! [`Writer::into_frame`] cuts the buffer there.
//!
//! ```text
//!   buffer   length│correlation│…fields…│records length┆…fields…│records length┆…fields…
//!   frame    [──────────── piece ──────────────────────][chunk][── piece ──────][chunk][chunk][ piece ]
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use factum_types::TopicId;

use super::Rope;
use crate::error_code::ErrorCode;

/// Bytes of the length prefix, which does not count itself.
const LENGTH_BYTES: usize = 4;

/// A response frame being written.
#[derive(Debug)]
pub struct Writer {
    buffer: BytesMut,
    flexible: bool,
    /// Record chunks, each with the place in `buffer` that it precedes; places ascend.
    records: Vec<(usize, Bytes)>,
    records_len: usize,
}

impl Writer {
    /// Starts a frame, leaving room for its length, in the legacy or the flexible encoding.
    pub fn new(flexible: bool) -> Self {
        let mut buffer = BytesMut::with_capacity(256);
        buffer.put_bytes(0, LENGTH_BYTES);
        Self { buffer, flexible, records: Vec::new(), records_len: 0 }
    }

    /// Writes one byte.
    pub fn i8(&mut self, value: i8) {
        self.buffer.put_i8(value);
    }

    /// Writes two bytes, the most significant first.
    pub fn i16(&mut self, value: i16) {
        self.buffer.put_i16(value);
    }

    /// Writes four bytes, the most significant first.
    pub fn i32(&mut self, value: i32) {
        self.buffer.put_i32(value);
    }

    /// Writes eight bytes, the most significant first.
    pub fn i64(&mut self, value: i64) {
        self.buffer.put_i64(value);
    }

    /// Writes a floating-point number in eight bytes.
    pub fn f64(&mut self, value: f64) {
        self.buffer.put_f64(value);
    }

    /// Writes one byte: 1 or 0.
    pub fn bool(&mut self, value: bool) {
        self.buffer.put_u8(value.into());
    }

    /// Writes an error's code.
    pub fn error_code(&mut self, value: ErrorCode) {
        self.i16(value.code());
    }

    /// Writes the sixteen bytes of a topic's id.
    pub fn topic_id(&mut self, value: TopicId) {
        self.buffer.put_slice(value.as_bytes());
    }

    /// Writes an unsigned varint: seven bits a byte, the least significant first.
    pub fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buffer.put_u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(value as u8);
    }

    /// Writes a string. Text over the protocol's 32,767 bytes, which only a message for a human can have,
    /// is cut at a character.
    pub fn string(&mut self, value: &str) {
        let value = &value[..value.floor_char_boundary(i16::MAX as usize)];
        if self.flexible {
            self.compact_length(value.len());
        } else {
            self.i16(i16::try_from(value.len()).expect("cut to fit just above"));
        }
        self.buffer.put_slice(value.as_bytes());
    }

    /// Writes a string or null.
    pub fn nullable_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None if self.flexible => self.unsigned_varint(0),
            None => self.i16(-1),
        }
    }

    /// Writes bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.length(value.len());
        self.buffer.put_slice(value);
    }

    /// Writes the length of `chunks` together and puts them here without copying them.
    pub fn records(&mut self, chunks: &[Bytes]) {
        let total = chunks.iter().map(Bytes::len).sum();
        self.length(total);
        self.records_len += total;
        self.records.extend(chunks.iter().map(|chunk| (self.buffer.len(), chunk.clone())));
    }

    /// Writes an array, each element with `element`.
    pub fn array<T>(&mut self, elements: &[T], mut element: impl FnMut(&mut Self, &T)) {
        self.length(elements.len());
        for each in elements {
            element(self, each);
        }
    }

    /// Writes an array or null.
    pub fn nullable_array<T>(&mut self, elements: Option<&[T]>, element: impl FnMut(&mut Self, &T)) {
        match elements {
            Some(elements) => self.array(elements, element),
            None if self.flexible => self.unsigned_varint(0),
            None => self.i32(-1),
        }
    }

    /// Writes an array of four-byte numbers.
    pub fn i32_array(&mut self, values: &[i32]) {
        self.array(values, |w, value| w.i32(*value));
    }

    /// Ends a structure that has no tagged fields; writes nothing in the legacy encoding.
    pub fn no_tagged_fields(&mut self) {
        if self.flexible {
            self.unsigned_varint(0);
        }
    }

    /// Ends a structure with the tagged fields that `fields` puts, in ascending order of tag. In the legacy
    /// encoding, which has none, `fields` is not called.
    pub fn tagged_fields(&mut self, fields: impl FnOnce(&mut TaggedFields)) {
        if !self.flexible {
            return;
        }
        let mut tagged = TaggedFields { count: 0, encoded: Self::scratch() };
        fields(&mut tagged);
        self.unsigned_varint(tagged.count);
        self.buffer.put_slice(&tagged.encoded.buffer);
    }

    /// Fills in the length and gives the frame, cut where records go between its fields.
    pub fn into_frame(mut self) -> Rope {
        let length = self.buffer.len() - LENGTH_BYTES + self.records_len;
        let length = i32::try_from(length).expect("a response is bounded far below 2 GiB");
        self.buffer[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
        let mut frame = Rope::default();
        let mut cut = 0;
        for (place, chunk) in self.records {
            frame.push(self.buffer.split_to(place - cut).freeze());
            frame.push(chunk);
            cut = place;
        }
        frame.push(self.buffer.freeze());
        frame
    }

    /// A writer without room for a length, for fields whose size must be known before they are placed.
    fn scratch() -> Self {
        Self { buffer: BytesMut::new(), flexible: true, records: Vec::new(), records_len: 0 }
    }

    fn length(&mut self, length: usize) {
        if self.flexible {
            self.compact_length(length);
        } else {
            self.i32(i32::try_from(length).expect("a response is bounded far below 2 GiB"));
        }
    }

    fn compact_length(&mut self, length: usize) {
        let length = u32::try_from(length).expect("a response is bounded far below 2 GiB");
        self.unsigned_varint(length + 1);
    }
}

/// The tagged fields at the end of one structure (KIP-482).
#[derive(Debug)]
pub struct TaggedFields {
    count: u32,
    encoded: Writer,
}

impl TaggedFields {
    /// Puts one field, which `field` writes in the flexible encoding. It may hold no records.
    pub fn put(&mut self, tag: u32, field: impl FnOnce(&mut Writer)) {
        let mut value = Writer::scratch();
        field(&mut value);
        debug_assert!(value.records.is_empty(), "records do not go into tagged fields");
        self.count += 1;
        self.encoded.unsigned_varint(tag);
        self.encoded.unsigned_varint(value.buffer.len() as u32);
        self.encoded.buffer.put_slice(&value.buffer);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf;

    use super::*;
    use crate::wire::Reader;

    fn written(flexible: bool, write: impl FnOnce(&mut Writer)) -> Bytes {
        let mut w = Writer::new(flexible);
        write(&mut w);
        let mut frame = w.into_frame();
        assert_eq!(frame.get_i32() as usize, frame.remaining());
        frame.copy_to_bytes(frame.remaining())
    }

    #[test]
    fn a_message_for_a_human_is_cut_at_a_character() {
        let long = "€".repeat(20_000);
        for flexible in [false, true] {
            let bytes = written(flexible, |w| w.string(&long));
            let mut r = Reader::new(&bytes);
            r.set_flexible(flexible);
            assert_eq!(r.string("message"), Ok("€".repeat(10_922)));
            assert_eq!(r.remaining(), 0);
        }
    }

    #[test]
    fn tagged_fields_exist_in_the_flexible_encoding_only() {
        let write = |w: &mut Writer| {
            w.tagged_fields(|fields| {
                fields.put(0, |w| w.i16(7));
                fields.put(300, |w| w.bool(true));
            });
        };
        assert_eq!(written(true, write), [2, 0, 2, 0, 7, 0xac, 0x02, 1, 1][..]);
        assert!(written(false, write).is_empty());
    }
}
