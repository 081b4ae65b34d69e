//! Transactions: producers that are known by name, and what they write to many partitions counts together or not at all
//! (KIP-98, KIP-447, KIP-890).
//!
//! ```text
//!   TransactionCoordinator ──► cell per transactional id (one mutex) ── Transaction   pure state machine
//!        │                          ▲
//!        │                          └── a produce holds it while it appends: no record lands behind its marker
//!        ├─ Timers        when open transactions time out
//!        ├─ completion    markers to each partition, and to the groups' coordinator for offsets
//!        └─ Journal       __transaction_state: one record per decision, in Kafka's own layout
//!
//!   end:  decision on disk ──► markers on disk ──► "complete" in the journal ──► answer
//! ```
//!
//! Invariants
//! - A transaction is decided by one record of the journal, once that is on disk; after a crash its markers are written
//!   again where they are missing.
//! - No record of a transaction is appended behind its marker, and none of a producer that was fenced.
//! - What a partition's log holds open is known to the coordinator, or is aborted at the next start: a first record in a
//!   transaction of version 2 is not journaled, because the log that has it says so.
//! - An open transaction ends: by its producer, or by its time-out, which the server bounds.
//!
//! Not here: authorisation (the edge asks before it calls), markers' bytes (`factum_types::record`), and what
//! readers of committed records see (`factum_log`).

mod append;
mod cell;
mod completion;
mod error;
mod listing;
mod markers;
mod options;
mod records;
mod recovery;
mod requests;
mod service;
mod transaction;
mod upkeep;

pub(crate) use markers::Markers;
pub(crate) use service::Parts;

pub use append::TransactionalAppend;
pub use error::TransactionError;
pub use listing::{ListTransactions, TransactionDescription, TransactionListing};
pub use options::Options;
pub use requests::{InitProducer, TransactionOffsets};
pub use service::TransactionCoordinator;
pub use transaction::{ProducerIdentity, TransactionState, TransactionVersion};
