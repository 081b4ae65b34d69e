//! Responses without an end: how many there may be, and what they may hold.
//!
//! Invariants:
//! - Tails and the overview's streams share one limit, followers of views have another, so that neither takes the
//!   other's places; one client address has a limit over all of them.
//! - What all tails keep of records that their clients have not taken is at most three quarters of
//!   [`Options::tail_memory`], and those of one client address half of that, beside a frame for each
//!   ([`UNCOUNTED_FRAME`]). A larger frame counts whole. What they wait for has the last quarter: tails that take nothing
//!   keep no other from opening.
//! - [`READS_AT_ONCE`] tails read and write records at one time, and half as many of one address: nothing counts what
//!   they hold before they know its size.
//!
//! Not here: how long a client may take nothing, which is its connection's.

use std::sync::Arc;

use factum_base::clients::ClientAddress;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Options;
use crate::http::client_limit::{ClientLimit, ClientShare};
use crate::http::problem::Problem;
use crate::http::server_sent::FRAME_BYTES;

/// The unit in which memory is counted.
const PERMIT_BYTES: usize = 1024;
/// The largest frame that every tail may have, whatever others have.
pub(crate) const UNCOUNTED_FRAME: usize = 2 * FRAME_BYTES;
/// What a tail needs for each partition that it waits for.
const WAIT_BYTES: usize = 512;
/// What tails wait for has the memory divided by this.
const WAITS_DIVISOR: usize = 4;
/// Tails that read at once.
const READS_AT_ONCE: usize = 4;

/// The places and the memory that all streams share.
pub(crate) struct Streams {
    followers: Places,
    tails: Places,
    clients: Arc<ClientLimit>,
    records: MemoryShares,
    waits: MemoryShares,
    reads: Arc<Semaphore>,
    reads_of_client: Arc<ClientLimit>,
}

/// Places of one kind of stream.
struct Places {
    /// The kind, in the plural.
    kind: &'static str,
    limit: usize,
    free: Arc<Semaphore>,
}

/// Memory for one purpose, half of it for one client address at most. Those who wait for it take what is free before
/// those who do not.
struct MemoryShares {
    of_all: Arc<Semaphore>,
    of_client: Arc<ClientLimit>,
}

/// Memory that a tail has, until it is dropped.
pub(crate) struct TailMemory {
    bytes: usize,
    _share: StreamShare,
}

/// What a stream has of what all share, and of what its address may have: a place, a turn to read, memory. Dropping it
/// gives it back.
pub(crate) struct StreamShare {
    _of_all: OwnedSemaphorePermit,
    _of_client: ClientShare,
}

impl Streams {
    pub(crate) fn new(options: &Options) -> Self {
        let memory = usize::try_from(options.tail_memory.as_u64()).unwrap_or(usize::MAX) / PERMIT_BYTES;
        Self {
            followers: Places::new("change streams", options.max_followers),
            tails: Places::new("tails", options.max_tails),
            clients: ClientLimit::new(options.max_streams_per_client),
            records: MemoryShares::new(memory - memory / WAITS_DIVISOR),
            waits: MemoryShares::new(memory / WAITS_DIVISOR),
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
            reads_of_client: ClientLimit::new(READS_AT_ONCE / 2),
        }
    }

    /// A place among those who follow changes of views.
    pub(crate) fn follower(&self, client: ClientAddress) -> Result<StreamShare, Problem> {
        self.place(&self.followers, client)
    }

    /// A place among those who follow a topic or the overview.
    pub(crate) fn tail(&self, client: ClientAddress) -> Result<StreamShare, Problem> {
        self.place(&self.tails, client)
    }

    fn place(&self, places: &Places, client: ClientAddress) -> Result<StreamShare, Problem> {
        let of_client = self.clients.take(client, 1).ok_or_else(|| {
            let limit = self.clients.limit();
            let detail = format!("too many streams from one client address: the limit is {limit}");
            Problem::unavailable("busy", detail).with("limit", limit)
        })?;
        let of_all = Arc::clone(&places.free).try_acquire_owned().map_err(|_| {
            let Places { kind, limit, .. } = places;
            let detail = format!("too many {kind}: the limit is {limit}");
            Problem::unavailable("busy", detail).with("limit", *limit)
        })?;
        Ok(StreamShare { _of_all: of_all, _of_client: of_client })
    }

    /// Memory for `bytes` of records that a tail of `client` keeps; `None` if its tails, or all, keep too much already.
    pub(crate) fn memory(&self, client: ClientAddress, bytes: usize) -> Option<TailMemory> {
        self.records.take(client, bytes)
    }

    /// The same, and waits until they keep less, behind those of the same address that wait already. More than one
    /// address may have counts as that much.
    pub(crate) fn wait_for_memory(
        &self,
        client: ClientAddress,
        bytes: usize,
    ) -> impl Future<Output = TailMemory> + Send + 'static {
        self.records.wait(client, bytes)
    }

    /// Memory for a tail of `client` that waits for so many partitions.
    ///
    /// # Errors
    /// 503 if its tails, or all, have too much already.
    pub(crate) fn memory_of_waits(
        &self,
        client: ClientAddress,
        partitions: usize,
    ) -> Result<TailMemory, Problem> {
        self.waits.take(client, partitions.saturating_mul(WAIT_BYTES)).ok_or_else(|| {
            let detail = format!(
                "too many tails of topics with many partitions: there is no memory (http.tail_memory) to follow \
                 {partitions} more of them"
            );
            Problem::unavailable("busy", detail)
        })
    }

    /// A turn to read for a tail of `client`, in line.
    pub(crate) async fn read(&self, client: ClientAddress) -> StreamShare {
        let of_client = self.reads_of_client.wait(client, 1).await;
        let of_all = Arc::clone(&self.reads).acquire_owned().await.expect("the semaphore is never closed");
        StreamShare { _of_all: of_all, _of_client: of_client }
    }
}

impl MemoryShares {
    fn new(permits: usize) -> Self {
        let of_all = Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self { of_all, of_client: ClientLimit::new((permits / 2).max(1)) }
    }

    fn take(&self, client: ClientAddress, bytes: usize) -> Option<TailMemory> {
        let permits = bytes.div_ceil(PERMIT_BYTES);
        let of_client = self.of_client.take(client, permits)?;
        let of_all = Arc::clone(&self.of_all).try_acquire_many_owned(u32::try_from(permits).ok()?).ok()?;
        Some(TailMemory { bytes, _share: StreamShare { _of_all: of_all, _of_client: of_client } })
    }

    fn wait(&self, client: ClientAddress, bytes: usize) -> impl Future<Output = TailMemory> + Send + use<> {
        let (of_all, of_client) = (Arc::clone(&self.of_all), Arc::clone(&self.of_client));
        async move {
            let permits = bytes.div_ceil(PERMIT_BYTES).min(of_client.limit());
            let _of_client = of_client.wait(client, permits).await;
            let permits = u32::try_from(permits).unwrap_or(u32::MAX);
            let _of_all = of_all.acquire_many_owned(permits).await.expect("the semaphore is never closed");
            TailMemory { bytes, _share: StreamShare { _of_all, _of_client } }
        }
    }
}

impl TailMemory {
    /// The bytes that it is for.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Places {
    fn new(kind: &'static str, limit: usize) -> Self {
        Self { kind, limit, free: Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))) }
    }
}
