//! Shared by all logs of a process.

use std::sync::Arc;
use std::time::Duration;

use crate::active_file::ActiveFiles;
use crate::committer::Committer;
use crate::disk::Disk;
use crate::open_segments::OpenSegments;
use crate::tail_cache::TailCache;

/// Bounds on what all logs together may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvironmentOptions {
    /// Bytes of recent batches kept in memory for consumers that keep up; 0 keeps none.
    pub tail_cache_bytes: usize,
    /// Sealed segments kept open at once.
    pub open_segments: usize,
    /// Active segments kept open at once; the others are opened when they are written.
    pub active_segments: usize,
    /// How long an idle committer waits before it tries a commit again that the disk refused.
    pub retry_pause: Duration,
}

impl Default for EnvironmentOptions {
    fn default() -> Self {
        Self {
            tail_cache_bytes: 16 << 20,
            open_segments: 512,
            active_segments: 512,
            retry_pause: Duration::from_millis(250),
        }
    }
}

/// A disk, a committer and the caches; every log is opened in one. A clone shares them.
#[derive(Clone)]
pub struct Environment {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) committer: Committer,
    pub(crate) tail_cache: TailCache,
    pub(crate) open_segments: Arc<OpenSegments>,
    pub(crate) active_files: Arc<ActiveFiles>,
}

impl Environment {
    /// Logs on `disk`. Nothing becomes durable until [`Committer::run`] runs.
    pub fn new(disk: Arc<dyn Disk>, options: EnvironmentOptions) -> Self {
        Self {
            disk,
            committer: Committer::new(options.retry_pause),
            tail_cache: TailCache::new(options.tail_cache_bytes),
            open_segments: Arc::new(OpenSegments::new(options.open_segments)),
            active_files: Arc::new(ActiveFiles::new(options.active_segments)),
        }
    }

    /// The disk.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The committer that makes appends durable; give its [`Committer::run`] a thread of its own.
    pub fn committer(&self) -> &Committer {
        &self.committer
    }
}
