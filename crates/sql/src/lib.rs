//! Streaming SQL: views that always equal the batch answer.
//!
//! A view's plan is cut at its lowest aggregate over the event stream. Below the cut runs once per event, its
//! result kept as partial states; above the cut is ordinary batch SQL over those states, run when somebody
//! reads.
//!
//! ```text
//!   topic partition ─► decode ─► filter, project, unnest, look up ─► aggregate ─► state    one commit an epoch
//!                                                                                  │
//!   reader  ◄─ having, joins, second aggregates, order, limit, now() ◄─ merge ◄────┘
//! ```
//!
//! Always holds: a view equals the same SQL in batch over the same facts, whatever died when. What cannot keep
//! that promise is refused when it is declared, in words and with its place in the file.
//!
//! Not here: HTTP, projects, where the log or the state are kept.

mod clock_function;
mod decode;
mod definitions;
mod explain;
mod feed;
mod names;
mod operator;
mod plan;
mod reference;
pub mod render;
mod schema;
mod session;
mod statement;
mod topic_scan;
mod tumble;

pub use definitions::{
    Definitions, EventDefinition, PipelineDefinition, Problem, RelationName, TableDefinition,
};
