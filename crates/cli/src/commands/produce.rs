//! `factum produce`: JSON lines into a topic.
//!
//! Invariants: lines are sent in order, one batch after the other; a batch is stored whole or not at all; the
//! first batch that is not acknowledged ends the command, which then says exactly which lines are stored.

mod example;
mod lines;
mod progress;
mod tally;

use std::path::PathBuf;

use factum_types::suggest::nearest;
use miette::{Diagnostic, Report};
use reqwest::Method;

use crate::args::{Format, whole};
use crate::client::{Acknowledged, Client, Error, Problem, Topics};
use crate::output;
use crate::report;
use lines::{Batch, Batches, ReadError};
use progress::Progress;
use tally::Tally;

/// Send JSON lines to a topic
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum produce store.orders --file orders.jsonl --key Email
  echo '{\"Email\":\"ada@example.com\",\"Total\":12.5}' | factum produce store.orders
  factum produce store.orders --example --dry-run    print an event that the topic's schema accepts")]
pub(crate) struct Args {
    /// The topic, in full: store.orders
    topic: String,
    /// A file of JSON lines; without it, standard input
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The field whose value is the key; without it, what the project says
    #[arg(long, value_name = "FIELD")]
    key: Option<String>,
    /// How many lines are sent at once
    #[arg(long, value_name = "N", default_value_t = 500, allow_negative_numbers = true, value_parser = whole::<u32>(1, Some(100_000), 500))]
    batch: u32,
    /// Send one example event, made from the topic's schema
    #[arg(long, conflicts_with = "file")]
    example: bool,
    /// Print the example, and send nothing
    #[arg(long, requires = "example")]
    dry_run: bool,
}

/// Why not every line was stored.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum ProduceFailure {
    /// A line was refused.
    #[error("line {line} was refused")]
    Refused {
        line: u64,
        #[source]
        source: Error,
        #[help]
        stored: String,
    },
    /// A batch was refused, and the server does not say for which line.
    #[error("{} refused", lines_are(*.first, *.last))]
    BatchRefused {
        first: u64,
        last: u64,
        #[source]
        source: Error,
        #[help]
        stored: String,
    },
    /// The answer did not come.
    #[error("whether {} stored is not known", lines_are(*.first, *.last))]
    Uncertain {
        first: u64,
        last: u64,
        #[source]
        source: Error,
        #[help]
        stored: String,
    },
    /// The lines could not be read.
    #[error("cannot read further lines")]
    Unreadable {
        #[source]
        source: ReadError,
        #[help]
        stored: String,
    },
}

fn lines_are(first: u64, last: u64) -> String {
    if first == last { format!("line {first} is") } else { format!("lines {first} to {last} are") }
}

pub(super) async fn run(args: Args, client: Client, format: Format) -> Result<(), Report> {
    if args.example {
        return produce_example(&args, &client, format).await;
    }
    let mut batches = Batches::open(args.file.as_deref(), args.batch as usize)?;
    let mut progress = Progress::new(batches.total_bytes());
    let mut tally = Tally::new(args.topic.clone());
    let result = send_all(&args, &client, &mut batches, &mut progress, &mut tally).await;
    progress.finish();
    if tally.events > 0 || result.is_ok() {
        output::one(format, &tally, || tally.to_string())?;
    }
    if result.is_ok() && tally.begins_a_topic() {
        doubt_the_name(&args.topic, &client).await;
    }
    result
}

async fn produce_example(args: &Args, client: &Client, format: Format) -> Result<(), Report> {
    let data = example::of_topic(&args.topic, client).await?;
    if args.dry_run {
        return Ok(output::one(format, &data, || format!("{data:#}\n"))?);
    }
    let mut tally = Tally::new(args.topic.clone());
    send(args, client, &example::batch(&data), &mut tally).await?;
    if format == Format::Table {
        report::say(format_args!("sent {}", output::printable(&data.to_string())));
    }
    Ok(output::one(format, &tally, || tally.to_string())?)
}

/// A server that makes topics on first use makes one of a misspelt name as well.
async fn doubt_the_name(topic: &str, client: &Client) {
    let topics = client.get::<Topics>(&["api", "v1", "topics"]).await.map(|found| found.topics);
    let others = topics.iter().flatten().map(|line| line.name.as_str()).filter(|name| *name != topic);
    if let Some(near) = nearest(topic, others) {
        report::say(format_args!(
            "note: topic {topic} held nothing before; if you meant {near}, `factum topic delete {topic} --force` removes it"
        ));
    }
}

async fn send_all(
    args: &Args,
    client: &Client,
    batches: &mut Batches,
    progress: &mut Progress,
    tally: &mut Tally,
) -> Result<(), Report> {
    loop {
        let batch = match batches.next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(()),
            Err((before, source)) => {
                // What came before the bad line is good, and is stored like any other.
                if let Some(batch) = before {
                    send(args, client, &batch, tally).await?;
                }
                return Err(ProduceFailure::Unreadable { source, stored: tally.stored() }.into());
            }
        };
        send(args, client, &batch, tally).await?;
        progress.advance(batch.bytes_read, tally.events);
    }
}

async fn send(args: &Args, client: &Client, batch: &Batch, tally: &mut Tally) -> Result<(), Report> {
    let mut request = client.request(Method::POST, &["events", &args.topic]);
    if let Some(key) = &args.key {
        request = request.query(&[("key", key)]);
    }
    let request = request.header("content-type", "application/x-ndjson").body(batch.body.clone());
    let answer: Acknowledged = match client.json(request).await {
        Ok(answer) => answer,
        Err(error) => return Err(stopped(error, args, client, batch, tally).await),
    };
    for placed in &answer.offsets {
        tally.add(placed.partition, placed.offset);
    }
    tally.last_line = batch.last_line();
    Ok(())
}

async fn stopped(error: Error, args: &Args, client: &Client, batch: &Batch, tally: &Tally) -> Report {
    if error.status() == Some(404) {
        // Either it never was, or it was deleted meanwhile: the tally on standard output says what was stored.
        return client.of_topic(&args.topic, error).await.into();
    }
    let stored = tally.stored();
    let (first, last) = (batch.first_line(), batch.last_line());
    if error.is_uncertain() {
        return ProduceFailure::Uncertain { first, last, source: error, stored }.into();
    }
    let refused = match &error {
        Error::Refused(problem) => place(problem).and_then(|index| batch.lines.get(index).copied()),
        _ => return error.into(),
    };
    match refused {
        Some(line) => ProduceFailure::Refused { line, source: without_place(error), stored }.into(),
        None => ProduceFailure::BatchRefused { first, last, source: error, stored }.into(),
    }
}

/// Which line of the body it was, from 0: every line of a batch is one event.
fn place(problem: &Problem) -> Option<usize> {
    problem.index.or_else(|| problem.line?.checked_sub(1))
}

/// The server counts in the body; the user counts lines of a file.
fn without_place(error: Error) -> Error {
    let Error::Refused(mut problem) = error else { return error };
    let prefixes = [
        problem.index.map(|index| format!("event {index}: ")),
        problem.line.map(|line| format!("line {line}: ")),
    ];
    for prefix in prefixes.into_iter().flatten() {
        problem.title = problem.title.strip_prefix(&prefix).unwrap_or(&problem.title).to_owned();
    }
    Error::Refused(problem)
}
