//! Health of the store, for operators: in words, as gauges, and in the log when it changes.
//!
//! Invariants: a problem that ended is not reported. One of the journal ends with the next append that succeeds,
//! or when no one ran into it for [`FORGOTTEN_AFTER`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use factum_base::clock::SharedClock;
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tracing::{error, info};

const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// What may be hindered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Commits cannot be written.
    Journal,
    /// Snapshots cannot be written, so that the journal cannot be cut.
    Snapshots,
    /// Rows that memory has no room for cannot be moved out of it.
    Spill,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Snapshots => "snapshots",
            Self::Spill => "spill",
        }
    }

    const fn consequence(self) -> &'static str {
        match self {
            Self::Journal => "views stand still until commits can be written",
            Self::Snapshots => "snapshots cannot be written and the journal grows",
            Self::Spill => "rows cannot be moved out of memory, and no more are taken",
        }
    }
}

/// The problems of one store.
pub(crate) struct Health {
    clock: SharedClock,
    problems: Mutex<BTreeMap<Part, (String, Instant)>>,
}

impl Health {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, problems: Mutex::default() }
    }

    /// Something failed.
    pub(crate) fn failed(&self, part: Part, reason: &str) {
        let now = self.clock.monotonic();
        let text = format!("state: {}: {reason}", part.consequence());
        if self.problems.lock().insert(part, (text, now)).is_none() {
            error!(part = part.name(), reason, "state is hindered; it goes on by itself when that ends");
            gauge!("factum_state_hindered", "part" => part.name()).set(1.0);
        }
        counter!("factum_state_failures_total", "part" => part.name()).increment(1);
    }

    /// The same succeeded.
    pub(crate) fn succeeded(&self, part: Part) {
        // The common case is that there is none.
        if self.problems.lock().remove(&part).is_some() {
            info!(part = part.name(), "state is no longer hindered");
            gauge!("factum_state_hindered", "part" => part.name()).set(0.0);
        }
    }

    /// Forgets a problem that no one ran into for a while.
    pub(crate) fn expire(&self, part: Part) {
        let now = self.clock.monotonic();
        let is_old = |(_, at): &(String, Instant)| now.saturating_duration_since(*at) >= FORGOTTEN_AFTER;
        if self.problems.lock().get(&part).is_some_and(is_old) {
            self.succeeded(part);
        }
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        self.problems.lock().contains_key(&part)
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        self.problems.lock().values().map(|(text, _)| text.clone()).collect()
    }
}
