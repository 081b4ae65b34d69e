//! Memory for requests, shared by all connections of a listener.
//!
//! ```text
//!   one connection:   │ 16 KiB, always │ reserved, step by step as bytes arrive │
//!   all connections:                   │ ◄──────── shared ─────────► │ one whole request │
//! ```
//!
//! A connection reserves what it holds beyond its first 16 KiB: for bytes that came, and for the next step of
//! them, never for a length that was only announced. When nothing is left, reservations wait in the order in
//! which they were asked for, where each 64 KiB that a request lacks puts it one place further back, and the first
//! of them has *priority*: it may go on past the shared part until its request is answered. So one of them always
//! finishes, however many have begun, and those who announce much do not hold back those who lack little.
//!
//! Invariants:
//! - No more is reserved than the limit, nor by one address more than its own limit, but for the one that has
//!   priority, whose whole request was left out of the shared part.
//! - A reservation that fits is not behind one that does not: an address at its limit holds back no other.
//!
//! Not here: how long a client may hold what it does not use (see [`super::Connection`]).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::addresses::SharedByAddress;
use super::budget::to_usize;
use crate::options::Options;

/// So many bytes that a request lacks count as one request before it.
const BYTES_PER_PLACE: usize = 64 * 1024;
/// What each connection may hold without asking: any heartbeat, most requests for metadata and fetches.
pub(super) const FREE_BYTES: usize = 16 * 1024;

/// The memory for requests of one listener.
#[derive(Debug)]
pub(crate) struct RequestMemory {
    shared_limit: usize,
    address_limit: usize,
    /// How many reservations wait; read without the lock.
    waiting: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    reserved: usize,
    has_priority: bool,
    next_ticket: u64,
    queue: BTreeMap<Place, Waiting>,
}

/// A place in the queue: its number, and the order of asking among equal ones.
type Place = (u64, u64);

#[derive(Debug)]
struct Waiting {
    address: Arc<SharedByAddress>,
    bytes: usize,
    waker: Waker,
    granted: Option<Grant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    Fits,
    Priority,
}

/// What one connection has reserved. Dropping it gives everything back.
#[derive(Debug)]
pub(super) struct Reservation {
    memory: Arc<RequestMemory>,
    address: Arc<SharedByAddress>,
    bytes: usize,
    /// While it waits.
    place: Option<Place>,
    /// With priority, what was reserved when it was given: priority ends when no more than that is.
    priority_above: Option<usize>,
}

impl RequestMemory {
    pub(crate) fn new(options: &Options) -> Self {
        let limit = to_usize(options.max_in_flight_bytes.as_u64());
        let largest_request = to_usize(options.max_frame_bytes.as_u64());
        Self {
            // Nothing shared is left if the limit is one request: then they come one after the other.
            shared_limit: limit.saturating_sub(largest_request),
            address_limit: to_usize(options.max_address_in_flight_bytes.as_u64()),
            waiting: AtomicUsize::new(0),
            state: Mutex::default(),
        }
    }

    /// Whether a reservation waits for memory.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(&self, reserved: usize, address: &SharedByAddress, bytes: usize) -> bool {
        reserved + bytes <= self.shared_limit
            && address.request_bytes.load(Ordering::Relaxed) + bytes <= self.address_limit
    }

    /// Gives waiting reservations what fits now, in their order, and the first of the others priority.
    fn serve_queue(&self, state: &mut State) {
        let State { reserved, has_priority, queue, .. } = state;
        for waiting in queue.values_mut().filter(|waiting| waiting.granted.is_none()) {
            let grant = match self.fits(*reserved, &waiting.address, waiting.bytes) {
                true => Grant::Fits,
                false if !*has_priority => Grant::Priority,
                false if *reserved >= self.shared_limit => break,
                false => continue,
            };
            *has_priority |= grant == Grant::Priority;
            *reserved += waiting.bytes;
            waiting.address.request_bytes.fetch_add(waiting.bytes, Ordering::Relaxed);
            waiting.granted = Some(grant);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            waiting.waker.wake_by_ref();
        }
    }
}

impl Reservation {
    pub(super) fn new(memory: Arc<RequestMemory>, address: Arc<SharedByAddress>) -> Self {
        Self { memory, address, bytes: 0, place: None, priority_above: None }
    }

    /// How many bytes the connection may hold as it is.
    pub(super) fn capacity(&self) -> usize {
        FREE_BYTES + self.bytes
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.place.is_some()
    }

    /// Whether it holds what others wait for, and waits for nothing itself.
    pub(super) fn is_in_the_way(&self) -> bool {
        self.bytes > 0 && self.place.is_none() && self.memory.is_crowded()
    }

    /// Reserves enough to hold `total` bytes if that needs no waiting.
    pub(super) fn try_extend(&mut self, total: usize) -> bool {
        let Some(missing) = self.missing(total) else { return true };
        if self.place.is_some() {
            return false;
        }
        let memory = Arc::clone(&self.memory);
        let mut state = memory.lock();
        let may = self.priority_above.is_some() || memory.fits(state.reserved, &self.address, missing);
        if may {
            self.take(&mut state, missing);
        }
        may
    }

    /// Reserves enough to hold `total` bytes, or waits for its turn; `lacking` bytes of the request have yet to
    /// come.
    pub(super) fn poll_extend(&mut self, total: usize, lacking: usize, cx: &mut Context<'_>) -> Poll<()> {
        self.collect(cx);
        if self.try_extend(total) {
            return Poll::Ready(());
        }
        if self.place.is_none() {
            let missing = self.missing(total).expect("it did not fit");
            let memory = Arc::clone(&self.memory);
            let mut state = memory.lock();
            let ticket = state.next_ticket;
            let place = (ticket + (lacking / BYTES_PER_PLACE) as u64, ticket);
            state.next_ticket += 1;
            let (address, waker) = (Arc::clone(&self.address), cx.waker().clone());
            state.queue.insert(place, Waiting { address, bytes: missing, waker, granted: None });
            memory.waiting.fetch_add(1, Ordering::Relaxed);
            self.place = Some(place);
            memory.serve_queue(&mut state);
            drop(state);
            self.collect(cx);
        }
        if self.missing(total).is_none() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits for nothing any more.
    pub(super) fn stop_waiting(&mut self) {
        let Some(place) = self.place.take() else { return };
        let memory = Arc::clone(&self.memory);
        let mut state = memory.lock();
        let waiting = state.queue.remove(&place).expect("a place is in the queue");
        match waiting.granted {
            Some(grant) => {
                self.accept(waiting.bytes, grant);
                self.give_back(&mut state, waiting.bytes);
            }
            None => {
                memory.waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Gives back what is not needed to hold `total` bytes.
    pub(super) fn shrink_to(&mut self, total: usize) {
        let surplus = self.bytes.saturating_sub(total.saturating_sub(FREE_BYTES));
        if surplus > 0 {
            let memory = Arc::clone(&self.memory);
            self.give_back(&mut memory.lock(), surplus);
        }
    }

    fn missing(&self, total: usize) -> Option<usize> {
        total.checked_sub(self.capacity()).filter(|missing| *missing > 0)
    }

    /// Takes what was granted meanwhile.
    fn collect(&mut self, cx: &Context<'_>) {
        let Some(place) = self.place else { return };
        let memory = Arc::clone(&self.memory);
        let mut state = memory.lock();
        let waiting = state.queue.get_mut(&place).expect("a place is in the queue");
        match waiting.granted {
            None => waiting.waker.clone_from(cx.waker()),
            Some(grant) => {
                let bytes = waiting.bytes;
                state.queue.remove(&place);
                self.place = None;
                self.accept(bytes, grant);
            }
        }
    }

    fn accept(&mut self, bytes: usize, grant: Grant) {
        if grant == Grant::Priority {
            self.priority_above = Some(self.bytes);
        }
        self.bytes += bytes;
    }

    fn take(&mut self, state: &mut State, bytes: usize) {
        state.reserved += bytes;
        self.address.request_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
    }

    fn give_back(&mut self, state: &mut State, bytes: usize) {
        state.reserved -= bytes;
        self.address.request_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.bytes -= bytes;
        if self.priority_above.is_some_and(|above| self.bytes <= above) {
            self.priority_above = None;
            state.has_priority = false;
        }
        self.memory.serve_queue(state);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.stop_waiting();
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests;
