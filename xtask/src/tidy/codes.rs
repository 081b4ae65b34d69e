//! Only edge crates speak in HTTP statuses and Kafka error codes; everyone else returns typed errors.

use crate::finding::Finding;
use crate::workspace::Workspace;

const WORDS: &[&str] = &["StatusCode", "ErrorCode", "ResponseError", "error_code", "status_code"];

/// Packages that may, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("factum-http-api", "turns errors into HTTP statuses"),
    ("factum-kafka-server", "turns errors into Kafka codes"),
    ("factum-cli", "reads statuses as an HTTP client"),
    ("factum-api", "has the shapes of responses, of which the errors of the schema registry name a code"),
];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let inner = workspace.sources.iter().filter(|s| !ALLOWED.iter().any(|(name, _)| s.package == *name));
    let mut findings = Vec::new();
    for source in inner {
        for word in WORDS {
            let hits = source.find_word(word).filter(|&at| !source.is_test_at(at));
            findings.extend(hits.map(|at| {
                let what = format!(
                    "{word} in {}: only edge crates know status and error codes; \
                     return a typed error and map it in factum-http-api or factum-kafka-server",
                    source.package
                );
                Finding::failure(&source.path, source.line_of(at), "edge-codes", what)
            }));
        }
    }
    findings
}
