//! The time by which things are deleted: the wall clock, as far as it can be believed.
//!
//! ```text
//!   last time believed ──► + time that the server has run since = expected time
//!        │                                                            │
//!        └─ <data>/clock.json                       wall clock within an hour of it?
//!                                          yes: believed       no: the earlier of the two counts,
//!                                                              until the clock has stood for a day
//! ```
//!
//! Invariants: a clock that jumps ahead, at a start or while the server runs, ages nothing by the jump until it has run on
//! for a day of the server's own time, restarts included; one that is behind ages nothing at all. Neither stops anything
//! else, and both end by themselves: a clock set right is believed at once.
//!
//! Why a day, and what it costs a machine that was off: decision 0009.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use factum_base::clock::SharedClock;
use factum_log::Disk;
use factum_types::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::{debug, info, warn};

use crate::json_file::{self, VersionedFile};
use crate::metrics;

/// How far the wall clock may be from the expected time.
const LARGEST_DRIFT: Duration = Duration::from_secs(60 * 60);
/// How long the server must run with a clock that jumped before it is believed.
const SETTLED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How far a clock that is not believed yet may have moved over a restart, for its time to go on counting.
const LONGEST_RESTART: Duration = Duration::from_secs(24 * 60 * 60);
/// How often it is written down while nothing happens.
const SAVE_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// `clock.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockFile {
    format: u32,
    /// Milliseconds since 1970.
    believed: i64,
    /// The clock that is not believed yet, and for how many milliseconds the server has run with it.
    doubted: Option<SuspectClock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuspectClock {
    seen: i64,
    ran: u64,
}

impl VersionedFile for ClockFile {
    const FORMAT: u32 = 1;

    fn format(&self) -> u32 {
        self.format
    }
}

/// Tells the time by which things are deleted. One for the whole broker.
pub(crate) struct TrustedTime {
    clock: SharedClock,
    state: Mutex<State>,
    /// Where it is written down; nowhere in a test.
    place: Option<(Arc<dyn Disk>, PathBuf)>,
}

#[derive(Debug)]
struct State {
    /// The last time believed, moved on by the time that the server has run since.
    expected: Timestamp,
    doubted: Option<Doubt>,
    /// When the server's own clock was read last.
    read: Instant,
    saved: Option<Instant>,
}

/// A wall clock that is not believed.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    /// It, as read last.
    wall: Timestamp,
    /// How long the server has run with it.
    ran: Duration,
}

impl TrustedTime {
    /// Begins with what `<data_dir>/clock.json` says; `newest` is the newest time on disk, for a directory that has no
    /// such file. A file that cannot be used is said and replaced.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        data_dir: &Path,
        clock: SharedClock,
        newest: Option<Timestamp>,
    ) -> Self {
        let path = data_dir.join("clock.json");
        let file = json_file::read::<ClockFile>(&*disk, &path).unwrap_or_else(|error| {
            warn!(error = &error as &dyn Error, "the last time known is judged by the newest record");
            None
        });
        let expected = file.as_ref().map(|file| Timestamp::from_millis(file.believed)).or(newest);
        let doubted = file.and_then(|file| file.doubted).map(|doubted| Doubt {
            wall: Timestamp::from_millis(doubted.seen),
            ran: Duration::from_millis(doubted.ran),
        });
        let expected = expected.unwrap_or_else(|| clock.now());
        let state = State { expected, doubted, read: clock.monotonic(), saved: None };
        Self { clock, state: Mutex::new(state), place: Some((disk, path)) }
    }

    /// Begins with the clock as it is, and writes nothing down.
    #[cfg(test)]
    pub(crate) fn in_memory(clock: SharedClock) -> Self {
        let state = State { expected: clock.now(), doubted: None, read: clock.monotonic(), saved: None };
        Self { clock, state: Mutex::new(state), place: None }
    }

    /// The time by which things are deleted: never later than the wall clock, nor than what can be believed. Blocks on
    /// the disk now and then.
    pub(crate) fn now(&self) -> Timestamp {
        let mut state = self.state.lock();
        let (wall, monotonic) = (self.clock.now(), self.clock.monotonic());
        let was_doubted = state.doubted.is_some();
        let now = state.judge(wall, monotonic);
        let ahead = (wall.as_millis() - state.expected.as_millis()) as f64 / 1_000.0;
        metrics::observe_doubted_clock(if state.doubted.is_some() { ahead } else { 0.0 });
        match (was_doubted, state.doubted.is_some()) {
            (false, true) => {
                let problem = state.problem().unwrap_or_default();
                warn!(clock = %wall, expected = %state.expected, "{problem}");
            }
            (true, false) => info!(clock = %wall, "the clock is believed again"),
            _ => {}
        }
        let is_due =
            state.saved.is_none_or(|saved| monotonic.saturating_duration_since(saved) >= SAVE_INTERVAL);
        if is_due || was_doubted != state.doubted.is_some() {
            state.saved = Some(monotonic);
            self.save(&state);
        }
        now
    }

    /// The time for what is written now and deleted later: a clock that is behind makes nothing older than it is.
    pub(crate) fn stamp(&self) -> Timestamp {
        let (state, wall) = (self.state.lock(), self.clock.now());
        match state.expected.minus(LARGEST_DRIFT) > wall {
            true => state.expected,
            false => wall,
        }
    }

    /// What is wrong with the clock, for operators.
    pub(crate) fn problem(&self) -> Option<String> {
        self.state.lock().problem()
    }

    /// Writes down what is known, before the server stops.
    pub(crate) fn close(&self) {
        self.now();
        self.save(&self.state.lock());
    }

    fn save(&self, state: &State) {
        let Some((disk, path)) = &self.place else { return };
        let doubted = state.doubted.map(|doubt| SuspectClock {
            seen: doubt.wall.as_millis(),
            ran: u64::try_from(doubt.ran.as_millis()).unwrap_or(u64::MAX),
        });
        let file = ClockFile { format: ClockFile::FORMAT, believed: state.expected.as_millis(), doubted };
        if let Err(error) = json_file::write(&**disk, path, &file) {
            let error = &error as &dyn Error;
            let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
            match cause.map(io::Error::kind) {
                // A temporary folder that is gone has no next start.
                Some(io::ErrorKind::NotFound) => debug!(error, "the time was not written down"),
                // The one before is still there: the next start believes a little less.
                _ => warn!(error, "the time was not written down"),
            }
        }
    }
}

impl State {
    fn judge(&mut self, wall: Timestamp, monotonic: Instant) -> Timestamp {
        let elapsed = monotonic.saturating_duration_since(self.read);
        self.read = monotonic;
        self.expected = self.expected.plus(elapsed);
        if distance(wall, self.expected) <= LARGEST_DRIFT {
            return self.believe(wall);
        }
        let doubt = self.doubted.map(|doubt| (doubt.wall.plus(elapsed), doubt.ran + elapsed));
        let ran = match doubt {
            // A restart takes time that no one saw; a clock that jumps once more starts over.
            Some((due, ran)) if wall.plus(LARGEST_DRIFT) >= due && distance(wall, due) <= LONGEST_RESTART => {
                ran
            }
            _ => Duration::ZERO,
        };
        if ran >= SETTLED_AFTER {
            return self.believe(wall);
        }
        self.doubted = Some(Doubt { wall, ran });
        wall.min(self.expected)
    }

    fn believe(&mut self, wall: Timestamp) -> Timestamp {
        (self.expected, self.doubted) = (wall, None);
        wall
    }

    fn problem(&self) -> Option<String> {
        let doubt = self.doubted?;
        let left = SETTLED_AFTER.saturating_sub(doubt.ran).as_secs().div_ceil(3_600);
        Some(format!(
            "the clock says {}, where {} was expected: nothing is deleted by its age as the clock has it until the server has \
             run with it for {left} hours more; set the clock right if it is wrong",
            doubt.wall, self.expected
        ))
    }
}

fn distance(one: Timestamp, other: Timestamp) -> Duration {
    Duration::from_millis(one.as_millis().abs_diff(other.as_millis()))
}

#[cfg(test)]
mod tests {
    use factum_base::clock::{Clock, SystemClock};

    use super::*;

    const HOUR: i64 = 60 * 60 * 1_000;

    /// Readings as (hours of wall clock, hours of the server's own clock); what each is judged to be.
    fn judged(readings: &[(i64, u32)]) -> Vec<i64> {
        let start = SystemClock.monotonic();
        let base = 1_000 * HOUR;
        let expected = Timestamp::from_millis(base);
        let mut state = State { expected, doubted: None, read: start, saved: None };
        let mut judge = |&(wall, ran): &(i64, u32)| {
            let wall = Timestamp::from_millis(base + wall * HOUR);
            (state.judge(wall, start + Duration::from_secs(3_600) * ran).as_millis() - base) / HOUR
        };
        readings.iter().map(&mut judge).collect()
    }

    #[test]
    fn a_clock_that_runs_is_believed() {
        assert_eq!(judged(&[(0, 0), (5, 5), (6, 6), (100, 100)]), [0, 5, 6, 100]);
    }

    #[test]
    fn a_jump_ahead_counts_once_it_has_stood_for_a_day() {
        assert_eq!(judged(&[(0, 0), (500, 0), (501, 1), (523, 23), (524, 24)]), [0, 0, 1, 23, 524]);
    }

    #[test]
    fn a_clock_that_is_behind_ages_nothing_and_is_believed_in_the_end() {
        assert_eq!(judged(&[(0, 0), (-500, 0), (-490, 10), (-476, 24)]), [0, -500, -490, -476]);
    }

    #[test]
    fn a_clock_set_right_again_is_believed_at_once() {
        assert_eq!(judged(&[(0, 0), (500, 0), (1, 1), (2, 2)]), [0, 0, 1, 2]);
    }

    #[test]
    fn a_clock_that_keeps_jumping_is_never_believed() {
        assert_eq!(judged(&[(0, 0), (500, 0), (900, 23), (400, 30), (950, 40)]), [0, 0, 23, 30, 40]);
    }
}
