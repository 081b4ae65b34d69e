//! Rust source with its comments and literals blanked, byte for byte.
//!
//! The rules look for words and braces; a brace in a string or a word in a comment must not count. The masked
//! text has exactly the length and the line breaks of the original, so an offset in one is an offset in the
//! other. This is a scanner, not a parser: it knows comments, strings and characters, and nothing else.

/// Stands for each byte inside a string or character literal.
pub(crate) const LITERAL: char = '\u{1f}';

/// Blanks comments with spaces and the inside of literals with [`LITERAL`]; quotes and line breaks stay.
pub(crate) fn mask(text: &str) -> String {
    let mut masker = Masker { bytes: text.as_bytes(), at: 0, out: Vec::with_capacity(text.len()) };
    while masker.at < masker.bytes.len() {
        masker.step();
    }
    String::from_utf8(masker.out).expect("whole characters are copied or replaced by ASCII")
}

struct Masker<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

impl Masker<'_> {
    fn step(&mut self) {
        let rest = &self.bytes[self.at..];
        match rest[0] {
            b'/' if rest.starts_with(b"//") => self.line_comment(),
            b'/' if rest.starts_with(b"/*") => self.block_comment(),
            b'"' => self.string(0, true),
            b'r' if !self.inside_word() => self.raw_string(1),
            b'b' | b'c' if !self.inside_word() && rest.get(1) == Some(&b'r') => self.raw_string(2),
            b'\'' => self.character_or_lifetime(),
            _ => self.copy(1),
        }
    }

    fn inside_word(&self) -> bool {
        self.at > 0 && is_word(self.bytes[self.at - 1])
    }

    fn copy(&mut self, count: usize) {
        let end = (self.at + count).min(self.bytes.len());
        self.out.extend_from_slice(&self.bytes[self.at..end]);
        self.at = end;
    }

    fn blank(&mut self, with: u8, count: usize) {
        let end = (self.at + count).min(self.bytes.len());
        self.out.extend(self.bytes[self.at..end].iter().map(|&b| if b == b'\n' { b } else { with }));
        self.at = end;
    }

    fn line_comment(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        self.blank(b' ', length);
    }

    fn block_comment(&mut self) {
        let rest = &self.bytes[self.at..];
        let (mut depth, mut end) = (0_usize, 0);
        while end < rest.len() {
            if rest[end..].starts_with(b"/*") {
                (depth, end) = (depth + 1, end + 2);
            } else if rest[end..].starts_with(b"*/") {
                (depth, end) = (depth - 1, end + 2);
                if depth == 0 {
                    break;
                }
            } else {
                end += 1;
            }
        }
        self.blank(b' ', end);
    }

    /// A literal whose opening quote is here; it closes with a quote and `hashes` hash signs.
    fn string(&mut self, hashes: usize, escapes: bool) {
        self.copy(1);
        let rest = &self.bytes[self.at..];
        let mut end = 0;
        while end < rest.len() {
            match rest[end] {
                b'\\' if escapes => end += 2,
                b'"' if closes(&rest[end + 1..], hashes) => break,
                _ => end += 1,
            }
        }
        self.blank(LITERAL as u8, end);
        self.copy(1 + hashes);
    }

    fn raw_string(&mut self, prefix: usize) {
        let after = &self.bytes[self.at + prefix..];
        let hashes = after.iter().take_while(|&&b| b == b'#').count();
        if after.get(hashes) == Some(&b'"') {
            self.copy(prefix + hashes);
            self.string(hashes, false);
        } else {
            self.copy(1);
        }
    }

    fn character_or_lifetime(&mut self) {
        let rest = &self.bytes[self.at + 1..];
        let length = match rest.first() {
            Some(b'\\') => rest.iter().skip(2).position(|&b| b == b'\'').map(|end| end + 2),
            Some(_) => {
                rest.iter().take(5).position(|&b| b == b'\'').filter(|&end| is_one_character(&rest[..end]))
            }
            None => None,
        };
        self.copy(1);
        if let Some(length) = length {
            self.blank(LITERAL as u8, length);
            self.copy(1);
        }
    }
}

fn closes(after_quote: &[u8], hashes: usize) -> bool {
    after_quote.len() >= hashes && after_quote[..hashes].iter().all(|&b| b == b'#')
}

fn is_one_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().count() == 1)
}

/// Whether `byte` can be part of an identifier.
pub(crate) fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::{LITERAL, mask};

    fn check(text: &str, expected: &str) {
        assert_eq!(mask(text).replace(LITERAL, "~"), expected);
        assert_eq!(mask(text).len(), text.len());
    }

    #[test]
    fn comments_become_spaces() {
        check("a // {\nb", "a     \nb");
        check("a /* { /* } */ } */ b", "a                   b");
    }

    #[test]
    fn literals_lose_their_insides() {
        check(r#"f("}\"{", 'x', '\'', '}')"#, r#"f("~~~~", '~', '~~', '~')"#);
        check(r###"r#"a"}"# + br"}" + r#type"###, r###"r#"~~~"# + br"~" + r#type"###);
        check("'é' + \"ü\"", "'~~' + \"~~\"");
    }

    #[test]
    fn lifetimes_are_not_literals() {
        check("fn f<'a>(x: &'a str, y: &'static [u8]) {}", "fn f<'a>(x: &'a str, y: &'static [u8]) {}");
    }
}
