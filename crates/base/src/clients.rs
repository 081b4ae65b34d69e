//! Clients by their address: who counts as one, how many places one may have, and how often one is written of in the log.

mod address;
mod log_limit;
mod places;

pub use address::ClientAddress;
pub use log_limit::LogLimit;
pub use places::most_of_one_client;
