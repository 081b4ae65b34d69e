//! A clock that moves only when told to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use factum_base::clock::{Clock, SystemClock};
use factum_types::Timestamp;
use parking_lot::Mutex;

/// A clock that stands still between calls of [`HeldClock::advance`]. Cloning gives another hand on it.
#[derive(Clone, Debug)]
pub struct HeldClock(Arc<Mutex<(Timestamp, Instant)>>);

impl HeldClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new((now, SystemClock.monotonic()))))
    }

    /// Moves both clocks on.
    pub fn advance(&self, by: Duration) {
        let mut held = self.0.lock();
        held.0 = held.0.plus(by);
        held.1 += by;
    }

    /// Moves the wall clock alone, either way, as an operator's correction does.
    pub fn set(&self, now: Timestamp) {
        self.0.lock().0 = now;
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        self.0.lock().0
    }

    fn monotonic(&self) -> Instant {
        self.0.lock().1
    }
}
