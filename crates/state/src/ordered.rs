//! An ordered table: rows in the order of their keys, in memory over sorted runs on disk.
//!
//! ```text
//!   table   slice │ slice │ …               each a range of keys, shared with readers until it is written
//!   slice   leaf │ leaf │ …  over  run      rows and deletions in memory hide the same keys of the run
//!   leaf    rows packed in 8 KiB            a row costs its bytes, two short lengths and four bytes of place
//! ```
//!
//! Invariants: a cut is the table as it was when it was taken; to take one costs a reference. What is then written
//! is copied a leaf at a time, with the list of leaves of its slice. Applying a change never touches the disk and
//! cannot fail.

mod leaf;
mod merge;
mod read;
mod run_part;
mod slice;
mod table;

pub(crate) use table::{OrderedCut, OrderedTable, Sizes};
