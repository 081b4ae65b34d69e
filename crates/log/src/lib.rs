//! One partition's log: segments, recovery, group commit
