//! Memory that texts or bodies share: who wants some waits until others give theirs back.
//!
//! Invariant: no more is given out than there is; one that wants more than all has it alone.

use std::sync::Arc;

use factum_types::ByteSize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit in which memory is counted; less than a unit counts as one.
pub(crate) const UNIT_BYTES: usize = 1024;

/// So much memory.
pub(crate) struct MemoryPool {
    free: Arc<Semaphore>,
    units: usize,
}

impl MemoryPool {
    pub(crate) fn new(size: ByteSize) -> Self {
        let bytes = usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
        let units = (bytes / UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self { free: Arc::new(Semaphore::new(units)), units }
    }

    /// Waits, in order, until there is room for so many bytes; dropping what it gives frees them.
    pub(crate) fn room(&self, bytes: usize) -> impl Future<Output = OwnedSemaphorePermit> + Send + use<> {
        let room = Arc::clone(&self.free).acquire_many_owned(self.units(bytes));
        async move { room.await.expect("the semaphore is never closed") }
    }

    /// The same without waiting; `None` if there is no room, or others wait for it.
    pub(crate) fn try_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(self.units(bytes)).ok()
    }

    fn units(&self, bytes: usize) -> u32 {
        let units = bytes.div_ceil(UNIT_BYTES).min(self.units);
        u32::try_from(units).expect("there are no more than that")
    }
}
