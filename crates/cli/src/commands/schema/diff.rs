//! `factum schema diff`: two versions of a subject, line by line.

use factum_api::registry::RegisteredSchema;
use miette::Report;
use serde::Serialize;
use similar::TextDiff;

use super::document;
use crate::args::Format;
use crate::client::Client;
use crate::{output, report};

/// Equal lines around those that differ.
const CONTEXT: usize = 3;

/// Versions to be compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The subject
    subject: String,
    /// The old version
    #[arg(value_name = "V1", value_parser = super::version)]
    old: String,
    /// The new version, or `latest`
    #[arg(value_name = "V2", value_parser = super::version)]
    new: String,
}

/// Two versions, and what differs.
#[derive(Debug, Serialize)]
struct Comparison {
    subject: String,
    old: Option<i32>,
    new: Option<i32>,
    is_same: bool,
    /// As `diff -u` writes it.
    diff: String,
}

pub(super) async fn run(wish: &Diff, client: &Client, format: Format) -> Result<(), Report> {
    let Diff { subject, old, new } = wish;
    let old = super::of_version(client, subject, old).await?;
    let new = super::of_version(client, subject, new).await?;
    let diff = unified(subject, &old, &new);
    let is_same = diff.is_empty();
    if is_same && format == Format::Table {
        report::say("the versions have the same text");
    }
    let found = Comparison { subject: subject.clone(), old: old.version, new: new.version, is_same, diff };
    Ok(output::one(format, &found, || found.diff.clone())?)
}

/// The differences of two versions as `diff -u` writes them; nothing where there are none.
fn unified(subject: &str, old: &RegisteredSchema, new: &RegisteredSchema) -> String {
    let name = |schema: &RegisteredSchema| {
        output::printable(&format!("{subject} version {}", schema.version.unwrap_or_default()))
    };
    let (before, after) = (document::pretty(old), document::pretty(new));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    diff.unified_diff().context_radius(CONTEXT).header(&name(old), &name(new)).to_string()
}
