//! The memory of responses that their clients have not taken yet.
//!
//! ```text
//!   a response │ up to 1 MiB │ larger     │
//!   counted in │ small pool  │ large pool │   and each in what one client address may have of that pool
//! ```
//!
//! Invariants:
//! - What all responses have is at most the two pools, [`Options::answer_memory`](crate::Options::answer_memory) together.
//! - One client address has at most half of each pool, and those of it that wait are in the way of no other address.
//! - Large responses, however slowly they are taken, never take the memory of small ones, not even of the same client's.

use std::sync::Arc;

use factum_base::clients::ClientAddress;
use factum_types::ByteSize;
use tokio::sync::OwnedSemaphorePermit;

use crate::http::client_limit::{ClientLimit, ClientShare};
use crate::http::memory_pool::{MemoryPool, UNIT_BYTES};
use crate::http::problem::Problem;

/// The part of all memory that is for small responses: an eighth.
const SMALL_PART: usize = 8;
/// The most bytes of a small response, and the part of the small pool that it has at most.
const SMALL_BYTES: usize = 1 << 20;
const SMALLEST_SHARE: usize = 8;

/// The memory that all responses share.
pub(super) struct ResponseMemory {
    small: Pool,
    /// What is longer is in the large pool.
    small_bytes: usize,
    large: Pool,
}

/// The memory of responses of one size.
pub(super) struct Pool {
    memory: MemoryPool,
    clients: Arc<ClientLimit>,
}

/// The memory of one response, until it is dropped.
pub(crate) struct Room {
    memory: OwnedSemaphorePermit,
    share: ClientShare,
}

impl Room {
    /// Takes so many bytes out of the memory of all.
    pub(super) fn split_memory(&mut self, bytes: usize) -> OwnedSemaphorePermit {
        let units = bytes.div_ceil(UNIT_BYTES).min(self.memory.num_permits());
        self.memory.split(units).expect("there are as many")
    }

    /// Takes so many bytes out of the share of its client.
    pub(super) fn split_share(&mut self, bytes: usize) -> ClientShare {
        self.share.split(bytes)
    }
}

impl ResponseMemory {
    pub(super) fn new(size: ByteSize) -> Self {
        let all = usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
        let small = all / SMALL_PART;
        Self {
            small: Pool::new(small),
            small_bytes: (small / SMALLEST_SHARE).min(SMALL_BYTES),
            large: Pool::new(all - small),
        }
    }

    /// Where a response of so many bytes is counted.
    ///
    /// # Errors
    /// [`Problem`] 422 if no client may have as much.
    pub(super) fn pool(&self, bytes: usize) -> Result<&Pool, Problem> {
        let pool = if bytes <= self.small_bytes { &self.small } else { &self.large };
        let most = pool.clients.limit();
        if bytes > most {
            return Err(Problem::refused(format_args!(
                "the response takes {bytes} bytes, and one client may have {most} (half of http.answer_memory); ask for \
                 fewer rows or columns"
            ))
            .with("limit", most));
        }
        Ok(pool)
    }

    /// Memory for a response of so many bytes; waits for it in line.
    ///
    /// # Errors
    /// [`Problem`] 422 if no client may have as much.
    pub(super) async fn room(&self, client: ClientAddress, bytes: usize) -> Result<Room, Problem> {
        Ok(self.pool(bytes)?.room(client, bytes).await)
    }
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let of_one_client = (bytes / 2).max(UNIT_BYTES);
        Self { memory: MemoryPool::new(ByteSize(bytes as u64)), clients: ClientLimit::new(of_one_client) }
    }

    /// Memory for so many bytes, at most what a client may have; waits for it in line.
    pub(super) async fn room(&self, client: ClientAddress, bytes: usize) -> Room {
        self.reserve(client, bytes, bytes).await
    }

    /// So many bytes of what `client` may have, at most all of it, and so many of what there is; waits in line for either.
    /// Every response takes them in this order and at once, or responses could wait for each other.
    pub(super) async fn reserve(&self, client: ClientAddress, of_client: usize, of_all: usize) -> Room {
        let share = self.clients.wait(client, of_client).await;
        Room { memory: self.memory.room(of_all).await, share }
    }
}
