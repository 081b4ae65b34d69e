//! Streaming SQL: views that always equal the batch answer.
//!
//! A view's plan is cut at its lowest aggregate over the event stream. Below the cut runs once per event, its
//! result kept as partial states; above the cut is ordinary batch SQL over those states, run on each
//! reading.
//!
//! ```text
//!   topic partition ─► decode ─► filter, project, unnest, look up ─► aggregate ─► state    one commit an epoch
//!                                                                                  │
//!   reader  ◄─ having, joins, second aggregates, order, limit, now() ◄─ merge ◄────┘
//! ```
//!
//! Invariants: a view equals the same SQL in batch over the same facts, whatever died when. What cannot keep
//! that promise is refused when it is declared, in words and with its place in the file.
//!
//! Not here: HTTP, projects, where the log or the state are kept.

mod access;
mod avg;
mod changes;
mod checked;
mod clock_function;
mod closings;
mod dead_letter;
mod decode;
pub mod decoders;
mod definitions;
mod distinct;
mod engine;
mod error;
mod explain;
mod feed;
mod float_coercion;
mod float_total;
mod interrupt;
mod limited_functions;
mod literals;
mod metrics;
mod names;
mod operator;
mod patterns;
mod pipeline;
mod plan;
mod rebuild;
mod reference;
pub mod render;
mod rewrite;
mod row_errors;
mod schema;
mod session;
mod statement;
mod sum;
mod task;
mod topic_scan;
mod tumble;
mod view;
mod view_threads;
mod wording;

pub use access::AccessCheck;
pub use changes::{Change, ChangeId, ChangeIdError, ChangeStream};
pub use definitions::{
    DeclaredView, Definitions, EventDefinition, PipelineDefinition, Place, Problem, RelationKind,
    RelationName, TableDefinition,
};
pub use engine::{
    ApplyResult, Engine, Options, PartitionStatus, PlannedDefinitions, Query, QueryLimits, TopicReader,
    ViewState, ViewStatus,
};
pub use error::{ApplyError, ComputeError, QueryError, ReadError};
pub use explain::Explanation;
pub use row_errors::RowError;
pub use schema::{FieldChange, FieldChangeKind, field_changes};
pub use task::RejectedEvents;
pub use topic_scan::LeftOutEvents;
pub use view::{Freshness, Rows};
