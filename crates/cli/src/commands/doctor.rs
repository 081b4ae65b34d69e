//! `factum doctor`: what would go wrong on this machine, and what a running server says of its own, each with its remedy.

mod checks;
mod ports;
mod server;

use miette::{Diagnostic, Report};
use serde::Serialize;

use crate::args::{Format, Places};
use crate::client::{Client, Error};
use crate::output::{self, Column, Row, words};

/// Check this machine for common problems, and on that of a running server
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum doctor
  factum doctor --data-dir /var/lib/factum --kafka 19092
  factum doctor --server http://events.example.com:8080    the server's disk, files, clock and version")]
pub(crate) struct Args {
    #[command(flatten)]
    places: Places,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// What was looked at and found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, found: found.into(), fix: None }
    }

    fn warn(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, found: found.into(), fix: Some(fix.into()) }
    }

    fn fail(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fail, found: found.into(), fix: Some(fix.into()) }
    }
}

impl Row for Finding {
    const COLUMNS: &'static [Column<Self>] = &[
        words("verdict", |finding| {
            match finding.verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            }
            .to_owned()
        }),
        words("check", |finding| finding.check.to_owned()),
        words("found", |finding| finding.found.clone()),
        words("fix", |finding| finding.fix.clone().unwrap_or_default()),
    ];

    fn name(&self) -> String {
        self.check.to_owned()
    }
}

/// What to do where a server does not answer.
const NO_ANSWER: &str = "start it, look at its log, or name another with --server or FACTUM_SERVER";

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{} would keep Factum from running here", if *.0 == 1 { "one thing".to_owned() } else { format!("{} things", .0) })]
#[diagnostic(help("each line marked FAIL says what to do"))]
struct Ill(usize);

/// `is_named` says whether the user named the server: one that is not and does not run may be about to be started.
pub(super) async fn run(args: Args, client: Client, is_named: bool, format: Format) -> Result<(), Report> {
    let server = server::check(&client).await;
    let runs = server.is_ok();
    let mut findings = Vec::new();
    // A server elsewhere has nothing to do with this machine's ports and disks.
    if client.is_local() {
        findings.push(ports::check("HTTP port", "--http", args.places.http, runs));
        findings.push(ports::check("Kafka port", "--kafka", args.places.kafka, runs));
        findings.extend(checks::data_dir(args.places.data_dir.as_deref()));
        findings.push(checks::open_files());
        findings.extend(checks::file_size());
        findings.push(checks::time());
    }
    match server {
        Ok(found) => findings.extend(found),
        Err(Error::Unreachable { .. }) if !is_named => {
            let found = format!("none at {}; `factum dev` starts one", client.address());
            findings.push(Finding::ok("server", found));
        }
        Err(error) => findings.push(Finding::fail("server", error.to_string(), NO_ANSWER)),
    }
    output::list(format, &findings)?;
    match findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        failed => Err(Ill(failed).into()),
    }
}
