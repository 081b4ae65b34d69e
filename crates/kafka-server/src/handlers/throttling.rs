//! Throttling of clients that have used more than their quotas (KIP-219): the answer goes out at once and says how long they
//! should wait, and nothing more of their connection is begun for as long.
//!
//! | quota | what counts | when |
//! |---|---|---|
//! | `producer_byte_rate` | bytes of produce requests | when the request arrives |
//! | `consumer_byte_rate` | bytes of fetched records | when they are answered; a client that has to wait gets none |
//! | `request_percentage` | time of the threads that serve requests | when they are answered, for a second at most |
//! | `controller_mutation_rate` | partitions created and deleted | before each topic (KIP-599) |
//! | `connection_creation_rate` | connections of an address | when they are accepted (see `service`) |
//!
//! Not here: quotas and meters (see `factum_access`).

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use factum_access::{QuotaClient, QuotaKey};

use super::{Call, Session};
use crate::error_code::ErrorCode;
use crate::messages::{ApiKey, Response};

/// Comes before the name of a principal that is a user.
const USER: &str = "User:";
/// Says why a topic is as it was.
pub(super) const TOO_MANY_CHANGES: &str = "the quota controller_mutation_rate is used up";

/// How long a connection has to wait, as long as it was not told.
#[derive(Debug, Default)]
pub(crate) struct Throttle(AtomicU32);

impl Throttle {
    fn add(&self, milliseconds: i32) {
        self.0.fetch_max(milliseconds.unsigned_abs(), Ordering::Relaxed);
    }

    /// Takes it, for the connection to wait.
    pub(crate) fn take(&self) -> Option<Duration> {
        // Nearly always there is nothing to take.
        if self.0.load(Ordering::Relaxed) == 0 {
            return None;
        }
        match self.0.swap(0, Ordering::Relaxed) {
            0 => None,
            milliseconds => Some(Duration::from_millis(milliseconds.into())),
        }
    }
}

impl Session {
    /// As whom a request counts that calls its client `client_id`.
    fn quota_client<'a>(&'a self, client_id: Option<&'a str>) -> QuotaClient<'a> {
        let principal = self.principal().as_str();
        QuotaClient {
            user: principal.strip_prefix(USER).unwrap_or(principal),
            client_id: client_id.unwrap_or_default(),
            address: self.client(),
        }
    }
}

impl Call {
    fn quota_client(&self) -> QuotaClient<'_> {
        self.session.quota_client(self.header.client_id.as_deref())
    }

    /// Counts what the client has used; gives the milliseconds that it has to wait.
    pub(super) fn charge(&self, key: QuotaKey, amount: f64) -> i32 {
        let quotas = &self.session.node.quotas;
        if !quotas.has_limits(key) {
            return 0;
        }
        self.waits(key, quotas.charge(self.quota_client(), key, amount))
    }

    /// The milliseconds that the client has to wait for what it has used before.
    pub(super) fn owed(&self, key: QuotaKey) -> i32 {
        self.charge(key, 0.0)
    }

    /// What the client may use at once.
    pub(super) fn most_at_once(&self, key: QuotaKey) -> Option<f64> {
        self.session.node.quotas.most_at_once(self.quota_client(), key)
    }

    fn waits(&self, key: QuotaKey, delay: Duration) -> i32 {
        if delay.is_zero() {
            return 0;
        }
        self.session.node.metrics.throttled(key, delay);
        // Not a moment less than what brings it below the limit.
        i32::try_from(delay.as_millis().saturating_add(1)).unwrap_or(i32::MAX)
    }

    /// Has the connection wait.
    pub(super) fn hold_back(&self, milliseconds: i32) {
        self.session.throttle.add(milliseconds);
    }
}

/// What a request may change of topics (KIP-599).
pub(super) struct ChangeAllowance<'a> {
    call: &'a Call,
    /// Clients of earlier versions do not know the refusal: they do what they want, and wait.
    is_strict: bool,
    throttle_time_ms: i32,
}

impl<'a> ChangeAllowance<'a> {
    pub(super) fn new(call: &'a Call, strict_since: i16) -> Self {
        Self { call, is_strict: call.header.version >= strict_since, throttle_time_ms: 0 }
    }

    /// Refuses nothing.
    pub(super) fn permissive(call: &'a Call) -> Self {
        Self { call, is_strict: false, throttle_time_ms: 0 }
    }

    /// Counts partitions that are about to be created or deleted.
    ///
    /// # Errors
    /// `THROTTLING_QUOTA_EXCEEDED`: none of them may be.
    pub(super) fn spend(&mut self, partitions: i32) -> Result<(), ErrorCode> {
        const KEY: QuotaKey = QuotaKey::ControllerMutationRate;
        let quotas = &self.call.session.node.quotas;
        if !quotas.has_limits(KEY) {
            return Ok(());
        }
        let (client, partitions) = (self.call.quota_client(), partitions.max(0).into());
        let (delay, outcome) = match self.is_strict {
            true => match quotas.spend(client, partitions) {
                Ok(()) => return Ok(()),
                Err(delay) => (delay, Err(ErrorCode::ThrottlingQuotaExceeded)),
            },
            false => (quotas.overspend(client, partitions), Ok(())),
        };
        self.throttle_time_ms = self.throttle_time_ms.max(self.call.waits(KEY, delay));
        outcome
    }

    /// How long the client has to wait after all.
    pub(super) fn throttle_time_ms(&self) -> i32 {
        self.throttle_time_ms
    }
}

/// Whether the time that the request takes counts: not while the client logs in, nor for what brokers ask of each other.
fn is_timed(call: &Call) -> bool {
    let is_exempt =
        matches!(call.header.api, ApiKey::SaslHandshake | ApiKey::SaslAuthenticate | ApiKey::WriteTxnMarkers);
    !is_exempt
        && !call.session.authentication.is_awaited()
        && call.session.node.quotas.has_limits(QuotaKey::RequestPercentage)
}

/// Does `work`, and gives the time that this thread spent on it: not that of its waits.
pub(super) async fn measured<T>(call: &Call, work: impl Future<Output = T>) -> (T, Duration) {
    if !is_timed(call) {
        return (work.await, Duration::ZERO);
    }
    let mut work = pin!(work);
    let mut busy = Duration::ZERO;
    poll_fn(|cx| {
        let began = call.session.node.clock.monotonic();
        let polled = work.as_mut().poll(cx);
        busy += call.session.node.clock.monotonic().saturating_duration_since(began);
        polled.map(|output| (output, busy))
    })
    .await
}

/// The same for work that does not wait.
pub(super) fn measured_now<T>(call: &Call, work: impl FnOnce() -> T) -> (T, Duration) {
    if !is_timed(call) {
        return (work(), Duration::ZERO);
    }
    let began = call.session.node.clock.monotonic();
    let output = work();
    (output, call.session.node.clock.monotonic().saturating_duration_since(began))
}

/// Counts the time that the request took; the milliseconds that its client has to wait for it.
pub(super) fn charge_time(call: &Call, busy: Duration) -> i32 {
    match is_timed(call) {
        true => call.charge(QuotaKey::RequestPercentage, busy.as_secs_f64() * 100.0),
        false => 0,
    }
}

/// Has the answer say how long the client should wait, and the connection wait as long: the longest of all quotas.
pub(super) fn settle(call: &Call, response: &mut impl Response, busy: Duration) {
    let mut wait = charge_time(call, busy);
    if let Some(told) = response.throttle_time() {
        wait = wait.max(*told);
        *told = wait;
    }
    call.hold_back(wait);
}
