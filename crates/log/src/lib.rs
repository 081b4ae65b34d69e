//! One partition's log: record batches, end to end, in segments on a disk.
//!
//! ```text
//!   log start                       recovery point    high watermark     log end
//!      ├──── sealed ────┬──── sealed ────┼──── active ──────┼──────────────┤
//!      │ immutable, an index beside each │  read by anyone  │ not yet synced
//! ```
//!
//! Invariants
//! - Offsets are dense and never reused; a batch lies wholly in one segment, as it arrived but for the two
//!   fields that a log may write, until compaction removes records of it.
//! - Readers see only what is below the high watermark, and the high watermark is the synced offset: no
//!   power cut takes back what someone saw.
//! - A byte that is not what was written is never served: a cold read checks checksum, offset and epoch.
//! - Everything but the `.log` files and the log start is a cache, checksummed and rebuilt when it is wrong.
//! - Recovery cuts off what was never acknowledged and nothing else.
//!
//! Not here: topics, Kafka's protocol, clocks and threads. Time is passed in; [`Committer::run`] is a loop
//! that the caller gives one thread or several. The bytes on disk are described in `docs/format`.

mod active_file;
mod append;
mod checkpoint;
mod checksum;
mod commit;
mod committer;
mod compaction;
mod damage;
mod disk;
mod end_transaction;
mod environment;
mod epochs;
mod index;
mod inspection;
mod misnamed;
mod new_epoch;
mod open_segments;
mod partition_log;
mod producers;
mod read;
mod recovery;
mod repair;
mod retention;
mod scan;
mod search;
mod segment;
mod segment_damage;
mod slice;
mod swap_file;
mod synced_end;
mod tail_cache;
mod time;
mod transactions;
mod trouble;
mod waiters;
mod walk;

pub use append::{AppendError, AppendResult};
pub use commit::SyncError;
pub use committer::Committer;
pub use compaction::{CompactError, CompactionOptions, CompactionResult, CompactionState};
pub use damage::{Damage, Fault};
pub use disk::{
    Disk, DiskDir, DiskFile, LocalDisk, NotAFile, create_dir_durably, printable_name, remove_if_there,
    write_atomically,
};
pub use end_transaction::EndTransaction;
pub use environment::{Environment, EnvironmentOptions};
pub use inspection::{DamagedOffsets, Inspection, InspectionNote, SegmentInspection, inspect};
pub use partition_log::{Bounds, Options, PartitionLog, SegmentInfo};
pub use producers::ProducerInfo;
pub use read::ReadError;
pub use recovery::{OpenError, Recovery};
pub use repair::{Repair, RepairError, repair};
pub use retention::{RetainError, RetentionResult, TruncateError};
pub use slice::Slice;
pub use transactions::{AbortedRanges, AbortedTransaction, Isolation};
pub use trouble::Trouble;
pub use waiters::Waiter;
