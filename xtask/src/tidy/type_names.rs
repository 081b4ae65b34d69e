//! Names of types that are participles: `Opened` says what was done to a thing, and not what the thing is.
//!
//! Invariants: looks at the end of a name, for the last word of an English noun phrase is its noun. `AppendedBatch` is
//! a batch; `Appended` and `JustAppended` could be anything.
//!
//! Not here: variants of enums, which say what happened and stand behind the name of their type.

use crate::finding::Finding;
use crate::mask::is_word;
use crate::source::SourceFile;
use crate::workspace::Workspace;

/// What a name of a type is declared by.
const KEYWORDS: &[&str] = &["struct", "enum", "union", "trait", "type"];

/// Nouns that end like a participle.
const NOUNS: &[&str] = &["Bed", "Breed", "Creed", "Deed", "Feed", "Need", "Seed", "Shed", "Speed", "Weed"];

/// Participles that do not end in `ed`. Those that are nouns as well, such as cut, set and run, are not in it.
const IRREGULAR: &str = "Begun Born Bought Broken Brought Built Caught Chosen Done Drawn Driven Fallen Forgotten Found \
    Frozen Given Gone Got Gotten Grown Heard Held Hidden Kept Known Laid Left Lent Lost Made Meant Met Paid Said Seen \
    Sent Shown Shut Sought Spent Spoken Stolen Struck Stuck Taken Taught Thought Thrown Told Torn Unread Woken Written";

/// Words that go on after a verb: what is left out is as little a noun as what is left.
const PARTICLES: &[&str] = &["Aside", "Away", "Back", "Behind", "Down", "In", "Off", "Out", "Over", "Up"];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace.sources.iter().flat_map(check_source).collect()
}

fn check_source(source: &SourceFile) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for keyword in KEYWORDS {
        for at in source.find_word(keyword) {
            let name = name_behind(&source.code[at + keyword.len()..]);
            if is_participle(name) {
                let what = format!(
                    "{name} is no noun; name what the thing is, as in AppendResult or OpenSegment (docs/style.md)"
                );
                findings.push(Finding::failure(&source.path, source.line_of(at), "type-name", what));
            }
        }
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}

/// The name that a declaration gives; empty where the keyword is no beginning of one.
fn name_behind(code: &str) -> &str {
    let code = code.trim_start();
    let length = code.bytes().take_while(|&byte| is_word(byte)).count();
    &code[..length]
}

/// Whether the last word of a name in camel case is a participle, or a participle with its particle. `Read` alone is one;
/// a read is a thing once another word says which.
fn is_participle(name: &str) -> bool {
    let (before, last) = split_last_word(name);
    let word = if PARTICLES.contains(&last) { split_last_word(before).1 } else { last };
    let is_regular = word.len() > 3 && word.ends_with("ed") && !NOUNS.contains(&word);
    name == "Read" || is_regular || IRREGULAR.split_whitespace().any(|irregular| irregular == word)
}

fn split_last_word(name: &str) -> (&str, &str) {
    name.split_at(name.rfind(|letter: char| letter.is_ascii_uppercase()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::is_participle;

    #[test]
    fn participles_are_told_from_nouns() {
        let participles = ["Opened", "Kept", "JustSealed", "LeftOut", "ResetDone", "NotRepaired", "Unread"];
        let nouns = ["AppendedBatch", "Feed", "PowerCut", "RowSet", "PendingRead", "LeftOutView", "Red", ""];
        assert_eq!(participles.map(is_participle), [true; 7]);
        assert_eq!(nouns.map(is_participle), [false; 8]);
    }
}
