//! The shapes of HTTP requests and responses, shared by the server, the command line and tests.
//!
//! Invariants: what one side serialises, the other deserialises; the names and descriptions here are those of the OpenAPI
//! document, from which the console's types are generated.
//!
//! Not here: routes, status codes and headers (`http-api`); how a record is written, which is straight from the log
//! and without being held ([`records::Record`] is what its readers need of it).

pub mod access;
pub mod catalogue;
pub mod dashboards;
pub mod events;
pub mod groups;
pub mod health;
mod int64;
pub mod overview;
pub mod pipelines;
pub mod project;
pub mod quotas;
pub mod records;
pub mod registry;
mod request_body;
pub mod rows;
pub mod schema_groups;
pub mod sql;
pub mod subjects;
pub mod topics;
pub mod transactions;
pub mod views;

pub use int64::Int64;
pub use request_body::RequestBody;
