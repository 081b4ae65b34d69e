//! Orders as they come due.

use std::time::{Duration, Instant};

use factum_base::clock::{Clock, SystemClock};
use factum_feeds::{Arrivals, Orders, Recipe, Span};
use factum_types::Timestamp;

/// How many come a second where no one says.
const RATE: f64 = 10.0;
/// Several are sent at once rather than each alone.
const TICK: Duration = Duration::from_millis(25);

/// How many, when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) rate: Option<f64>,
    pub(super) count: Option<u64>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

/// Makes orders by a plan.
pub(super) struct OrderSource {
    orders: Orders,
    /// Without it, as many as are taken.
    arrivals: Option<Arrivals>,
    /// Without it, now.
    past: Option<Span>,
    started: Instant,
    count: u64,
    limit: u64,
}

impl OrderSource {
    /// Nothing yet. The two times, where none lies between them.
    pub(super) fn new(recipe: &Recipe, plan: Plan) -> Result<Self, (Timestamp, Timestamp)> {
        let now = SystemClock.now();
        let past = match plan.from {
            Some(from) => {
                let to = plan.to.unwrap_or(now);
                Some(Span::new(from, to, recipe.rhythm(), recipe.seed).ok_or((from, to))?)
            }
            None => None,
        };
        let rate = plan.rate.or(plan.count.is_none().then_some(RATE));
        let orders = Orders::new(recipe, plan.from.unwrap_or(now));
        Ok(Self {
            orders: orders.expect("clap has seen to the customers, and the regions are ours"),
            // A rate that is asked for on the command line is meant as it stands, at night as well.
            arrivals: rate.map(|rate| Arrivals::new(rate, None, recipe.seed)),
            past,
            started: SystemClock.monotonic(),
            count: 0,
            limit: plan.count.unwrap_or(u64::MAX),
        })
    }

    /// How many were made.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How long it took.
    pub(super) fn elapsed(&self) -> Duration {
        SystemClock.monotonic().duration_since(self.started)
    }

    /// How long nothing will be due; `None` once all were made.
    pub(super) fn wait(&self) -> Option<Duration> {
        if self.count >= self.limit {
            return None;
        }
        let wait = self.arrivals.as_ref().map(|arrivals| arrivals.wait(self.elapsed()));
        Some(match wait {
            Some(Duration::ZERO) | None => Duration::ZERO,
            Some(wait) => wait.max(TICK),
        })
    }

    /// Lines of JSON, at most `size`: those that are due.
    pub(super) fn batch(&mut self, size: usize) -> Vec<u8> {
        let (elapsed, now) = (self.elapsed(), SystemClock.now());
        let mut lines = Vec::new();
        for _ in 0..size {
            if self.count >= self.limit {
                break;
            }
            let due = match &mut self.arrivals {
                Some(arrivals) => arrivals.due(elapsed, now),
                None => Some(now),
            };
            let Some(due) = due else { break };
            let at = self.past.as_mut().and_then(Iterator::next).unwrap_or(due);
            lines.extend_from_slice(&self.orders.next(at).to_json());
            lines.push(b'\n');
            self.count += 1;
        }
        lines
    }
}
