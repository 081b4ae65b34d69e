//! The quotas in memory, and which of them goes for a client.
//!
//! Invariants:
//! - Of the quotas with a limit for what is used, the one about the closest entity goes: user and client id, user, client id,
//!   each by name before the default, in Kafka's order (see [`Index::find`]).
//! - Looking for one does not grow with their number, and costs one load where none limits what is used.

mod meters;
mod rate_meter;
mod token_bucket;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;

pub use meters::{MAX_METERS, QuotaClient, QuotaMeters};

use crate::quota::{KEYS, QuotaEntity, QuotaFilter, QuotaKey, QuotaLimits};

/// The quotas; a cheap handle, the same for all who hold it.
#[derive(Clone, Debug, Default)]
pub struct Quotas(Arc<Limits>);

#[derive(Debug, Default)]
struct Limits {
    index: RwLock<Index>,
    /// How many entities have a limit for each key.
    counts: [AtomicUsize; KEYS],
}

/// Limits by name, and those of who has none by name.
#[derive(Debug)]
struct ByName<T> {
    named: HashMap<Arc<str>, T>,
    default: T,
}

impl<T: Default> Default for ByName<T> {
    fn default() -> Self {
        Self { named: HashMap::new(), default: T::default() }
    }
}

/// Of a user: by any client id, and by some.
#[derive(Debug, Default)]
struct OfUser {
    own: QuotaLimits,
    client_ids: ByName<QuotaLimits>,
}

impl OfUser {
    fn is_empty(&self) -> bool {
        let OfUser { own, client_ids: ByName { named, default } } = self;
        own.is_empty() && named.is_empty() && default.is_empty()
    }
}

#[derive(Debug, Default)]
struct Index {
    /// All, for lists.
    entities: BTreeMap<QuotaEntity, QuotaLimits>,
    users: ByName<OfUser>,
    client_ids: ByName<QuotaLimits>,
    addresses: HashMap<IpAddr, QuotaLimits>,
    default_address: QuotaLimits,
}

/// The limit that goes for a client.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Limit {
    pub(crate) bound: f64,
    /// Who has it together: each user, each client id, or each pair of them.
    pub(crate) scope: Scope,
    /// Whose it is.
    pub(crate) entity: QuotaEntity,
}

/// What of a client makes it one with others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    User,
    UserAndClientId,
    ClientId,
}

impl Quotas {
    /// How many entities have a quota.
    pub fn len(&self) -> usize {
        self.0.index.read().entities.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The limits of `entity`; none where it has no quota.
    pub fn get(&self, entity: &QuotaEntity) -> QuotaLimits {
        self.0.index.read().entities.get(entity).copied().unwrap_or_default()
    }

    /// Those that `filter` means, in order.
    pub fn list(&self, filter: &QuotaFilter) -> Vec<(QuotaEntity, QuotaLimits)> {
        let index = self.0.index.read();
        let meant = index.entities.iter().filter(|(entity, _)| filter.matches(entity));
        meant.map(|(entity, limits)| (entity.clone(), *limits)).collect()
    }

    /// Gives `entity` these limits in place of those that it has; none is the end of its quota.
    pub fn set(&self, entity: &QuotaEntity, limits: QuotaLimits) {
        let mut index = self.0.index.write();
        let before = match limits.is_empty() {
            true => index.entities.remove(entity),
            false => index.entities.insert(entity.clone(), limits),
        };
        index.place(entity, limits);
        for (key, _) in before.unwrap_or_default().iter() {
            self.0.counts[key.index()].fetch_sub(1, Ordering::Relaxed);
        }
        for (key, _) in limits.iter() {
            self.0.counts[key.index()].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether anyone has a limit for `key`.
    pub fn has_limits(&self, key: QuotaKey) -> bool {
        self.0.counts[key.index()].load(Ordering::Relaxed) > 0
    }

    /// The limit of a user's client for `key`.
    pub(crate) fn find(&self, user: &str, client_id: &str, key: QuotaKey) -> Option<Limit> {
        if !self.has_limits(key) {
            return None;
        }
        self.0.index.read().find(user, client_id, key)
    }

    /// The limit of connections from `address`, and whether a quota names it.
    pub(crate) fn find_address(&self, address: IpAddr) -> Option<(f64, bool)> {
        let key = QuotaKey::ConnectionCreationRate;
        if !self.has_limits(key) {
            return None;
        }
        let index = self.0.index.read();
        let named = index.addresses.get(&address.to_canonical()).and_then(|limits| limits.get(key));
        let default = || index.default_address.get(key).map(|bound| (bound, false));
        named.map(|bound| (bound, true)).or_else(default)
    }
}

impl Index {
    fn place(&mut self, entity: &QuotaEntity, limits: QuotaLimits) {
        match entity {
            QuotaEntity::User(None) => self.users.default.own = limits,
            QuotaEntity::UserAndClientId(None, client_id) => {
                place(&mut self.users.default.client_ids, client_id.as_ref(), limits);
            }
            QuotaEntity::User(Some(user)) => self.place_user(user, |of| of.own = limits),
            QuotaEntity::UserAndClientId(Some(user), client_id) => {
                self.place_user(user, |of| place(&mut of.client_ids, client_id.as_ref(), limits));
            }
            QuotaEntity::ClientId(client_id) => place(&mut self.client_ids, client_id.as_ref(), limits),
            QuotaEntity::Ip(None) => self.default_address = limits,
            QuotaEntity::Ip(Some(address)) if limits.is_empty() => {
                self.addresses.remove(address);
            }
            QuotaEntity::Ip(Some(address)) => {
                self.addresses.insert(*address, limits);
            }
        }
    }

    fn place_user(&mut self, user: &Arc<str>, change: impl FnOnce(&mut OfUser)) {
        let of = self.users.named.entry(Arc::clone(user)).or_default();
        change(of);
        if of.is_empty() {
            self.users.named.remove(user);
        }
    }

    /// The closest limit:
    ///
    /// | | user | client id |
    /// |---|---|---|
    /// | 1, 2, 3 | by name | by name, default, any |
    /// | 4, 5, 6 | default | by name, default, any |
    /// | 7, 8 | any | by name, default |
    ///
    /// Different from Kafka, where a client without a client id has none of those for default client ids and so could evade them.
    fn find(&self, user: &str, client_id: &str, key: QuotaKey) -> Option<Limit> {
        let named = self.users.named.get_key_value(user);
        let of_user = |name: Option<&Arc<str>>, of: &OfUser| {
            let own = || {
                let bound = of.own.get(key)?;
                Some(Limit { bound, scope: Scope::User, entity: QuotaEntity::User(name.cloned()) })
            };
            let pair = of.client_ids.find(client_id, key).map(|(bound, client_id)| Limit {
                bound,
                scope: Scope::UserAndClientId,
                entity: QuotaEntity::UserAndClientId(name.cloned(), client_id.cloned()),
            });
            pair.or_else(own)
        };
        let by_name = named.and_then(|(name, of)| of_user(Some(name), of));
        by_name.or_else(|| of_user(None, &self.users.default)).or_else(|| {
            let (bound, client_id) = self.client_ids.find(client_id, key)?;
            let entity = QuotaEntity::ClientId(client_id.cloned());
            Some(Limit { bound, scope: Scope::ClientId, entity })
        })
    }
}

impl ByName<QuotaLimits> {
    /// The limit of `name`, else the default, and whose it is.
    fn find(&self, name: &str, key: QuotaKey) -> Option<(f64, Option<&Arc<str>>)> {
        let named = self.named.get_key_value(name);
        let named = named.and_then(|(name, limits)| Some((limits.get(key)?, Some(name))));
        named.or_else(|| Some((self.default.get(key)?, None)))
    }
}

fn place(of: &mut ByName<QuotaLimits>, name: Option<&Arc<str>>, limits: QuotaLimits) {
    match name {
        None => of.default = limits,
        Some(name) if limits.is_empty() => {
            of.named.remove(name);
        }
        Some(name) => {
            of.named.insert(Arc::clone(name), limits);
        }
    }
}

#[cfg(test)]
mod tests;
