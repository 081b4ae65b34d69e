//! One Rust file: its text, its masked code, and which of its lines are tests.

use std::ops::Range;
use std::path::PathBuf;

use crate::mask::{self, LITERAL, is_word};

/// A Rust file of a workspace member.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Relative to the workspace root.
    pub(crate) path: PathBuf,
    /// The package that the file lies in.
    pub(crate) package: String,
    pub(crate) text: String,
    /// The text with comments and literals blanked; offsets agree.
    pub(crate) code: String,
    /// Whether the whole file is compiled for tests only.
    pub(crate) is_test: bool,
    tests: Vec<Range<usize>>,
    line_starts: Vec<usize>,
}

/// A function with a body.
#[derive(Debug)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
    /// Lines from `fn` to the closing brace, without those that lie wholly inside a literal.
    pub(crate) lines: usize,
}

impl SourceFile {
    pub(crate) fn new(path: PathBuf, package: String, text: String, is_test: bool) -> Self {
        let code = mask::mask(&text);
        let tests = test_ranges(&code);
        let breaks = text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        Self { path, package, text, code, is_test, tests, line_starts }
    }

    /// The line, from 1, that holds byte `at`.
    pub(crate) fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= at)
    }

    pub(crate) fn is_test_at(&self, at: usize) -> bool {
        self.is_test || self.tests.iter().any(|range| range.contains(&at))
    }

    /// Lines outside `#[cfg(test)]` items.
    pub(crate) fn production_lines(&self) -> usize {
        let in_tests: usize =
            self.tests.iter().map(|r| self.line_of(r.end - 1) + 1 - self.line_of(r.start)).sum();
        self.text.lines().count().saturating_sub(in_tests)
    }

    /// Offsets at which `word` stands as a whole word of the code; `::` paths are words with colons in them.
    pub(crate) fn find_word<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        words(&self.code, word)
    }

    /// Every function of the file that has a body.
    pub(crate) fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        self.find_word("fn").filter_map(|at| self.function_at(at))
    }

    fn function_at(&self, at: usize) -> Option<Function<'_>> {
        let after = at + 2 + (self.code[at + 2..].len() - self.code[at + 2..].trim_start().len());
        let length = self.code[after..].bytes().take_while(|&b| is_word(b)).count();
        if length == 0 {
            return None;
        }
        let end = item_end(&self.code, after)?;
        if !self.code[..end].ends_with('}') {
            return None;
        }
        let body = self.code[at..end].lines();
        let lines = body.filter(|line| !is_inside_literal(line)).count();
        Some(Function { name: &self.code[after..after + length], line: self.line_of(at), lines })
    }
}

fn is_inside_literal(masked_line: &str) -> bool {
    let line = masked_line.trim();
    !line.is_empty() && line.chars().all(|c| c == LITERAL)
}

/// Offsets at which `word` stands as a whole word in `code`.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let bytes = code.as_bytes();
        let before = at.checked_sub(1).is_none_or(|i| !is_word(bytes[i]));
        let ends_in_word = word.bytes().last().is_some_and(is_word);
        before && (!ends_in_word || bytes.get(at + word.len()).is_none_or(|&b| !is_word(b)))
    })
}

/// The end (exclusive) of the item that begins at `from`: its `;`, or the brace that closes its first block.
pub(crate) fn item_end(code: &str, from: usize) -> Option<usize> {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            b'{' => braces += 1,
            b'}' if braces <= 1 => return Some(at + 1),
            b'}' => braces -= 1,
            b';' if braces == 0 && brackets == 0 => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Byte ranges of the items under an attribute like `#[cfg(test)]` or `#[cfg(any(test, …))]`.
fn test_ranges(code: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, _) in code.match_indices("#[cfg(") {
        let Some(length) = code[start..].find(']') else { break };
        let condition = &code[start..start + length];
        let nested = ranges.last().is_some_and(|last| last.contains(&start));
        if nested || condition.contains("not(") || words(condition, "test").next().is_none() {
            continue;
        }
        if let Some(end) = item_end(code, after_attributes(code, start)) {
            ranges.push(start..end);
        }
    }
    ranges
}

/// Skips the attributes that begin at `at`.
fn after_attributes(code: &str, mut at: usize) -> usize {
    loop {
        at += code[at..].len() - code[at..].trim_start().len();
        if !code[at..].starts_with("#[") {
            return at;
        }
        let mut depth = 0_usize;
        let closing = code[at..].bytes().position(|byte| {
            depth = match byte {
                b'[' => depth + 1,
                b']' => depth - 1,
                _ => depth,
            };
            byte == b']' && depth == 0
        });
        match closing {
            Some(length) => at += length + 1,
            None => return code.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SourceFile;

    fn file(text: &str) -> SourceFile {
        SourceFile::new("a.rs".into(), "a".to_owned(), text.to_owned(), false)
    }

    #[test]
    fn a_test_item_is_not_production() {
        let file = file(
            "fn a() {}\n#[cfg(test)]\n#[expect(x, reason = \"[\")]\nmod tests {\n  fn b() { c; }\n}\nfn d() {}\n",
        );
        assert_eq!(file.production_lines(), 2);
        assert!(file.is_test_at(file.text.find("fn b").expect("is there")));
        assert!(!file.is_test_at(file.text.find("fn d").expect("is there")));
    }

    #[test]
    fn function_length_leaves_out_snapshots_and_pointers() {
        let file = file(
            "fn a(f: fn(u8) -> u8, b: [u8; 3]) {\n  let x = \"\none\ntwo\n\";\n}\ntrait T { fn c(); }\n",
        );
        let functions: Vec<_> = file.functions().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(functions, [("a", 1, 4)]);
    }
}
