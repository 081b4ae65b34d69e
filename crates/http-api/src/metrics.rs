//! Metrics of the HTTP API.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Names and units, once at start.
pub(crate) fn describe() {
    describe_counter!("factum_http_requests_total", "Requests answered, by route and status");
    describe_histogram!(
        "factum_http_request_duration_seconds",
        Unit::Seconds,
        "Time from a request's head to the head of its response, by route"
    );
    describe_counter!("factum_http_failed_logins_total", "Requests over HTTP with a wrong name or password");
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
        "factum_http_connections_full_total",
        "How often all connections were taken when one more was to be accepted"
    );
    describe_counter!(
        "factum_http_busy_answers_total",
        "Responses refused with 503 because others had the memory or the threads for large ones"
    );
    describe_counter!(
        "factum_http_write_timeouts_total",
        "Connections closed because their client took nothing of a response in time"
    );
    describe_counter!("factum_http_view_renderings_total", "Snapshots and changes of a view written as text");
    describe_gauge!(
        "factum_http_renderings_running",
        "Large snapshots and changes of views being written as text"
    );
    describe_gauge!(
        "factum_http_snapshot_bytes",
        Unit::Bytes,
        "Text of large snapshots and changes that followers are being sent"
    );
    describe_counter!(
        "factum_http_snapshots_interrupted_total",
        "Large snapshots and changes given up before all had taken them, because others waited for memory"
    );
    describe_gauge!("factum_http_max_rows", "The most rows of a view that can be followed or read at once");
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

/// A request had a wrong name or password.
pub(crate) fn observe_failed_login() {
    counter!("factum_http_failed_logins_total").increment(1);
}

/// All connections are taken.
pub(crate) fn observe_full() {
    counter!("factum_http_connections_full_total").increment(1);
}

/// Others had the memory or the threads that a response needs.
pub(crate) fn observe_busy_answer() {
    counter!("factum_http_busy_answers_total").increment(1);
}

/// A client took nothing of its response in time.
pub(crate) fn observe_write_timeout() {
    counter!("factum_http_write_timeouts_total").increment(1);
}

/// A snapshot or a change of a view was written as text.
pub(crate) fn observe_rendering(view: &str) {
    counter!("factum_http_view_renderings_total", "view" => view.to_owned()).increment(1);
}

/// A text was given up although a client was still being sent it.
pub(crate) fn observe_interrupted_snapshot() {
    counter!("factum_http_snapshots_interrupted_total").increment(1);
}

/// How many rows can be followed.
pub(crate) fn max_rows(rows: usize) {
    gauge!("factum_http_max_rows").set(rows as f64);
}

/// So many bytes of something, until they are dropped.
pub(crate) struct SnapshotBytes(f64);

impl SnapshotBytes {
    pub(crate) fn of_snapshots(bytes: usize) -> Self {
        let bytes = bytes as f64;
        gauge!("factum_http_snapshot_bytes").increment(bytes);
        Self(bytes)
    }
}

impl Drop for SnapshotBytes {
    fn drop(&mut self) {
        gauge!("factum_http_snapshot_bytes").decrement(self.0);
    }
}

/// One more of something, until it is dropped.
pub(crate) struct GaugeGuard(&'static str);

impl GaugeGuard {
    pub(crate) fn connection() -> Self {
        Self::new("factum_http_connections")
    }

    pub(crate) fn tail() -> Self {
        Self::new("factum_http_tails")
    }

    pub(crate) fn follower() -> Self {
        Self::new("factum_http_view_followers")
    }

    pub(crate) fn rendering() -> Self {
        Self::new("factum_http_renderings_running")
    }

    pub(crate) fn overview() -> Self {
        Self::new("factum_http_overview_followers")
    }

    fn new(name: &'static str) -> Self {
        gauge!(name).increment(1);
        Self(name)
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1);
    }
}
