//! What is measured.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Names and units, once at start.
pub(crate) fn describe() {
    describe_counter!("factum_http_requests_total", "Requests answered, by route and status");
    describe_histogram!(
        "factum_http_request_duration_seconds",
        Unit::Seconds,
        "Time from a request's head to the head of its answer, by route"
    );
    describe_counter!("factum_http_ingested_events_total", "Events acknowledged over HTTP");
    describe_counter!(
        "factum_http_ingested_bytes_total",
        Unit::Bytes,
        "Bodies of acknowledged ingest requests"
    );
    describe_gauge!("factum_http_connections", "Connections open");
    describe_counter!(
        "factum_http_connections_refused_total",
        "Connections closed because their client address had too many"
    );
    describe_counter!(
        "factum_http_write_timeouts_total",
        "Connections closed because their client took nothing of a response in time"
    );
    describe_gauge!("factum_http_tails", "Tails being sent");
    describe_gauge!("factum_http_view_followers", "Streams of views' changes being sent");
    describe_gauge!("factum_http_overview_followers", "Streams of the overview being sent");
}

/// A request was answered. `route` is the router's pattern, never a path, so that labels stay few.
pub(crate) fn observe_request(route: &str, status: u16, elapsed: Duration) {
    let route = route.to_owned();
    counter!("factum_http_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    histogram!("factum_http_request_duration_seconds", "route" => route).record(elapsed.as_secs_f64());
}

/// Events were acknowledged.
pub(crate) fn observe_ingest(events: usize, bytes: usize) {
    counter!("factum_http_ingested_events_total").increment(events as u64);
    counter!("factum_http_ingested_bytes_total").increment(bytes as u64);
}

/// A client address had too many connections.
pub(crate) fn observe_refused_connection() {
    counter!("factum_http_connections_refused_total").increment(1);
}

/// A client took nothing of its response in time.
pub(crate) fn observe_write_timeout() {
    counter!("factum_http_write_timeouts_total").increment(1);
}

/// One more of something, until it is dropped.
pub(crate) struct Present(&'static str);

impl Present {
    pub(crate) fn connection() -> Self {
        Self::new("factum_http_connections")
    }

    pub(crate) fn tail() -> Self {
        Self::new("factum_http_tails")
    }

    pub(crate) fn follower() -> Self {
        Self::new("factum_http_view_followers")
    }

    pub(crate) fn overview() -> Self {
        Self::new("factum_http_overview_followers")
    }

    fn new(name: &'static str) -> Self {
        gauge!(name).increment(1);
        Self(name)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1);
    }
}
