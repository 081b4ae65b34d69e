//! Limits of size of a statement, counted on its text, its tokens and its parsed form before anything is planned.
//!
//! Planning takes some hundred times the memory of the text, and time by the square of the columns and keys of one
//! SELECT. Within these limits a statement is planned in about a second and some ten MiB, whatever is written in it.
//!
//! Not here: what names stand for ([`super::expansion`] and `plan::extent`), and how deep expressions are nested
//! ([`super::meaning`]).

use std::ops::{ControlFlow, Range};

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, FunctionArgumentClause, FunctionArguments, GroupByExpr, NamedWindowExpr, OrderByKind,
    Query, Select, Spanned, Visit, Visitor, WindowType,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use super::source_text::SourceText;
use crate::definitions::Problem;

/// The most bytes of a query's text, or of a file of statements.
pub(super) const MOST_BYTES: usize = 512 << 10;
/// The most words, values and signs of one statement.
const MOST_TOKENS: usize = 100_000;
/// The most bytes of a name.
const LONGEST_NAME: usize = 500;
/// The parser bounds its recursion in expressions and queries, and not in types and patterns.
const MOST_BRACKETS: usize = 200;
const MOST_INTERVALS: usize = 3;
/// The most literals, columns, operators and calls of one statement.
const MOST_EXPRESSIONS: usize = 25_000;
/// The most columns in one select list, as it is written.
const MOST_COLUMNS: usize = 1_000;
/// The most keys of one GROUP BY, ORDER BY, PARTITION BY or DISTINCT ON.
const MOST_KEYS: usize = 200;
/// The most arguments of a call, and fields of a struct or a map: each field of a struct that is unnested is a column
/// that is named by all of it.
const MOST_ARGUMENTS: usize = 1_000;
/// The most queries within expressions: the optimiser makes a join of each, and walks all of them for each.
const MOST_SUBQUERIES: usize = 50;
/// CUBE makes a grouping for each subset of its keys.
const MOST_CUBE_KEYS: usize = 10;

const VALUES_ELSEWHERE: &str = "many values belong in a reference table or a topic, which a query can join";

/// Makes sure that a text is not too long.
///
/// # Errors
/// A problem at the first byte beyond.
pub(super) fn check_text(source: &SourceText) -> Result<(), Problem> {
    if source.text().len() <= MOST_BYTES {
        return Ok(());
    }
    let mut from = MOST_BYTES;
    while !source.text().is_char_boundary(from) {
        from -= 1;
    }
    let most = MOST_BYTES >> 10;
    let message = format!("the SQL is longer than {most} KiB, which is the limit of one query or file");
    Err(with_help(source.problem(from..from, message), VALUES_ELSEWHERE))
}

/// Makes sure that a statement has not too many tokens.
///
/// # Errors
/// A problem at the first one beyond.
pub(super) fn check_tokens(
    source: &SourceText,
    tokens: &[TokenWithSpan],
    statement: &Range<usize>,
) -> Result<(), Problem> {
    let is_long =
        |token: &&TokenWithSpan| matches!(&token.token, Token::Word(word) if word.value.len() > LONGEST_NAME);
    if let Some(token) = tokens.iter().find(is_long) {
        let place = source.range(token.span).unwrap_or_else(|| statement.clone());
        return Err(source.problem(place, format!("a name is at most {LONGEST_NAME} bytes long")));
    }
    if let Some(token) = too_deep(tokens) {
        let place = source.range(token.span).unwrap_or_else(|| statement.clone());
        let message = format!(
            "brackets are nested at most {MOST_BRACKETS} deep, and INTERVAL stands at most {MOST_INTERVALS} times in a row"
        );
        return Err(source.problem(place, message));
    }
    let Some(token) = tokens.get(MOST_TOKENS) else { return Ok(()) };
    let place = source.range(token.span).unwrap_or_else(|| statement.clone());
    let message = format!("a statement has at most {MOST_TOKENS} words, values and signs");
    Err(with_help(source.problem(place, message), VALUES_ELSEWHERE))
}

/// The token that nests too deeply for a parser that works by recursion.
pub(super) fn too_deep(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let (mut brackets, mut intervals) = (0_usize, 0);
    tokens.iter().find(|token| {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => brackets += 1,
            Token::RParen | Token::RBracket | Token::RBrace => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        // The only word that begins an operand which may begin with the same word.
        let is_interval = matches!(&token.token, Token::Word(word) if word.keyword == Keyword::INTERVAL);
        intervals = if is_interval { intervals + 1 } else { 0 };
        brackets > MOST_BRACKETS || intervals > MOST_INTERVALS
    })
}

/// Makes sure that a query has not too many parts of any kind.
///
/// # Errors
/// A problem at the first part beyond a limit.
pub(super) fn check_query(
    query: &Query,
    source: &SourceText,
    statement: &Range<usize>,
) -> Result<(), Problem> {
    let excess = match query.visit(&mut Counter { expressions: 0, subqueries: 0 }) {
        ControlFlow::Continue(()) => return Ok(()),
        ControlFlow::Break(excess) => excess,
    };
    let place = source.range(excess.span).unwrap_or_else(|| statement.clone());
    Err(with_help(source.problem(place, excess.message), excess.help))
}

fn with_help(problem: Problem, help: &str) -> Problem {
    Problem { help: Some(help.to_owned()), ..problem }
}

/// The first part beyond a limit.
struct Excess {
    span: Span,
    message: String,
    help: &'static str,
}

struct Counter {
    expressions: usize,
    subqueries: usize,
}

impl Visitor for Counter {
    type Break = Box<Excess>;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Box<Excess>> {
        match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(keys)) => within("ORDER BY", keys),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Box<Excess>> {
        if let Some(item) = select.projection.get(MOST_COLUMNS) {
            return ControlFlow::Break(Box::new(Excess {
                span: item.span(),
                message: format!("a SELECT has at most {MOST_COLUMNS} columns"),
                help: "put what belongs together in rows, or in a list: [a, b, c]",
            }));
        }
        if let Some(Distinct::On(keys)) = &select.distinct {
            within("DISTINCT ON", keys)?;
        }
        if let GroupByExpr::Expressions(keys, _) = &select.group_by {
            within("GROUP BY", keys)?;
        }
        for window in &select.named_window {
            if let NamedWindowExpr::WindowSpec(window) = &window.1 {
                within("PARTITION BY", &window.partition_by)?;
                within("ORDER BY", &window.order_by)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<Excess>> {
        self.expressions += 1;
        if self.expressions > MOST_EXPRESSIONS {
            return ControlFlow::Break(Box::new(Excess {
                span: expr.span(),
                message: format!(
                    "a statement has at most {MOST_EXPRESSIONS} literals, columns, operators and calls"
                ),
                help: VALUES_ELSEWHERE,
            }));
        }
        self.subquery(expr)?;
        arguments(expr)?;
        match expr {
            Expr::Function(function) => {
                if let Some(WindowType::WindowSpec(window)) = &function.over {
                    within("PARTITION BY", &window.partition_by)?;
                    within("ORDER BY", &window.order_by)?;
                }
                within("ORDER BY", &function.within_group)?;
                let FunctionArguments::List(list) = &function.args else { return ControlFlow::Continue(()) };
                for clause in &list.clauses {
                    if let FunctionArgumentClause::OrderBy(keys) = clause {
                        within("ORDER BY", keys)?;
                    }
                }
                ControlFlow::Continue(())
            }
            Expr::Cube(keys) => at_most("CUBE", MOST_CUBE_KEYS, keys.len(), || expr.span()),
            Expr::Rollup(keys) => at_most("ROLLUP", MOST_KEYS, keys.len(), || expr.span()),
            Expr::GroupingSets(sets) => at_most("GROUPING SETS", MOST_KEYS, sets.len(), || expr.span()),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Counter {
    fn subquery(&mut self, expr: &Expr) -> ControlFlow<Box<Excess>> {
        self.subqueries +=
            usize::from(matches!(expr, Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. }));
        if self.subqueries <= MOST_SUBQUERIES {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(Box::new(Excess {
            span: expr.span(),
            message: format!("a statement has at most {MOST_SUBQUERIES} queries within expressions"),
            help: "join the relations that they read, or make a view of a part",
        }))
    }
}

/// Makes sure that a call, a struct or a map has not too many parts.
fn arguments(expr: &Expr) -> ControlFlow<Box<Excess>> {
    let count = match expr {
        Expr::Function(function) => match &function.args {
            FunctionArguments::List(list) => list.args.len(),
            _ => 0,
        },
        Expr::Struct { values, .. } => values.len(),
        Expr::Dictionary(fields) => fields.len(),
        Expr::Map(map) => map.entries.len(),
        Expr::Tuple(values) => values.len(),
        _ => 0,
    };
    if count <= MOST_ARGUMENTS {
        return ControlFlow::Continue(());
    }
    let span = match expr {
        // It has no place of its own.
        Expr::Struct { values, .. } => Span::union_iter(values.iter().map(Spanned::span)),
        _ => expr.span(),
    };
    ControlFlow::Break(Box::new(Excess {
        span,
        message: format!("a call, a struct or a map has at most {MOST_ARGUMENTS} parts"),
        help: "write a list: [a, b, c]",
    }))
}

/// Makes sure that a clause has not too many keys.
fn within<T: Spanned>(clause: &str, keys: &[T]) -> ControlFlow<Box<Excess>> {
    at_most(clause, MOST_KEYS, keys.len(), || keys[MOST_KEYS].span())
}

fn at_most(clause: &str, most: usize, count: usize, place: impl Fn() -> Span) -> ControlFlow<Box<Excess>> {
    match count > most {
        false => ControlFlow::Continue(()),
        true => ControlFlow::Break(Box::new(Excess {
            span: place(),
            message: format!("{clause} has at most {most} keys"),
            help: "compute one key of several in a subquery, such as concat_ws('/', a, b, c)",
        })),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{SourceText, query};

    fn list(count: usize, item: impl Fn(usize) -> String) -> String {
        (0..count).map(item).collect::<Vec<_>>().join(", ")
    }

    fn refused(sql: &str) -> Option<(String, usize)> {
        let problem = query(&SourceText::new(Path::new(""), sql.into())).err()?;
        Some((problem.message, problem.span.start))
    }

    #[test]
    fn statements_of_honest_size_are_taken() {
        for sql in [
            format!("VALUES {}", list(10_000, |i| format!("({i}, 'name {i}')"))),
            format!("SELECT 1 WHERE 5 IN ({})", list(20_000, |i| i.to_string())),
            format!("SELECT {}", list(1_000, |i| format!("{i} AS c{i}"))),
            format!("SELECT 1 GROUP BY {}", list(200, |i| format!("c{i}"))),
            format!("SELECT length('{}')", "x".repeat(400_000)),
        ] {
            assert_eq!(refused(&sql), None, "{sql:.80}");
        }
    }

    #[test]
    fn parts_beyond_a_limit_are_refused_at_their_place() {
        for (sql, expected) in [
            (
                format!("SELECT 1 WHERE 5 IN ({})", list(25_001, |_| "1".to_owned())),
                "a statement has at most 25000 literals, columns, operators and calls",
            ),
            (format!("SELECT {}", list(1_001, |i| i.to_string())), "a SELECT has at most 1000 columns"),
            (format!("SELECT 1 GROUP BY {}", list(201, |_| "a".to_owned())), "GROUP BY has at most 200 keys"),
            (format!("SELECT 1 ORDER BY {}", list(201, |_| "a".to_owned())), "ORDER BY has at most 200 keys"),
            (
                format!("SELECT sum(a) OVER (PARTITION BY {})", list(201, |_| "a".to_owned())),
                "PARTITION BY has at most 200 keys",
            ),
            (
                format!("SELECT string_agg(a, ',' ORDER BY {})", list(201, |_| "a".to_owned())),
                "ORDER BY has at most 200 keys",
            ),
            (
                format!("SELECT DISTINCT ON ({}) a", list(201, |_| "a".to_owned())),
                "DISTINCT ON has at most 200 keys",
            ),
            (
                format!("SELECT unnest(struct({}))", list(1_001, |i| i.to_string())),
                "a call, a struct or a map has at most 1000 parts",
            ),
            (
                format!("SELECT concat({})", list(1_001, |i| i.to_string())),
                "a call, a struct or a map has at most 1000 parts",
            ),
            (
                format!("SELECT {}", list(51, |_| "(SELECT 1)".to_owned())),
                "a statement has at most 50 queries within expressions",
            ),
            (
                format!("SELECT 1 WHERE {}", vec!["EXISTS (SELECT 1)"; 51].join(" AND ")),
                "a statement has at most 50 queries within expressions",
            ),
            (
                format!("SELECT 1 GROUP BY CUBE ({})", list(11, |_| "a".to_owned())),
                "CUBE has at most 10 keys",
            ),
            (
                format!("SELECT CAST(1 AS {}INT)", "Nullable(".repeat(3_000)),
                "brackets are nested at most 200 deep, and INTERVAL stands at most 3 times in a row",
            ),
            (
                format!("SELECT {}'1 day'", "INTERVAL ".repeat(3_000)),
                "brackets are nested at most 200 deep, and INTERVAL stands at most 3 times in a row",
            ),
            (format!("SELECT 1 AS {}", "a".repeat(501)), "a name is at most 500 bytes long"),
            (
                format!("SELECT 1 FROM t AS u({})", list(60_000, |_| "a".to_owned())),
                "a statement has at most 100000 words, values and signs",
            ),
            (
                format!("SELECT 1 {}", " ".repeat(512 << 10)),
                "the SQL is longer than 512 KiB, which is the limit of one query or file",
            ),
        ] {
            let (message, at) = refused(&sql).unwrap_or_else(|| panic!("it is taken: {sql:.80}"));
            assert_eq!(message, expected);
            assert!(at >= "SELECT ".len(), "{at}: {sql:.80}");
        }
    }
}
