//! `SHOW` and `DESCRIBE`: statements about what can be queried.
//!
//! ```text
//!   SHOW { TABLES | TOPICS | VIEWS } [ { FROM | IN } team ] [ { LIKE | ILIKE } 'pattern' ]
//!   { SHOW { COLUMNS | FIELDS } { FROM | IN } | DESCRIBE | DESC } name
//! ```
//!
//! Not here: what there is.

use std::ops::Range;

use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::dialect::FactumDialect;
use super::source_text::SourceText;
use super::{is_word, of_parser, spellings};
use crate::definitions::Problem;

/// A statement about what can be queried.
#[derive(Debug, Clone)]
pub(crate) enum ShowStatement {
    /// The names of it.
    Relations(RelationFilter),
    /// The columns of one.
    Columns(ObjectName),
}

/// Which names are shown.
#[derive(Debug, Clone)]
pub(crate) struct RelationFilter {
    /// Those of this kind; without it, all.
    pub(crate) kind: Option<ShownKind>,
    /// Those of a team.
    pub(crate) team: Option<Ident>,
    /// Those like a pattern.
    pub(crate) pattern: Option<NamePattern>,
}

/// What can be queried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownKind {
    Topic,
    View,
    Table,
}

/// A pattern of LIKE, or of ILIKE.
#[derive(Debug, Clone)]
pub(crate) struct NamePattern {
    pub(crate) text: String,
    pub(crate) ignores_case: bool,
}

impl ShownKind {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::View => "view",
            Self::Table => "table",
        }
    }
}

/// Reads a statement that begins with SHOW, DESCRIBE or DESC; `None` if it begins otherwise.
pub(super) fn read(
    source: &SourceText,
    tokens: &[TokenWithSpan],
    place: &Range<usize>,
) -> Option<Result<ShowStatement, Problem>> {
    let first = &tokens.first()?.token;
    let shows = is_word(first, "show");
    if !shows && !is_word(first, "describe") && !is_word(first, "desc") {
        return None;
    }
    let mut parser = Parser::new(&FactumDialect).with_tokens_with_locations(tokens.to_vec());
    parser.advance_token();
    let statement = if shows { shown(&mut parser) } else { columns(&mut parser) };
    let statement = statement.and_then(|statement| match parser.peek_token_ref().token {
        Token::EOF => Ok(statement),
        _ => parser.expected("the end of the statement", parser.peek_token()),
    });
    let told = |error| spellings::explained(source, tokens, of_parser(source, &error, place));
    Some(statement.map_err(told))
}

fn shown(parser: &mut Parser<'_>) -> Result<ShowStatement, ParserError> {
    if takes(parser, &["columns", "fields"]) {
        parser.expect_one_of_keywords(&[Keyword::FROM, Keyword::IN])?;
        return columns(parser);
    }
    let kinds = [("tables", None), ("topics", Some(ShownKind::Topic)), ("views", Some(ShownKind::View))];
    let Some((_, kind)) = kinds.into_iter().find(|(word, _)| takes(parser, &[word])) else {
        return parser.expected("TABLES, TOPICS, VIEWS or COLUMNS FROM", parser.peek_token());
    };
    let of_team = parser.parse_one_of_keywords(&[Keyword::FROM, Keyword::IN]).is_some();
    let team = if of_team { Some(parser.parse_identifier()?) } else { None };
    let pattern = match parser.parse_one_of_keywords(&[Keyword::LIKE, Keyword::ILIKE]) {
        Some(like) => {
            Some(NamePattern { text: parser.parse_literal_string()?, ignores_case: like == Keyword::ILIKE })
        }
        None => None,
    };
    Ok(ShowStatement::Relations(RelationFilter { kind, team, pattern }))
}

fn columns(parser: &mut Parser<'_>) -> Result<ShowStatement, ParserError> {
    let is_query =
        ["select", "with", "values"].iter().any(|word| is_word(&parser.peek_token_ref().token, word));
    if is_query || parser.peek_token_ref().token == Token::EOF {
        return parser.expected("the name of a topic, view or table", parser.peek_token());
    }
    parser.parse_object_name(false).map(ShowStatement::Columns)
}

/// Whether the next word is one of `words`, which is read then.
fn takes(parser: &mut Parser<'_>, words: &[&str]) -> bool {
    let is_next = words.iter().any(|word| is_word(&parser.peek_token_ref().token, word));
    if is_next {
        parser.advance_token();
    }
    is_next
}
