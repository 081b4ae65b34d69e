//! Limits by client address: the number of its connections, and what they hold together.
//!
//! Invariants:
//! - An address is known while it has a connection, and no longer: the table is as long as there are
//!   connections at most.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use factum_base::clients::ClientAddress;
use tokio::sync::Semaphore;

/// Searches through the log at once on behalf of one address.
const SEARCHES_PER_ADDRESS: usize = 2;

/// All addresses that are connected.
#[derive(Debug)]
pub(crate) struct Addresses {
    max_connections: usize,
    connected: Mutex<HashMap<ClientAddress, Arc<SharedByAddress>>>,
}

/// What the connections of one address share.
#[derive(Debug)]
pub(crate) struct SharedByAddress {
    client: ClientAddress,
    connections: AtomicUsize,
    /// Bytes of requests that are taken from the listener's memory for requests.
    pub(super) request_bytes: AtomicUsize,
    /// Bytes of answers not yet sent.
    pub(super) unsent_bytes: AtomicUsize,
    /// One permit for each search through the log that may read much.
    pub(crate) searches: Arc<Semaphore>,
}

/// One connection of an address; dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct AddressConnection {
    addresses: Arc<Addresses>,
    pub(crate) address: Arc<SharedByAddress>,
}

impl Addresses {
    pub(crate) fn new(max_connections: usize) -> Self {
        Self { max_connections, connected: Mutex::new(HashMap::new()) }
    }

    /// Counts a connection from `ip`; `None` if the address has as many as it may have.
    pub(crate) fn connect(self: &Arc<Self>, ip: IpAddr) -> Option<AddressConnection> {
        let client = ClientAddress::from(ip);
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let address = connected.entry(client).or_insert_with(|| Arc::new(SharedByAddress::new(client)));
        if address.connections.load(Ordering::Relaxed) >= self.max_connections {
            let address = Arc::clone(address);
            self.forget_unconnected(&mut connected, &address);
            return None;
        }
        address.connections.fetch_add(1, Ordering::Relaxed);
        Some(AddressConnection { addresses: Arc::clone(self), address: Arc::clone(address) })
    }

    fn forget_unconnected(
        &self,
        connected: &mut HashMap<ClientAddress, Arc<SharedByAddress>>,
        address: &SharedByAddress,
    ) {
        if address.connections.load(Ordering::Relaxed) == 0 {
            connected.remove(&address.client);
        }
    }
}

impl SharedByAddress {
    fn new(client: ClientAddress) -> Self {
        Self {
            client,
            connections: AtomicUsize::new(0),
            request_bytes: AtomicUsize::new(0),
            unsent_bytes: AtomicUsize::new(0),
            searches: Arc::new(Semaphore::new(SEARCHES_PER_ADDRESS)),
        }
    }
}

impl Drop for AddressConnection {
    fn drop(&mut self) {
        let mut connected = self.addresses.connected.lock().unwrap_or_else(PoisonError::into_inner);
        self.address.connections.fetch_sub(1, Ordering::Relaxed);
        self.addresses.forget_unconnected(&mut connected, &self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_so_many_connections_and_is_forgotten_with_the_last() {
        let addresses = Arc::new(Addresses::new(2));
        let one = addresses.connect(ip("192.0.2.1")).expect("room");
        let _two = addresses.connect(ip("::ffff:192.0.2.1")).expect("room");
        assert!(addresses.connect(ip("192.0.2.1")).is_none());
        let other = addresses.connect(ip("192.0.2.2")).expect("another address");
        drop(one);
        assert!(addresses.connect(ip("192.0.2.1")).is_some());
        drop(other);
        assert_eq!(addresses.connected.lock().expect("no panic").len(), 1);
    }
}
