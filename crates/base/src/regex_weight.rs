//! The weight of a regular expression: its size with repetitions written out, before anything is compiled.
//!
//! `(\w{100}|x){80}` has fifteen characters and is compiled to ten megabytes, in seconds; that it is too large is known only
//! then. Its syntax tree is a few nodes, and counting them takes no time.

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{Ast, RepetitionKind, RepetitionRange};

/// A class of many ranges (`\w`, `[^a]`): some hundred steps over the bytes of UTF-8.
const CLASS: u64 = 200;
/// Any character: four forms of UTF-8.
const ANY: u64 = 8;

/// The weight of a regular expression, in characters; 0 of what is none, which is told where it is compiled.
pub fn of(pattern: &str) -> u64 {
    // Whether blanks count may be said beside it, by a flag.
    let weight = |ignores_blanks: bool| {
        let mut parser = ParserBuilder::new().ignore_whitespace(ignores_blanks).build();
        parser.parse(pattern).map_or(0, |ast| of_ast(&ast, pattern))
    };
    weight(false).max(weight(true))
}

/// The parser bounds how deep a pattern is.
fn of_ast(ast: &Ast, pattern: &str) -> u64 {
    let sum = |parts: &[Ast]| parts.iter().map(|part| of_ast(part, pattern)).fold(0, u64::saturating_add);
    match ast {
        Ast::Empty(_) | Ast::Flags(_) => 0,
        Ast::Assertion(_) | Ast::Literal(_) => 1,
        Ast::Dot(_) => ANY,
        Ast::ClassUnicode(_) | Ast::ClassPerl(_) => CLASS,
        Ast::ClassBracketed(class) => of_brackets(&pattern[class.span.start.offset..class.span.end.offset]),
        Ast::Repetition(repetition) => {
            of_ast(&repetition.ast, pattern).saturating_mul(times(&repetition.op.kind))
        }
        Ast::Group(group) => of_ast(&group.ast, pattern).saturating_add(1),
        Ast::Alternation(alternation) => sum(&alternation.asts),
        Ast::Concat(concat) => sum(&concat.asts),
    }
}

fn of_brackets(class: &str) -> u64 {
    let is_plain = class.is_ascii() && !class.contains(['\\', '^']) && !class.contains("[:");
    if is_plain { class.len() as u64 } else { class.len() as u64 + CLASS }
}

fn times(kind: &RepetitionKind) -> u64 {
    match kind {
        RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
        RepetitionKind::Range(RepetitionRange::Exactly(times)) => (*times).max(1).into(),
        RepetitionKind::Range(RepetitionRange::AtLeast(times)) => u64::from(*times) + 1,
        RepetitionKind::Range(RepetitionRange::Bounded(_, most)) => (*most).max(1).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_written_out() {
        assert_eq!(of("abc"), 3);
        assert_eq!(of("(a{1000}){1001}"), 1_001 * 1_001);
        assert_eq!(of(r"(\w{100}|x){81}"), 81 * (100 * CLASS + 2));
        assert_eq!(of("((((a{9999}){9999}){9999}){9999}){9999}"), u64::MAX);
        assert_eq!(of("(unclosed"), 0);
    }

    #[test]
    fn blanks_that_a_flag_lets_go_hide_no_repetition() {
        assert!(of(r"\w {100}") >= 100 * CLASS);
        assert!(of("(?x) \\w { 100 }") >= 100 * CLASS);
    }

    #[test]
    fn patterns_of_everyday_weigh_little() {
        for pattern in [r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", "^[0-9a-f]{64}$"] {
            assert!(of(pattern) < 10_000, "{pattern}: {}", of(pattern));
        }
    }
}
