//! Meters of the clients that have quotas: what each has used lately, and how long it has to wait.
//!
//! ```text
//!   a client ─▶ its closest quota ─▶ the meter of its user, its client id, or both ─▶ how long it waits
//!                                  ╰▶ the quota's own, shared, when there are too many meters
//! ```
//!
//! Invariants:
//! - Meters are bounded in number, of which one client address has half. Those beyond share one for each quota, so that a client that
//!   invents client ids, or users, has less and not more.
//! - A meter is forgotten once it says what a new one would.
//! - Times are those of the clock that is given.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use factum_base::clients::ClientAddress;
use factum_base::clock::SharedClock;
use parking_lot::Mutex;

use super::rate_meter::{RateMeter, WHOLE_SECONDS};
use super::token_bucket::TokenBucket;
use super::{Limit, Quotas, Scope};
use crate::quota::{MAX_QUOTA_NAME_BYTES, QuotaEntity, QuotaKey};

/// Meters at most, beside one for each quota.
pub const MAX_METERS: usize = 10_000;
/// A request that took too long, or a connection too many, waits no longer, as in Kafka.
const LONGEST_OF_TIME: Duration = Duration::from_secs(1);
/// How long a client waits at most, however much it has used at once.
const LONGEST: Duration = Duration::from_secs(3600);

/// Who uses something.
#[derive(Clone, Copy, Debug)]
pub struct QuotaClient<'a> {
    /// The name of its principal.
    pub user: &'a str,
    /// Its name for itself; none is the empty one.
    pub client_id: &'a str,
    /// Where it is.
    pub address: ClientAddress,
}

/// Counts what clients with quotas use.
pub struct QuotaMeters {
    quotas: Quotas,
    clock: SharedClock,
    start: Instant,
    pub(super) table: Mutex<Table>,
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) meters: HashMap<(QuotaKey, Owner), Entry>,
    /// How many each address has brought.
    pub(super) by_address: HashMap<ClientAddress, usize>,
    pub(super) shared: HashMap<(QuotaKey, QuotaEntity), Meter>,
    /// When idle ones were looked for.
    swept_at: Option<Duration>,
}

/// Whose meter it is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    User(Box<str>),
    UserAndClientId(Box<str>, Box<str>),
    ClientId(Box<str>),
    Address(IpAddr),
    Network(ClientAddress),
}

pub(super) struct Entry {
    meter: Meter,
    brought_by: ClientAddress,
}

pub(super) enum Meter {
    Rate(RateMeter),
    Tokens(TokenBucket),
}

/// What a meter is asked, once it is found.
struct Question {
    key: QuotaKey,
    owner: Option<Owner>,
    entity: QuotaEntity,
    bound: f64,
    address: ClientAddress,
    now: Duration,
}

impl QuotaMeters {
    /// Of `quotas`.
    pub fn new(quotas: Quotas, clock: SharedClock) -> Self {
        let start = clock.monotonic();
        Self { quotas, clock, start, table: Mutex::default() }
    }

    /// Whether anyone has a limit for `key`.
    pub fn has_limits(&self, key: QuotaKey) -> bool {
        self.quotas.has_limits(key)
    }

    /// Counts what `client` has used, and gives how long it has to wait.
    pub fn charge(&self, client: QuotaClient<'_>, key: QuotaKey, amount: f64) -> Duration {
        let longest = if key == QuotaKey::RequestPercentage { LONGEST_OF_TIME } else { LONGEST };
        let Some(question) = self.question(client, key) else { return Duration::ZERO };
        let delay = self.table.lock().with_meter(question, |meter, now, bound| {
            let meter = meter.rate();
            meter.add(now, amount);
            meter.delay(now, bound)
        });
        delay.min(longest)
    }

    /// How long `client` has to wait for what it has used before.
    pub fn delay(&self, client: QuotaClient<'_>, key: QuotaKey) -> Duration {
        self.charge(client, key, 0.0)
    }

    /// What `client` may use at once without waiting for longer than all of its windows; `None` without a limit.
    pub fn most_at_once(&self, client: QuotaClient<'_>, key: QuotaKey) -> Option<f64> {
        let limit = self.quotas.find(client.user, client.client_id, key)?;
        Some(limit.bound * f64::from(WHOLE_SECONDS))
    }

    /// Counts changes of topics that `client` is about to make.
    ///
    /// # Errors
    /// How long it has to wait first; nothing is counted then.
    pub fn spend(&self, client: QuotaClient<'_>, changes: f64) -> Result<(), Duration> {
        let key = QuotaKey::ControllerMutationRate;
        let Some(question) = self.question(client, key) else { return Ok(()) };
        self.table.lock().with_meter(question, |meter, now, bound| {
            let bucket = meter.tokens(now, bound);
            match bucket.delay(now, bound) {
                Duration::ZERO => {
                    bucket.take(now, bound, changes);
                    Ok(())
                }
                delay => Err(delay.min(LONGEST)),
            }
        })
    }

    /// The same for a client that cannot be refused (KIP-599): gives how long it has to wait afterwards.
    pub fn overspend(&self, client: QuotaClient<'_>, changes: f64) -> Duration {
        let key = QuotaKey::ControllerMutationRate;
        let Some(question) = self.question(client, key) else { return Duration::ZERO };
        self.table.lock().with_meter(question, |meter, now, bound| {
            let bucket = meter.tokens(now, bound);
            bucket.take(now, bound, changes);
            bucket.delay(now, bound).min(LONGEST)
        })
    }

    /// Counts a connection from `address`.
    ///
    /// # Errors
    /// For how long it is to be kept waiting, as there were too many; it does not count then.
    pub fn connect(&self, address: IpAddr) -> Result<(), Duration> {
        let Some((bound, is_named)) = self.quotas.find_address(address) else { return Ok(()) };
        let (canonical, client) = (address.to_canonical(), ClientAddress::from(address));
        // A host has a whole network of IPv6, and could come from another address of it each time.
        let owner = if is_named { Owner::Address(canonical) } else { Owner::Network(client) };
        let question = Question {
            key: QuotaKey::ConnectionCreationRate,
            owner: Some(owner),
            entity: QuotaEntity::Ip(is_named.then_some(canonical)),
            bound,
            address: client,
            now: self.now(),
        };
        self.table.lock().with_meter(question, |meter, now, bound| {
            let meter = meter.rate();
            meter.add(now, 1.0);
            match meter.delay(now, bound) {
                Duration::ZERO => Ok(()),
                delay => {
                    meter.add(now, -1.0);
                    Err(delay.min(LONGEST_OF_TIME))
                }
            }
        })
    }

    fn question(&self, client: QuotaClient<'_>, key: QuotaKey) -> Option<Question> {
        let Limit { bound, scope, entity } = self.quotas.find(client.user, client.client_id, key)?;
        Some(Question {
            key,
            owner: Owner::of(client, scope),
            entity,
            bound,
            address: client.address,
            now: self.now(),
        })
    }

    fn now(&self) -> Duration {
        self.clock.monotonic().saturating_duration_since(self.start)
    }
}

impl std::fmt::Debug for QuotaMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuotaMeters").field("quotas", &self.quotas.len()).finish_non_exhaustive()
    }
}

impl Owner {
    /// `None` for names that are too long to have a meter of their own.
    fn of(client: QuotaClient<'_>, scope: Scope) -> Option<Self> {
        let QuotaClient { user, client_id, .. } = client;
        let names: &[&str] = match scope {
            Scope::User => &[user],
            Scope::UserAndClientId => &[user, client_id],
            Scope::ClientId => &[client_id],
        };
        if names.iter().any(|name| name.len() > MAX_QUOTA_NAME_BYTES) {
            return None;
        }
        Some(match scope {
            Scope::User => Self::User(user.into()),
            Scope::UserAndClientId => Self::UserAndClientId(user.into(), client_id.into()),
            Scope::ClientId => Self::ClientId(client_id.into()),
        })
    }
}

impl Meter {
    fn new(key: QuotaKey, now: Duration, bound: f64) -> Self {
        match key {
            QuotaKey::ControllerMutationRate => Self::Tokens(TokenBucket::full(now, bound)),
            _ => Self::Rate(RateMeter::default()),
        }
    }

    fn rate(&mut self) -> &mut RateMeter {
        match self {
            Self::Rate(meter) => meter,
            Self::Tokens(_) => unreachable!("meters are made by their key"),
        }
    }

    fn tokens(&mut self, now: Duration, bound: f64) -> &mut TokenBucket {
        if let Self::Rate(_) = self {
            *self = Self::Tokens(TokenBucket::full(now, bound));
        }
        match self {
            Self::Tokens(bucket) => bucket,
            Self::Rate(_) => unreachable!("it was made one just now"),
        }
    }

    fn is_idle(&mut self, now: Duration) -> bool {
        match self {
            Self::Rate(meter) => meter.is_idle(now),
            Self::Tokens(bucket) => bucket.is_full(now),
        }
    }
}

impl Table {
    fn with_meter<T>(&mut self, question: Question, ask: impl FnOnce(&mut Meter, Duration, f64) -> T) -> T {
        let Question { key, owner, entity, bound, address, now } = question;
        let new = || Meter::new(key, now, bound);
        let own = owner.map(|owner| (key, owner)).filter(|owner| self.has_or_admits(owner, address, now));
        let meter = match own {
            None => self.shared.entry((key, entity)).or_insert_with(new),
            Some(owner) => {
                let by_address = &mut self.by_address;
                let entry = self.meters.entry(owner).or_insert_with(|| {
                    *by_address.entry(address).or_default() += 1;
                    Entry { meter: new(), brought_by: address }
                });
                &mut entry.meter
            }
        };
        ask(meter, now, bound)
    }

    /// Whether there is this meter, or room for it.
    fn has_or_admits(&mut self, owner: &(QuotaKey, Owner), address: ClientAddress, now: Duration) -> bool {
        if self.meters.contains_key(owner) {
            return true;
        }
        if !self.has_room(address) {
            self.sweep(now);
        }
        self.has_room(address)
    }

    fn has_room(&self, address: ClientAddress) -> bool {
        let of_address = self.by_address.get(&address).copied().unwrap_or_default();
        self.meters.len() < MAX_METERS && of_address < MAX_METERS / 2
    }

    /// Forgets idle meters, once a second at most: to look at all of them takes a while.
    fn sweep(&mut self, now: Duration) {
        if self.swept_at.is_some_and(|at| now.saturating_sub(at) < Duration::from_secs(1)) {
            return;
        }
        self.swept_at = Some(now);
        let by_address = &mut self.by_address;
        self.meters.retain(|_, entry| {
            let is_idle = entry.meter.is_idle(now);
            if is_idle && let Some(count) = by_address.get_mut(&entry.brought_by) {
                *count -= 1;
            }
            !is_idle
        });
        by_address.retain(|_, count| *count > 0);
        self.shared.retain(|_, meter| !meter.is_idle(now));
    }
}
