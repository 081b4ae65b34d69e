//! The composition root: options in, a running task tree out.
//!
//! ```text
//!   start   data directory ─► broker, state ─► engine ─► ports bound ─► project applied, views and feeds run ─► ready
//!   stop    edge (HTTP, Kafka) ─► domain (project, views, feeds) ─► state ─► broker ─► its last fsync
//! ```
//!
//! Invariants: what is wired to what is said here and nowhere else; a server that cannot start says why and
//! leaves nothing running; `ready` is said only when every port accepts.
//!
//! Not here: anything that a handler, a coordinator or a log decides.

mod access;
mod contracts;
pub mod data_files;
mod decoded_log;
mod effects;
mod error;
mod health;
mod identity;
mod listeners;
mod machine;
mod names;
mod open_files;
mod options;
mod private_files;
mod registry;
mod running;
mod start;
mod state;
mod temporary;

pub use error::StartError;
pub use factum_access::tls::{LocalAuthority, LocalAuthorityError};
pub use factum_broker::AutoCreateTopics;
pub use factum_kafka_server::SecurityProtocol;
pub use machine::Options as DiskOptions;
pub use open_files::raise_open_files;
pub use options::{Access, AccessOptions, DataDir, Options, RegistryOptions};
pub use running::Running;
pub use temporary::TemporaryFolder;
