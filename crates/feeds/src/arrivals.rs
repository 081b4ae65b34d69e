//! When the next order is placed.
//!
//! Invariants: over a long time as many orders arrive as the rate says. A pause (a laptop that slept, a log that
//! could not be written) is made up for at a pace that is a quarter faster, and not further back than ten seconds:
//! never by a burst.

use std::time::Duration;

use factum_types::Timestamp;

use crate::dice::Dice;
use crate::rhythm::Rhythm;

/// A hesitation up to this is made up for at once.
const HESITATION: f64 = 0.2;
/// What is made up for at all.
const MAX_DEBT: f64 = 10.0;
/// How much faster orders come while there is something to make up for.
const HASTE: f64 = 0.25;

/// A stream of arrivals at a rate, which a [`Rhythm`] may modulate. The caller holds the clock.
#[derive(Debug, Clone)]
pub struct Arrivals {
    rate: f64,
    rhythm: Option<Rhythm>,
    dice: Dice,
    /// When the next order is placed, in seconds since the start.
    next: f64,
    /// Seconds to make up for.
    debt: f64,
}

impl Arrivals {
    /// Arrivals from now on, `rate` a second in the mean.
    ///
    /// # Panics
    /// If the rate is not positive: nothing would ever arrive.
    pub fn new(rate: f64, rhythm: Option<Rhythm>, seed: u64) -> Self {
        assert!(rate > 0.0 && rate.is_finite(), "a rate is positive");
        Self { rate, rhythm, dice: Dice::new(seed, 0xa), next: 0.0, debt: 0.0 }
    }

    /// The time of the next order if it has come by now, which is `elapsed` after the start and `now` on the wall.
    /// Call until there is none.
    pub fn due(&mut self, elapsed: Duration, now: Timestamp) -> Option<Timestamp> {
        let elapsed = elapsed.as_secs_f64();
        let late = elapsed - self.next;
        if late < 0.0 {
            return None;
        }
        if late > HESITATION {
            self.debt = (self.debt + late).min(MAX_DEBT);
            self.next = elapsed;
        }
        let placed = now.minus(Duration::from_secs_f64(elapsed - self.next));
        let haste = if self.debt > 0.0 { 1.0 + HASTE } else { 1.0 };
        let pace = self.rhythm.as_ref().map_or(1.0, |rhythm| rhythm.pace(now));
        let gap = self.dice.exponential() / (self.rate * pace * haste);
        self.next += gap;
        if self.debt > 0.0 {
            self.debt = (self.debt - gap * HASTE).max(0.0);
        }
        Some(placed)
    }

    /// How long nothing will be due.
    pub fn wait(&self, elapsed: Duration) -> Duration {
        Duration::try_from_secs_f64(self.next - elapsed.as_secs_f64()).unwrap_or_default()
    }
}

/// Orders of the past: times in no order, spread over a span as the rhythm has it.
#[derive(Debug, Clone)]
pub struct Span {
    from: Timestamp,
    millis: f64,
    rhythm: Rhythm,
    dice: Dice,
}

impl Span {
    /// Times from `from` until before `to`; `None` if there are none.
    pub fn new(from: Timestamp, to: Timestamp, rhythm: Rhythm, seed: u64) -> Option<Self> {
        let millis = to.as_millis().checked_sub(from.as_millis()).filter(|millis| *millis > 0)?;
        Some(Self { from, millis: millis as f64, rhythm, dice: Dice::new(seed, 0xb) })
    }
}

impl Iterator for Span {
    type Item = Timestamp;

    /// One more time, forever.
    fn next(&mut self) -> Option<Timestamp> {
        loop {
            let after = (self.dice.unit() * self.millis) as i64;
            let at = Timestamp::from_millis(self.from.as_millis() + after);
            if self.dice.chance(self.rhythm.pace(at) / Rhythm::peak()) {
                return Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: i64 = 1_800_000_000_000;

    /// How many orders come in each step of `millis`, by a clock that this test moves.
    fn counts(arrivals: &mut Arrivals, from_millis: u64, steps: usize, millis: u64) -> Vec<usize> {
        (1..=steps as u64)
            .map(|step| {
                let elapsed = Duration::from_millis(from_millis + step * millis);
                let now = Timestamp::from_millis(NOON).plus(elapsed);
                std::iter::from_fn(|| arrivals.due(elapsed, now)).count()
            })
            .collect()
    }

    #[test]
    fn the_rate_is_kept_whatever_it_is() {
        for rate in [0.5, 20.0, 1_000.0, 25_000.0] {
            let mut arrivals = Arrivals::new(rate, None, 7);
            let came: usize = counts(&mut arrivals, 0, 60 * 20, 50).iter().sum();
            let expected = rate * 60.0;
            let bound = 5.0 * expected.sqrt() + 1.0;
            assert!((came as f64 - expected).abs() < bound, "{came} instead of {expected}");
        }
    }

    #[test]
    fn a_day_of_the_rhythm_brings_the_mean_rate() {
        let mut arrivals = Arrivals::new(2.0, Some(Rhythm::of(2)), 7);
        let hours = counts(&mut arrivals, 0, 24 * 3600 * 10, 100);
        let came: usize = hours.iter().sum();
        assert!((170_000..175_600).contains(&came), "{came} instead of 172800");
    }

    #[test]
    fn a_pause_is_made_up_for_without_a_burst() {
        let mut arrivals = Arrivals::new(1_000.0, None, 7);
        counts(&mut arrivals, 0, 20, 50);
        // Five minutes later, all at once.
        let first = counts(&mut arrivals, 300_000, 1, 50)[0];
        assert!(first <= 1, "{first} orders at the moment of waking");
        let seconds = counts(&mut arrivals, 300_050, 60, 1_000 / 10);
        assert!(seconds.iter().all(|came| *came < 200), "{seconds:?}");
        let mut later = counts(&mut arrivals, 306_050, 540, 100);
        later.extend(&seconds);
        let extra = later.iter().sum::<usize>() as f64 - 60.0 * 1_000.0;
        assert!((9_000.0..11_000.0).contains(&extra), "{extra} made up for");
        let calm: usize = counts(&mut arrivals, 360_050, 100, 100).iter().sum();
        assert!((9_500..10_500).contains(&calm), "{calm} once all is made up for");
    }

    proptest! {
        #[test]
        fn the_next_order_is_never_early(rate in 0.1_f64..50_000.0, seed: u64, millis in 1_u64..500) {
            let mut arrivals = Arrivals::new(rate, None, seed);
            for step in 1..50_u64 {
                let elapsed = Duration::from_millis(step * millis);
                let now = Timestamp::from_millis(NOON).plus(elapsed);
                while let Some(placed) = arrivals.due(elapsed, now) {
                    prop_assert!(placed <= now && placed >= now.minus(Duration::from_millis(201)));
                }
                prop_assert!(arrivals.next > elapsed.as_secs_f64());
            }
        }

        #[test]
        fn the_past_lies_within_its_span(length in 1_i64..1_000_000_000_000, seed: u64) {
            let from = Timestamp::from_millis(NOON);
            let to = Timestamp::from_millis(NOON + length);
            let span = Span::new(from, to, Rhythm::of(2), seed).expect("not empty");
            for at in span.take(100) {
                prop_assert!(from <= at && at < to);
            }
        }
    }
}
