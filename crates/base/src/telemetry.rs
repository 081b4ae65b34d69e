//! Logs on standard error, metrics in Prometheus' text format.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Bounds of latency histograms, in seconds: from a page-cache write to a stuck disk.
const SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Starts logging to standard error. `filter` is in the language of `RUST_LOG`, which wins over it.
///
/// # Errors
/// [`ParseError`] if a filter is not understood.
pub fn init_tracing(filter: &str, format: LogFormat) -> Result<(), ParseError> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(wish) if !wish.is_empty() => EnvFilter::try_new(wish)?,
        _ => EnvFilter::try_new(filter)?,
    };
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first subscriber: that is not an error.
    let started = match format {
        LogFormat::Text => lines.with_ansi(coloured).with_target(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    drop(started);
    Ok(())
}

/// Renders what was measured.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// All metrics in Prometheus' text exposition format.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Starts measuring for this process. Call once; later calls give a handle on a recorder of their own,
/// because a process has only one.
///
/// # Errors
/// [`BuildError`] if the histogram bounds are refused.
pub fn install_metrics() -> Result<Metrics, BuildError> {
    let builder = PrometheusBuilder::new();
    let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Only a second server in one process (tests) finds a recorder in place; it measures into the first.
    drop(metrics::set_global_recorder(recorder));
    Ok(Metrics(handle))
}
