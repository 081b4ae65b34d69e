//! The HTTP API: ingest, browsing, views, administration, OpenAPI, and the console.
//!
//! ```text
//!   socket ──▶ service ──▶ router ──▶ routes/<resource> ──▶ EventLog, Catalogue, Engine
//!              limits      metrics    parse, ask, call, render, with the tools of http/
//! ```
//!
//! Invariants: every route but the public ones asks the [`Authorizer`](factum_types::Authorizer) before it
//! reads a body; 202 is answered only for what is on disk; a batch is read wholly before any of it is
//! appended; no client makes the process hold more than [`Options::body_memory`] of bodies, more than
//! [`Options::tail_memory`] of records for tails beside a frame for each, more than [`Options::answer_memory`] of responses
//! beside small ones, or more than [`Options::snapshot_memory`] of text for followers of views beside a frame for each.
//! What grows with the data is made on threads for blocking work, few at a time.
//!
//! Not here: decisions. What may be written, what exists and who may do it are the log's, the catalogue's and
//! the authoriser's to say; this crate only knows how HTTP says it.

mod api;
mod connection;
pub mod decoders;
mod http;
mod metrics;
mod openapi;
mod options;
mod router;
mod routes;
mod service;
mod state;

pub use factum_api::health::{ListenerView, RoleHealth};
pub use factum_api::overview::KafkaAddress;
pub use options::Options;
pub use router::document as openapi;
pub use service::{BindError, Handle, Service};
pub use state::{HealthReport, State};
