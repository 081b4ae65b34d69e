//! Statements: the text of a SQL file cut into its declarations, each parsed with its place.
//!
//! Not here: what names mean. Only the shape of a statement is known and checked.

mod clauses;
mod culprit;
mod dialect;
mod expansion;
mod keywords;
mod meaning;
mod show;
mod size;
mod source_text;
pub(crate) mod spellings;

use std::ops::Range;

use datafusion::sql::sqlparser::ast::{
    CreateTableOptions, CreateView, Ident, ObjectName, Query, Spanned, Statement,
};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::definitions::Problem;
pub(crate) use culprit::culprit;
use dialect::FactumDialect;
pub(crate) use keywords::nearly as keyword;
pub(crate) use show::{NamePattern, RelationFilter, ShowStatement, ShownKind};
pub(crate) use source_text::SourceText;

/// Planning walks expressions by recursion; this many operators keep it well inside a thread's stack.
const MAX_OPERATORS: usize = 500;
/// Words that operators and set operations begin with; parentheses are the parser's to count.
const NESTING_WORDS: [&str; 18] = [
    "and",
    "or",
    "not",
    "is",
    "in",
    "like",
    "ilike",
    "similar",
    "between",
    "collate",
    "at",
    "case",
    "union",
    "intersect",
    "except",
    "minus",
    "join",
    "apply",
];

/// A view as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    /// One or two parts.
    pub(crate) name: Vec<Ident>,
    /// Where the name stands.
    pub(crate) name_place: Range<usize>,
    /// Whether it is kept; otherwise it is a name for its query.
    pub(crate) is_materialized: bool,
    /// Names of its columns, if they were listed.
    pub(crate) columns: Vec<Ident>,
    pub(crate) query: Query,
    /// Where `EMIT ON WINDOW CLOSE` stands.
    pub(crate) on_window_close: Option<Range<usize>>,
    /// The whole statement.
    pub(crate) place: Range<usize>,
}

/// Reads the statements of a file. Those that are wrong become problems, and the others stand.
pub(crate) fn declarations(source: &SourceText, problems: &mut Vec<Problem>) -> Vec<Declaration> {
    let (tokens, problem) = tokens_before_problem(source);
    // What is behind the last `;` is of the statement that cannot be read.
    let is_of_whole = |token: &TokenWithSpan| problem.is_none() || token.token == Token::SemiColon;
    let end = tokens.iter().rposition(is_of_whole).map_or(0, |last| last + 1);
    let mut found = Vec::new();
    for statement in tokens[..end].split(|token| token.token == Token::SemiColon) {
        let Some(place) = place_of(source, statement) else { continue };
        match declaration(source, statement.to_vec(), place) {
            Ok(declaration) => found.push(declaration),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(problem);
    found
}

/// A statement that can be run by itself.
#[derive(Debug, Clone)]
pub(crate) enum Runnable {
    Query(Box<Query>),
    Show(ShowStatement),
}

/// Reads one query.
pub(crate) fn query(source: &SourceText) -> Result<Query, Problem> {
    match runnable(source)? {
        Runnable::Query(query) => Ok(*query),
        Runnable::Show(_) => {
            let place = 0..source.text().trim_end().len();
            Err(source.problem(place, "only a query can stand here: SELECT, VALUES or WITH … SELECT"))
        }
    }
}

/// Reads one statement that can be run by itself.
pub(crate) fn runnable(source: &SourceText) -> Result<Runnable, Problem> {
    let mut tokens = tokenize(source)?;
    while tokens.last().is_some_and(|token| token.token == Token::SemiColon) {
        tokens.pop();
    }
    let place = place_of(source, &tokens)
        .ok_or_else(|| source.problem(0..source.text().len(), "there is no query here"))?;
    if let Some(show) = show::read(source, &tokens, &place) {
        return show.map(Runnable::Show);
    }
    match parse(source, &tokens, &place)? {
        Statement::Query(mut query) => {
            settle(&mut query, source, &place)?;
            Ok(Runnable::Query(query))
        }
        Statement::Explain { .. } | Statement::ExplainTable { .. } => {
            let problem = source.problem(first_word(source, &place), "EXPLAIN is not run as a query");
            let help = "`factum explain` and POST /api/v1/sql/explain say how a query or a view is computed";
            Err(Problem { help: Some(help.to_owned()), ..problem })
        }
        _ => Err(source.problem(
            place,
            "only queries can be run here: SELECT, VALUES, WITH … SELECT, SHOW TABLES and DESCRIBE",
        )),
    }
}

/// Checks what a query is made of, and writes it in operators that mean here what they do elsewhere.
fn settle(query: &mut Query, source: &SourceText, place: &Range<usize>) -> Result<(), Problem> {
    // First: whatever walks a query goes no deeper than this allows.
    meaning::settle(query, source, place.clone())?;
    size::check_query(query, source, place)?;
    clauses::check(query, source, place)?;
    check_expansion(query, source, place)
}

fn check_expansion(query: &Query, source: &SourceText, place: &Range<usize>) -> Result<(), Problem> {
    let most = expansion::MOST_RELATIONS;
    if expansion::relations(query) <= most {
        return Ok(());
    }
    let message = format!(
        "with each WITH query written out where it is named, this stands for more than {most} relations"
    );
    let help = "name a WITH query fewer times, or make a view of it: a view is computed once".to_owned();
    Err(Problem { help: Some(help), ..source.problem(first_word(source, place), message) })
}

fn tokenize(source: &SourceText) -> Result<Vec<TokenWithSpan>, Problem> {
    match tokens_before_problem(source) {
        (tokens, None) => Ok(tokens),
        (_, Some(problem)) => Err(problem),
    }
}

/// The words and signs of a text, up to one that cannot be read: a text without its end.
fn tokens_before_problem(source: &SourceText) -> (Vec<TokenWithSpan>, Option<Problem>) {
    if let Err(problem) = size::check_text(source) {
        return (Vec::new(), Some(problem));
    }
    let mut tokens = Vec::new();
    let read = Tokenizer::new(&FactumDialect, source.text()).tokenize_with_location_into_buf(&mut tokens);
    let problem = read.err().map(|error| {
        let start = source.offset(error.location);
        source.problem(start..end_of_char(source, start), lower_first(&error.message))
    });
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    (tokens, problem)
}

fn place_of(source: &SourceText, tokens: &[TokenWithSpan]) -> Option<Range<usize>> {
    let (first, last) = (tokens.first()?, tokens.last()?);
    Some(source.offset(first.span.start)..source.offset(last.span.end))
}

fn declaration(
    source: &SourceText,
    mut tokens: Vec<TokenWithSpan>,
    place: Range<usize>,
) -> Result<Declaration, Problem> {
    let on_window_close = take_emit(source, &mut tokens);
    let statement = parse(source, &tokens, &place)?;
    let refused = |message: &str| {
        let problem = source.problem(first_word(source, &place), message);
        Err(spellings::explained(source, &tokens, problem))
    };
    match statement {
        Statement::CreateView(mut view) => {
            settle(&mut view.query, source, &place)?;
            of_view(source, view, place, on_window_close)
        }
        _ => refused(
            "this statement is not supported by this version yet: a pipeline holds CREATE MATERIALIZED VIEW and CREATE VIEW",
        ),
    }
}

fn of_view(
    source: &SourceText,
    view: CreateView,
    place: Range<usize>,
    on_window_close: Option<Range<usize>>,
) -> Result<Declaration, Problem> {
    let name_place = source.range(view.name.span()).unwrap_or_else(|| place.clone());
    let refuse = |what: &str| {
        Err(source
            .problem(name_place.clone(), format!("{what} of a view: not supported by this version yet")))
    };
    if view.options != CreateTableOptions::None || !view.cluster_by.is_empty() {
        return refuse("WITH (…) options");
    }
    if view.temporary || view.to.is_some() || view.with_no_schema_binding {
        return refuse("TEMPORARY, TO or WITH NO SCHEMA BINDING");
    }
    if view.columns.iter().any(|column| column.data_type.is_some() || column.options.is_some()) {
        return refuse("a type or option in the column list");
    }
    if let Some(emit) = on_window_close.as_ref().filter(|_| !view.materialized) {
        let message = "EMIT belongs to a materialized view: this one is only a name for its query";
        return Err(source.problem(emit.clone(), message));
    }
    let name = identifiers(&view.name)
        .filter(|parts| parts.len() <= 2)
        .ok_or_else(|| source.problem(name_place.clone(), "a view is named `view` or `team.view`"))?;
    Ok(Declaration {
        name,
        name_place,
        is_materialized: view.materialized,
        columns: view.columns.into_iter().map(|column| column.name).collect(),
        query: *view.query,
        on_window_close,
        place,
    })
}

/// The parts of a name, if they are plain identifiers.
pub(crate) fn identifiers(name: &ObjectName) -> Option<Vec<Ident>> {
    name.0.iter().map(|part| part.as_ident().cloned()).collect()
}

fn parse(source: &SourceText, tokens: &[TokenWithSpan], place: &Range<usize>) -> Result<Statement, Problem> {
    size::check_tokens(source, tokens, place)?;
    let is_one_more = |token: &&TokenWithSpan| is_operator(&token.token);
    if let Some(token) = tokens.iter().filter(is_one_more).nth(MAX_OPERATORS) {
        let at = source.range(token.span).unwrap_or_else(|| place.clone());
        return Err(source.problem(at, format!("a statement has at most {MAX_OPERATORS} operators")));
    }
    let mut parser = Parser::new(&FactumDialect).with_tokens_with_locations(tokens.to_vec());
    let explained = |problem| {
        without_end(source, tokens).unwrap_or_else(|| spellings::explained(source, tokens, problem))
    };
    let statement = parser.parse_statement().map_err(|error| explained(of_parser(source, &error, place)))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let at = source.range(rest.span).unwrap_or_else(|| place.clone());
        let mut problem = source.problem(at, format!("`{}` is not expected here", rest.token));
        problem.help = (rest.token == Token::SemiColon).then(|| "run one statement at a time".to_owned());
        return Err(explained(problem));
    }
    Ok(statement)
}

/// The first CASE of a statement that cannot be read, if there are fewer ENDs: what follows it is taken for another of its
/// branches, or for names.
fn without_end(source: &SourceText, tokens: &[TokenWithSpan]) -> Option<Problem> {
    let count = |word: &str| tokens.iter().filter(|token| is_word(&token.token, word)).count();
    if count("case") <= count("end") {
        return None;
    }
    let case = tokens.iter().find(|token| is_word(&token.token, "case"))?;
    let problem = source.problem(source.range(case.span)?, "a CASE has no END");
    Some(Problem { help: Some("write CASE WHEN a > 0 THEN b ELSE c END".to_owned()), ..problem })
}

/// Reads all of `text` as a part of a statement.
pub(crate) fn part<T>(
    text: &str,
    parse: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Result<T, ParserError> {
    if text.len() > size::MOST_BYTES {
        return Err(ParserError::ParserError(format!("it is longer than {} KiB", size::MOST_BYTES >> 10)));
    }
    let tokens = Tokenizer::new(&FactumDialect, text).tokenize_with_location()?;
    if tokens.iter().filter(|token| is_operator(&token.token)).count() > MAX_OPERATORS {
        return Err(ParserError::ParserError(format!("it has more than {MAX_OPERATORS} operators")));
    }
    if size::too_deep(&tokens).is_some() {
        return Err(ParserError::ParserError("its brackets are nested too deeply".to_owned()));
    }
    let mut parser = Parser::new(&FactumDialect).with_tokens_with_locations(tokens);
    let parsed = parse(&mut parser)?;
    parser.expect_token(&Token::EOF)?;
    Ok(parsed)
}

/// Whether a token may nest what stands before it one deeper.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none()
                && NESTING_WORDS.iter().any(|keyword| word.value.eq_ignore_ascii_case(keyword))
        }
        Token::Number(..)
        | Token::Char(_)
        | Token::SingleQuotedString(_)
        | Token::EscapedStringLiteral(_)
        | Token::NationalStringLiteral(_)
        | Token::Comma
        | Token::Whitespace(_)
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::LBrace
        | Token::RBrace
        | Token::RBracket
        | Token::SemiColon
        | Token::EOF => false,
        _ => true,
    }
}

/// The parser tells the place in its text: `Expected: x, found: y at Line: 1, Column: 8`.
fn of_parser(source: &SourceText, error: &ParserError, place: &Range<usize>) -> Problem {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "expressions are nested too deeply",
    };
    let located = text.rsplit_once(" at Line: ").and_then(|(message, at)| {
        let (line, column) = at.split_once(", Column: ")?;
        Some((message, Location::new(line.parse().ok()?, column.parse().ok()?)))
    });
    let (message, start) = match located {
        Some((message, at)) => (message, source.offset(at)),
        None => (text, place.end),
    };
    let span = if start >= place.end { last_word(source, place) } else { start..word_end(source, start) };
    source.problem(span, readable(message))
}

/// What the parser says of a part of a statement that stands by itself.
pub(crate) fn of_part(error: &ParserError, text: &str) -> String {
    let said = match error {
        ParserError::ParserError(said) | ParserError::TokenizerError(said) => said.as_str(),
        ParserError::RecursionLimitExceeded => return "its expressions are nested too deeply".to_owned(),
    };
    let (said, column) = match said.rsplit_once(" at Line: ") {
        Some((said, at)) => (said, at.rsplit_once(' ').and_then(|(_, column)| column.parse::<usize>().ok())),
        None => (said, None),
    };
    let expected = said.strip_prefix("Expected: ").and_then(|rest| rest.rsplit_once(", found: "));
    // A condition comes in brackets, that the user has not typed.
    let is_bracket = text.starts_with('(') && column == Some(text.chars().count());
    match expected {
        Some((expected, found)) if found == "EOF" || (found == ")" && is_bracket) => {
            format!("it ends where {expected} is expected")
        }
        _ => readable(said),
    }
}

/// `Expected: x, found: y` as a sentence.
fn readable(message: &str) -> String {
    let message = message.trim_start_matches("sql parser error: ");
    match message.strip_prefix("Expected: ").and_then(|rest| rest.rsplit_once(", found: ")) {
        Some((expected, "EOF")) => format!("the statement ends where {expected} is expected"),
        Some((expected, found)) => format!("`{found}` stands where {expected} is expected"),
        None => lower_first(message),
    }
}

/// The first `most` characters of a text, with a mark where there are more.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A sentence of another's as it is shown after a colon.
pub(crate) fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        Some(first) if chars.as_str().starts_with(char::is_lowercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => message.to_owned(),
    }
}

fn end_of_char(source: &SourceText, start: usize) -> usize {
    start + source.text()[start..].chars().next().map_or(0, char::len_utf8)
}

fn last_word(source: &SourceText, place: &Range<usize>) -> Range<usize> {
    let text = &source.text()[place.clone()];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = text.chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
    let length = word.max(text.chars().next_back().map_or(0, char::len_utf8));
    place.end - length..place.end
}

fn word_end(source: &SourceText, start: usize) -> usize {
    let rest = &source.text()[start..];
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if word == 0 { end_of_char(source, start) } else { start + word }
}

fn first_word(source: &SourceText, place: &Range<usize>) -> Range<usize> {
    place.start..word_end(source, place.start)
}

/// Takes `EMIT ON WINDOW CLOSE` or `EMIT CHANGES` from the end; the place of the first.
fn take_emit(source: &SourceText, tokens: &mut Vec<TokenWithSpan>) -> Option<Range<usize>> {
    for (words, closes) in [(&["emit", "on", "window", "close"][..], true), (&["emit", "changes"], false)] {
        let Some(start) = tokens.len().checked_sub(words.len()) else { continue };
        let matches = tokens[start..].iter().zip(words).all(|(token, word)| is_word(&token.token, word));
        if matches {
            let place = place_of(source, &tokens[start..]);
            tokens.truncate(start);
            return place.filter(|_| closes);
        }
    }
    None
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}
