//! Rate limit for log lines about one client, so that cheap input does not fill the log.
//!
//! Invariants:
//! - Of one address one line a minute is written; the next line tells how many were left out before it.
//! - Of at most [`MOST_ADDRESSES`] addresses something is remembered. All further ones share one line a minute, so that
//!   a thousand addresses write hardly more than a few hundred.
//!
//! Not here: the lines themselves. What they are about is counted by the metrics of their writer, all of it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::ClientAddress;

/// Between two lines of one address.
const PAUSE: Duration = Duration::from_secs(60);
/// Addresses that each have a line of their own.
const MOST_ADDRESSES: usize = 256;

/// Limits lines about clients. One for all lines of a listener: what a client does first is what is written of it.
#[derive(Debug, Default)]
pub struct LogLimit(Mutex<KnownAddresses>);

#[derive(Debug, Default)]
struct KnownAddresses {
    addresses: HashMap<ClientAddress, Line>,
    /// Of all for whom there was no room.
    others: Option<Line>,
}

#[derive(Debug)]
struct Line {
    written_at: Instant,
    /// Left out since then.
    left_out: u64,
}

impl LogLimit {
    /// Whether a line about `client` is to be written `now`, by the monotonic clock: then how many were left out since the
    /// last one, else `None`.
    pub fn admit(&self, client: impl Into<ClientAddress>, now: Instant) -> Option<u64> {
        let (mut known, client) = (self.0.lock(), client.into());
        if let Some(line) = known.addresses.get_mut(&client) {
            return line.admit(now);
        }
        if known.addresses.len() >= MOST_ADDRESSES {
            known.forget(now);
        }
        if known.addresses.len() < MOST_ADDRESSES {
            known.addresses.insert(client, Line { written_at: now, left_out: 0 });
            return Some(0);
        }
        match &mut known.others {
            Some(line) => line.admit(now),
            None => {
                known.others = Some(Line { written_at: now, left_out: 0 });
                Some(0)
            }
        }
    }
}

impl KnownAddresses {
    /// Forgets addresses of which nothing was written for a while; what was left out of them is told with the others.
    fn forget(&mut self, now: Instant) {
        let mut left_out = 0;
        self.addresses.retain(|_, line| {
            let is_recent = now.saturating_duration_since(line.written_at) < PAUSE;
            left_out += if is_recent { 0 } else { line.left_out };
            is_recent
        });
        if left_out > 0 {
            self.others.get_or_insert(Line { written_at: now, left_out: 0 }).left_out += left_out;
        }
    }
}

impl Line {
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if now.saturating_duration_since(self.written_at) < PAUSE {
            self.left_out += 1;
            return None;
        }
        self.written_at = now;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::clock::{Clock, SystemClock};

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn each_address_has_a_line_a_minute() {
        let (limit, start) = (LogLimit::default(), SystemClock.monotonic());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(limit.admit(address(1), start), Some(0));
        assert_eq!(limit.admit(address(1), after(1)), None);
        assert_eq!(limit.admit(address(2), after(1)), Some(0));
        assert_eq!(limit.admit(address(1), after(59)), None);
        assert_eq!(limit.admit(address(1), after(60)), Some(2));
        assert_eq!(limit.admit(address(1), after(121)), Some(0));
    }

    #[test]
    fn many_addresses_share_a_line_and_little_memory() {
        let (limit, start) = (LogLimit::default(), SystemClock.monotonic());
        let lines = (0..100_000).filter_map(|number| limit.admit(address(number), start)).count();
        assert_eq!(lines, MOST_ADDRESSES + 1);
        assert_eq!(limit.0.lock().addresses.len(), MOST_ADDRESSES);
        let later = start + PAUSE;
        assert_eq!(limit.admit(address(7_000_000), later), Some(0), "there is room again");
        assert_eq!(limit.0.lock().addresses.len(), 1);
        let left_out = limit.0.lock().others.as_ref().map(|line| line.left_out);
        assert_eq!(left_out, Some(100_000 - lines as u64));
    }
}
