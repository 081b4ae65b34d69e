//! The memory of all groups: what members bring and offsets take, counted as it comes and goes, with a limit for all
//! groups and one for each client address.
//!
//! Invariants:
//! - what is counted is the sum of the shares that there are: a share that is dropped is given back, so that no way out of
//!   a group can forget to;
//! - one address has half of the limit at most, so that it cannot use up what others need;
//! - only growth is refused: what takes no more than what it replaces always finds its place, and so does what was read
//!   back, even beyond the limits.
//!
//! What was read back of offsets belongs to no address, because the journal does not tell who committed it.
//!
//! Not here: what a member or an offset takes, which they know themselves.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ::metrics::Gauge;
use factum_base::clients::ClientAddress;
use factum_types::ByteSize;
use parking_lot::Mutex;

use crate::metrics;

/// An entry of a map and the allocations behind it, beyond the bytes that are counted one by one.
pub(crate) const ENTRY_BYTES: usize = 128;

/// A change would take more memory than groups may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemoryLimitError {
    /// All groups would have more than they may.
    #[error(
        "too much memory for all consumer groups and transactions: the limit is {limit} bytes (log.groups.memory)"
    )]
    OfAll {
        /// Most bytes of all groups.
        limit: usize,
    },
    /// One address would have more than it may.
    #[error(
        "too much memory for the consumer groups and transactions of one client address: the limit is {limit} bytes, half of \
         log.groups.memory"
    )]
    OfClient {
        /// Most bytes of one address.
        limit: usize,
    },
}

/// What all groups take.
#[derive(Debug)]
pub(crate) struct GroupMemory {
    limit: usize,
    client_limit: usize,
    used: Mutex<Usage>,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Usage {
    bytes: usize,
    /// Of that, what each address has; addresses that have nothing are not there.
    by_client: HashMap<ClientAddress, usize>,
}

impl GroupMemory {
    pub(crate) fn new(limit: ByteSize) -> Arc<Self> {
        let limit = usize::try_from(limit.0).unwrap_or(usize::MAX);
        let gauge = metrics::group_memory();
        Arc::new(Self { limit, client_limit: limit / 2, used: Mutex::default(), gauge })
    }

    /// Takes `bytes` for `client`, beside what it has.
    ///
    /// # Errors
    /// [`MemoryLimitError`].
    pub(crate) fn take(
        self: &Arc<Self>,
        client: Option<ClientAddress>,
        bytes: usize,
    ) -> Result<MemoryShare, MemoryLimitError> {
        self.replace(client, bytes, [])
    }

    /// The same, in the place of shares that the caller drops once it has used the new one; not refused if it is no
    /// larger than they are.
    pub(crate) fn replace<'a>(
        self: &Arc<Self>,
        client: Option<ClientAddress>,
        bytes: usize,
        replaced: impl IntoIterator<Item = &'a MemoryShare>,
    ) -> Result<MemoryShare, MemoryLimitError> {
        let (mut freed, mut freed_of_client) = (0, 0);
        for share in replaced {
            freed += share.bytes;
            freed_of_client += if share.client == client { share.bytes } else { 0 };
        }
        if bytes == 0 {
            return Ok(MemoryShare { memory: Arc::clone(self), client, bytes });
        }
        let mut used = self.used.lock();
        if bytes > freed {
            let of_client = client.map_or(0, |client| used.of(client) - freed_of_client);
            if used.bytes - freed + bytes > self.limit {
                return Err(MemoryLimitError::OfAll { limit: self.limit });
            }
            if client.is_some() && of_client + bytes > self.client_limit {
                return Err(MemoryLimitError::OfClient { limit: self.client_limit });
            }
        }
        Ok(self.add(&mut used, client, bytes))
    }

    /// Takes `bytes` whatever the limits: for what was read back, and for what makes room.
    pub(crate) fn take_always(self: &Arc<Self>, client: Option<ClientAddress>, bytes: usize) -> MemoryShare {
        self.add(&mut self.used.lock(), client, bytes)
    }

    /// What all groups have.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.used.lock().bytes
    }

    /// The part of it that is counted for addresses.
    #[cfg(test)]
    pub(crate) fn bytes_of_clients(&self) -> usize {
        self.used.lock().by_client.values().sum()
    }

    fn add(self: &Arc<Self>, used: &mut Usage, client: Option<ClientAddress>, bytes: usize) -> MemoryShare {
        used.bytes += bytes;
        if let Some(client) = client.filter(|_| bytes > 0) {
            *used.by_client.entry(client).or_default() += bytes;
        }
        self.gauge.set(used.bytes as f64);
        MemoryShare { memory: Arc::clone(self), client, bytes }
    }

    fn give_back(&self, client: Option<ClientAddress>, bytes: usize) {
        let mut used = self.used.lock();
        used.bytes -= bytes;
        if let Some(client) = client
            && let Some(of_client) = used.by_client.get_mut(&client)
        {
            *of_client -= bytes;
            if *of_client == 0 {
                used.by_client.remove(&client);
            }
        }
        self.gauge.set(used.bytes as f64);
    }
}

impl Usage {
    fn of(&self, client: ClientAddress) -> usize {
        self.by_client.get(&client).copied().unwrap_or(0)
    }
}

/// Bytes that something in a group takes; dropping it gives them back.
#[derive(Debug)]
pub(crate) struct MemoryShare {
    memory: Arc<GroupMemory>,
    client: Option<ClientAddress>,
    bytes: usize,
}

impl MemoryShare {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn client(&self) -> Option<ClientAddress> {
        self.client
    }

    /// Takes `bytes` of it into a share of their own, or all that there is.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { memory: Arc::clone(&self.memory), client: self.client, bytes }
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.memory.give_back(self.client, self.bytes);
        }
    }
}

/// The address that a member's host (`/10.0.0.1`) stands for; members that come over no connection share one.
pub(crate) fn client_of(host: &str) -> ClientAddress {
    let address = host.trim_start_matches('/').parse::<IpAddr>();
    address.map_or(ClientAddress::UNKNOWN, ClientAddress::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(host: &str) -> Option<ClientAddress> {
        Some(client_of(host))
    }

    #[test]
    fn one_address_has_half_of_the_memory() {
        let memory = GroupMemory::new(ByteSize(100));
        let one = memory.take(client("/10.0.0.1"), 50).expect("half");
        let more = memory.take(client("/10.0.0.1"), 1);
        assert_eq!(more.err(), Some(MemoryLimitError::OfClient { limit: 50 }));
        let other = memory.take(client("/10.0.0.2"), 50).expect("the other half");
        let third = memory.take(client("/10.0.0.3"), 1);
        assert_eq!(third.err(), Some(MemoryLimitError::OfAll { limit: 100 }));
        drop(one);
        memory.take(client("/10.0.0.3"), 50).expect("what was given back");
        assert_eq!((memory.bytes(), other.bytes()), (50, 50));
    }

    #[test]
    fn only_growth_is_refused() {
        let memory = GroupMemory::new(ByteSize(100));
        let stored = memory.take_always(None, 500);
        memory.take(client("/10.0.0.1"), 1).expect_err("growth");
        let smaller = memory.replace(client("/10.0.0.1"), 500, [&stored]).expect("no growth");
        drop(stored);
        memory.replace(client("/10.0.0.1"), 501, [&smaller]).expect_err("growth");
        memory.replace(client("/10.0.0.2"), 500, [&smaller]).expect("no growth, by another");
    }

    #[test]
    fn a_share_that_is_split_is_given_back_once() {
        let memory = GroupMemory::new(ByteSize(100));
        let mut whole = memory.take(client("/10.0.0.1"), 40).expect("room");
        let part = whole.split(30);
        assert_eq!((whole.bytes(), part.bytes(), memory.bytes()), (10, 30, 40));
        drop(whole);
        assert_eq!((memory.bytes(), memory.bytes_of_clients()), (30, 30));
        drop(part);
        assert_eq!((memory.bytes(), memory.bytes_of_clients()), (0, 0));
    }
}
