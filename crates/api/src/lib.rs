//! The shapes of HTTP requests and responses, shared by the server, the command line and tests.
//!
//! Invariants: what one side serialises, the other deserialises; the names and descriptions here are those of the OpenAPI
//! document, from which the console's types are generated.
//!
//! Not here: routes, status codes and headers (`http-api`); shapes that are rendered straight from the log, such as
//! records and rows, which are written without being held.

pub mod dashboards;
pub mod groups;
pub mod health;
mod int64;
pub mod overview;
pub mod pipelines;
pub mod project;
mod request_body;
pub mod sql;
pub mod views;

pub use int64::Int64;
pub use request_body::RequestBody;
