//! Operators whose meaning elsewhere is another than the engine's: written out in what it computes alike, or refused
//! at their place.
//!
//! `SIMILAR TO` is the SQL standard's pattern, matched against the whole text (PostgreSQL's `similar_to_escape`); the
//! engine takes it for a regular expression that may match anywhere. `ESCAPE` is known to the engine by name alone.
//! `^` is a power in PostgreSQL and an exclusive or in the engine.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Query, Spanned, Value, ValueWithSpan, VisitMut, VisitorMut,
};

use super::source_text::SourceText;
use crate::definitions::Problem;

/// Settles the meaning of every operator of a query.
///
/// # Errors
/// The first that has none here.
pub(super) fn settle(
    query: &mut Query,
    source: &SourceText,
    fallback: std::ops::Range<usize>,
) -> Result<(), Problem> {
    match query.visit(&mut Settling { source, fallback, depth: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(problem) => Err(*problem),
    }
}

struct Settling<'a> {
    source: &'a SourceText,
    /// Where to point if an operator has no place of its own.
    fallback: std::ops::Range<usize>,
    /// Expressions around the one that is looked at.
    depth: usize,
}

/// Planning walks expressions by recursion, and names each by all that is in it: what is deeper costs a stack, or the
/// third power of its depth in time.
const MOST_DEPTH: usize = 200;

/// A no, and what to write instead.
type Refusal = (String, String);

impl VisitorMut for Settling<'_> {
    type Break = Box<Problem>;

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<Box<Problem>> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Box<Problem>> {
        self.depth += 1;
        let settled = match expr {
            // The innermost is no operator.
            _ if self.depth > MOST_DEPTH + 1 => Err((
                format!("an expression has at most {MOST_DEPTH} operators one within the other"),
                "write IN (…) for a long list of values, or compute a part of it in a subquery".to_owned(),
            )),
            Expr::BinaryOp { op, .. } => operator(op),
            Expr::SimilarTo { negated, expr: text, pattern, escape_char } => {
                similar(pattern, escape_char.as_ref()).map(|pattern| {
                    let op = match negated {
                        true => BinaryOperator::PGRegexNotMatch,
                        false => BinaryOperator::PGRegexMatch,
                    };
                    let (left, right) = (text.clone(), Box::new(pattern));
                    Some(Expr::Nested(Box::new(Expr::BinaryOp { left, op, right })))
                })
            }
            Expr::Like { any: true, .. } | Expr::ILike { any: true, .. } => Err((
                "LIKE ANY is not supported".to_owned(),
                "write name LIKE 'a%' OR name LIKE 'b%', or a regular expression: name ~ '^(a|b)'".to_owned(),
            )),
            Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
                match escape_char.take() {
                    Some(escape) => like(pattern, &escape).map(|written| {
                        **pattern = written;
                        None
                    }),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        };
        match settled {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(written)) => {
                *expr = written;
                ControlFlow::Continue(())
            }
            Err((message, help)) => {
                let place = self.source.range(expr.span()).unwrap_or_else(|| self.fallback.clone());
                let problem = Problem { help: Some(help), ..self.source.problem(place, message) };
                ControlFlow::Break(Box::new(problem))
            }
        }
    }
}

fn operator(op: &BinaryOperator) -> Result<Option<Expr>, Refusal> {
    let refused = |message: &str, help: &str| Err((message.to_owned(), help.to_owned()));
    match op {
        BinaryOperator::BitwiseXor | BinaryOperator::PGExp => refused(
            "`^` is a power in some databases and an exclusive or in others, and is not supported",
            "write power(2, 3) for a power",
        ),
        BinaryOperator::Xor => refused("XOR is not supported", "write a <> b for conditions"),
        BinaryOperator::Arrow
        | BinaryOperator::LongArrow
        | BinaryOperator::HashArrow
        | BinaryOperator::HashLongArrow => refused(
            "fields of JSON are columns here, so that no operator reads them from text",
            "write address.city for a field of an object, and tags[1] for the first item of a list",
        ),
        _ => Ok(None),
    }
}

fn text_of(value: &Expr) -> Option<&str> {
    match value {
        Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text),
            ..
        }) => Some(text),
        Expr::Nested(inner) => text_of(inner),
        _ => None,
    }
}

/// The character that takes the next one's meaning away; none if it is empty.
fn escape_of(value: Option<&ValueWithSpan>) -> Result<Option<char>, Refusal> {
    let Some(value) = value else { return Ok(Some('\\')) };
    let text = match &value.value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => text.as_str(),
        _ => "??",
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (first, None) => Ok(first),
        _ => Err(("ESCAPE takes one character, or none".to_owned(), "write ESCAPE '!'".to_owned())),
    }
}

fn literal(pattern: &Expr, what: &str) -> Result<String, Refusal> {
    text_of(pattern).map(str::to_owned).ok_or_else(|| {
        let message = format!("the pattern of {what} has to be a text constant");
        (message, "write it out, or match by a regular expression: name ~ pattern".to_owned())
    })
}

fn ends_in_escape(what: &str) -> Refusal {
    let message = format!("the pattern of {what} ends in its escape character");
    (message, "write the character twice if it is meant itself".to_owned())
}

fn written(text: String) -> Expr {
    Expr::value(Value::SingleQuotedString(text))
}

/// A pattern of LIKE whose escape character is the backslash.
fn like(pattern: &Expr, escape: &ValueWithSpan) -> Result<Expr, Refusal> {
    let escape = escape_of(Some(escape))?;
    let pattern = literal(pattern, "LIKE … ESCAPE")?;
    let (mut out, mut chars) = (String::with_capacity(pattern.len() + 8), pattern.chars());
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == escape => {
                let taken = chars.next().ok_or_else(|| ends_in_escape("LIKE"))?;
                out.extend(['\\', taken]);
            }
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    Ok(written(out))
}

/// The regular expression that matches what a pattern of SIMILAR TO does.
fn similar(pattern: &Expr, escape: Option<&ValueWithSpan>) -> Result<Expr, Refusal> {
    let escape = escape_of(escape)?;
    let pattern = literal(pattern, "SIMILAR TO")?;
    let mut out = String::from("^(?s:");
    let mut chars = pattern.chars().peekable();
    // Within [ ], and whether nothing but a ^ stood there yet.
    let (mut in_class, mut is_first) = (false, false);
    while let Some(c) = chars.next() {
        let was_first = std::mem::take(&mut is_first);
        match c {
            c if Some(c) == escape => {
                let taken = chars.next().ok_or_else(|| ends_in_escape("SIMILAR TO"))?;
                push_plain(taken, &mut out);
            }
            '[' if in_class && chars.peek() == Some(&':') => {
                // A class by its name: [:alpha:].
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            ']' if in_class && !was_first => {
                in_class = false;
                out.push(c);
            }
            '^' if in_class && was_first => {
                is_first = true;
                out.push(c);
            }
            '-' if in_class => out.push(c),
            c if in_class => push_plain(c, &mut out),
            '[' => {
                (in_class, is_first) = (true, true);
                out.push(c);
            }
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' => out.push_str("(?:"),
            '|' | '*' | '+' | '?' | '{' | '}' | ')' => out.push(c),
            c => push_plain(c, &mut out),
        }
    }
    out.push_str(")$");
    Ok(written(out))
}

/// A character that stands for itself in a regular expression and in its classes.
fn push_plain(c: char, out: &mut String) {
    if c.is_ascii_punctuation()
        && !matches!(c, '_' | ',' | '\'' | '"' | ';' | ':' | '!' | '%' | '@' | '`' | '/' | '<' | '>' | '=')
    {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::ast::Statement;
    use datafusion::sql::sqlparser::parser::Parser;
    use expect_test::expect;

    use super::super::dialect::FactumDialect;
    use super::*;

    /// The condition as it is computed, or why it is not.
    fn settled(condition: &str) -> String {
        let text = format!("SELECT {condition}");
        let mut statements = Parser::parse_sql(&FactumDialect, &text).expect("SQL");
        let Some(Statement::Query(query)) = statements.pop() else { panic!("a query is expected") };
        let mut query = *query;
        let source = SourceText::new(std::path::Path::new("query"), text.as_str().into());
        match settle(&mut query, &source, 0..text.len()) {
            Ok(()) => query.to_string()["SELECT ".len()..].to_owned(),
            Err(problem) => format!("{:?}: {}", &text[problem.span.clone()], problem.message),
        }
    }

    #[test]
    fn similar_to_matches_the_whole_text() {
        expect!["(name ~ '^(?s:(?:b|c).*)$')"].assert_eq(&settled("name SIMILAR TO '(b|c)%'"));
        expect!["(name !~ '^(?s:a\\.b.)$')"].assert_eq(&settled("name NOT SIMILAR TO 'a.b_'"));
        expect![[r#"(name ~ '^(?s:[^a-c\\]\]{2}%)$')"#]]
            .assert_eq(&settled(r"name SIMILAR TO '[^a-c\]]{2}!%' ESCAPE '!'"));
        expect![[r#""name SIMILAR TO other": the pattern of SIMILAR TO has to be a text constant"#]]
            .assert_eq(&settled("name SIMILAR TO other"));
    }

    #[test]
    fn escape_is_written_out() {
        expect![[r"name LIKE '100\%%'"]].assert_eq(&settled("name LIKE '100!%%' ESCAPE '!'"));
        expect![[r"name ILIKE 'a\\b\_'"]].assert_eq(&settled(r"name ILIKE 'a\b#_' ESCAPE '#'"));
        expect![[r"name LIKE 'a\\%'"]].assert_eq(&settled(r"name LIKE 'a\%' ESCAPE ''"));
        expect![[r#""name LIKE 'a!'": the pattern of LIKE ends in its escape character"#]]
            .assert_eq(&settled("name LIKE 'a!' ESCAPE '!'"));
    }

    #[test]
    fn operators_of_two_meanings_are_refused() {
        expect![[
            r#""2 ^ 3": `^` is a power in some databases and an exclusive or in others, and is not supported"#
        ]]
        .assert_eq(&settled("1 + 2 ^ 3"));
        expect![[r#""a XOR b": XOR is not supported"#]].assert_eq(&settled("a XOR b"));
    }
}
