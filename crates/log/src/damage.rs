//! Kinds of damage to the bytes of a log, and where it is.

use factum_types::{LeaderEpoch, Offset, batch};

/// What is said in the server's log of a log that is damaged.
pub(crate) const READ_ONLY: &str = "log is damaged and read-only from now on; stop the server, then `factum log verify` \
                                    tells what is lost and `factum log repair` gives it up";

/// A place in the log whose bytes are not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("offset {at} is damaged at byte {byte} of segment {segment}: {fault}")]
pub struct Damage {
    /// The first offset that cannot be read.
    pub at: Offset,
    /// Where reading can go on behind it: the next batch that is known to be whole, or the end of the log.
    pub next: Offset,
    /// Base offset of the segment, which is its file's name.
    pub segment: Offset,
    /// Where in that file, in bytes.
    pub byte: u64,
    /// What was found there.
    pub fault: Fault,
}

/// How bytes fail to be the batch that belongs there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// They are no whole record batch, or its checksum does not fit.
    #[error(transparent)]
    Batch(#[from] batch::Error),
    /// A batch, but not the one that comes next.
    #[error("the batch starts at offset {found} where {expected} comes next")]
    Gap {
        /// The offset after the last good one.
        expected: Offset,
        /// The base offset found; may be any number.
        found: i64,
    },
    /// The file holds another segment's batches: it was renamed, or copied from there.
    #[error(
        "the file's batches begin at offset {first}: it is {:020}.log under another name; give it that name again, or \
         move it out of the directory",
        first.get()
    )]
    Misnamed {
        /// The base offset of its first batch.
        first: Offset,
    },
    /// The file holds offsets that the next one claims.
    #[error("the segment goes on behind offset {next}, where the next one begins")]
    Overlap {
        /// The next file's name.
        next: Offset,
    },
    /// A batch that claims another leader epoch than ruled at its offset.
    #[error("the batch claims leader epoch {found} where {expected} ruled")]
    Epoch {
        /// What the list of epochs says.
        expected: LeaderEpoch,
        /// What the batch says.
        found: LeaderEpoch,
    },
    /// The file ends before bytes that were once durable.
    #[error("the segment ends before offset {next}")]
    Short {
        /// The offset that it should reach.
        next: Offset,
    },
    /// No file holds this offset, although it is not below the log start.
    #[error("the segment is missing")]
    Missing,
}
