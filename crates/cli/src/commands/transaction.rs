//! `factum transaction`: list, describe, abort.

use factum_api::transactions::{AbortTransaction, HeldPartitionView, TransactionList, TransactionView};
use miette::{Diagnostic, Report};
use reqwest::Method;

use crate::args::{Format, whole};
use crate::client::Client;
use crate::output::{self, Column, Row, numbers, words};
use crate::report;

/// List, describe and abort transactions of producers
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum transaction list
  factum transaction abort billing")]
pub(crate) enum Verb {
    /// List transactional ids, and the partitions that open transactions hold back
    #[command(before_help = "Example:
  factum transaction list")]
    List,
    /// Show one transactional id and its open transaction
    #[command(before_help = "Example:
  factum transaction describe billing")]
    Describe {
        /// The transactional id
        id: String,
    },
    /// Abort an open transaction; its producer is fenced
    #[command(before_help = "Examples:
  factum transaction abort billing
  factum transaction abort --topic store.orders --partition 0 --start-offset 41    one that no id knows")]
    Abort(Abort),
}

/// Which transaction.
#[derive(Debug, clap::Args)]
pub(crate) struct Abort {
    /// The transactional id whose transaction is open
    #[arg(conflicts_with_all = ["topic", "partition", "start_offset"], required_unless_present = "topic")]
    id: Option<String>,
    /// The topic that a transaction holds back which no transactional id knows
    #[arg(long, requires_all = ["partition", "start_offset"])]
    topic: Option<String>,
    /// Its partition
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<i32>(0, None, 0))]
    partition: Option<i32>,
    /// The first offset that readers of committed records do not see, as `list` shows it
    #[arg(long, value_name = "OFFSET", allow_negative_numbers = true, value_parser = whole::<i64>(0, None, 41))]
    start_offset: Option<i64>,
}

/// What the command line lacks.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("it is not said which transaction")]
#[diagnostic(help("name its transactional id, or --topic, --partition and --start-offset"))]
struct NoTransaction;

impl Row for TransactionView {
    const COLUMNS: &'static [Column<Self>] = &[
        words("transaction", |transaction| transaction.id.clone()),
        words("state", |transaction| transaction.state.clone()),
        words("open_since", |transaction| transaction.open_since.clone().unwrap_or_default()),
        numbers("partitions", |transaction| transaction.partitions.len().to_string()),
        numbers("producer", |transaction| transaction.producer_id.to_string()),
    ];

    fn name(&self) -> String {
        self.id.clone()
    }
}

impl Row for HeldPartitionView {
    const COLUMNS: &'static [Column<Self>] = &[
        words("held_back", |held| format!("{}/{}", held.topic, held.partition)),
        numbers("start_offset", |held| held.start_offset.to_string()),
        numbers("records", |held| held.records.to_string()),
        words("by", |held| held.transactional_id.clone().unwrap_or_else(|| "no one: abort it".to_owned())),
        words("since", |held| held.since.clone().unwrap_or_default()),
    ];

    fn name(&self) -> String {
        format!("{}/{}", self.topic, self.partition)
    }
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    match verb {
        Verb::List => list(&client, format).await,
        Verb::Describe { id } => {
            let found: TransactionView = client.get(&["api", "v1", "transactions", &id]).await?;
            describe(&found, format)
        }
        Verb::Abort(wish) => abort(wish, &client).await,
    }
}

async fn list(client: &Client, format: Format) -> Result<(), Report> {
    let all: TransactionList = client.get(&["api", "v1", "transactions"]).await?;
    match format {
        Format::Json | Format::Yaml => return Ok(output::one(format, &all, String::new)?),
        Format::Csv | Format::Name => return Ok(output::list(format, &all.transactions)?),
        Format::Table => {}
    }
    if all.transactions.is_empty() {
        report::say("no producer has a transactional id");
    } else {
        output::list(format, &all.transactions)?;
    }
    if !all.held_back.is_empty() {
        output::print("\n")?;
        output::list(format, &all.held_back)?;
    }
    Ok(())
}

fn describe(transaction: &TransactionView, format: Format) -> Result<(), Report> {
    if format == Format::Name {
        return Ok(output::print(&format!("{}\n", transaction.id))?);
    }
    Ok(output::one(format, transaction, || {
        let mut pairs = vec![
            ("transaction", output::printable(&transaction.id)),
            ("state", transaction.state.clone()),
            ("producer", format!("{}, epoch {}", transaction.producer_id, transaction.producer_epoch)),
            ("times out after", format!("{} ms", transaction.timeout_ms)),
        ];
        pairs.extend(transaction.open_since.clone().map(|since| ("open since", since)));
        let named = transaction.partitions.iter().map(|at| format!("{}/{}", at.topic, at.partition));
        let named: Vec<_> = named.collect();
        if !named.is_empty() {
            pairs.push(("partitions", named.join(" ")));
        }
        output::pairs(&pairs)
    })?)
}

async fn abort(wish: Abort, client: &Client) -> Result<(), Report> {
    match wish {
        Abort { id: Some(id), .. } => {
            let path = ["api", "v1", "transactions", &id, "abort"];
            client.send(client.request(Method::POST, &path)).await?;
            report::say(format!(
                "aborted the transaction of {}, and fenced its producer",
                output::printable(&id)
            ));
            Ok(())
        }
        Abort { topic: Some(topic), partition: Some(partition), start_offset: Some(offset), .. } => {
            let told =
                format!("aborted the transaction that held {topic}/{partition} back from offset {offset} on");
            let body = AbortTransaction { topic, partition, start_offset: offset.into() };
            let request = client.request(Method::POST, &["api", "v1", "transactions", "abort"]).json(&body);
            client.send(request).await?;
            report::say(told);
            Ok(())
        }
        Abort { .. } => Err(NoTransaction.into()),
    }
}
