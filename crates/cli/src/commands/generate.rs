//! `factum generate`: made-up events, to a running Factum or to standard output.
//!
//! Invariants: the same seed, start and times make the same orders; batches are sent in order, and what the summary
//! counts is stored.

mod order_source;
mod progress;
mod sink;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use factum_api::sql::SqlRequest;
use factum_feeds::{Catalogue, CatalogueError, Recipe};
use factum_types::Timestamp;
use miette::{Diagnostic, IntoDiagnostic, Report, WrapErr};
use reqwest::Method;

use super::demo::Case;
use crate::args::{Format, whole};
use crate::client::Client;
use crate::report;
use order_source::{OrderSource, Plan};
use progress::Progress;
use sink::Sink;

/// The most orders sent at once: some 400 KiB.
const BATCH: usize = 500;

/// Generate events, at any rate
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum generate orders --rate 1000                     until Ctrl-C
  factum generate orders --count 100000                  as fast as they are taken
  factum generate orders --count 5000 --from 2024-01-01 --to 2026-01-01 --stdout > orders.jsonl")]
pub(crate) struct Args {
    /// What is made
    #[arg(value_name = "WHAT", value_enum)]
    what: What,
    /// How many a second; without it 10, or with --count as many as are taken
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = rate)]
    rate: Option<f64>,
    /// How many in all; without it, until Ctrl-C
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>(0, None, 1_000))]
    count: Option<u64>,
    /// The same seed makes the same customers, and with --from the same events
    #[arg(long, value_name = "N", default_value_t = 7, allow_negative_numbers = true, value_parser = whole::<u64>(0, None, 7))]
    seed: u64,
    /// The topic that takes them
    #[arg(long, alias = "topic", value_name = "TOPIC", default_value = "store.orders")]
    into: String,
    /// What can be bought: CSV with ItemId, UnitPrice and Popularity; without it the table `products` of the topic's team
    #[arg(long, value_name = "FILE")]
    products: Option<PathBuf>,
    /// How many customers there are
    #[arg(long, value_name = "N", default_value_t = 2_000, allow_negative_numbers = true, value_parser = whole::<u32>(1, Some(1_000_000), 2_000))]
    customers: u32,
    /// Place the orders in the past, in no order, from this time on: 2024-01-01 or 2024-01-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time, requires = "count")]
    from: Option<Timestamp>,
    /// Up to this time; without it, now
    #[arg(long, value_name = "TIME", value_parser = time, requires = "from")]
    to: Option<Timestamp>,
    /// Print JSON lines rather than send them
    #[arg(long, conflicts_with = "into")]
    stdout: bool,
}

/// What can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Orders of a movie store
    Orders,
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum GenerateFailure {
    /// The products are none.
    #[error("nothing can be ordered from {origin}")]
    #[diagnostic(help("a generator takes the columns ItemId, UnitPrice and, if it is there, Popularity"))]
    Products {
        origin: String,
        #[source]
        source: CatalogueError,
    },
    /// No time lies between the two.
    #[error("--from {from} is not before --to {to}")]
    #[diagnostic(help("--to may be left out: then it is now"))]
    NoTime { from: Timestamp, to: Timestamp },
}

/// Reads `1000` or `0.5`.
fn rate(text: &str) -> Result<f64, String> {
    match text.trim_end_matches("/s").parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1_000_000.0 => Ok(rate),
        _ => Err("a number of events a second, above 0 and up to 1000000".to_owned()),
    }
}

/// Reads a day or a moment, in UTC where it does not say.
fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = format!("{text}T00:00:00Z");
    let moment = text.parse::<jiff::Timestamp>().or_else(|_| midnight.parse::<jiff::Timestamp>());
    let moment = moment
        .map_err(|_| "a day such as 2024-01-31, or a moment such as 2024-01-31T18:00:00Z".to_owned())?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}

pub(super) async fn run(args: Args, client: Client, format: Format) -> Result<(), Report> {
    let What::Orders = args.what;
    let recipe = Recipe {
        catalogue: Arc::new(catalogue(&args, &client).await?),
        seed: args.seed,
        customers: args.customers,
        regions: vec!["Region1".to_owned(), "Region2".to_owned()],
    };
    let plan = Plan { rate: args.rate, count: args.count, from: args.from, to: args.to };
    let mut made =
        OrderSource::new(&recipe, plan).map_err(|(from, to)| GenerateFailure::NoTime { from, to })?;
    let mut sink = match args.stdout {
        true => Sink::Stdout,
        false => Sink::server(client, args.into),
    };
    let result = send_all(&mut made, &mut sink, args.count).await;
    sink.finish(made.count(), made.elapsed(), format)?;
    result
}

async fn send_all(made: &mut OrderSource, sink: &mut Sink, count: Option<u64>) -> Result<(), Report> {
    let mut progress = Progress::new(count, sink.is_terminal());
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    while let Some(wait) = made.wait() {
        tokio::select! {
            biased;
            _ = &mut interrupted => break,
            () = tokio::time::sleep(wait) => {}
        }
        let batch = made.batch(BATCH);
        if !batch.is_empty() {
            sink.take(&batch, made.count()).await?;
            progress.at(made.count());
        }
    }
    progress.finish();
    Ok(())
}

/// What can be bought: a file's rows, else the running Factum's own, else the films of the case study.
async fn catalogue(args: &Args, client: &Client) -> Result<Catalogue, Report> {
    let (origin, rows) = match &args.products {
        Some(path) => {
            let rows = std::fs::read(path).into_diagnostic();
            (path.display().to_string(), rows.wrap_err_with(|| format!("cannot read {}", path.display()))?)
        }
        None if args.stdout => (String::new(), Case::Movies.products()),
        None => {
            let team = args.into.split_once('.').map_or("store", |(team, _)| team);
            let table = format!("{team}.products");
            match rows_of(&table, client).await? {
                Some(rows) => (format!("table {table}"), rows),
                None => {
                    report::say(format_args!(
                        "note: there is no table {table}; the films are those of `factum demo movies`"
                    ));
                    (table, Case::Movies.products())
                }
            }
        }
    };
    Ok(Catalogue::from_csv(&rows).map_err(|source| GenerateFailure::Products { origin, source })?)
}

/// The rows of a reference table as CSV; `None` if there is no such table.
async fn rows_of(table: &str, client: &Client) -> Result<Option<Vec<u8>>, Report> {
    let query = format!("SELECT * FROM {table}");
    let request = client.request(Method::POST, &["api", "v1", "sql"]).json(&SqlRequest { query });
    match client.text(request.header("accept", "text/csv")).await {
        Ok(csv) => Ok(Some(csv.into_bytes())),
        Err(error)
            if error
                .status()
                .is_some_and(|status| (400..500).contains(&status) && status != 401 && status != 403) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
