//! Leftovers of a hurried commit: notes to self without an issue, and paths of someone's machine.

use crate::finding::Finding;
use crate::mask::is_word;
use crate::source::words;
use crate::workspace::{TextFile, Workspace};

/// Spelt in two halves, so that this file passes its own rule.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
const MACHINE_PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace.texts.iter().flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let number = at + 1;
        if NOTES.iter().any(|note| words(line, note).next().is_some()) && !names_issue(line) {
            let what = "a note to self without an issue; do it, delete it, or name its issue as in (#12)";
            findings.push(Finding::failure(&file.path, number, "leftover", what.to_owned()));
        }
        if MACHINE_PATHS.iter().any(|path| has_machine_path(line, path)) {
            let what = "names a folder of one machine; use a relative path or a variable";
            findings.push(Finding::failure(&file.path, number, "machine-path", what.to_owned()));
        }
    }
    findings
}

fn names_issue(line: &str) -> bool {
    line.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether `prefix` begins an absolute path here: not the middle of a longer path or a URL, and followed by a name.
fn has_machine_path(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(at, _)| {
        let before = line[..at].bytes().last();
        let starts =
            before.is_none_or(|b| !is_word(b) && !matches!(b, b'/' | b'.' | b'}' | b')' | b'-' | b'~'));
        starts && line[at + prefix.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}
