//! Layering: which crate may depend on which. The picture is in `ARCHITECTURE.md`; this table is the law.
//!
//! Invariants: every arrow of [`MAP`] points to a lower layer (a test below says so), so a manifest that
//! keeps to the map cannot close a circle. Dev-dependencies are free, and `factum-testkit` is nothing else.

use crate::finding::Finding;
use crate::workspace::{Dependency, Member, Workspace};

/// From the bottom up; an arrow points to a smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    /// Not part of the product: no arrows at all.
    Tool,
    Vocabulary,
    Mechanism,
    Interface,
    Core,
    Domain,
    Edge,
    Composition,
    Binary,
    Test,
}

struct Place {
    name: &'static str,
    layer: Layer,
    may_use: &'static [&'static str],
}

const fn place(name: &'static str, layer: Layer, may_use: &'static [&'static str]) -> Place {
    Place { name, layer, may_use }
}

/// The allowed graph.
const MAP: &[Place] = &[
    place("xtask", Layer::Tool, &[]),
    place(BENCH, Layer::Tool, &[]),
    place("factum-types", Layer::Vocabulary, &[]),
    place("factum-api", Layer::Vocabulary, &[]),
    place("factum-base", Layer::Mechanism, &["factum-types"]),
    place("factum-log", Layer::Mechanism, &["factum-types"]),
    place("factum-eventlog", Layer::Interface, &["factum-types"]),
    place("factum-broker", Layer::Core, &["factum-types", "factum-base", "factum-log", "factum-eventlog"]),
    place("factum-state", Layer::Core, &["factum-types", "factum-base", "factum-log"]),
    place("factum-access", Layer::Domain, &["factum-types", "factum-base", "factum-eventlog"]),
    place("factum-feeds", Layer::Domain, &["factum-types", "factum-base", "factum-eventlog"]),
    place("factum-governance", Layer::Domain, &["factum-types", "factum-base", "factum-eventlog"]),
    place("factum-registry", Layer::Domain, &["factum-types", "factum-base", "factum-eventlog"]),
    place("factum-sql", Layer::Domain, &["factum-types", "factum-base", "factum-eventlog", "factum-state"]),
    place(
        "factum-kafka-server",
        Layer::Edge,
        &["factum-types", "factum-base", "factum-access", "factum-broker"],
    ),
    place(
        "factum-http-api",
        Layer::Edge,
        &[
            "factum-types",
            "factum-api",
            "factum-base",
            "factum-eventlog",
            "factum-access",
            "factum-governance",
            "factum-registry",
            "factum-sql",
        ],
    ),
    place(
        "factum-server",
        Layer::Composition,
        &[
            "factum-types",
            "factum-base",
            "factum-log",
            "factum-eventlog",
            "factum-broker",
            "factum-state",
            "factum-access",
            "factum-feeds",
            "factum-governance",
            "factum-registry",
            "factum-sql",
            "factum-kafka-server",
            "factum-http-api",
        ],
    ),
    place(
        "factum-cli",
        Layer::Binary,
        &["factum-types", "factum-api", "factum-base", "factum-feeds", "factum-governance", "factum-server"],
    ),
    place(
        "factum-fuzz",
        Layer::Test,
        &[
            "factum-types",
            "factum-base",
            "factum-log",
            "factum-state",
            "factum-governance",
            "factum-registry",
            "factum-sql",
            "factum-kafka-server",
            "factum-http-api",
        ],
    ),
    place(TESTKIT, Layer::Test, &["factum-types", "factum-base", "factum-log", "factum-eventlog"]),
];

const TESTKIT: &str = "factum-testkit";
/// Drives the binary from outside, as a stranger's program would.
const BENCH: &str = "factum-bench";

/// Dependencies from outside that only some crates may have, and why.
const QUARANTINE: &[(&[&str], &[&str], &str)] = &[
    (
        &["axum", "tower-http", "utoipa-axum", "utoipa-scalar"],
        &["factum-http-api"],
        "HTTP serving stays at the edge",
    ),
    (&["utoipa"], &["factum-api", "factum-http-api"], "the HTTP API is described where its shapes are"),
    (&["reqwest"], &["factum-base", "factum-cli", BENCH], "outgoing HTTP goes through one client"),
    (&["clap", "comfy-table", "indicatif"], &["factum-cli", BENCH], "the terminal belongs to the CLI"),
    (
        &["datafusion", "arrow", "arrow-json", "parquet"],
        &["factum-sql"],
        "rows leave the engine as bytes or JSON, and its version changes in one place",
    ),
    (
        &["jsonschema", "protox", "prost-reflect"],
        &["factum-registry"],
        "formats of schemas are read in one place, within its limits",
    ),
    (&["kafka-protocol"], &["factum-kafka-server"], "the Kafka wire stays at the edge"),
    (&["rdkafka"], &[BENCH], "librdkafka is a driver for tests"),
];

/// Dependencies that a low crate must never have, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    ("factum-types", &["tokio", "rustix", "hyper", "tempfile"], "types does no I/O"),
    ("factum-log", &["hyper", "metrics"], "log knows one directory and nothing of networks"),
    ("factum-eventlog", &["rustix", "hyper"], "eventlog is an interface"),
];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &workspace.members {
        for dependency in &member.dependencies {
            let verdict = arrow(workspace, member, dependency).or_else(|| foreign(member, dependency));
            findings.extend(
                verdict.map(|why| Finding::failure(&member.manifest, dependency.line, "layering", why)),
            );
        }
        if find(&member.name).is_none() {
            let name = &member.name;
            let why = format!(
                "{name} has no place on the map; give it one in xtask/src/tidy/layers.rs and ARCHITECTURE.md"
            );
            findings.push(Finding::failure(&member.manifest, 1, "layering", why));
        }
    }
    findings
}

fn find(name: &str) -> Option<&'static Place> {
    MAP.iter().find(|place| place.name == name)
}

/// What is wrong with a dependency on another member, if anything.
fn arrow(workspace: &Workspace, member: &Member, dependency: &Dependency) -> Option<String> {
    let (from, to) = (&member.name, &dependency.name);
    if dependency.is_dev || !workspace.members.iter().any(|m| m.name == *to) {
        return None;
    }
    if to == TESTKIT {
        return Some(format!("{from} ships {to}, which is test equipment; make it a dev-dependency"));
    }
    let (source, target) = (find(from)?, find(to)?);
    if source.may_use.contains(&to.as_str()) {
        return None;
    }
    let (above, below) = (source.layer, target.layer);
    Some(if below > above {
        format!(
            "{from} ({above:?}) depends upward on {to} ({below:?}); arrows point down only: \
             define a small trait in {from} and let factum-server wire it, or move what both need down"
        )
    } else if below == above {
        format!(
            "{from} and {to} are siblings ({above:?}) and never import each other: \
             define a small trait in {from} and let factum-server wire it"
        )
    } else {
        format!(
            "{from} → {to} is not an arrow of the map; go through what {from} may use ({}), \
             or argue for the arrow in xtask/src/tidy/layers.rs and ARCHITECTURE.md",
            source.may_use.join(", ")
        )
    })
}

/// What is wrong with a dependency from outside the workspace, if anything.
fn foreign(member: &Member, dependency: &Dependency) -> Option<String> {
    let (from, to) = (member.name.as_str(), dependency.name.as_str());
    if dependency.is_dev {
        return None;
    }
    let quarantined = QUARANTINE.iter().find(|(names, only, _)| names.contains(&to) && !only.contains(&from));
    if let Some((_, only, why)) = quarantined {
        return Some(format!("{from} depends on {to}, which is kept to {}: {why}", only.join(", ")));
    }
    let (_, _, why) = FORBIDDEN.iter().find(|(name, names, _)| *name == from && names.contains(&to))?;
    Some(format!("{from} must not depend on {to}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::{MAP, find};

    #[test]
    fn every_arrow_of_the_map_points_down() {
        for place in MAP {
            for name in place.may_use {
                let below = find(name).expect("every arrow ends at a place");
                assert!(below.layer < place.layer, "{} → {name}", place.name);
            }
        }
    }
}
