//! Clients by their address: who counts as one, and how often one is written of in the log.

mod address;
mod log_limit;

pub use address::ClientAddress;
pub use log_limit::LogLimit;
