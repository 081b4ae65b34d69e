//! The HTTP face: ingest, browsing, administration, OpenAPI.
//!
//! ```text
//!   socket ──▶ service ──▶ router ──▶ one handler family each ──▶ EventLog, Catalogue
//!              limits      metrics    parse, ask, call, render
//! ```
//!
//! Always holds: every route but the public ones asks the [`Authorizer`](factum_types::Authorizer) before it
//! reads a body; 202 is answered only for what is on disk; a batch is read wholly before any of it is
//! appended; no client makes the process hold more than [`Options::body_memory`] of bodies, or more than one
//! chunk of a tail.
//!
//! Not here: decisions. What may be written, what exists and who may do it are the log's, the catalogue's and
//! the authoriser's to say; this crate only knows how HTTP says it.

mod body;
mod catalogue;
mod extract;
mod groups;
mod health;
mod ingest;
mod metrics;
mod names;
mod options;
mod pages;
mod problem;
mod record_view;
mod records;
mod router;
mod service;
mod state;
mod tail;
mod topics;

pub use health::{HealthReport, RoleHealth};
pub use options::Options;
pub use router::openapi;
pub use service::{BindError, Handle, Service};
pub use state::State;
