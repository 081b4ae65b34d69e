//! Destinations of generated events.

use std::io::IsTerminal;
use std::time::Duration;

use miette::{Diagnostic, Report};
use reqwest::Method;
use serde::Serialize;

use crate::args::Format;
use crate::client::{Acknowledged, Client, Error};
use crate::output;

/// A running Factum, or the reader of standard output.
pub(super) enum Sink {
    Stdout,
    Server {
        client: Client,
        topic: String,
        /// How many it has acknowledged.
        stored: u64,
    },
}

/// A batch was not acknowledged.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the events after the first {stored} {}", if *.is_uncertain { "may or may not be stored" } else { "were refused" })]
struct UnacknowledgedEvents {
    stored: u64,
    is_uncertain: bool,
    #[source]
    source: Error,
}

#[derive(Serialize)]
struct Summary<'a> {
    topic: &'a str,
    events: u64,
    seconds: f64,
}

impl Sink {
    pub(super) fn server(client: Client, topic: String) -> Self {
        Self::Server { client, topic, stored: 0 }
    }

    /// Whether a bar would not be in the way of what is printed.
    pub(super) fn is_terminal(&self) -> bool {
        match self {
            Self::Stdout => !std::io::stdout().is_terminal(),
            Self::Server { .. } => true,
        }
    }

    /// Takes lines, which bring the events made to `made`.
    pub(super) async fn take(&mut self, lines: &[u8], made: u64) -> Result<(), Report> {
        let Self::Server { client, topic, stored } = self else {
            return Ok(output::print(&String::from_utf8_lossy(lines))?);
        };
        let request = client.request(Method::POST, &["events", topic]);
        let request = request.header("content-type", "application/x-ndjson").body(lines.to_vec());
        match client.json::<Acknowledged>(request).await {
            Ok(_) => {
                *stored = made;
                Ok(())
            }
            Err(error) if error.status() == Some(404) => Err(client.of_topic(topic, error).await.into()),
            Err(error) if *stored == 0 && !error.is_uncertain() => Err(error.into()),
            Err(source) => {
                Err(UnacknowledgedEvents { stored: *stored, is_uncertain: source.is_uncertain(), source }
                    .into())
            }
        }
    }

    /// Says what was stored.
    pub(super) fn finish(&self, made: u64, took: Duration, format: Format) -> Result<(), output::Error> {
        let Self::Server { topic, stored, .. } = self else { return Ok(()) };
        if *stored == 0 && made > 0 {
            return Ok(());
        }
        let summary = Summary { topic, events: *stored, seconds: took.as_secs_f64() };
        output::one(format, &summary, || {
            let rate = summary.events as f64 / summary.seconds.max(0.001);
            format!(
                "acknowledged {} in {topic} in {:.1} s ({rate:.0}/s)\n",
                output::count(summary.events, "event"),
                summary.seconds
            )
        })
    }
}
