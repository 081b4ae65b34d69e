//! Memory for the bodies of requests.
//!
//! ```text
//!   body     │ first 64 KiB │ the rest        │
//!   counted  │ small pool   │ large pool      │   and each against what one client address may hold of it
//! ```
//!
//! Invariants:
//! - What all bodies hold is at most the two pools.
//! - Large bodies, however slow, never take the room of small ones, not even of their own client's: the
//!   first 64 KiB of each body are counted apart.
//! - One client address holds at most half of each pool, so that it cannot take the room of others.

use std::sync::Arc;
use std::time::Duration;

use factum_base::clients::ClientAddress;
use factum_types::ByteSize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::Options;
use crate::http::client_limit::{ClientLimit, ClientShare};
use crate::http::memory_pool::{MemoryPool, UNIT_BYTES};
use crate::http::problem::Problem;

/// How much of each body is counted in the small pool.
const SMALL_BYTES: usize = 64 << 10;
/// How long a body waits for others to make room.
const ROOM_TIMEOUT: Duration = Duration::from_secs(2);

/// The memory that all bodies share.
pub(super) struct BodyMemory {
    small: Pool,
    large: Pool,
}

/// The memory that one part of each body is counted in.
struct Pool {
    memory: MemoryPool,
    clients: Arc<ClientLimit>,
}

/// What one body holds of a pool.
struct Part {
    memory: OwnedSemaphorePermit,
    share: ClientShare,
}

/// What one body holds; dropping it gives its room to others.
pub(super) struct Room {
    memory: Arc<BodyMemory>,
    client: ClientAddress,
    bytes: usize,
    small: Option<Part>,
    large: Option<Part>,
}

impl BodyMemory {
    pub(super) fn new(options: &Options) -> Arc<Self> {
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let largest = size(options.max_body.as_u64());
        let all = size(options.body_memory.as_u64()).max(largest);
        let small = all / 4;
        // Every body fits by its first part, and one of the largest by the rest.
        Arc::new(Self {
            small: Pool::new(small, (small / 2).max(SMALL_BYTES)),
            large: Pool::new((all - small).max(largest), ((all - small) / 2).max(largest)),
        })
    }

    /// Room for nothing yet.
    pub(super) fn room(self: &Arc<Self>, client: ClientAddress) -> Room {
        Room { memory: Arc::clone(self), client, bytes: 0, small: None, large: None }
    }
}

impl Pool {
    /// A pool of `bytes`, of which one client address holds `of_one_client` at most.
    fn new(bytes: usize, of_one_client: usize) -> Self {
        // A unit more, because a body is counted in two parts.
        let memory = MemoryPool::new(ByteSize(bytes.saturating_add(2 * UNIT_BYTES) as u64));
        Self { memory, clients: ClientLimit::new(of_one_client) }
    }

    async fn part(&self, client: ClientAddress, bytes: usize) -> Result<Part, Problem> {
        let share = self.clients.take(client, bytes).ok_or_else(busy)?;
        let memory = timeout(ROOM_TIMEOUT, self.memory.room(bytes)).await.map_err(|_| busy())?;
        Ok(Part { memory, share })
    }

    fn try_part(&self, client: ClientAddress, bytes: usize) -> Result<Part, Problem> {
        let share = self.clients.take(client, bytes).ok_or_else(busy)?;
        let memory = self.memory.try_room(bytes).ok_or_else(busy)?;
        Ok(Part { memory, share })
    }
}

impl Room {
    /// Makes room for `bytes` more, waiting a little for others to give theirs back.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let (small, large) = self.parts(bytes);
        let small = self.memory.small.part(self.client, small).await?;
        let large = self.memory.large.part(self.client, large).await?;
        self.add(bytes, small, large);
        Ok(())
    }

    /// The same without waiting, for a thread that may not wait.
    pub(super) fn try_grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let (small, large) = self.parts(bytes);
        let small = self.memory.small.try_part(self.client, small)?;
        let large = self.memory.large.try_part(self.client, large)?;
        self.add(bytes, small, large);
        Ok(())
    }

    /// How much of `bytes` more is counted in which pool.
    fn parts(&self, bytes: usize) -> (usize, usize) {
        let in_small = SMALL_BYTES.saturating_sub(self.bytes).min(bytes);
        (in_small, bytes - in_small)
    }

    fn add(&mut self, bytes: usize, small: Part, large: Part) {
        self.bytes += bytes;
        for (held, more) in [(&mut self.small, small), (&mut self.large, large)] {
            match held {
                Some(held) => held.merge(more),
                None => *held = Some(more),
            }
        }
    }
}

impl Part {
    fn merge(&mut self, more: Self) {
        self.memory.merge(more.memory);
        self.share.merge(more.share);
    }
}

fn busy() -> Problem {
    Problem::unavailable("busy", "too many large requests are being taken in; try again")
}
