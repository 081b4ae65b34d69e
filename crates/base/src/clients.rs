//! Clients by their address: who counts as one, how much one may have of what all share, and how often one is written of
//! in the log.

mod address;
mod client_limit;
mod log_limit;
mod places;

pub use address::ClientAddress;
pub use client_limit::{ClientLimit, ClientShare};
pub use log_limit::LogLimit;
pub use places::most_of_one_client;
