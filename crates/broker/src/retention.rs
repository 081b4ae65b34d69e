//! Drops what is past its retention, and takes the census of all partitions on the way.
//!
//! Always holds: a clock that jumps deletes nothing. Wall and monotonic clock are compared at each round; while
//! they have drifted apart by more than an hour since the last round that was trusted, records are kept, until
//! the new time has stood for an hour. An operator (or NTP) has that long to set a wrong clock right.

use std::sync::Arc;
use std::time::{Duration, Instant};

use factum_base::tasks::Stop;
use factum_types::Timestamp;
use tracing::{error, info, warn};

use crate::catalogue::Catalogue;
use crate::metrics::{self, Census};

const LARGEST_DRIFT: Duration = Duration::from_secs(60 * 60);
const SETTLED_AFTER: Duration = Duration::from_secs(60 * 60);
const CENSUS_INTERVAL: Duration = Duration::from_secs(2);

/// Runs rounds every `interval` until the stop is requested.
pub(crate) async fn run(catalogue: Arc<Catalogue>, interval: Duration, stop: Stop) {
    let clock = Arc::clone(catalogue.clock());
    let mut guard = JumpGuard::default();
    let mut next_round = clock.monotonic() + interval;
    loop {
        let pause = CENSUS_INTERVAL.min(next_round.saturating_duration_since(clock.monotonic()));
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(pause) => {}
        }
        take_census(&catalogue).await;
        if clock.monotonic() < next_round {
            continue;
        }
        next_round = clock.monotonic() + interval;
        match guard.admit(clock.now(), clock.monotonic()) {
            true => retain_on_thread(&catalogue).await,
            false => warn!("the clock has jumped, records are kept until it has stood for an hour"),
        }
    }
}

/// Counts the partitions, and looks whether their directories are there.
async fn take_census(catalogue: &Arc<Catalogue>) {
    let catalogue = Arc::clone(catalogue);
    let taken = tokio::task::spawn_blocking(move || {
        catalogue.check_directories();
        census(&catalogue)
    });
    match taken.await {
        Ok(census) => metrics::observe_census(census),
        Err(source) => error!(error = %source, "a census broke an invariant"),
    }
}

/// Deleting segments may take long, so it happens beside the async threads.
async fn retain_on_thread(catalogue: &Arc<Catalogue>) {
    let catalogue = Arc::clone(catalogue);
    let round = tokio::task::spawn_blocking(move || retain(&catalogue, catalogue.clock().now()));
    if let Err(source) = round.await {
        error!(error = %source, "a retention round broke an invariant");
    }
}

fn retain(catalogue: &Catalogue, now: Timestamp) {
    for topic in catalogue.topics() {
        for partition in topic.partitions() {
            match partition.log().retain(now) {
                Ok(dropped) if dropped.segments > 0 => {
                    metrics::observe_retention(dropped.bytes);
                    let (segments, bytes) = (dropped.segments, dropped.bytes);
                    info!(partition = %partition.topic_partition(), segments, bytes, "dropped old segments");
                }
                Ok(_) => {}
                Err(error) => {
                    error!(partition = %partition.topic_partition(), %error, "old segments were not dropped");
                }
            }
        }
    }
}

fn census(catalogue: &Catalogue) -> Census {
    let topics = catalogue.topics();
    let mut census = Census { topics: topics.len(), ..Census::default() };
    for partition in topics.iter().flat_map(|topic| topic.partitions()) {
        let bounds = partition.bounds();
        let is_writable = bounds.is_writable && !partition.is_missing();
        census.partitions += 1;
        census.read_only += usize::from(!is_writable);
        census.bytes += bounds.bytes;
        let unsynced = bounds.log_end.since(bounds.high_watermark);
        census.unsynced_records_max = census.unsynced_records_max.max(unsynced);
    }
    census
}

/// Tells a wall clock that runs from one that jumped.
#[derive(Debug, Default)]
struct JumpGuard {
    trusted: Option<Reading>,
    jumped: Option<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    wall: Timestamp,
    monotonic: Instant,
}

impl Reading {
    /// How far the wall clock of `later` is from where it should be.
    fn drift(self, later: Self) -> Duration {
        let elapsed = later.monotonic.saturating_duration_since(self.monotonic);
        let expected = self.wall.plus(elapsed).as_millis();
        Duration::from_millis(expected.abs_diff(later.wall.as_millis()))
    }
}

impl JumpGuard {
    /// Whether records may be judged by the time `wall`.
    fn admit(&mut self, wall: Timestamp, monotonic: Instant) -> bool {
        let now = Reading { wall, monotonic };
        let trusted = *self.trusted.get_or_insert(now);
        let runs = trusted.drift(now) <= LARGEST_DRIFT;
        let jumped = *self.jumped.get_or_insert(now);
        let stands = jumped.drift(now) <= LARGEST_DRIFT
            && monotonic.saturating_duration_since(jumped.monotonic) >= SETTLED_AFTER;
        if runs || stands {
            (self.trusted, self.jumped) = (Some(now), None);
            return true;
        }
        if jumped.drift(now) > LARGEST_DRIFT {
            self.jumped = Some(now);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use factum_base::clock::{Clock, SystemClock};

    use super::*;

    const HOUR: i64 = 60 * 60 * 1_000;

    /// Rounds as (hours of wall clock, hours of monotonic clock), and whether each may delete.
    fn admitted(rounds: &[(i64, u64)]) -> Vec<bool> {
        let (mut guard, start) = (JumpGuard::default(), SystemClock.monotonic());
        let hour = Duration::from_secs(3_600);
        let round = |&(wall, monotonic): &(i64, u64)| {
            let wall = Timestamp::from_millis(1_000 * HOUR + wall * HOUR);
            guard.admit(wall, start + hour * u32::try_from(monotonic).expect("small"))
        };
        rounds.iter().map(round).collect()
    }

    #[test]
    fn a_clock_that_runs_is_trusted() {
        assert_eq!(admitted(&[(0, 0), (5, 5), (6, 6), (100, 100)]), [true, true, true, true]);
    }

    #[test]
    fn a_jump_is_trusted_once_it_has_stood_for_an_hour() {
        assert_eq!(admitted(&[(0, 0), (500, 0), (500, 0), (501, 1)]), [true, false, false, true]);
        assert_eq!(admitted(&[(0, 0), (-500, 0), (-499, 1)]), [true, false, true]);
    }

    #[test]
    fn a_clock_set_right_again_is_trusted_at_once() {
        assert_eq!(admitted(&[(0, 0), (500, 0), (1, 1), (2, 2)]), [true, false, true, true]);
    }

    #[test]
    fn a_clock_that_keeps_jumping_is_not_trusted() {
        assert_eq!(admitted(&[(0, 0), (500, 0), (900, 1), (20, 2)]), [true, false, false, false]);
    }
}
