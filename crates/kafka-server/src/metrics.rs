//! Metrics of the listener. Labels are bounded: an API's name, nothing that a client chooses.

use std::time::Duration;

use factum_access::QuotaKey;
use factum_access::sasl::Mechanism;
use metrics::{Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram};

use crate::messages::ApiKey;

/// Handles on the listener's metrics, looked up once.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// By API code; none for codes that are not served.
    apis: Vec<Option<Api>>,
    received: Counter,
    sent: Counter,
    open: Gauge,
    accepted: Counter,
    turned_away: Counter,
    refused: Counter,
    stalled: Counter,
    /// By quota.
    throttled: Vec<Histogram>,
}

#[derive(Debug)]
struct Api {
    requests: Counter,
    duration: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        describe();
        let mut apis = Vec::new();
        for api in ApiKey::ALL {
            let at = index(*api);
            apis.resize_with(apis.len().max(at + 1), || None);
            apis[at] = Some(Api {
                requests: counter!("factum_kafka_requests_total", "api" => api.name()),
                duration: metrics::histogram!("factum_kafka_request_duration_seconds", "api" => api.name()),
            });
        }
        Self {
            apis,
            received: counter!("factum_kafka_received_bytes_total"),
            sent: counter!("factum_kafka_sent_bytes_total"),
            open: metrics::gauge!("factum_kafka_connections"),
            accepted: counter!("factum_kafka_connections_accepted_total"),
            turned_away: counter!("factum_kafka_connections_turned_away_total"),
            refused: counter!("factum_kafka_refused_frames_total"),
            stalled: counter!("factum_kafka_connections_stalled_total"),
            throttled: QuotaKey::ALL.map(throttled).to_vec(),
        }
    }

    /// A request of `bytes` was begun.
    pub(crate) fn begun(&self, api: ApiKey, bytes: usize) {
        self.received.increment(bytes as u64);
        if let Some(api) = &self.apis[index(api)] {
            api.requests.increment(1);
        }
    }

    /// Its answer of `bytes` was ready after `took`.
    pub(crate) fn answered(&self, api: ApiKey, took: Duration, bytes: usize) {
        self.sent.increment(bytes as u64);
        if let Some(api) = &self.apis[index(api)] {
            api.duration.record(took.as_secs_f64());
        }
    }

    /// A connection was opened; it is closed when what is returned is dropped.
    pub(crate) fn open_connection(&self) -> OpenConnection<'_> {
        self.accepted.increment(1);
        self.open.increment(1.0);
        OpenConnection(&self.open)
    }

    /// A connection was closed at once because there are too many.
    pub(crate) fn turned_away(&self) {
        self.turned_away.increment(1);
    }

    /// Bytes were no request that can be answered.
    pub(crate) fn refused_frame(&self) {
        self.refused.increment(1);
    }

    /// A login by `mechanism` was over.
    pub(crate) fn authenticated(&self, mechanism: Mechanism, outcome: &'static str) {
        counter!("factum_kafka_authentications_total", "mechanism" => mechanism.name(), "outcome" => outcome)
            .increment(1);
    }

    /// A client has to wait for `delay`.
    pub(crate) fn throttled(&self, key: QuotaKey, delay: Duration) {
        // The order of `QuotaKey::ALL` is that of its numbers.
        if let Some(quota) = self.throttled.get(key as usize) {
            quota.record(delay.as_secs_f64());
        }
    }

    /// A client stalled within a request or an answer.
    pub(crate) fn stalled_connection(&self) {
        self.stalled.increment(1);
    }
}

/// A connection, counted while it is open.
pub(crate) struct OpenConnection<'a>(&'a Gauge);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

fn throttled(key: QuotaKey) -> Histogram {
    metrics::histogram!("factum_kafka_throttle_seconds", "quota" => key.name())
}

fn index(api: ApiKey) -> usize {
    usize::try_from(api.code()).expect("API codes are not negative")
}

fn describe() {
    describe_counter!("factum_kafka_requests_total", "Kafka requests begun, by API");
    describe_histogram!(
        "factum_kafka_request_duration_seconds",
        "From a Kafka request's arrival to its answer, waits included, by API"
    );
    describe_counter!("factum_kafka_received_bytes_total", "Bytes of Kafka requests");
    describe_counter!("factum_kafka_sent_bytes_total", "Bytes of Kafka responses");
    describe_gauge!("factum_kafka_connections", "Kafka connections open");
    describe_counter!("factum_kafka_connections_accepted_total", "Kafka connections accepted");
    describe_counter!("factum_kafka_connections_turned_away_total", "Kafka connections over the limit");
    describe_counter!(
        "factum_kafka_authentications_total",
        "Logins of Kafka clients, by mechanism and outcome"
    );
    describe_counter!("factum_kafka_refused_frames_total", "Bytes on Kafka connections that were no request");
    describe_histogram!(
        "factum_kafka_throttle_seconds",
        "How long clients had to wait because they had used more than a quota, by quota"
    );
    describe_counter!("factum_kafka_connections_stalled_total", "Kafka clients that stalled and were let go");
}
