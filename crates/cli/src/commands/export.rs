//! `factum export`: what is declared, in forms that other tools read.

use std::path::{Path, PathBuf};

use miette::{Diagnostic, Report};
use reqwest::Method;
use serde_json::Value;

use crate::args::Format;
use crate::client::Client;
use crate::output::{self, count};
use crate::report;

/// Write what is declared in a form that other tools read
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum export asyncapi                     YAML, to standard output
  factum export asyncapi --out asyncapi.json")]
pub(crate) enum Verb {
    /// Write the catalogue as an AsyncAPI 3.0 document
    #[command(before_help = "Examples:
  factum export asyncapi --out asyncapi.yaml
  factum export asyncapi --team store -o json")]
    Asyncapi(AsyncApi),
}

/// A document to be written.
#[derive(Debug, clap::Args)]
pub(crate) struct AsyncApi {
    /// The file; JSON if its name ends with .json. Without it, standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The team whose events, and those that its views read, are wanted; without it, all
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
}

/// Why no document was written.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum ExportError {
    /// The file cannot be written.
    #[error("cannot write {}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// YAML has no way to write this.
    #[error("write as YAML")]
    Yaml(#[from] serde_saphyr::SerializeError),
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    let Verb::Asyncapi(wish) = verb;
    let request = client.request(Method::GET, &["api", "v1", "asyncapi"]);
    let document: Value = client.json(request.query(&wish.team.map(|team| [("team", team)]))).await?;
    let text = text(&document, is_json(wish.out.as_deref(), format))?;
    let Some(path) = wish.out else { return Ok(output::print(&text)?) };
    std::fs::write(&path, text).map_err(|source| ExportError::File { path: path.clone(), source })?;
    let channels = document.get("channels").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    report::say(format_args!("wrote {}: AsyncAPI 3.0.0, {}", path.display(), count(channels, "event")));
    Ok(())
}

/// By the name of the file, else by the form that was asked for.
fn is_json(out: Option<&Path>, format: Format) -> bool {
    let ending = out.and_then(Path::extension).and_then(|ending| ending.to_str());
    match ending {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => format == Format::Json,
    }
}

fn text(document: &Value, is_json: bool) -> Result<String, ExportError> {
    Ok(match is_json {
        true => format!("{document:#}\n"),
        false => serde_saphyr::to_string(document)?,
    })
}
