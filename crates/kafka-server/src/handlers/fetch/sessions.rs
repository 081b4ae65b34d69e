//! The fetch sessions of all clients (KIP-227), within a number and within memory.
//!
//! Invariants:
//! - One client address has at most half of the sessions, and of their memory.
//! - A session goes on only for the address and the principal that began it: others are told that there is none.
//! - What does not fit is served without a session. As in Kafka, a new session takes the place of one that was not used
//!   for two minutes, or that is older than that and smaller than the new one; never of another address's, where its own
//!   address has its half.
//!
//! Not here: what a session knows of its partitions ([`FetchSession`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use factum_base::clients::ClientAddress;
use factum_base::random::Random;
use factum_types::Principal;

use super::session::FetchSession;

/// How long a session must not have been used, or must have been there, before another may take its place: Kafka's
/// `min.incremental.fetch.session.eviction.ms`.
const EVICTION: Duration = Duration::from_secs(120);
/// What a session takes beside its partitions.
const SESSION_BYTES: usize = 512;

/// Who a session belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionOwner {
    pub(crate) address: ClientAddress,
    pub(crate) principal: Principal,
}

/// A session that requests and its answers share.
pub(super) type SharedSession = Arc<Mutex<FetchSession>>;

/// All sessions of a listener.
#[derive(Debug)]
pub(crate) struct FetchSessions {
    limits: Usage,
    random: Random,
    table: Mutex<Table>,
}

/// Sessions and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Usage {
    sessions: usize,
    bytes: usize,
}

impl Usage {
    fn fits(self, limits: Self) -> bool {
        self.sessions <= limits.sessions && self.bytes <= limits.bytes
    }
}

#[derive(Debug, Default)]
struct Table {
    sessions: HashMap<i32, Entry>,
    total: Usage,
    by_address: HashMap<ClientAddress, Usage>,
}

#[derive(Debug)]
struct Entry {
    session: SharedSession,
    owner: SessionOwner,
    created: Instant,
    used: Instant,
    partitions: usize,
    bytes: usize,
}

impl FetchSessions {
    /// At most so many `sessions`, in `bytes` of memory.
    pub(crate) fn new(sessions: usize, bytes: usize, random: Random) -> Self {
        Self { limits: Usage { sessions, bytes }, random, table: Mutex::default() }
    }

    /// Keeps a session, if there is room or can be made; gives its id, or 0.
    pub(super) fn begin(&self, owner: SessionOwner, session: FetchSession, now: Instant) -> i32 {
        let (bytes, partitions) = (SESSION_BYTES + session.bytes(), session.len());
        if partitions == 0 {
            return 0;
        }
        let mut table = self.table();
        if !table.make_room(self.limits, &owner.address, bytes, partitions, now) {
            return 0;
        }
        let id = loop {
            let [a, b, c, d, ..] = *self.random.uuid().as_bytes();
            let id = i32::from_be_bytes([a & 0x7f, b, c, d]);
            if id != 0 && !table.sessions.contains_key(&id) {
                break id;
            }
        };
        let session = Arc::new(Mutex::new(session));
        table.insert(id, Entry { session, owner, created: now, used: now, partitions, bytes });
        id
    }

    /// The session of this id, if it is `owner`'s.
    pub(super) fn find(&self, id: i32, owner: &SessionOwner, now: Instant) -> Option<SharedSession> {
        let mut table = self.table();
        let entry = table.sessions.get_mut(&id).filter(|entry| entry.owner == *owner)?;
        entry.used = now;
        Some(Arc::clone(&entry.session))
    }

    /// Counts what a session takes by now; false if that is too much, and then it is closed.
    pub(super) fn resize(&self, id: i32, bytes: usize, partitions: usize) -> bool {
        let mut table = self.table();
        let Some(mut entry) = table.remove(id) else { return true };
        (entry.bytes, entry.partitions) = (SESSION_BYTES + bytes, partitions);
        let is_fitting = table.has_room(self.limits, &entry.owner.address, entry.bytes);
        if is_fitting {
            table.insert(id, entry);
        }
        is_fitting
    }

    /// Closes a session of `owner`.
    pub(super) fn end(&self, id: i32, owner: &SessionOwner) {
        let mut table = self.table();
        if table.sessions.get(&id).is_some_and(|entry| entry.owner == *owner) {
            table.remove(id);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, id: i32, entry: Entry) {
        let own = self.by_address.entry(entry.owner.address).or_default();
        for usage in [own, &mut self.total] {
            usage.sessions += 1;
            usage.bytes += entry.bytes;
        }
        self.sessions.insert(id, entry);
    }

    fn remove(&mut self, id: i32) -> Option<Entry> {
        let entry = self.sessions.remove(&id)?;
        let address = entry.owner.address;
        let own = self.by_address.entry(address).or_default();
        for usage in [&mut *own, &mut self.total] {
            usage.sessions -= 1;
            usage.bytes -= entry.bytes;
        }
        if own.sessions == 0 {
            self.by_address.remove(&address);
        }
        Some(entry)
    }

    fn has_room(&self, limits: Usage, address: &ClientAddress, bytes: usize) -> bool {
        self.own_has_room(limits, address, bytes) && with_one_more(self.total, bytes).fits(limits)
    }

    fn own_has_room(&self, limits: Usage, address: &ClientAddress, bytes: usize) -> bool {
        let half = Usage { sessions: limits.sessions.div_ceil(2), bytes: limits.bytes / 2 };
        let own = self.by_address.get(address).copied().unwrap_or_default();
        with_one_more(own, bytes).fits(half)
    }

    /// Closes sessions until one of `bytes` and `partitions` fits; false if it may not take their place.
    fn make_room(
        &mut self,
        limits: Usage,
        address: &ClientAddress,
        bytes: usize,
        partitions: usize,
        now: Instant,
    ) -> bool {
        while !self.has_room(limits, address, bytes) {
            let among = (!self.own_has_room(limits, address, bytes)).then_some(*address);
            let Some(id) = self.evictable(among, partitions, now) else { return false };
            self.remove(id);
        }
        true
    }

    /// The session that was unused for longest, if that is long; else the smallest of the old ones, if it is smaller than
    /// one of `partitions`.
    fn evictable(&self, among: Option<ClientAddress>, partitions: usize, now: Instant) -> Option<i32> {
        let is_long = |since: Instant| now.saturating_duration_since(since) > EVICTION;
        let candidates =
            || self.sessions.iter().filter(|(_, entry)| among.is_none_or(|own| own == entry.owner.address));
        let stale = candidates().filter(|(_, entry)| is_long(entry.used)).min_by_key(|(_, entry)| entry.used);
        let smallest = || {
            candidates()
                .filter(|(_, entry)| is_long(entry.created) && entry.partitions < partitions)
                .min_by_key(|(_, entry)| entry.partitions)
        };
        stale.or_else(smallest).map(|(id, _)| *id)
    }
}

fn with_one_more(usage: Usage, bytes: usize) -> Usage {
    Usage { sessions: usage.sessions + 1, bytes: usage.bytes.saturating_add(bytes) }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use factum_base::clock::{Clock, SystemClock};
    use factum_types::TopicId;

    use super::*;
    use crate::messages::fetch::{FetchPartition, FetchTopic};

    fn session(partitions: i32) -> FetchSession {
        let partition = |partition| FetchPartition {
            partition,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 1,
        };
        let partitions = (0..partitions).map(partition).collect();
        let topic = FetchTopic { name: "t".to_owned(), topic_id: TopicId::NIL, partitions };
        FetchSession::new(false, &[topic], &[])
    }

    fn owner(last: u8) -> SessionOwner {
        let address = ClientAddress::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
        SessionOwner { address, principal: Principal::anonymous() }
    }

    #[test]
    fn one_address_has_half_of_the_sessions() {
        let sessions = FetchSessions::new(4, 1 << 20, Random::seeded(1));
        let now = SystemClock.monotonic();
        let begin = |of: u8| sessions.begin(owner(of), session(1), now);
        let (first, second) = (begin(1), begin(1));
        assert!(first > 0 && second > 0 && first != second);
        assert_eq!(begin(1), 0, "the third of an address");
        assert!(begin(2) > 0 && begin(2) > 0, "another has its own half");
        assert_eq!(begin(3), 0, "all are taken, and none is old");
        assert!(sessions.find(first, &owner(2), now).is_none(), "it is another's");
        sessions.end(first, &owner(2));
        assert!(sessions.find(first, &owner(1), now).is_some());
        sessions.end(first, &owner(1));
        assert!(sessions.begin(owner(3), session(1), now) > 0, "there is room again");
    }

    #[test]
    fn old_sessions_make_room_as_in_kafka() {
        let sessions = FetchSessions::new(2, 1 << 20, Random::seeded(1));
        let start = SystemClock.monotonic();
        let (small, large) = (owner(1), owner(2));
        let small = (sessions.begin(small.clone(), session(1), start), small);
        let large = (sessions.begin(large.clone(), session(9), start), large);
        let later = start + EVICTION + Duration::from_secs(1);
        for (id, owner) in [&small, &large] {
            assert!(sessions.find(*id, owner, later).is_some(), "both are in use");
        }
        assert_eq!(sessions.begin(owner(3), session(1), later), 0, "none is smaller");
        assert!(sessions.begin(owner(3), session(5), later) > 0);
        assert!(sessions.find(small.0, &small.1, later).is_none(), "the smaller one went");
        assert!(sessions.find(large.0, &large.1, later).is_some());
        let unused = later + EVICTION + Duration::from_secs(1);
        assert!(sessions.begin(owner(4), session(1), unused) > 0, "what no one uses goes first");
    }

    #[test]
    fn memory_is_bounded_and_given_back() {
        let bytes = 4 * (SESSION_BYTES + session(10).bytes());
        let sessions = FetchSessions::new(100, bytes, Random::seeded(1));
        let now = SystemClock.monotonic();
        let ids: Vec<_> = (0..3).map(|_| sessions.begin(owner(1), session(10), now)).collect();
        assert!(ids[0] > 0 && ids[1] > 0 && ids[2] == 0, "half of the memory: {ids:?}");
        assert!(!sessions.resize(ids[0], session(21).bytes(), 21), "it has outgrown its address's half");
        assert!(sessions.find(ids[0], &owner(1), now).is_none(), "and is closed");
        assert!(sessions.resize(ids[1], session(15).bytes(), 15));
        sessions.end(ids[1], &owner(1));
        let table = sessions.table();
        assert_eq!((table.total, table.by_address.len()), (Usage::default(), 0));
    }
}
