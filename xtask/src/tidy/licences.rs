//! Licences, banned crates and sources of what we depend on, by the lists in `deny.toml`.
//!
//! The file is `cargo-deny`'s, which reads the same lists. This rule needs no tool to be installed and answers
//! in under a second; security advisories are not here, they need the advisory database and so `cargo deny`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{MetadataCommand, Package};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::finding::Finding;
use crate::workspace::Workspace;

/// The part of `deny.toml` that is read here; the rest is `cargo-deny`'s alone.
#[derive(Deserialize)]
struct Deny {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    match read_lists(&workspace.root) {
        Err(error) => vec![Finding::failure("deny.toml", 1, "licence", format!("{error:#}"))],
        Ok(deny) => judge(&workspace.root, &deny).unwrap_or_else(|_| {
            // A circle of crates ends up here, beside the layering finding that names its upward arrow.
            let what = "cargo cannot resolve the dependencies; cargo metadata says why";
            vec![Finding::failure("Cargo.toml", 1, "licence", what.to_owned())]
        }),
    }
}

fn read_lists(root: &Path) -> Result<Deny> {
    let text = fs::read_to_string(root.join("deny.toml")).context("cannot be read")?;
    toml::from_str(&text).context("cannot be parsed")
}

fn judge(root: &Path, deny: &Deny) -> Result<Vec<Finding>> {
    let platforms = deny.graph.targets.iter().flat_map(|t| ["--filter-platform".to_owned(), t.clone()]);
    let mut command = MetadataCommand::new();
    command.manifest_path(root.join("Cargo.toml")).other_options(platforms.collect::<Vec<_>>());
    let metadata = command.exec()?;
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let foreign = metadata.packages.iter().filter(|p| !metadata.workspace_members.contains(&p.id));
    let findings = foreign.flat_map(|package| {
        let line = line_of(&lock, package);
        faults(deny, package).into_iter().map(move |(rule, what)| {
            let what = format!("{} {} {what}", package.name, package.version);
            Finding::failure("Cargo.lock", line, rule, what)
        })
    });
    Ok(findings.collect())
}

/// What is wrong with a dependency, by rule.
fn faults(deny: &Deny, package: &Package) -> Vec<(&'static str, String)> {
    let ban = deny.bans.deny.iter().find(|ban| ban.name == package.name.as_str()).map(|ban| {
        format!("is banned by deny.toml ({}); cargo tree -i {} says who brings it", ban.reason, package.name)
    });
    let licence = licence_fault(&deny.licenses.allow, package.license.as_deref())
        .map(|what| format!("{what}; find another crate, or allow the licence in deny.toml"));
    let faults = [("ban", ban), ("source", source_fault(deny, package)), ("licence", licence)];
    faults.into_iter().filter_map(|(rule, fault)| Some((rule, fault?))).collect()
}

fn source_fault(deny: &Deny, package: &Package) -> Option<String> {
    let Some(source) = &package.source else {
        return Some("is a path outside this workspace; depend on a published version".to_owned());
    };
    let registry = source.repr.strip_prefix("registry+").unwrap_or(&source.repr);
    let known = deny.sources.allow_registry.iter().any(|allowed| allowed == registry);
    (!known).then(|| "does not come from a registry that deny.toml allows".to_owned())
}

fn licence_fault(allow: &[String], licence: Option<&str>) -> Option<String> {
    let Some(licence) = licence else { return Some("names no licence".to_owned()) };
    let expression = match Expression::parse_mode(licence, ParseMode::LAX) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("has an unreadable licence {licence:?} ({})", error.reason)),
    };
    let allowed = expression.evaluate(|requirement| {
        let wanted = requirement.to_string();
        allow.contains(&wanted)
    });
    (!allowed).then(|| format!("is under {licence:?}, which deny.toml does not allow"))
}

fn line_of(lock: &str, package: &Package) -> usize {
    let (name, version) =
        (format!("name = \"{}\"", package.name), format!("version = \"{}\"", package.version));
    let lines: Vec<_> = lock.lines().collect();
    lines.windows(2).position(|pair| pair[0] == name && pair[1] == version).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::licence_fault;

    fn check(licence: &str, fault: Option<&str>) {
        let allow = ["MIT", "BSD-3-Clause", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        assert_eq!(licence_fault(&allow, Some(licence)).as_deref(), fault);
    }

    #[test]
    fn an_expression_needs_one_allowed_way_through() {
        check("MIT/Apache-2.0", None);
        check("(GPL-3.0-only OR MIT) AND BSD-3-Clause", None);
        check("Apache-2.0 WITH LLVM-exception", None);
        check("Apache-2.0", Some("is under \"Apache-2.0\", which deny.toml does not allow"));
        check(
            "MIT AND GPL-3.0-only",
            Some("is under \"MIT AND GPL-3.0-only\", which deny.toml does not allow"),
        );
    }

    #[test]
    fn silence_is_not_a_licence() {
        assert_eq!(licence_fault(&[], None).as_deref(), Some("names no licence"));
    }
}
