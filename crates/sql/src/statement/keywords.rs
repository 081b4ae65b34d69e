//! Misspelt keywords: what was meant where the parser stumbles over a word, or over what follows it.
//!
//! A word that is no keyword is taken for a name wherever one may stand: of `SELECT total FORM orders` the parser refuses
//! `orders`. So the word before the place is looked at too.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use factum_types::suggest::nearest;

use super::is_word;
use super::source_text::SourceText;
use crate::definitions::Problem;

/// Keywords of queries and declarations. Others of three letters and fewer are like too many names.
const KEYWORDS: &[&str] = &[
    "SELECT",
    "DISTINCT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "OUTER",
    "CROSS",
    "USING",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "WITH",
    "VALUES",
    "CREATE",
    "MATERIALIZED",
    "VIEW",
    "EMIT",
    "WINDOW",
    "CLOSE",
    "UNNEST",
    "INTERVAL",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "CAST",
    "BETWEEN",
    "LIKE",
    "EXISTS",
    "OVER",
    "PARTITION",
    "QUALIFY",
    "NULLS",
    "DESC",
    "BY",
];

/// The same problem with the keyword that was meant, where a word of the statement is nearly one.
pub(super) fn explained(source: &SourceText, tokens: &[TokenWithSpan], problem: Problem) -> Problem {
    if problem.help.is_some() {
        return problem;
    }
    let place = tokens
        .iter()
        .position(|token| source.range(token.span).is_some_and(|span| span.start >= problem.span.start));
    let place = place.unwrap_or(tokens.len());
    let misspelt = |place: usize| misspelt(tokens, place);
    // The plural of a keyword is a good name: `orders`.
    let at = misspelt(place).filter(|(word, meant)| !is_plural(word, meant));
    let help = at.map(|(_, meant)| format!("did you mean `{meant}`?"));
    let help = help.or_else(|| without_by(tokens, place)).or_else(|| {
        let beside = [Some(place + 1), place.checked_sub(1)].into_iter().flatten().filter_map(misspelt);
        let (word, meant) = beside.into_iter().find(|(word, meant)| !is_plural(word, meant))?;
        Some(format!("did you mean `{meant}` where it says `{word}`?"))
    });
    Problem { help, ..problem }
}

/// The keyword that a name nearly is, where there is nothing else of this name.
pub(crate) fn nearly(name: &str) -> Option<&'static str> {
    let meant = nearest(name, KEYWORDS.iter().copied()).filter(|_| name.len() >= 3)?;
    (!is_plural(name, meant)).then_some(meant)
}

/// What to write where BY is missing.
fn without_by(tokens: &[TokenWithSpan], place: usize) -> Option<String> {
    let Token::Word(word) = &tokens.get(place)?.token else { return None };
    let is_followed = tokens.get(place + 1).is_some_and(|next| is_word(&next.token, "by"));
    let begins = matches!(word.keyword, Keyword::GROUP | Keyword::ORDER | Keyword::PARTITION);
    (begins && !is_followed).then(|| format!("write {} BY", word.value.to_uppercase()))
}

/// A word that is no keyword, and the one that it is nearly. What stands beside a point is a name.
fn misspelt(tokens: &[TokenWithSpan], place: usize) -> Option<(&str, &'static str)> {
    let is_point = |place: usize| tokens.get(place).is_some_and(|token| token.token == Token::Period);
    if is_point(place + 1) || place.checked_sub(1).is_some_and(is_point) {
        return None;
    }
    let Token::Word(word) = &tokens.get(place)?.token else { return None };
    let is_name = word.quote_style.is_some() || word.keyword != Keyword::NoKeyword || word.value.len() < 3;
    if is_name {
        return None;
    }
    Some((&word.value, nearest(&word.value, KEYWORDS.iter().copied())?))
}

fn is_plural(word: &str, keyword: &str) -> bool {
    word.len() == keyword.len() + 1 && word.to_uppercase().strip_suffix('S') == Some(keyword)
}
