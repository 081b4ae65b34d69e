//! Memory for the bodies of requests.
//!
//! ```text
//!   body     │ first 64 KiB │ the rest        │
//!   counted  │ small pool   │ large pool      │   and both against what its client address may hold
//! ```
//!
//! Invariants:
//! - What all bodies hold is at most the two pools.
//! - Large bodies, however slow, never take the room of small ones: the first 64 KiB of each body are counted apart.
//! - One client address holds at most half of all, so that it cannot take the room of others.

use std::sync::Arc;
use std::time::Duration;

use factum_base::clients::ClientAddress;
use factum_types::ByteSize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::Options;
use crate::client_limit::{ClientLimit, ClientShare};
use crate::memory_pool::{MemoryPool, UNIT_BYTES};
use crate::problem::Problem;

/// How much of each body is counted in the small pool.
const SMALL_BYTES: usize = 64 << 10;
/// How long a body waits for others to make room.
const ROOM_TIMEOUT: Duration = Duration::from_secs(2);

/// The memory that all bodies share.
pub(super) struct BodyMemory {
    small: MemoryPool,
    large: MemoryPool,
    clients: Arc<ClientLimit>,
}

/// What one body holds; dropping it gives its room to others.
pub(super) struct Room {
    memory: Arc<BodyMemory>,
    client: ClientAddress,
    bytes: usize,
    small: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
    share: Option<ClientShare>,
}

impl BodyMemory {
    pub(super) fn new(options: &Options) -> Arc<Self> {
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let largest = size(options.max_body.as_u64());
        let all = size(options.body_memory.as_u64()).max(largest);
        // A unit more, because a body is counted in two parts.
        let pool = |bytes: usize| MemoryPool::new(ByteSize(bytes.saturating_add(2 * UNIT_BYTES) as u64));
        Arc::new(Self {
            small: pool(all / 4),
            large: pool((all - all / 4).max(largest)),
            clients: ClientLimit::new((all / 2).max(largest)),
        })
    }

    /// Room for nothing yet.
    pub(super) fn room(self: &Arc<Self>, client: ClientAddress) -> Room {
        Room { memory: Arc::clone(self), client, bytes: 0, small: None, large: None, share: None }
    }
}

impl Room {
    /// Makes room for `bytes` more, waiting a little for others to give theirs back.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let (small, large) = self.parts(bytes);
        self.take_share(bytes)?;
        let memory = &self.memory;
        let pools = async { (memory.small.room(small).await, memory.large.room(large).await) };
        let (small, large) = timeout(ROOM_TIMEOUT, pools).await.map_err(|_| busy())?;
        self.add(bytes, small, large);
        Ok(())
    }

    /// The same without waiting, for a thread that may not wait.
    pub(super) fn try_grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let (small, large) = self.parts(bytes);
        self.take_share(bytes)?;
        let small = self.memory.small.try_room(small).ok_or_else(busy)?;
        let large = self.memory.large.try_room(large).ok_or_else(busy)?;
        self.add(bytes, small, large);
        Ok(())
    }

    /// How much of `bytes` more is counted in which pool.
    fn parts(&self, bytes: usize) -> (usize, usize) {
        let in_small = SMALL_BYTES.saturating_sub(self.bytes).min(bytes);
        (in_small, bytes - in_small)
    }

    fn take_share(&mut self, bytes: usize) -> Result<(), Problem> {
        let share = self.memory.clients.take(self.client, bytes).ok_or_else(busy)?;
        match &mut self.share {
            Some(held) => held.merge(share),
            None => self.share = Some(share),
        }
        Ok(())
    }

    fn add(&mut self, bytes: usize, small: OwnedSemaphorePermit, large: OwnedSemaphorePermit) {
        self.bytes += bytes;
        for (held, more) in [(&mut self.small, small), (&mut self.large, large)] {
            match held {
                Some(held) => held.merge(more),
                None => *held = Some(more),
            }
        }
    }
}

fn busy() -> Problem {
    Problem::unavailable("busy", "too many large requests are being taken in; try again")
}
