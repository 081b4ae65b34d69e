//! Files and functions stay small enough to be proofread.

use crate::finding::Finding;
use crate::source::SourceFile;
use crate::workspace::Workspace;

/// Lines of a file, tests left out: beyond this it is time to look for the second noun.
const FILE_WARN: usize = 600;
/// Beyond this there certainly is one.
const FILE_FAIL: usize = 1_000;
/// Lines of a function, from `fn` to its closing brace, snapshots left out.
const FUNCTION_FAIL: usize = 70;

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let files = workspace.sources.iter().filter_map(file_size);
    files.chain(workspace.sources.iter().flat_map(long_functions)).collect()
}

fn file_size(source: &SourceFile) -> Option<Finding> {
    let lines = source.production_lines();
    if source.is_test || lines <= FILE_WARN {
        return None;
    }
    let what =
        format!("{lines} lines without tests; split it by noun (as a rule {FILE_WARN}, at most {FILE_FAIL})");
    let make = if lines > FILE_FAIL { Finding::failure } else { Finding::warning };
    Some(make(&source.path, FILE_WARN, "file-size", what))
}

fn long_functions(source: &SourceFile) -> impl Iterator<Item = Finding> {
    source.functions().filter(|function| function.lines > FUNCTION_FAIL).map(|function| {
        let what = format!(
            "fn {} has {} lines; name its steps and make them functions (at most {FUNCTION_FAIL})",
            function.name, function.lines
        );
        Finding::failure(&source.path, function.line, "function-length", what)
    })
}
