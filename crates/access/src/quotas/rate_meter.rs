//! Rate over windows of a second, as Kafka's quotas go by (`quota.window.num` 11, `quota.window.size.seconds` 1).
//!
//! ```text
//!   │ 10 whole windows, those before the first use empty │ the current one, so far │
//!   ╰──────────────────── what was used ÷ this time = the rate ──────────────────╯
//! ```
//!
//! Not here: the clock. Times count from any one moment, and do not go back.

use std::time::Duration;

/// The current window, and the whole ones before it.
const WINDOWS: usize = 11;
/// The whole ones.
pub(super) const WHOLE_SECONDS: u32 = WINDOWS as u32 - 1;

/// What one client has used lately.
#[derive(Debug, Clone, Default)]
pub(super) struct RateMeter {
    /// What was used in each of the last windows; that of second n is at n modulo their number.
    windows: [f64; WINDOWS],
    /// The second of the current one.
    second: u64,
}

impl RateMeter {
    /// Adds what is used at `now`; a negative amount takes back what was added at the same time.
    pub(super) fn add(&mut self, now: Duration, amount: f64) {
        self.advance(now);
        self.windows[place(self.second)] += amount;
    }

    /// How long nothing may be used until the rate is no more than `bound` in a second, if nothing is.
    pub(super) fn delay(&mut self, now: Duration, bound: f64) -> Duration {
        self.advance(now);
        let used: f64 = self.windows.iter().sum();
        let window = f64::from(WHOLE_SECONDS) + f64::from(now.subsec_nanos()) / 1e9;
        let excess = used / bound - window;
        // Beyond what a duration can hold it is for longer than anyone waits.
        if excess > 0.0 {
            Duration::try_from_secs_f64(excess).unwrap_or(Duration::MAX)
        } else {
            Duration::ZERO
        }
    }

    /// Whether it is as good as a new one.
    pub(super) fn is_idle(&mut self, now: Duration) -> bool {
        self.advance(now);
        self.windows.iter().all(|used| *used <= 0.0)
    }

    /// Forgets windows that are over.
    fn advance(&mut self, now: Duration) {
        let second = now.as_secs();
        for passed in (self.second + 1..=second).take(WINDOWS) {
            self.windows[place(passed)] = 0.0;
        }
        self.second = self.second.max(second);
    }
}

fn place(second: u64) -> usize {
    (second % WINDOWS as u64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All that was ever used, and the rule as it is written down.
    #[derive(Default)]
    struct Model(Vec<(Duration, f64)>);

    impl Model {
        fn delay(&self, now: Duration, bound: f64) -> f64 {
            let is_recent = |at: &Duration| at.as_secs() + 11 > now.as_secs();
            let used: f64 = self.0.iter().filter(|(at, _)| is_recent(at)).map(|(_, amount)| amount).sum();
            let seconds = 10.0 + (now.as_secs_f64() - now.as_secs_f64().floor());
            let rate = used / seconds;
            if rate > bound { (rate - bound) / bound * seconds } else { 0.0 }
        }
    }

    proptest! {
        #[test]
        fn delays_are_those_of_the_model(
            start in 0..40_000_u64,
            uses in prop::collection::vec((0..4_000_u64, 0..5_000_u32), 1..60),
            bound in 1..2_000_u32,
        ) {
            let (mut meter, mut model) = (RateMeter::default(), Model::default());
            let mut now = Duration::from_millis(start);
            for (pause, amount) in uses {
                now += Duration::from_millis(pause);
                meter.add(now, amount.into());
                model.0.push((now, amount.into()));
                let (found, expected) = (meter.delay(now, bound.into()), model.delay(now, bound.into()));
                prop_assert!((found.as_secs_f64() - expected).abs() < 1e-6, "{found:?} and not {expected}");
            }
        }

        /// Windows that are over are forgotten also where the wait for them was longer, as in Kafka: who uses eleven seconds' worth
        /// at a time gets nearly twice the bound, and no one more.
        #[test]
        fn a_client_that_waits_uses_no_more_than_twice_the_bound(
            amounts in prop::collection::vec(1..3_000_u32, 1..200), bound in 300..2_000_u32,
        ) {
            let mut meter = RateMeter::default();
            let (mut now, mut used) = (Duration::ZERO, 0.0);
            for amount in amounts {
                meter.add(now, amount.into());
                used += f64::from(amount);
                now += meter.delay(now, bound.into());
                let most = 2.0 * f64::from(bound) * (now.as_secs_f64() + 11.0);
                prop_assert!(used <= most + 1e-6, "{used} by {now:?}");
            }
        }

        #[test]
        fn a_meter_that_is_idle_is_as_good_as_a_new_one(pause in 0..30_u64, amount in 1..100_u32) {
            let mut meter = RateMeter::default();
            meter.add(Duration::from_secs(7), amount.into());
            let later = Duration::from_secs(7 + pause);
            prop_assert_eq!(meter.is_idle(later), pause >= 11);
        }
    }
}
