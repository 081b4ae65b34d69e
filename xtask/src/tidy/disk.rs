//! Data files are written through `log::disk` alone, so that the disk that crashes in tests sees every call.

use std::collections::BTreeSet;
use std::path::Path;

use crate::finding::Finding;
use crate::workspace::Workspace;

const WORDS: &[&str] = &[
    "std::fs",
    "tokio::fs",
    "rustix::fs",
    "fs::",
    "File::open",
    "File::create",
    "OpenOptions",
    "sync_data",
    "sync_all",
    "fdatasync",
];

/// Paths that may touch files directly, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("crates/log/src/disk", "is the seam"),
    ("crates/testkit/src", "the disk that crashes, and folders for real servers"),
    (
        "crates/access/src/regular_file",
        "opens certificates and keys, which belong to the operator; keeps no data",
    ),
    ("crates/access/src/tls/config", "reads certificates, which belong to the operator; keeps no data"),
    (
        "crates/access/src/tls/local_authority",
        "keeps certificates for development in the user's own folder; no data",
    ),
    ("crates/access/src/sasl/token_keys", "reads the issuer's public keys; keeps no data"),
    ("crates/base/src/options", "reads the configuration file"),
    ("crates/governance/src", "reads and writes project files, which belong to the user"),
    ("crates/cli/src", "reads what the user names on the command line; keeps no data"),
    ("crates/broker/src/disk_space", "asks how large the file system is; touches no file"),
    ("crates/broker/src/data_dir_lock", "the operating system's lock on the data directory"),
    ("crates/http-api/build", "makes the folder that cargo looks at for a new console; keeps no data"),
    ("crates/server/src", "makes the data directory, its lock and the temporary one of dev"),
    ("fuzz/src", "writes the damaged files that a target opens"),
    ("bench", "gives the measured server a folder; keeps no data"),
    ("xtask", "reads the repository"),
];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in workspace.sources.iter().filter(|source| !is_allowed(&source.path)) {
        let hits = WORDS.iter().flat_map(|word| source.find_word(word));
        let lines: BTreeSet<_> =
            hits.filter(|&at| !source.is_test_at(at)).map(|at| source.line_of(at)).collect();
        findings.extend(lines.into_iter().map(|line| {
            let what = "a file is touched outside log::disk; take a Disk, \
                        or name the path with its reason in xtask/src/tidy/disk.rs";
            Finding::failure(&source.path, line, "disk", what.to_owned())
        }));
    }
    findings
}

/// A prefix covers a file, a folder, or both (`disk` covers `disk.rs` and `disk/`).
fn is_allowed(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let covers = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['/', '.']));
    ALLOWED.iter().any(|(prefix, _)| covers(prefix))
}
