//! The envelope of every small file beside a log: eight bytes that name its kind and version, the payload,
//! and a CRC-32C over both. Integers are big-endian throughout, as in the batches.

use factum_types::batch::crc;

/// Bytes that the envelope adds.
pub(crate) const OVERHEAD: usize = KIND_BYTES + CRC_BYTES;
const KIND_BYTES: usize = 8;
const CRC_BYTES: usize = 4;

/// Names what a file holds, version included.
pub(crate) type Kind = [u8; KIND_BYTES];

/// Wraps `payload`.
pub(crate) fn seal(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + OVERHEAD);
    bytes.extend_from_slice(&kind);
    bytes.extend_from_slice(payload);
    let sum = crc(&bytes);
    bytes.extend_from_slice(&sum.to_be_bytes());
    bytes
}

/// The payload, if `bytes` is exactly what [`seal`] made of it.
pub(crate) fn unseal(kind: Kind, bytes: &[u8]) -> Option<&[u8]> {
    let (covered, sum) = bytes.split_last_chunk::<CRC_BYTES>()?;
    let payload = covered.strip_prefix(&kind)?;
    (crc(covered) == u32::from_be_bytes(*sum)).then_some(payload)
}
