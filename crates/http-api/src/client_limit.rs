//! How much of something each client address may hold at once.
//!
//! Invariants:
//! - What an address holds never passes the limit, so that one client cannot use up what all clients share.
//! - An address that holds nothing costs nothing: what is remembered is bounded by what is held.
//!
//! An address is an IPv4 address or the /64 network of an IPv6 one: a single host is usually given a whole /64.
//!
//! Not here: limits over all clients, which are semaphores of those who share something.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;

/// The address that a request comes from, for limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address that the connection of this request noted; requests that came over none share one.
    pub(crate) fn of(head: &Parts) -> Self {
        head.extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            address => address,
        })
    }
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

    #[test]
    fn a_host_is_one_client_by_whatever_address() {
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:2"));
        assert_ne!(client("2001:db8:0:1::1"), client("2001:db8:0:2::1"));
    }
}
