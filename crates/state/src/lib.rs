//! The store of derived state: keyed rows, and how far their sources were read, in one atomic commit.
//!
//! A *task* (one pipeline, one source partition) computes in *epochs*. At the end of each it calls
//! [`StateStore::commit`] once, with the rows that changed, the source offsets, the watermark and what it
//! has to say to others. After a crash all of that is there or none of it, so a fact counts once.
//!
//! ```text
//!   task ──► Epoch { rows, offsets, watermark, outbox } ──► commit ──► journal (fdatasync) ──► memory
//!                                                                                        └──► spill
//! ```
//!
//! A table of a task is a hash table, or an ordered one that has ranges too ([`ordered_table`], [`KeyRange`]).
//!
//! Invariants: what [`StateStore::get_many`] shows was committed and is durable; a task that was taken
//! over by another (a higher fence) commits nothing more.
//!
//! Not here: what rows mean. Keys and values are bytes; their encoding belongs to their writer, whom [`key`] gives one that
//! has the order of SQL.

mod arena;
mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod embedded_store;
mod epoch;
mod hash_table;
mod journal;
pub mod key;
mod key_range;
mod loss;
mod ordered;
mod packed;
mod page;
mod run;
mod shard;
mod snapshot;
mod spill;
mod store;
mod table;
mod task;

pub use embedded_store::{EmbeddedStore, OpenError, Options, Service, current_journal};
pub use epoch::{Changes, Epoch, Outgoing, Progress};
pub use key_range::KeyRange;
pub use loss::Loss;
pub use page::{Page, Rows, Version};
pub use store::{
    CommitError, ForgetAllError, FoundValues, KeptTask, ReadError, StateStore, TakeOver, Visit, forget_all,
};
pub use task::{Fence, Owner, TableId, TaskId, is_ordered, ordered_table};
