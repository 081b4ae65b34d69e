//! Who may do what: users and their credentials, logging in, and the TLS of listeners.
//!
//! Invariants: a password is never kept, and nothing that is kept lets one log in as the user (RFC 5802 §3); a credential's
//! `Debug` shows none of its keys.
//!
//! Not here: the requests in which a client proves who it is (see `factum-kafka-server`), how a project declares users.

pub mod sasl;
mod scram;
pub mod tls;
mod users;

pub use scram::{ITERATIONS, MAX_ITERATIONS, MIN_ITERATIONS, ScramCredential, ScramMechanism};
pub use users::Users;
