//! `factum view watch`: a view as it is, then every change of it.

use std::fmt::Write;

use miette::Report;
use reqwest::Method;
use serde_json::Value;

use super::freshness;
use crate::args::{Format, whole};
use crate::client::following::{self, Follow};
use crate::client::{Changed, Client, Error, EventStream, JsonRow, Problem, Rows, ServerEvent};
use crate::output;
use crate::report;

/// Print a view, and then every change of it
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum view watch store.top_movies
  factum view watch store.activity_today -o json | jq .added")]
pub(crate) struct Args {
    /// The view, in full: store.top_movies; its bare name will do where only one team has it
    view: String,
    /// Stop after so many changes; 0 prints the view and no change
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>(0, None, 10))]
    limit: Option<u64>,
}

pub(super) async fn run(args: Args, client: Client, format: Format) -> Result<(), Report> {
    let watch = Watch { client, args, format, changes: 0, resume: None };
    Ok(following::to_the_end(watch).await?)
}

struct Watch {
    client: Client,
    args: Args,
    format: Format,
    /// Changes printed.
    changes: u64,
    /// The id of the last event printed.
    resume: Option<String>,
}

impl Follow for Watch {
    type Progress = Option<String>;

    fn progress(&self) -> Option<String> {
        self.resume.clone()
    }

    fn can_resume(&self) -> bool {
        self.resume.is_some()
    }

    async fn follow(&mut self) -> Result<bool, Error> {
        let request = self.client.request(Method::GET, &["api", "v1", "views", &self.args.view, "changes"]);
        let request = request.header("accept", "text/event-stream");
        let request = match &self.resume {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let response = self.client.send(request).await?;
        let mut events = EventStream::new(Box::pin(response.bytes_stream()));
        while let Some(event) = events.next().await {
            // A broken stream is a connection that ended: the loop above resumes it.
            let Ok(event) = event else { return Ok(false) };
            if self.take(&event)? {
                return Ok(true);
            }
            self.resume = event.id.or(self.resume.take());
        }
        Ok(false)
    }
}

impl Watch {
    /// Prints an event; `true` once enough was printed.
    fn take(&mut self, event: &ServerEvent) -> Result<bool, Error> {
        if event.kind == "error" {
            let status = serde_json::from_str::<Value>(&event.data).ok();
            let status = status.and_then(|problem| u16::try_from(problem["status"].as_u64()?).ok());
            let problem = Problem::read(status.unwrap_or(500), None, event.data.as_bytes());
            return Err(Error::Refused(Box::new(problem)));
        }
        match event.kind.as_str() {
            "stale" => freshness::stale(&self.read(&event.data)?),
            "live" => report::say("the view goes on"),
            _ => {}
        }
        let is_change = event.kind == "change";
        if !is_change && event.kind != "snapshot" {
            return Ok(false);
        }
        let text = match self.format {
            Format::Json => {
                format!("{{\"event\":\"{}\",{}\n", event.kind, event.data.trim_start_matches('{'))
            }
            Format::Yaml => {
                let value: Value = serde_json::from_str(&event.data).unwrap_or_default();
                format!("---\n{}", serde_saphyr::to_string(&value).unwrap_or_default())
            }
            _ if is_change => changed(&self.read(&event.data)?),
            _ => {
                let rows: Rows = self.read(&event.data)?;
                freshness::warn(&rows);
                output::row_table(&rows.rows)
            }
        };
        if let Err(error) = output::print(&text) {
            report::failure(&error);
            std::process::exit(1);
        }
        self.changes += u64::from(is_change);
        Ok(self.args.limit.is_some_and(|limit| self.changes >= limit))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, data: &str) -> Result<T, Error> {
        let shape = |source| Error::Shape { address: self.client.address().to_owned(), source };
        serde_json::from_str(data).map_err(shape)
    }
}

/// Rows that went, then rows that came.
fn changed(change: &Changed) -> String {
    let removed = change.removed.iter().map(|row| ('-', row));
    let added = change.added.iter().map(|row| ('+', row));
    removed.chain(added).fold(String::new(), |mut text, (mark, row)| {
        writeln!(text, "{mark} {}", one_line(row)).expect("text grows");
        text
    })
}

fn one_line(row: &JsonRow) -> String {
    let pairs = row.iter().map(|(name, value)| format!("{name}={}", output::cell(value)));
    output::printable(&pairs.collect::<Vec<_>>().join("  "))
}
