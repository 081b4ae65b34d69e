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
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::timeout;

use crate::Options;
use crate::client_limit::{ClientLimit, ClientShare};
use crate::problem::Problem;

/// The unit in which the pools are counted.
const PERMIT_BYTES: usize = 1024;
/// How much of each body is counted in the small pool.
const SMALL_BYTES: usize = 64 << 10;
/// How long a body waits for others to make room.
const ROOM_TIMEOUT: Duration = Duration::from_secs(2);

/// The memory that all bodies share.
pub(super) struct BodyMemory {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
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
        let pool = |bytes: usize| {
            Arc::new(Semaphore::new((bytes.div_ceil(PERMIT_BYTES) + 1).min(Semaphore::MAX_PERMITS)))
        };
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
        let (small, large) = self.pool_permits(bytes);
        self.take_share(bytes)?;
        let pools = async {
            let small = Arc::clone(&self.memory.small).acquire_many_owned(small).await?;
            let large = Arc::clone(&self.memory.large).acquire_many_owned(large).await?;
            Ok::<_, AcquireError>((small, large))
        };
        match timeout(ROOM_TIMEOUT, pools).await {
            Ok(Ok((small, large))) => self.add(bytes, small, large),
            Ok(Err(_)) | Err(_) => return Err(busy()),
        }
        Ok(())
    }

    /// The same without waiting, for a thread that may not wait.
    pub(super) fn try_grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let (small, large) = self.pool_permits(bytes);
        self.take_share(bytes)?;
        let refused = |_: TryAcquireError| busy();
        let small = Arc::clone(&self.memory.small).try_acquire_many_owned(small).map_err(refused)?;
        let large = Arc::clone(&self.memory.large).try_acquire_many_owned(large).map_err(refused)?;
        self.add(bytes, small, large);
        Ok(())
    }

    /// How many permits of each pool `bytes` more need.
    fn pool_permits(&self, bytes: usize) -> (u32, u32) {
        let in_small = SMALL_BYTES.saturating_sub(self.bytes).min(bytes);
        let permits = |bytes: usize| u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        (permits(in_small), permits(bytes - in_small))
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
