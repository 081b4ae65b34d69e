//! The number of groups that one client address made, of all that there may be.
//!
//! Invariants: an address has three quarters of the groups at most, so that others can always make some; a place is given
//! back when it is dropped. Groups that were read back belong to no address.

use std::collections::HashMap;
use std::sync::Arc;

use factum_base::clients::{ClientAddress, most_of_one_client};
use parking_lot::Mutex;

/// The groups of each address.
#[derive(Debug)]
pub(crate) struct GroupPlaces {
    limit: usize,
    by_client: Mutex<HashMap<ClientAddress, usize>>,
}

impl GroupPlaces {
    /// Of `max_groups` in all.
    pub(crate) fn new(max_groups: usize) -> Arc<Self> {
        Arc::new(Self { limit: most_of_one_client(max_groups), by_client: Mutex::default() })
    }

    /// A place for one more group of `client`; `None` if it has all that it may.
    pub(crate) fn take(self: &Arc<Self>, client: ClientAddress) -> Option<GroupPlace> {
        let mut by_client = self.by_client.lock();
        let count = by_client.entry(client).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(GroupPlace { places: Arc::clone(self), client })
    }

    /// Most groups of one address.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

/// One group's place; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct GroupPlace {
    places: Arc<GroupPlaces>,
    client: ClientAddress,
}

impl Drop for GroupPlace {
    fn drop(&mut self) {
        let mut by_client = self.places.by_client.lock();
        if let Some(count) = by_client.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                by_client.remove(&self.client);
            }
        }
    }
}
