//! Whose state it is.

use std::fmt;
use std::sync::Arc;

/// One pipeline reading one source partition. A changed pipeline has another name, so that it builds its
/// state beside the old one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    pipeline: Arc<str>,
    partition: i32,
}

impl TaskId {
    /// Names a task. `pipeline` identifies the definition, version included.
    pub fn new(pipeline: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { pipeline: pipeline.into(), partition }
    }

    /// The pipeline's definition.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// The source partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pipeline, self.partition)
    }
}

/// One operator's rows within a task; numbered from 0 by the plan.
pub type TableId = u16;

/// Rises each time a task is taken over; the holder of the highest may commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fence(u64);

impl Fence {
    /// Wraps a stored fence.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The fence of whoever takes over next.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
