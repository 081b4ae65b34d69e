//! Limits for each client, by its address or its name, of whatever clients share.
//!
//! Invariants:
//! - What an address has never passes the limit, so that one client cannot use up what all clients share.
//! - Those of one address who wait do so in order, and in the way of no other address.
//! - An address that has nothing and waits for nothing costs nothing.
//!
//! Not here: limits over all clients, which are semaphores of those who share something.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Semaphore;

use super::ClientAddress;

/// A limit for each client address, or each client of another kind.
pub struct ClientLimit<K: Eq + Hash = ClientAddress> {
    limit: usize,
    clients: Mutex<HashMap<K, Weak<Client<K>>>>,
}

/// An address that has something, or waits for it.
struct Client<K: Eq + Hash> {
    address: K,
    of: Arc<ClientLimit<K>>,
    free: Semaphore,
}

impl<K: Clone + Eq + Hash> ClientLimit<K> {
    /// At most `limit` units for each address.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.min(Semaphore::MAX_PERMITS), clients: Mutex::default() })
    }

    /// What each address may have.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Takes `units` for `client`, until the share is dropped; `None` if it would then have more than the limit.
    pub fn take(self: &Arc<Self>, client: K, units: usize) -> Option<ClientShare<K>> {
        let client = self.client(client);
        client.free.try_acquire_many(u32::try_from(units).ok()?).ok()?.forget();
        Some(ClientShare { client, units })
    }

    /// The same, and waits until the client has less; more than the limit counts as the limit.
    pub async fn wait(self: &Arc<Self>, client: K, units: usize) -> ClientShare<K> {
        let client = self.client(client);
        let permits = u32::try_from(units.min(self.limit)).unwrap_or(u32::MAX);
        client.free.acquire_many(permits).await.expect("the semaphore is never closed").forget();
        ClientShare { client, units: permits as usize }
    }

    fn client(self: &Arc<Self>, address: K) -> Arc<Client<K>> {
        let mut clients = self.clients();
        clients.get(&address).and_then(Weak::upgrade).unwrap_or_else(|| {
            let (free, of) = (Semaphore::new(self.limit), Arc::clone(self));
            let client = Arc::new(Client { address: address.clone(), of, free });
            clients.insert(address, Arc::downgrade(&client));
            client
        })
    }
}

impl<K: Eq + Hash> ClientLimit<K> {
    fn clients(&self) -> MutexGuard<'_, HashMap<K, Weak<Client<K>>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> fmt::Debug for ClientLimit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientLimit").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl<K: Eq + Hash> Drop for Client<K> {
    fn drop(&mut self) {
        let mut clients = self.of.clients();
        // Another may have come under the same address since the last share of this one was dropped.
        if clients.get(&self.address).is_some_and(|client| client.strong_count() == 0) {
            clients.remove(&self.address);
        }
    }
}

/// Units that a client has; dropping it gives them back.
pub struct ClientShare<K: Eq + Hash = ClientAddress> {
    client: Arc<Client<K>>,
    units: usize,
}

impl<K: Eq + Hash> ClientShare<K> {
    /// Adds what another share of the same client has.
    pub fn merge(&mut self, mut other: Self) {
        debug_assert!(self.client.address == other.client.address, "shares of one client");
        self.units += std::mem::take(&mut other.units);
    }

    /// Takes `units` out of it, at most what it has, as a share of their own.
    pub fn split(&mut self, units: usize) -> Self {
        let units = units.min(self.units);
        self.units -= units;
        Self { client: Arc::clone(&self.client), units }
    }
}

impl<K: Eq + Hash> Drop for ClientShare<K> {
    fn drop(&mut self) {
        self.client.free.add_permits(self.units);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn client(address: &str) -> ClientAddress {
        ClientAddress::from(address.parse::<IpAddr>().expect("an address"))
    }

    fn ready<T>(wait: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match wait.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(ready) => Some(ready),
            Poll::Pending => None,
        }
    }

    #[test]
    fn each_address_has_a_limit_of_its_own() {
        let limit = ClientLimit::new(3);
        let two = limit.take(client("10.0.0.1"), 2).expect("within the limit");
        assert!(limit.take(client("10.0.0.1"), 2).is_none());
        let other = limit.take(client("10.0.0.2"), 3).expect("another address");
        drop(two);
        let mut one = limit.take(client("10.0.0.1"), 1).expect("given back");
        one.merge(limit.take(client("10.0.0.1"), 2).expect("within the limit"));
        assert!(limit.take(client("10.0.0.1"), 1).is_none());
        drop(one.split(2));
        let again = limit.take(client("10.0.0.1"), 2).expect("given back");
        assert!(limit.take(client("10.0.0.1"), 1).is_none(), "the rest of what was split");
        drop((one, again, other));
        assert!(limit.clients().is_empty(), "an address that has nothing is forgotten");
    }

    #[test]
    fn those_who_wait_are_in_the_way_of_no_other_address() {
        let limit = ClientLimit::new(2);
        let two = limit.take(client("10.0.0.1"), 2).expect("within the limit");
        let mut waiting = Box::pin(limit.wait(client("10.0.0.1"), 9));
        assert!(ready(waiting.as_mut()).is_none());
        assert!(ready(Box::pin(limit.wait(client("10.0.0.2"), 2)).as_mut()).is_some());
        drop(two);
        assert!(ready(waiting.as_mut()).is_some(), "more than the limit counts as the limit");
        let share = limit.take(client("10.0.0.1"), 1).expect("given back");
        let mut gone = Box::pin(limit.wait(client("10.0.0.1"), 2));
        assert!(ready(gone.as_mut()).is_none());
        drop((share, gone, waiting));
        assert!(limit.clients().is_empty(), "an address that waits no more is forgotten");
    }
}
