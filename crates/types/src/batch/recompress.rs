//! A batch's records under another codec.

use bytes::BytesMut;

use super::{COMPRESSION_BITS, HEADER_BYTES, LENGTH_OVERHEAD, RecordBatch};
use crate::compression::{Compression, DecompressError};

impl RecordBatch {
    /// The same records compressed by `codec`, which may be none; length and CRC are recomputed, the rest of the
    /// header stays. The records are unpacked and packed as one piece and not looked at.
    ///
    /// # Errors
    /// [`DecompressError`] if they cannot be unpacked, or not into `limit` bytes.
    pub fn recompress(self, codec: Compression, limit: usize) -> Result<Self, DecompressError> {
        let packed = &self.bytes[HEADER_BYTES..];
        let records = match self.header.compression().expect("checked when the batch was made") {
            present if present == codec => return Ok(self),
            Compression::None => codec.compress(packed),
            present => {
                let records = present.decompress(packed, limit)?;
                if codec == Compression::None { records } else { codec.compress(&records) }
            }
        };
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES + records.len());
        bytes.extend_from_slice(&self.bytes[..HEADER_BYTES]);
        bytes.extend_from_slice(&records);
        let mut header = self.header;
        header.attributes = (header.attributes & !COMPRESSION_BITS) | codec.code();
        header.batch_length =
            i32::try_from(bytes.len() - LENGTH_OVERHEAD).expect("unpacked records stay below their limit");
        bytes[8..12].copy_from_slice(&header.batch_length.to_be_bytes());
        bytes[21..23].copy_from_slice(&header.attributes.to_be_bytes());
        let mut batch = Self { header, bytes };
        batch.seal();
        Ok(batch)
    }
}
