//! `factum schema check`: whether a schema is compatible, and each reason why not.

use factum_api::registry::{CompatibilityCheck, SchemaRequest};
use miette::{Diagnostic, Report};
use reqwest::Method;
use serde::Serialize;

use super::file::Source;
use super::reasons::{self, Reason};
use crate::args::Format;
use crate::client::{Client, Error};
use crate::output;

/// A schema to be checked.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The subject: store.orders-value for the values of topic store.orders
    subject: String,
    #[command(flatten)]
    source: Source,
    /// The version to check against; without it those that the subject's compatibility level asks for
    #[arg(long, value_name = "VERSION", value_parser = super::version)]
    against: Option<String>,
}

/// A schema that cannot take its place beside the versions that there are.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the schema is incompatible with {subject}")]
#[diagnostic(help(
    "the subject's compatibility level says what a schema must be able to do: docs/schemas.md"
))]
pub(super) struct Incompatible {
    subject: String,
}

impl Incompatible {
    pub(super) fn new(subject: &str) -> Self {
        Self { subject: output::printable(subject) }
    }
}

/// What was found.
#[derive(Debug, Serialize)]
struct Verdict {
    is_compatible: bool,
    reasons: Vec<Reason>,
}

pub(super) async fn run(wish: Check, client: &Client, format: Format) -> Result<(), Report> {
    let request = wish.source.request()?;
    let reasons = reasons(client, &wish.subject, wish.against.as_deref(), &request).await?;
    let is_compatible = reasons.is_empty();
    match format {
        Format::Json | Format::Yaml => {
            output::one(format, &Verdict { is_compatible, reasons }, String::new)?;
        }
        Format::Table if is_compatible => output::print(&format!("compatible with {}\n", wish.subject))?,
        Format::Table | Format::Csv | Format::Name => output::list(format, &reasons)?,
    }
    match is_compatible {
        true => Ok(()),
        false => Err(Incompatible::new(&wish.subject).into()),
    }
}

/// Why a schema is incompatible with a version of a subject, or with those that its level asks for; none if it is compatible.
pub(super) async fn reasons(
    client: &Client,
    subject: &str,
    version: Option<&str>,
    request: &SchemaRequest,
) -> Result<Vec<Reason>, Error> {
    let path = ["compatibility", "subjects", subject, "versions"];
    let path: Vec<&str> = path.into_iter().chain(version).collect();
    let send = client.request(Method::POST, &path).query(&[("verbose", "true")]).json(request);
    let check: CompatibilityCheck = match client.json(send).await {
        Err(error) => return Err(super::of_subject(client, subject, error).await),
        checked => checked?,
    };
    let found = reasons::read(&check.messages.unwrap_or_default());
    Ok(match (check.is_compatible, found.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => reasons::read(&["the server gives no reason".to_owned()]),
        (false, false) => found,
    })
}
