//! The part of a query that a value could not be computed by, where only one can be meant.

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::dialect::FactumDialect;

/// Where in `text` the operator, cast or literal stands that `error` is about.
pub(crate) fn culprit(text: &str, error: &DataFusionError) -> Option<Location> {
    let error = error.find_root();
    let message = error.message();
    let tokens = Tokenizer::new(&FactumDialect, text).tokenize_with_location().ok()?;
    let tokens: Vec<_> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let is_value = |place: usize| match &tokens[place].token {
        Token::SingleQuotedString(value) => message.contains(&format!("'{value}'")),
        _ => false,
    };
    let DataFusionError::ArrowError(error, _) = error else { return only(&tokens, is_value) };
    match &**error {
        ArrowError::DivideByZero => {
            only(&tokens, |place| matches!(tokens[place].token, Token::Div | Token::Mod))
        }
        ArrowError::ArithmeticOverflow(_) => only(&tokens, |place| {
            matches!(tokens[place].token, Token::Plus | Token::Minus | Token::Mul)
                && is_between(&tokens, place)
        }),
        ArrowError::CastError(_) => {
            only(&tokens, is_value).or_else(|| only(&tokens, |place| is_cast(&tokens[place].token)))
        }
        _ => only(&tokens, is_value),
    }
}

/// The place of the one token for which `is_it`.
fn only(tokens: &[TokenWithSpan], is_it: impl Fn(usize) -> bool) -> Option<Location> {
    let mut places = (0..tokens.len()).filter(|place| is_it(*place));
    let first = places.next()?;
    places.next().is_none().then(|| tokens[first].span.start)
}

/// Whether an operator stands between two values: `a * b`, and neither `count(*)` nor `-a`.
fn is_between(tokens: &[TokenWithSpan], place: usize) -> bool {
    let before = place.checked_sub(1).map(|before| &tokens[before].token);
    let after = tokens.get(place + 1).map(|token| &token.token);
    let is_value = match before {
        Some(Token::Word(word)) => word.keyword == Keyword::NoKeyword || word.quote_style.is_some(),
        Some(Token::Number(..) | Token::RParen | Token::RBracket | Token::SingleQuotedString(_)) => true,
        _ => false,
    };
    is_value && after.is_some_and(|after| !matches!(after, Token::RParen | Token::Comma | Token::EOF))
}

fn is_cast(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.keyword == Keyword::CAST,
        token => *token == Token::DoubleColon,
    }
}
