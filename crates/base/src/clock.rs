//! Time, as a parameter.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use factum_types::Timestamp;

/// Where a component gets its time from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock. It may jump either way; nothing may rest on its order.
    fn now(&self) -> Timestamp;

    /// The monotonic clock, for durations and deadlines.
    fn monotonic(&self) -> Instant;
}

/// A clock that many components share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_system_time(SystemTime::now())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}
