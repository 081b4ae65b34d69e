//! Token bucket, as Kafka limits changes of topics by (KIP-599): a burst of eleven seconds, and then the rate.
//!
//! ```text
//!   full: rate × 11 ──▶ changes take tokens ──▶ below 0: nothing more, until the rate has filled it up to 0
//! ```

use std::time::Duration;

/// Seconds of the rate that a full one holds.
const BURST_SECONDS: f64 = 11.0;

/// What one client may still do.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    tokens: f64,
    rate: f64,
    at: Duration,
}

impl TokenBucket {
    /// A full one.
    pub(super) fn full(now: Duration, rate: f64) -> Self {
        Self { tokens: rate * BURST_SECONDS, rate, at: now }
    }

    /// How long until something may be done.
    pub(super) fn delay(&mut self, now: Duration, rate: f64) -> Duration {
        self.fill(now, rate);
        match self.tokens < 0.0 {
            true => Duration::try_from_secs_f64(-self.tokens / rate).unwrap_or(Duration::MAX),
            false => Duration::ZERO,
        }
    }

    /// Takes tokens, also those that are not there.
    pub(super) fn take(&mut self, now: Duration, rate: f64, tokens: f64) {
        self.fill(now, rate);
        self.tokens -= tokens;
    }

    /// Whether it is as good as a new one.
    pub(super) fn is_full(&mut self, now: Duration) -> bool {
        self.fill(now, self.rate);
        self.tokens >= self.rate * BURST_SECONDS
    }

    fn fill(&mut self, now: Duration, rate: f64) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(rate * BURST_SECONDS);
        (self.rate, self.at) = (rate, self.at.max(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_a_wait_and_the_rate() {
        let second = Duration::from_secs;
        let mut bucket = TokenBucket::full(second(0), 2.0);
        bucket.take(second(0), 2.0, 22.0);
        assert_eq!(bucket.delay(second(0), 2.0), Duration::ZERO, "the last token was there");
        bucket.take(second(0), 2.0, 5.0);
        assert_eq!(bucket.delay(second(0), 2.0), Duration::from_millis(2_500));
        assert_eq!(bucket.delay(second(1), 2.0), Duration::from_millis(1_500));
        assert_eq!(bucket.delay(second(1), 3.0), second(1), "a new rate fills it");
        assert!(!bucket.is_full(second(11)) && bucket.is_full(second(13)));
        bucket.take(second(1_000), 3.0, 33.0);
        assert_eq!(bucket.delay(second(1_000), 3.0), Duration::ZERO);
    }
}
