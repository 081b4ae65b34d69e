//! Closings: up to where windows are closed, decided in one place and kept on the log, so that a rebuild decides the same.
//!
//! ```text
//!   watermarks ─► candidate ─► ClosingRecord { closed_to, offsets } ─► `_factum.closings` ─► installed
//!                                                                                               │
//!   event at (partition, offset) ─► the greatest `closed_to` with offsets[partition] <= offset ◄┘
//! ```
//!
//! A closing is about windows of one kind ([`WindowKind`]), not about a view: every view that closes such windows goes by
//! the same closings, whenever it was declared.
//!
//! Invariants:
//! - Whether an event is late is a function of its place and of the log, and of nothing else.
//! - An event is late only if it was appended after its window was closed: the offsets of a closing are the ends of the
//!   partitions when it was decided. So no state holds an event at or behind them, whichever task it is of.
//! - While a closing is being written no task takes anything in; it is written before anything goes by it.
//!
//! Not here: watermarks and idle partitions (`pipeline`), what becomes of late events (`task`).

mod history;
mod kind;
mod record;
mod records;
mod registry;
mod shared;
mod topic;

pub(crate) use history::{Bounds, ClosingHistory};
pub(crate) use kind::WindowKind;
pub(crate) use record::ClosingRecord;
pub(crate) use registry::ClosingRegistry;
pub(crate) use shared::Closings;
pub(crate) use topic::{ClosingTopic, ClosingTopicError};
