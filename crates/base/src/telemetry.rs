//! Logs on standard error, metrics in Prometheus' text format.

use std::io::{self, IsTerminal, Write};

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
    let coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    // A second start in one process (tests) keeps the first subscriber: that is not an error.
    let started = match format {
        LogFormat::Text => {
            let writer = move || EscapedLines { inner: io::stderr(), coloured };
            lines.with_ansi(coloured).with_target(false).with_writer(writer).try_init()
        }
        LogFormat::Json => lines.json().with_writer(io::stderr).try_init(),
    };
    drop(started);
    Ok(())
}

/// A writer of log lines that a name in them cannot forge: control characters within an event are escaped. An event comes
/// in one call, with the line feed behind it.
struct EscapedLines<W> {
    inner: W,
    /// Whether the events have colours, which are escape sequences of their own.
    coloured: bool,
}

impl<W: Write> Write for EscapedLines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.inner.write_all(escape_controls(&text, self.coloured).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The event with its control characters written out, but for the line feed at its end and colours.
fn escape_controls(event: &str, coloured: bool) -> String {
    let (body, end) = event.strip_suffix('\n').map_or((event, ""), |body| (body, "\n"));
    let mut escaped = String::with_capacity(event.len());
    let mut rest = body;
    while let Some(character) = rest.chars().next() {
        let colour = if coloured { colour_length(rest) } else { 0 };
        let length = colour.max(character.len_utf8());
        match is_hidden(character) && colour == 0 {
            true => escaped.extend(character.escape_default()),
            false => escaped.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    escaped + end
}

/// Controls, and the characters that end a line or turn the direction of what follows.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The length of the colour (`ESC [ digits and ; m`) that `text` begins with; 0 if it begins with none.
fn colour_length(text: &str) -> usize {
    let Some(digits) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = digits.bytes().position(|byte| !byte.is_ascii_digit() && byte != b';');
    end.filter(|end| digits.as_bytes()[*end] == b'm').map_or(0, |end| 2 + end + 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_log_line_makes_no_line_of_its_own() {
        let forged = "INFO aborted id=c-\n2026-12-01 ERROR admin was deleted\u{1b}[2J\r\u{202e}x\n";
        let written = escape_controls(forged, false);
        assert_eq!(
            written,
            "INFO aborted id=c-\\n2026-12-01 ERROR admin was deleted\\u{1b}[2J\\r\\u{202e}x\n"
        );
        let mut bytes = Vec::new();
        let mut lines = EscapedLines { inner: &mut bytes, coloured: true };
        lines
            .write_all("\u{1b}[2mtime\u{1b}[0m \u{1b}[31;1mred\u{1b}[0m \u{1b}[2J\n".as_bytes())
            .expect("written");
        let text = String::from_utf8(bytes).expect("text");
        assert_eq!(text, "\u{1b}[2mtime\u{1b}[0m \u{1b}[31;1mred\u{1b}[0m \\u{1b}[2J\n");
    }
}
