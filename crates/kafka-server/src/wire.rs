//! Kafka's primitive types on bytes, with no socket in sight.
//!
//! A message has two encodings: *legacy* (two- and four-byte lengths) and *flexible* (KIP-482: varint
//! lengths that count from one, and tagged fields at the end of each structure). The version of an API
//! decides; [`Reader`] and [`Writer`] are told once and then speak the one or the other.
//!
//! Invariants: decoding never panics, and allocates at most `4 × frame + 1 MiB` whatever the bytes say.

mod error;
mod reader;
mod rope;
mod writer;

pub use error::Error;
pub use reader::Reader;
pub use rope::Rope;
pub use writer::{TaggedFields, Writer};
