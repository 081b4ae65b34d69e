//! `factum schema delete`: a subject, or one version of it.

use miette::{Diagnostic, Report};
use reqwest::Method;

use crate::client::Client;
use crate::{output, report};

/// The code of Confluent's registry for a subject that is to be deleted for good, and is not deleted.
const SUBJECT_NOT_DELETED: u32 = 40405;
/// The same for a version.
const VERSION_NOT_DELETED: u32 = 40407;

/// Versions to be deleted.
#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The subject
    subject: String,
    /// The version; without it all of them
    #[arg(value_name = "VERSION", value_parser = super::version)]
    number: Option<String>,
    /// For good, so that its ids can no longer be read; it must have been deleted before
    #[arg(long)]
    permanent: bool,
    /// Delete all versions, or for good
    #[arg(long)]
    force: bool,
}

/// Why a subject was left alone.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum LeftAlone {
    /// It has versions.
    #[error("subject {subject} has {} and was left alone", output::count(*.versions, "version"))]
    #[diagnostic(help("`factum schema delete {subject} --force` deletes it; its ids can still be read"))]
    HasVersions { subject: String, versions: usize },
    /// Nothing brings it back.
    #[error("{what} was left alone: nothing brings back what is deleted for good")]
    #[diagnostic(help(
        "with --force it is deleted, and records that were written with it can no longer be read"
    ))]
    ForGood { what: String },
    /// It has to be deleted before.
    #[error("{what} is not deleted yet, so it cannot be deleted for good")]
    #[diagnostic(help("delete it without --permanent first"))]
    NotDeleted { what: String },
}

pub(super) async fn run(wish: &Delete, client: &Client) -> Result<(), Report> {
    let subject = wish.subject.as_str();
    let what = output::printable(&match &wish.number {
        Some(version) => format!("version {version} of subject {subject}"),
        None => format!("subject {subject}"),
    });
    if wish.permanent && !wish.force {
        return Err(LeftAlone::ForGood { what }.into());
    }
    if wish.number.is_none() && !wish.force {
        let versions = client.get::<Vec<i32>>(&["subjects", subject, "versions"]).await;
        let versions = match versions {
            Err(error) => return Err(super::of_subject(client, subject, error).await.into()),
            Ok(versions) => versions.len(),
        };
        return Err(LeftAlone::HasVersions { subject: output::printable(subject), versions }.into());
    }
    let path: Vec<&str> = match &wish.number {
        Some(version) => vec!["subjects", subject, "versions", version],
        None => vec!["subjects", subject],
    };
    let request = client.request(Method::DELETE, &path);
    let request = if wish.permanent { request.query(&[("permanent", "true")]) } else { request };
    if let Err(error) = client.send(request).await {
        return Err(match error.registry_code() {
            Some(SUBJECT_NOT_DELETED | VERSION_NOT_DELETED) => LeftAlone::NotDeleted { what }.into(),
            _ => super::of_subject(client, subject, error).await.into(),
        });
    }
    report::say(format!("deleted {what}{}", if wish.permanent { " for good" } else { "" }));
    Ok(())
}
