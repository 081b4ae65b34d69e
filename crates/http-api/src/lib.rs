//! The HTTP face: ingest, browsing, views, administration, OpenAPI, and the console.
//!
//! ```text
//!   socket ──▶ service ──▶ router ──▶ one handler family each ──▶ EventLog, Catalogue, Engine
//!              limits      metrics    parse, ask, call, render
//! ```
//!
//! Always holds: every route but the public ones asks the [`Authorizer`](factum_types::Authorizer) before it
//! reads a body; 202 is answered only for what is on disk; a batch is read wholly before any of it is
//! appended; no client makes the process hold more than [`Options::body_memory`] of bodies, more than
//! [`Options::tail_memory`] of records for tails beside a frame for each, more than [`Options::answer_memory`] of answers
//! beside small ones, or more than [`Options::snapshot_memory`] of text for followers of views beside a frame for each.
//! What grows with the data is made on threads for blocking work, few at a time.
//!
//! Not here: decisions. What may be written, what exists and who may do it are the log's, the catalogue's and
//! the authoriser's to say; this crate only knows how HTTP says it.

mod answers;
mod body;
mod catalogue;
mod client_limit;
mod connection;
mod console;
mod dashboards;
pub mod decoders;
mod extract;
mod fair_work;
mod groups;
mod health;
mod ingest;
mod json;
mod log_item;
mod lookup;
mod memory_pool;
mod metrics;
mod names;
mod options;
mod overview;
mod pages;
mod pipelines;
mod problem;
mod project;
mod record_view;
mod records;
mod router;
mod rows;
mod server_sent;
mod service;
mod sql;
mod state;
mod streams;
mod tables;
mod tail;
mod topics;
mod views;

pub use factum_api::health::RoleHealth;
pub use factum_api::overview::KafkaAddress;
pub use health::HealthReport;
pub use options::Options;
pub use router::openapi;
pub use service::{BindError, Handle, Service};
pub use state::State;
