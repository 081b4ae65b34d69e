//! Memory that texts share: who wants some waits until others give theirs back.
//!
//! Invariant: no more is given out than there is; one that wants more than all has it alone.

use std::sync::Arc;

use factum_types::ByteSize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit in which memory is counted.
const PERMIT_BYTES: usize = 1024;

/// So much memory.
pub(crate) struct MemoryPool {
    free: Arc<Semaphore>,
    permits: usize,
}

impl MemoryPool {
    pub(crate) fn new(size: ByteSize) -> Self {
        let bytes = usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
        let permits = (bytes / PERMIT_BYTES).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self { free: Arc::new(Semaphore::new(permits)), permits }
    }

    /// Waits, in order, until there is room for so many bytes; dropping what it gives frees them.
    pub(crate) fn room(&self, bytes: usize) -> impl Future<Output = OwnedSemaphorePermit> + Send + use<> {
        let permits = bytes.div_ceil(PERMIT_BYTES).min(self.permits);
        let permits = u32::try_from(permits).expect("there are no more than that");
        let room = Arc::clone(&self.free).acquire_many_owned(permits);
        async move { room.await.expect("the semaphore is never closed") }
    }
}
