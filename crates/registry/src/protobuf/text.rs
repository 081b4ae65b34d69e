//! Text of a `.proto` file within limits, before and through the parser.
//!
//! The parser walks into brackets by recursion, and makes some hundred bytes of each name and number. So the brackets are
//! counted first, in the same tokens that the parser will see: comments are blanked out, and strings that its lexer would
//! not take are refused here.

use prost_reflect::prost_types::{FileDescriptorProto, SourceCodeInfo};
use protox::file::File;

use crate::{InvalidSchema, MAX_DEPTH};

/// Statements, braces and elements of lists that a schema may have, with those of its references.
pub(super) const MAX_PARTS: usize = 20_000;

/// Dots of names, and of numbers, in one text.
const MAX_DOTS: usize = 4 * MAX_PARTS;

/// A file as its text says it: names are not resolved, options are not interpreted.
pub(super) struct ParsedText {
    /// The file, without places.
    pub(super) proto: FileDescriptorProto,
    /// The places of its parts.
    pub(super) places: SourceCodeInfo,
    /// How many parts the text has, for [`MAX_PARTS`].
    pub(super) parts: usize,
}

/// Reads a text as the file of this name.
///
/// # Errors
/// Where the text is no `.proto` file of syntax `proto2` or `proto3`, or beyond a limit.
pub(super) fn parse(name: &str, text: &str) -> Result<ParsedText, InvalidSchema> {
    let (clean, parts) = Scan::run(text)?;
    if clean.trim_start().starts_with("edition") {
        let reason = "editions are not supported: write syntax = \"proto2\" or syntax = \"proto3\"";
        return Err(InvalidSchema::at(place_in(text, text.find("edition").unwrap_or(0)), reason));
    }
    let file = File::from_source(name, &clean).map_err(|error| invalid(&error))?;
    let mut proto = FileDescriptorProto::from(file);
    let places = proto.source_code_info.take().unwrap_or_default();
    // The parser does not tell `syntax = "proto2"` from no syntax; its place does.
    if proto.syntax.is_none() && places.location.iter().any(|place| place.path == [SYNTAX]) {
        proto.syntax = Some("proto2".to_owned());
    }
    Ok(ParsedText { proto, places, parts })
}

/// Number of the field `syntax` of a `FileDescriptorProto`.
const SYNTAX: i32 = 12;

/// The parser's error, which has its place only in what it prints for debugging: `name:3:7: message`.
fn invalid(error: &protox::Error) -> InvalidSchema {
    let reason = error.to_string();
    let printed = format!("{error:?}");
    let before = printed.strip_suffix(reason.as_str()).unwrap_or_default().trim_end().trim_end_matches(':');
    let mut numbers = before.rsplit(':').map_while(|number| number.parse::<usize>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(column), Some(line)) => InvalidSchema::at(format!("line {line}, column {column}"), reason),
        _ => InvalidSchema::new(reason),
    }
}

/// Line and column of an offset.
fn place_in(text: &str, offset: usize) -> String {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    format!("line {line}, column {column}")
}

/// A walk over the bytes of a text.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    clean: Vec<u8>,
    open: Vec<u8>,
    parts: usize,
    dots: usize,
}

impl<'a> Scan<'a> {
    /// The text without its comments, of the same length in lines, and the number of its parts.
    fn run(text: &'a str) -> Result<(String, usize), InvalidSchema> {
        let mut scan =
            Self { text, at: 0, clean: Vec::with_capacity(text.len()), open: Vec::new(), parts: 0, dots: 0 };
        while let Some(byte) = scan.peek(0) {
            match (byte, scan.peek(1)) {
                (b'/', Some(b'/')) => scan.line_comment(2),
                // Only option values may have such comments. The parser knows where it is, so it is left the sign.
                (b'#', _) => scan.line_comment(1),
                (b'/', Some(b'*')) => scan.block_comment()?,
                (b'"' | b'\'', _) => scan.string(byte)?,
                _ => scan.token(byte)?,
            }
        }
        if let Some(open) = scan.open.last() {
            return Err(scan.error(format!("'{}' is not closed", char::from(*open))));
        }
        let clean =
            String::from_utf8(scan.clean).map_err(|_| InvalidSchema::new("comments that cannot be read"))?;
        Ok((clean, scan.parts))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn error(&self, reason: impl Into<String>) -> InvalidSchema {
        InvalidSchema::at(place_in(self.text, self.at), reason)
    }

    fn keep(&mut self) {
        self.clean.extend(self.peek(0));
        self.at += 1;
    }

    /// Leaves a space, or the end of a line.
    fn blank(&mut self) {
        self.clean.extend(self.peek(0).map(|byte| if byte == b'\n' { b'\n' } else { b' ' }));
        self.at += 1;
    }

    fn line_comment(&mut self, sign: usize) {
        (0..sign).for_each(|_| if sign == 1 { self.keep() } else { self.blank() });
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.blank();
        }
    }

    fn block_comment(&mut self) -> Result<(), InvalidSchema> {
        self.blank();
        self.blank();
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'*'), Some(b'/')) => {
                    self.blank();
                    self.blank();
                    return Ok(());
                }
                (Some(b'/'), Some(b'*')) => return Err(self.error("a comment within a comment")),
                (Some(_), _) => self.blank(),
                (None, _) => return Err(self.error("a comment is not closed")),
            }
        }
    }

    fn string(&mut self, quote: u8) -> Result<(), InvalidSchema> {
        self.keep();
        loop {
            match self.peek(0) {
                Some(byte) if byte == quote => {
                    self.keep();
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0 | b'\n') | None => return Err(self.error("a string is not closed")),
                Some(_) => self.keep(),
            }
        }
    }

    fn escape(&mut self) -> Result<(), InvalidSchema> {
        let digits = match self.peek(1) {
            Some(b'x' | b'X') => 1,
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(
                b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'?' | b'\\' | b'\'' | b'"' | b'0'..=b'7',
            ) => 0,
            _ => return Err(self.error("an escape that strings do not have")),
        };
        let are_hexadecimal =
            (2..2 + digits).all(|at| self.peek(at).is_some_and(|byte| byte.is_ascii_hexdigit()));
        if !are_hexadecimal {
            return Err(self.error("an escape without its hexadecimal digits"));
        }
        (0..2 + digits).for_each(|_| self.keep());
        Ok(())
    }

    fn token(&mut self, byte: u8) -> Result<(), InvalidSchema> {
        match byte {
            b'{' | b'[' | b'(' | b'<' => {
                if self.open.len() == MAX_DEPTH {
                    return Err(
                        self.error(format!("nested too deeply: at most {MAX_DEPTH} brackets in one another"))
                    );
                }
                self.open.push(byte);
            }
            b'}' | b']' | b')' | b'>' => {
                let opening = self.open.pop();
                let is_pair = matches!(
                    (opening, byte),
                    (Some(b'{'), b'}') | (Some(b'['), b']') | (Some(b'('), b')') | (Some(b'<'), b'>')
                );
                if !is_pair {
                    return Err(self.error(format!("unexpected '{}'", char::from(byte))));
                }
            }
            _ => {}
        }
        self.parts += usize::from(matches!(byte, b'{' | b';' | b','));
        self.dots += usize::from(byte == b'.');
        if self.parts > MAX_PARTS || self.dots > MAX_DOTS {
            return Err(self.error(too_many_parts()));
        }
        self.keep();
        Ok(())
    }
}

/// Why a schema with too many parts is refused.
pub(super) fn too_many_parts() -> String {
    format!("too large: at most {MAX_PARTS} statements and elements of lists, with those of the imports")
}

/// The place of a part, or of the nearest part around it that has one.
pub(super) fn place_of(places: &SourceCodeInfo, path: &[i32]) -> Option<String> {
    let inside =
        places.location.iter().filter(|place| !place.path.is_empty() && path.starts_with(&place.path));
    let nearest = inside.max_by_key(|place| place.path.len())?;
    match nearest.span[..] {
        [line, column, ..] => Some(format!("line {}, column {}", line + 1, column + 1)),
        _ => None,
    }
}
