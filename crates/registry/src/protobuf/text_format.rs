//! Protobuf's text format, as far as values of options need it.
//!
//! The parser of `.proto` files hands over an option's message as its tokens with a space between them; brackets in it
//! were counted before.

use super::options::OptionValue;
use crate::MAX_DEPTH;

/// Reads the fields of a message. `None` where the tokens are none.
pub(super) fn parse(text: &str) -> Option<OptionValue> {
    let mut tokens = Tokens { rest: text };
    let fields = fields(&mut tokens, None, 0)?;
    Some(OptionValue::Map(fields))
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (token, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(token)
    }

    fn skip(&mut self, sign: char) -> bool {
        let is_next = self.peek() == Some(sign);
        if is_next {
            self.rest = self.rest.strip_prefix(sign).unwrap_or(self.rest);
        }
        is_next
    }

    /// Letters, digits and the signs of numbers and of dotted names.
    fn word(&mut self) -> Option<&'a str> {
        self.peek()?;
        let is_word = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '.' | '-' | '+');
        let length = self.rest.find(|sign| !is_word(sign)).unwrap_or(self.rest.len());
        if length == 0 { None } else { self.take(length) }
    }
}

fn fields(tokens: &mut Tokens<'_>, close: Option<char>, depth: usize) -> Option<Vec<(String, OptionValue)>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut found = Vec::new();
    loop {
        let is_end = match close {
            Some(close) => tokens.skip(close),
            None => tokens.peek().is_none(),
        };
        if is_end {
            return Some(found);
        }
        let key = key(tokens)?;
        tokens.skip(':');
        found.push((key, value(tokens, depth)?));
        let _ = tokens.skip(',') || tokens.skip(';');
    }
}

/// A name, or that of an extension or of a type in brackets.
fn key(tokens: &mut Tokens<'_>) -> Option<String> {
    if !tokens.skip('[') {
        return tokens.word().map(str::to_owned);
    }
    let end = tokens.rest.find(']')?;
    let name: String = tokens.take(end)?.split_whitespace().collect();
    tokens.skip(']').then(|| format!("[{name}]"))
}

fn value(tokens: &mut Tokens<'_>, depth: usize) -> Option<OptionValue> {
    match tokens.peek()? {
        '{' => {
            tokens.skip('{');
            fields(tokens, Some('}'), depth + 1).map(OptionValue::Map)
        }
        '<' => {
            tokens.skip('<');
            fields(tokens, Some('>'), depth + 1).map(OptionValue::Map)
        }
        '[' => list(tokens, depth + 1).map(OptionValue::List),
        '"' | '\'' => text(tokens).map(OptionValue::Text),
        _ => {
            let word = tokens.word()?;
            // A sign may stand apart from its number.
            let number = if matches!(word, "-" | "+") { tokens.word()? } else { "" };
            Some(OptionValue::Plain(format!("{word}{number}")))
        }
    }
}

fn list(tokens: &mut Tokens<'_>, depth: usize) -> Option<Vec<OptionValue>> {
    if depth > MAX_DEPTH {
        return None;
    }
    tokens.skip('[');
    let mut found = Vec::new();
    while !tokens.skip(']') {
        found.push(value(tokens, depth)?);
        tokens.skip(',');
    }
    Some(found)
}

/// One string, or several beside each other, which are one.
fn text(tokens: &mut Tokens<'_>) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    while let Some(quote @ ('"' | '\'')) = tokens.peek() {
        tokens.skip(quote);
        loop {
            let sign = tokens.rest.chars().next()?;
            tokens.take(sign.len_utf8())?;
            match sign {
                end if end == quote => break,
                '\\' => unescape(tokens, &mut found)?,
                other => found.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    Some(found)
}

fn unescape(tokens: &mut Tokens<'_>, out: &mut Vec<u8>) -> Option<()> {
    let sign = tokens.rest.chars().next()?;
    let octal = tokens.rest.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    if octal > 0 {
        out.push(u8::from_str_radix(tokens.take(octal)?, 8).ok()?);
        return Some(());
    }
    tokens.take(sign.len_utf8())?;
    match sign {
        'x' | 'X' => {
            let digits = tokens.rest.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
            out.push(u8::from_str_radix(tokens.take(digits)?, 16).ok()?);
        }
        'a' => out.push(7),
        'b' => out.push(8),
        'f' => out.push(12),
        'n' => out.push(b'\n'),
        'r' => out.push(b'\r'),
        't' => out.push(b'\t'),
        'v' => out.push(11),
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
    Some(())
}
