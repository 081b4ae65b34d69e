//! Metrics of the engine. No name of a metric appears anywhere else.

use std::time::Duration;

use factum_types::TopicName;
use metrics::{
    Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::definitions::RelationName;
use crate::engine::ViewStatus;
use crate::task::Counts;

/// Says what each measure is.
pub(crate) fn describe() {
    describe_counter!("factum_pipeline_events_total", "events that a view has taken in");
    describe_counter!("factum_pipeline_poisoned_total", "events that could not be taken in");
    describe_counter!("factum_pipeline_late_total", "rows that came after their window had closed");
    describe_counter!(
        "factum_pipeline_ahead_total",
        "events whose time was too far ahead to move the watermark"
    );
    describe_counter!("factum_pipeline_unreadable_total", "offsets that could not be read from the log");
    describe_counter!(
        "factum_pipeline_letters_lost_total",
        "dead letters that could not be kept until written"
    );
    describe_gauge!("factum_pipeline_letters_waiting", "dead letters whose topic cannot be written");
    describe_counter!("factum_window_closings_total", "times that windows of a topic were closed");
    describe_counter!("factum_pipeline_retries_total", "times that a task had to begin again");
    describe_histogram!("factum_pipeline_epoch_seconds", "time from reading an epoch to its commit");
    describe_gauge!("factum_pipeline_lag", "events in the log that a view has not taken in");
    describe_gauge!("factum_pipeline_rate", "events per second that a view takes in");
    describe_gauge!("factum_pipeline_state_bytes", "bytes of state that a view holds");
    describe_gauge!("factum_view_steps_long", "steps of views that compute for longer than a second");
    describe_gauge!("factum_queries_abandoned", "queries that were ended and compute on");
    describe_gauge!(
        "factum_kept_state_bytes",
        "bytes of state that no view needs and the log could not give again"
    );
    describe_histogram!("factum_view_read_seconds", "time that computing a view's rows took");
    describe_gauge!("factum_view_rows", "rows of a view when they were computed last");
    describe_gauge!(
        "factum_view_row_errors",
        "values of a view that are null because they cannot be computed"
    );
    describe_gauge!("factum_view_subscribers", "readers of a view's changes");
}

/// One view's measures, looked up once so that the hot path only adds.
#[derive(Clone)]
pub(crate) struct PipelineMetrics {
    events: Counter,
    poisoned: Counter,
    late: Counter,
    ahead: Counter,
    unreadable: Counter,
    letters_lost: Counter,
    pub(crate) retries: Counter,
    pub(crate) epoch: Histogram,
}

impl PipelineMetrics {
    pub(crate) fn new(view: &RelationName) -> Self {
        let view = view.to_string();
        Self {
            events: counter!("factum_pipeline_events_total", "pipeline" => view.clone()),
            poisoned: counter!("factum_pipeline_poisoned_total", "pipeline" => view.clone()),
            late: counter!("factum_pipeline_late_total", "pipeline" => view.clone()),
            ahead: counter!("factum_pipeline_ahead_total", "pipeline" => view.clone()),
            unreadable: counter!("factum_pipeline_unreadable_total", "pipeline" => view.clone()),
            letters_lost: counter!("factum_pipeline_letters_lost_total", "pipeline" => view.clone()),
            retries: counter!("factum_pipeline_retries_total", "pipeline" => view.clone()),
            epoch: histogram!("factum_pipeline_epoch_seconds", "pipeline" => view),
        }
    }
}

impl PipelineMetrics {
    /// An epoch of so many events was committed, and counted so much.
    pub(crate) fn add(&self, events: u64, counts: Counts) {
        self.events.increment(events);
        self.poisoned.increment(counts.poisoned);
        self.late.increment(counts.late);
        self.ahead.increment(counts.ahead);
        self.unreadable.increment(counts.unreadable);
        self.letters_lost.increment(counts.letters_lost);
    }
}

/// How a view stands now.
pub(crate) fn surveyed(status: &ViewStatus) {
    let view = status.name.to_string();
    gauge!("factum_pipeline_lag", "pipeline" => view.clone()).set(status.lag as f64);
    gauge!("factum_pipeline_rate", "pipeline" => view.clone()).set(status.rate);
    gauge!("factum_pipeline_letters_waiting", "pipeline" => view.clone()).set(status.letters_waiting as f64);
    gauge!("factum_pipeline_state_bytes", "pipeline" => view).set(status.state_bytes as f64);
}

/// So many more queries (fewer, if negative) were ended and compute on.
pub(crate) fn abandoned_queries(change: f64) {
    gauge!("factum_queries_abandoned").increment(change);
}

/// A step of a view that computes for long, counted until it is dropped.
pub(crate) struct LongStep(());

impl LongStep {
    pub(crate) fn begin() -> Self {
        gauge!("factum_view_steps_long").increment(1.0);
        Self(())
    }
}

impl Drop for LongStep {
    fn drop(&mut self) {
        gauge!("factum_view_steps_long").decrement(1.0);
    }
}

/// So much state is kept that no view needs.
pub(crate) fn kept_state(bytes: u64) {
    gauge!("factum_kept_state_bytes").set(bytes as f64);
}

/// Windows over a topic were closed.
pub(crate) fn closed_windows(topic: &TopicName) {
    counter!("factum_window_closings_total", "topic" => topic.to_string()).increment(1);
}

/// A view's rows were computed.
pub(crate) fn read(view: &RelationName, took: Duration, rows: usize) {
    histogram!("factum_view_read_seconds", "view" => view.to_string()).record(took);
    gauge!("factum_view_rows", "view" => view.to_string()).set(rows as f64);
}

/// How many values could not be computed when a view was read last.
pub(crate) fn row_errors(view: &RelationName, count: usize) {
    gauge!("factum_view_row_errors", "view" => view.to_string()).set(count as f64);
}

/// How many read a view's changes.
pub(crate) fn subscribers(view: &RelationName, count: usize) {
    gauge!("factum_view_subscribers", "view" => view.to_string()).set(count as f64);
}
