//! Every file is reached, and every crate begins by saying what it is.

use std::path::Path;

use crate::finding::Finding;
use crate::workspace::Workspace;

/// A package of its own beside the workspace: its manifest names its files.
const APART: &str = "fuzz/libfuzzer";

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let unreached = workspace.unreached.iter().filter(|path| !path.starts_with(APART));
    let dead = unreached.map(|path| {
        let what = "no mod declaration reaches this file; declare it or delete it";
        Finding::failure(path, 1, "dead-file", what.to_owned())
    });
    let roots = workspace.sources.iter().filter(|source| is_crate_root(&source.path));
    let mute = roots.filter(|source| !source.text.starts_with("//!")).map(|source| {
        let what = "does not open with //!; say what the crate is, its invariants, and what is not here";
        Finding::failure(&source.path, 1, "module-header", what.to_owned())
    });
    dead.chain(mute).collect()
}

fn is_crate_root(path: &Path) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("src/main.rs")
}
