//! `factum explain`: how a query or a view is computed.

use factum_api::sql::{Explanation, SqlRequest};
use miette::Report;
use reqwest::Method;

use super::sql::placed;
use crate::client::Client;
use crate::output;

/// Show how a query or a view is computed
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum explain store.top_movies
  factum explain \"SELECT * FROM store.top_movies WHERE sold > 100\"")]
pub(crate) struct Args {
    /// One SELECT, or the name of a view
    query: String,
    /// The plans as the engine has them, in place of words
    #[arg(long)]
    raw: bool,
}

pub(super) async fn run(args: Args, client: Client) -> Result<(), Report> {
    let request = client.request(Method::POST, &["api", "v1", "sql", "explain"]);
    let request = request.json(&SqlRequest { query: args.query.clone() });
    let explanation = client.json::<Explanation>(request).await;
    let explanation = explanation.map_err(|error| placed(error.into(), &args.query))?;
    let shown = if args.raw { explanation.raw } else { explanation.plan };
    Ok(output::print(&format!("{}\n", shown.trim_end()))?)
}
