//! The Kafka protocol on a socket.
//!
//! ```text
//!   socket ─▶ frame ─▶ wire + messages (decode) ─▶ handlers ─▶ broker
//!                      wire + messages (encode) ◀────┘
//! ```
//!
//! [`wire`] and [`messages`] are pure functions of bytes. Handlers translate and decide nothing; this crate
//! is the only one that knows Kafka's error codes.

pub mod error_code;
pub mod messages;
pub mod wire;

pub use error_code::ErrorCode;
