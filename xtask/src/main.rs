//! The repository's own checks and chores: `cargo xtask tidy`, `cargo xtask docs`.
//!
//! Clippy judges expressions; this judges the house: which crate may know which, how long things grow, what
//! lies about unused. Each rule is one file under `tidy/`, takes a loaded [`workspace::Workspace`] and returns
//! [`finding::Finding`]s. No rule changes a file.
//!
//! Not here: formatting (rustfmt), whatever a lint already says (`clippy.toml`, `[workspace.lints]`).

mod docs;
mod finding;
mod mask;
mod modules;
mod source;
mod tidy;
mod workspace;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use finding::Finding;

const USAGE: &str = "\
usage: cargo xtask VERB [--root DIR]

  tidy   layering, sizes, dead files, licences and the other rules of the house
  docs   the book's table of contents, and every relative link in every page
";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(findings) if findings.iter().any(Finding::fails) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is then no one left to tell.
            drop(writeln!(io::stderr(), "xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<Vec<Finding>> {
    let verb = args.next().unwrap_or_else(|| "help".to_owned());
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--root" => root = args.next().context("--root needs a folder")?.into(),
            other => bail!("unknown argument {other}\n\n{USAGE}"),
        }
    }
    let root = root.canonicalize().with_context(|| format!("open {}", root.display()))?;
    match verb.as_str() {
        "tidy" => report("tidy", tidy::check(&root)?),
        "docs" => report("docs", docs::check(&root)?),
        "help" | "--help" | "-h" => {
            io::stdout().write_all(USAGE.as_bytes())?;
            Ok(Vec::new())
        }
        other => bail!("unknown verb {other}\n\n{USAGE}"),
    }
}

/// Prints the findings, failures last so that they stand above the prompt.
fn report(verb: &str, mut findings: Vec<Finding>) -> Result<Vec<Finding>> {
    findings.sort_by_key(|finding| (finding.fails(), finding.path.clone(), finding.line));
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let failures = findings.iter().filter(|finding| finding.fails()).count();
    writeln!(out, "{verb}: {failures} to mend, {} warnings", findings.len() - failures)?;
    Ok(findings)
}
