//! A short string that matches a regular expression.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Bytes of a string, at most.
const MAX_BYTES: usize = 1_000;

/// A string that matches `pattern`; `None` where it is not one of those that are read here.
pub(super) fn matching(pattern: &str) -> Option<String> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).nest_limit(50).build();
    let mut bytes = Vec::new();
    write(&parser.parse(pattern).ok()?, &mut bytes)?;
    String::from_utf8(bytes).ok()
}

fn write(expression: &Hir, bytes: &mut Vec<u8>) -> Option<()> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    match expression.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => bytes.extend_from_slice(&literal.0),
        HirKind::Class(Class::Bytes(class)) => {
            bytes.push(pleasant(&class.ranges().iter().map(|range| (range.start(), range.end())))?);
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges().iter().map(|range| (range.start(), range.end()));
            let ascii = ranges.filter_map(|(start, end)| {
                Some((u8::try_from(start).ok()?, u8::try_from(end).unwrap_or(b'~')))
            });
            bytes.push(pleasant(&ascii)?);
        }
        HirKind::Repetition(repetition) => {
            // One where none is enough: a name is more plausible than nothing.
            let count = repetition.min.max(u32::from(repetition.max != Some(0)));
            for _ in 0..count {
                write(&repetition.sub, bytes)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, bytes)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, bytes))?,
        HirKind::Alternation(alternatives) => write(alternatives.first()?, bytes)?,
    }
    Some(())
}

/// A letter or a digit of a class, if it has one, else its first printable character.
fn pleasant(ranges: &(impl Iterator<Item = (u8, u8)> + Clone)) -> Option<u8> {
    let has = |byte: u8| ranges.clone().any(|(start, end)| (start..=end).contains(&byte));
    let mut candidates = (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'1'..=b'9').chain(b' '..=b'~');
    candidates.find(|byte| has(*byte))
}
