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
  factum explain \"SELECT * FROM store.top_movies\"")]
pub(crate) struct Args {
    /// One SELECT, or the statement of a view
    query: String,
}

pub(super) async fn run(args: Args, client: Client) -> Result<(), Report> {
    let request = client.request(Method::POST, &["api", "v1", "sql", "explain"]);
    let request = request.json(&SqlRequest { query: args.query.clone() });
    let explanation = client.json::<Explanation>(request).await;
    let explanation = explanation.map_err(|error| placed(error.into(), &args.query))?;
    Ok(output::print(&format!("{}\n", explanation.plan.trim_end()))?)
}
