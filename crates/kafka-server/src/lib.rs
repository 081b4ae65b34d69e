//! The Kafka protocol on a socket.
//!
//! ```text
//!   socket ─▶ frame ─▶ wire + messages (decode) ─▶ handlers ─▶ broker
//!                      wire + messages (encode) ◀────┘
//! ```
//!
//! [`wire`] and [`messages`] are pure functions of bytes. Handlers translate and decide nothing; this crate
//! is the only one that knows Kafka's error codes.

mod connection;
pub mod error_code;
mod handlers;
pub mod messages;
mod metrics;
mod options;
mod service;
pub mod wire;

pub use error_code::ErrorCode;
pub use options::{
    Endpoint, EndpointError, ListenerOptions, Options, OptionsError, SaslOptions, SecurityProtocol,
};
pub use service::{BindError, Handle, Identity, Service};
