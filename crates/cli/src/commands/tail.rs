//! `factum tail`: a topic's events as they arrive.

use std::fmt;

use miette::Report;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::position;
use crate::args::{Format, whole};
use crate::client::following::{self, Follow};
use crate::client::{Client, Error, EventStream, Record, ServerEvent};
use crate::output;
use crate::report;

/// Print a topic's events as they arrive
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum tail store.orders --from earliest --limit 10
  factum tail store.orders --from '10m ago'
  factum tail store.orders -o json | jq .value.Email")]
pub(crate) struct Args {
    /// The topic, in full: store.orders
    topic: String,
    /// Where to start: earliest, latest, an offset (in every partition), -5 (the last five of every partition), a time such as 2026-01-31T12:00:00Z, or "10m ago"
    #[arg(long, default_value = "latest", allow_negative_numbers = true, value_parser = position::parse)]
    from: String,
    /// Stop after so many events
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>(0, None, 10))]
    limit: Option<u64>,
}

pub(super) async fn run(args: Args, client: Client, format: Format) -> Result<(), Report> {
    if args.limit == Some(0) {
        return Ok(());
    }
    if args.from == "latest" && report::is_for_people() {
        report::say("waiting for new events; --from earliest begins with those that are stored");
    }
    let tail = Tail { client, format, printed: 0, resume: None, args };
    Ok(following::to_the_end(tail).await?)
}

struct Tail {
    client: Client,
    args: Args,
    format: Format,
    printed: u64,
    /// The id of the last event printed.
    resume: Option<String>,
}

impl Follow for Tail {
    type Progress = u64;

    fn progress(&self) -> u64 {
        self.printed
    }

    fn can_resume(&self) -> bool {
        self.resume.is_some()
    }

    async fn follow(&mut self) -> Result<bool, Error> {
        let request = self.client.request(Method::GET, &["api", "v1", "topics", &self.args.topic, "tail"]);
        let request = request.header("accept", "text/event-stream");
        let request = match &self.resume {
            Some(id) => request.header("last-event-id", id),
            None => request.query(&[("from", &self.args.from)]),
        };
        let response = match self.client.send(request).await {
            Err(error) => return Err(self.client.of_topic(&self.args.topic, error).await),
            Ok(response) => response,
        };
        let mut events = EventStream::new(Box::pin(response.bytes_stream()));
        while let Some(event) = events.next().await {
            // A broken stream is a connection that ended: the loop above resumes it.
            let Ok(event) = event else { return Ok(false) };
            if self.take(event)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Tail {
    /// Prints an event; `true` once enough was printed.
    fn take(&mut self, event: ServerEvent) -> Result<bool, Error> {
        if let Some(id) = event.id {
            self.resume = Some(id);
        }
        let shape = |source| Error::Shape { address: self.client.address().to_owned(), source };
        match event.kind.as_str() {
            "record" => {}
            // Only where to resume.
            "" => return Ok(false),
            "gap" => {
                let gap: Gap = serde_json::from_str(&event.data).map_err(shape)?;
                report::say(gap);
                return Ok(false);
            }
            "unreadable" => {
                let range: Unreadable = serde_json::from_str(&event.data).map_err(shape)?;
                report::say(range);
                return Ok(false);
            }
            kind => {
                report::say(format_args!("{kind}: {}", output::printable(&event.data)));
                return Ok(false);
            }
        }
        let record: Record = serde_json::from_str(&event.data).map_err(shape)?;
        let line = self.line(&record, &event.data);
        if let Err(error) = output::print(&line) {
            report::failure(&error);
            std::process::exit(1);
        }
        self.printed += 1;
        Ok(self.args.limit == Some(self.printed))
    }

    fn line(&self, record: &Record, raw: &str) -> String {
        match self.format {
            Format::Json => format!("{}\n", raw.replace('\n', " ")),
            Format::Yaml => {
                let value: Value = serde_json::from_str(raw).unwrap_or_default();
                format!("---\n{}", serde_saphyr::to_string(&value).unwrap_or_default())
            }
            Format::Name => format!("{}/{}/{}\n", self.args.topic, record.partition, record.offset),
            Format::Csv if self.printed == 0 => format!("{CSV_HEADER}\n{}\n", csv(record)),
            Format::Csv => format!("{}\n", csv(record)),
            Format::Table => people(record),
        }
    }
}

/// Records that are not sent.
#[derive(Deserialize)]
struct Gap {
    partition: i32,
    from: String,
    to: String,
    reason: String,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, from, to, reason } = self;
        write!(f, "partition {partition}: going on at offset {to} instead of {from}: {reason}")
    }
}

/// Records that cannot be read.
#[derive(Deserialize)]
struct Unreadable {
    partition: i32,
    from: String,
    next: String,
    reason: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, from, next, reason } = self;
        write!(f, "partition {partition}: offsets from {from} up to {next} cannot be read: {reason}")
    }
}

/// `2/41  2026-01-31T12:00:00Z  key  value`, with the value on the same line.
fn people(record: &Record) -> String {
    let key = output::printable(record.key.as_deref().unwrap_or("-"));
    let place = format!("{}/{}", record.partition, record.offset);
    let time = record.timestamp.as_deref().unwrap_or("-");
    format!("{place:<8} {time}  {key}  {}\n", output::printable(&record.value_text()))
}

const CSV_HEADER: &str = "partition,offset,timestamp,key,value";

fn csv(record: &Record) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let key = record.key.as_deref().map(quote).unwrap_or_default();
    let (time, value) = (record.timestamp.as_deref().unwrap_or_default(), quote(&record.value_text()));
    format!("{},{},{time},{key},{value}", record.partition, record.offset)
}
