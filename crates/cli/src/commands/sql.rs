//! `factum sql`: one query over views, topics and tables.

use factum_api::sql::SqlRequest;
use miette::{Diagnostic, NamedSource, Report, SourceSpan};
use reqwest::Method;

use super::view::print_rows;
use crate::args::Format;
use crate::client::{Client, Error, Problem};

/// Run a SQL query
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum sql \"SELECT count(*) AS orders, sum(total) AS revenue FROM store.orders\"
  factum sql \"SELECT * FROM store.top_movies\" -o csv
  factum sql \"SHOW TABLES\"
  factum sql \"DESCRIBE store.orders\"")]
pub(crate) struct Args {
    /// One SELECT, SHOW TABLES or DESCRIBE; names have their team before them: store.orders
    query: String,
}

pub(super) async fn run(args: Args, client: Client, format: Format) -> Result<(), Report> {
    let request = client.request(Method::POST, &["api", "v1", "sql"]);
    let request = request.json(&SqlRequest { query: args.query.clone() });
    print_rows(request, &client, format).await.map_err(|report| placed(report, &args.query))
}

/// A query that the server does not take, shown where it is wrong.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
struct WrongQuery {
    message: String,
    #[source_code]
    query: NamedSource<String>,
    #[label]
    place: SourceSpan,
    #[help]
    help: Option<String>,
}

/// The same failure with the query beside it, where the server says which place it means.
pub(super) fn placed(report: Report, query: &str) -> Report {
    let place = match report.downcast_ref::<Error>() {
        Some(Error::Refused(problem)) => place(problem, query),
        _ => None,
    };
    place.map_or(report, Report::from)
}

fn place(problem: &Problem, query: &str) -> Option<WrongQuery> {
    let (line, column) = (problem.line?, problem.column?);
    let start: usize = query.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let rest = query.get(start..)?;
    let at = start + rest.chars().take(column.checked_sub(1)?).map(char::len_utf8).sum::<usize>();
    let word =
        query.get(at..)?.chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum();
    let message = problem.title.split(&format!(" at line {line} column {column}")).next()?.to_owned();
    let query = NamedSource::new("query", query.to_owned());
    Some(WrongQuery { message, query, place: (at, word).into(), help: problem.help.clone() })
}
