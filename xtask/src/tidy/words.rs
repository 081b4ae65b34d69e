//! The worst words of `docs/style.md`, headlines that are riddles, and test names that hide what the test is about.

use std::path::Path;

use crate::finding::Finding;
use crate::source::words;
use crate::workspace::{TextFile, Workspace};

/// What is not said, spelt in two halves so that this file passes its own rule, and what to say.
const WORDS: &[(&str, &str)] = &[
    (concat!("an", "ew"), "again, from scratch, or a verb with re-: rebuilt, recreated"),
    (concat!("who", "ever"), "the client that, the caller, anyone who"),
    (concat!("no", "body"), "no one, no client; or the active voice"),
    (concat!("some", "body"), "someone; or who it is: a client, an operator"),
    (concat!("for ", "ever"), "forever, without an end"),
    (concat!("always ", "holds"), "Invariants:"),
    (concat!("HTTP ", "face"), "HTTP API"),
];

/// Beginnings of names that say nothing of the behaviour.
const TEST_NAMES: &[&str] = &["what_", "who_", "whoever_", "nobody_", "nothing_"];

/// Beginnings of headlines that say what a file is about in a roundabout way.
const HEADLINES: &[&str] = &["What ", "Where ", "Why ", "Which ", "Whether ", "How ", "Who "];

/// Files that name the words.
const PAGES: &[&str] = &["docs/style.md", "xtask/tests/it/tidy.rs"];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let is_checked = |path: &Path| !PAGES.iter().any(|page| path.starts_with(page));
    let texts = workspace.texts.iter().filter(|file| is_checked(&file.path));
    let mut findings: Vec<Finding> = texts.flat_map(check_text).collect();
    for source in workspace.sources.iter().filter(|source| is_checked(&source.path)) {
        let headline = source.text.strip_prefix("//! ").unwrap_or_default();
        if HEADLINES.iter().any(|start| headline.starts_with(start)) {
            let what = "a headline is a noun phrase that says what the file is (docs/style.md)".to_owned();
            findings.push(Finding::failure(&source.path, 1, "headline", what));
        }
        for function in source.functions().filter(|function| is_test(&source.text, function.line)) {
            if TEST_NAMES.iter().any(|start| function.name.starts_with(start)) {
                let what =
                    format!("{} is no name for a test; say the behaviour that it checks", function.name);
                findings.push(Finding::failure(&source.path, function.line, "test-name", what));
            }
        }
    }
    findings
}

fn check_text(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let lower = line.to_lowercase();
        for (word, instead) in WORDS {
            if words(&lower, &word.to_lowercase()).next().is_some() {
                let what = format!("\"{word}\" is not a word of ours (docs/style.md); write: {instead}");
                findings.push(Finding::failure(&file.path, at + 1, "words", what));
            }
        }
    }
    findings
}

/// Whether the lines above the one of the function have a test's attribute.
fn is_test(text: &str, line: usize) -> bool {
    let above: Vec<&str> = text.lines().take(line - 1).collect();
    let attributes = above.iter().rev().map(|line| line.trim()).take_while(|line| line.starts_with("#["));
    attributes.into_iter().any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
}
