//! Users and their credentials: who may do what.
//!
//! Invariants: a password is never kept, and nothing that is kept lets one log in as the user (RFC 5802 §3); a credential's
//! `Debug` shows none of its keys.
//!
//! Not here: how a client proves who it is over a connection (see `factum-kafka-server`), how a project declares users.

mod scram;
mod users;

pub use scram::{ITERATIONS, MAX_ITERATIONS, MIN_ITERATIONS, ScramCredential, ScramMechanism};
pub use users::Users;
