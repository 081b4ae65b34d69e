//! `factum schema check`: whether a schema is compatible, each reason why not, and who would notice it.

use factum_api::catalogue::{ReaderImpact, SchemaImpact};
use factum_api::registry::{CompatibilityCheck, SchemaRequest};
use miette::{Diagnostic, Report};
use reqwest::Method;

use super::file::Source;
use super::reasons::{self, Reason};
use crate::args::Format;
use crate::client::{Client, Error};
use crate::output::{self, Column, Row, words};
use crate::report;

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

impl Row for ReaderImpact {
    const COLUMNS: &'static [Column<Self>] = &[
        words("reader", |each| format!("{} {}", each.reader.kind, each.reader.name)),
        words("effect", |each| each.effect.replace('_', " ")),
        words("reason", |each| each.reason.clone()),
    ];

    fn name(&self) -> String {
        self.reader.name.clone()
    }
}

pub(super) async fn run(wish: Check, client: &Client, format: Format) -> Result<(), Report> {
    let request = wish.source.request()?;
    let path = ["api", "v1", "subjects", &wish.subject, "check"];
    let against = wish.against.map(|version| [("version", version)]);
    let impact: SchemaImpact =
        client.json(client.request(Method::POST, &path).query(&against).json(&request)).await?;
    let is_compatible = impact.is_compatible;
    match format {
        Format::Json | Format::Yaml => output::one(format, &impact, String::new)?,
        Format::Csv | Format::Name => output::list(format, &reasons_of(impact))?,
        Format::Table => print(&wish.subject, impact)?,
    }
    match is_compatible {
        true => Ok(()),
        false => Err(Incompatible::new(&wish.subject).into()),
    }
}

/// The verdict, and then who would notice.
fn print(subject: &str, mut impact: SchemaImpact) -> Result<(), output::Error> {
    let readers = std::mem::take(&mut impact.readers);
    let summary = impact.topic.is_some().then(|| impact.summary.clone());
    match impact.is_compatible {
        true => output::print(&format!("compatible with {subject}\n"))?,
        false => output::list(Format::Table, &reasons_of(impact))?,
    }
    if !readers.is_empty() {
        output::print("\n")?;
        output::list(Format::Table, &readers)?;
    }
    if let Some(summary) = summary {
        report::say(output::printable(&summary));
    }
    Ok(())
}

fn reasons_of(impact: SchemaImpact) -> Vec<Reason> {
    impact.reasons.into_iter().map(Reason::from).collect()
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
