//! The files that a target reaches by `mod`, and whether only its tests do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::mask::is_word;
use crate::source::{SourceFile, words};

/// Every file reached from the targets so far, with whether tests alone reach it.
#[derive(Debug, Default)]
pub(crate) struct ReachableFiles {
    pub(crate) files: BTreeMap<PathBuf, bool>,
}

/// `mod name;` as it stands in a file.
struct Declaration {
    /// Candidate paths, of which one should exist.
    candidates: Vec<PathBuf>,
    is_test: bool,
}

impl ReachableFiles {
    /// Follows every `mod` from a target's root file. `is_test` is true for `tests/` and `benches/` targets.
    pub(crate) fn follow_target(&mut self, root_file: &Path, is_test: bool) -> Result<()> {
        self.follow(root_file, is_test, true)
    }

    fn follow(&mut self, file: &Path, is_test: bool, is_root: bool) -> Result<()> {
        match self.files.get(file) {
            Some(&known) if !known || is_test => return Ok(()),
            _ => self.files.insert(file.to_owned(), is_test),
        };
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        for declaration in declarations(file, &text, is_root) {
            for child in declaration.candidates.iter().filter(|path| path.is_file()) {
                self.follow(child, is_test || declaration.is_test, false)?;
            }
        }
        Ok(())
    }
}

fn declarations(file: &Path, text: &str, is_root: bool) -> Vec<Declaration> {
    let source = SourceFile::new(file.to_owned(), String::new(), text.to_owned(), false);
    let here = file.parent().expect("a file has a folder").to_owned();
    let stem = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let children = if is_root || stem == "mod" { here.clone() } else { here.join(stem) };
    let mut found = includes(&source, &here);
    for at in source.find_word("mod") {
        let name = word_at(&source.code, at + "mod".len());
        let after = source.code[at + "mod".len()..].trim_start();
        if name.is_empty() || !after[name.len()..].trim_start().starts_with(';') {
            continue;
        }
        let folder = inline_modules(&source.code, at).iter().fold(children.clone(), |dir, m| dir.join(m));
        let candidates = match path_attribute(&source, at) {
            Some(path) => vec![here.join(path)],
            None => vec![folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")],
        };
        found.push(Declaration { candidates, is_test: source.is_test_at(at) });
    }
    found
}

fn includes(source: &SourceFile, here: &Path) -> Vec<Declaration> {
    let calls = source.code.match_indices("include!(").filter_map(|(at, call)| {
        let path = source.text[at + call.len()..].trim_start().strip_prefix('"')?.split('"').next()?;
        Some(Declaration { candidates: vec![here.join(path)], is_test: source.is_test_at(at) })
    });
    calls.collect()
}

fn word_at(code: &str, at: usize) -> &str {
    let rest = code[at..].trim_start();
    &rest[..rest.bytes().take_while(|&b| is_word(b)).count()]
}

/// The inline modules that are open at `at`, outermost first.
fn inline_modules(code: &str, at: usize) -> Vec<String> {
    let mut open: Vec<(usize, Option<String>)> = Vec::new();
    let mods: Vec<usize> = words(&code[..at], "mod").collect();
    for (offset, byte) in code[..at].bytes().enumerate() {
        match byte {
            b'{' => {
                let owner =
                    mods.iter().rev().find(|&&m| m < offset).map(|&m| (m, word_at(code, m + "mod".len())));
                let named = owner.filter(|(m, name)| code[m + 3..offset].trim() == *name && !name.is_empty());
                open.push((offset, named.map(|(_, name)| name.to_owned())));
            }
            b'}' => drop(open.pop()),
            _ => {}
        }
    }
    open.into_iter().filter_map(|(_, name)| name).collect()
}

/// The value of `#[path = "…"]` among the attributes before the declaration at `at`.
fn path_attribute(source: &SourceFile, at: usize) -> Option<String> {
    let start = source.code[..at].rfind([';', '{', '}']).map_or(0, |i| i + 1);
    let attribute = start + source.code[start..at].find("#[path")?;
    Some(source.text[attribute..at].split('"').nth(1)?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::inline_modules;
    use crate::mask::mask;

    #[test]
    fn inline_modules_nest() {
        let code = mask("mod a { fn f() {} mod b { mod c; } mod d; }");
        assert_eq!(inline_modules(&code, code.find("mod c").expect("there")), ["a", "b"]);
        assert_eq!(inline_modules(&code, code.find("mod d").expect("there")), ["a"]);
    }
}
