//! How much of something each client address may hold at once.
//!
//! Invariants:
//! - What an address holds never passes the limit, so that one client cannot use up what all clients share.
//! - An address that holds nothing costs nothing: what is remembered is bounded by what is held.
//!
//! Not here: limits over all clients, which are semaphores of those who share something.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use factum_base::clients::ClientAddress;

/// The address that the connection of this request noted; requests that came over none share one.
pub(crate) fn client_of(head: &Parts) -> ClientAddress {
    head.extensions.get().copied().unwrap_or(ClientAddress::UNKNOWN)
}

/// A limit for each client address.
pub(crate) struct ClientLimit {
    limit: usize,
    held: Mutex<HashMap<ClientAddress, usize>>,
}

impl ClientLimit {
    /// At most `limit` units for each address.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: Mutex::default() })
    }

    /// What each address may hold.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes `units` for `client`, until the share is dropped; `None` if it would then hold more than the limit.
    pub(crate) fn take(self: &Arc<Self>, client: ClientAddress, units: usize) -> Option<ClientShare> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let before = held.get(&client).copied().unwrap_or(0);
        let after = before.checked_add(units).filter(|after| *after <= self.limit)?;
        held.insert(client, after);
        Some(ClientShare { of: Arc::clone(self), client, units })
    }
}

/// Units held by a client; dropping it gives them back.
pub(crate) struct ClientShare {
    of: Arc<ClientLimit>,
    client: ClientAddress,
    units: usize,
}

impl ClientShare {
    /// Adds what another share of the same client holds.
    pub(crate) fn merge(&mut self, mut other: Self) {
        debug_assert_eq!(self.client, other.client);
        self.units += std::mem::take(&mut other.units);
    }
}

impl Drop for ClientShare {
    fn drop(&mut self) {
        let mut held = self.of.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = held.entry(self.client) {
            *entry.get_mut() -= self.units.min(*entry.get());
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn client(address: &str) -> ClientAddress {
        ClientAddress::from(address.parse::<IpAddr>().expect("an address"))
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
        drop((one, other));
        assert!(limit.held.lock().expect("no panic").is_empty(), "nothing is remembered of nobody");
    }
}
