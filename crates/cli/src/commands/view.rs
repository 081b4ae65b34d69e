//! `factum view`: list, get, watch.

mod freshness;
mod watch;

use factum_api::views::{ViewLine, ViewList};
use miette::Report;
use reqwest::Method;

use crate::args::{Format, whole};
use crate::client::{Client, RowError, Rows};
use crate::output::{self, Column, Row, printable, words};
use crate::report;

/// List, read and watch views
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum view get store.top_movies
  factum view get store.orders_per_minute --order=-window_start --limit 5
  factum view watch store.activity_today")]
pub(crate) enum Verb {
    /// List views
    List,
    /// Print a view's rows as they are now
    Get(Get),
    /// Print a view, and then every change of it
    Watch(watch::Args),
}

/// Which rows of a view.
#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// The view, in full: store.top_movies; its bare name will do where only one team has it
    view: String,
    /// Only rows in which a column has this value
    #[arg(value_name = "COLUMN=VALUE", value_parser = pair)]
    equal: Vec<(String, String)>,
    /// A condition in SQL
    #[arg(long = "where", value_name = "CONDITION")]
    filter: Option<String>,
    /// Columns to order by, with - before one for the largest first: --order=-sold,title
    #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
    order: Option<String>,
    /// The most rows
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>(0, None, 10))]
    limit: Option<usize>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("it is not COLUMN=VALUE")?;
    match name {
        "" => Err("it names no column"),
        "limit" | "order" | "filter" => Err("a column of this name is selected with --where"),
        name => Ok((name.to_owned(), value.to_owned())),
    }
}

impl Row for ViewLine {
    const COLUMNS: &'static [Column<Self>] = &[
        words("view", |view| view.name.clone()),
        words("state", |view| view.state.clone()),
        words("columns", |view| {
            let names: Vec<_> = view.columns.iter().map(|column| column.name.as_str()).collect();
            names.join(", ")
        }),
        words("reads", |view| view.depends_on.join(", ")),
    ];

    fn name(&self) -> String {
        self.name.clone()
    }
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    match verb {
        Verb::List => list(&client, format).await,
        Verb::Get(wish) => get(wish, &client, format).await,
        Verb::Watch(args) => watch::run(args, client, format).await,
    }
}

async fn list(client: &Client, format: Format) -> Result<(), Report> {
    let views = client.get::<ViewList>(&["api", "v1", "views"]).await?.views;
    if views.is_empty() && format == Format::Table {
        report::say("there are no views yet; a project declares them in teams/<team>/pipelines/*.sql");
    }
    output::list(format, &views)?;
    for ViewLine { name, warning, .. } in &views {
        if let Some(warning) = warning {
            report::say(format_args!("warning: {name}: {}", printable(warning)));
        }
    }
    Ok(())
}

async fn get(wish: Get, client: &Client, format: Format) -> Result<(), Report> {
    let mut params = wish.equal;
    params.extend(wish.filter.map(|filter| ("filter".to_owned(), filter)));
    params.extend(wish.order.map(|order| ("order".to_owned(), order)));
    params.extend(wish.limit.map(|limit| ("limit".to_owned(), limit.to_string())));
    let request = client.request(Method::GET, &["api", "v1", "views", &wish.view]).query(&params);
    print_rows(request, client, format).await
}

/// Prints the rows that a request gives.
pub(super) async fn print_rows(
    request: reqwest::RequestBuilder,
    client: &Client,
    format: Format,
) -> Result<(), Report> {
    if format == Format::Csv {
        let (rows, errors, csv) = client.csv(request).await?;
        freshness::warn(&rows);
        if errors > 0 {
            report::say(format_args!(
                "warning: empty because of an error: {}; -o json says why",
                output::count(errors, "value")
            ));
        }
        return Ok(output::print(&csv.replace("\r\n", "\n"))?);
    }
    let rows: Rows = client.json(request.header("accept", "application/json")).await?;
    freshness::warn(&rows);
    if rows.rows.is_empty() && format == Format::Table {
        report::say("no rows");
    }
    rows.errors.iter().for_each(warn_of_null);
    Ok(output::rows(format, &rows.rows)?)
}

/// Says why a value among the rows is null; with no key, it is the whole view's, or that of events which spell its field
/// otherwise.
fn warn_of_null(RowError { view, key, column, reason }: &RowError) {
    let of_key = match key.is_empty() {
        true => String::new(),
        false => format!(" of {}", serde_json::to_string(key).unwrap_or_default()),
    };
    report::say(printable(&format!("warning: {view}: {column}{of_key} is null: {reason}")));
}
