//! Spellings of other systems, and what to write here: Flink, ksqlDB, Spark and PostgreSQL.
//!
//! Two tables: phrases that statements are refused for, and functions that do not exist here. A suggestion is by
//! meaning; a name that is merely spelled alike is suggested by [`crate::names::suggest`], if it is near.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::keywords;
use super::source_text::SourceText;
use crate::definitions::Problem;

const TUMBLE: &str = "write FROM TUMBLE(orders, order_date, INTERVAL '1 hour') and GROUP BY window_start";
const UNNEST: &str = "write FROM orders, UNNEST(details) AS d: each item is a row of its own";
const LOOKUP: &str = "join the reference table as it is: FROM orders JOIN products ON …";

/// Words in a row, and what to write for them.
const PHRASES: &[(&[&str], &str)] = &[
    (&["table", "(", "tumble"], TUMBLE),
    (&["window", "tumbling"], TUMBLE),
    (
        &["table", "(", "hop"],
        "hopping windows are not supported by this version: tumbling ones are, by TUMBLE",
    ),
    (
        &["window", "hopping"],
        "hopping windows are not supported by this version: tumbling ones are, by TUMBLE",
    ),
    (
        &["table", "(", "cumulate"],
        "cumulating windows are not supported by this version: tumbling ones are, by TUMBLE",
    ),
    (
        &["table", "(", "session"],
        "session windows are not supported by this version: tumbling ones are, by TUMBLE",
    ),
    (
        &["window", "session"],
        "session windows are not supported by this version: tumbling ones are, by TUMBLE",
    ),
    (&["for", "system_time", "as", "of"], LOOKUP),
    (&["lateral", "view"], UNNEST),
    (&["lateral", "table"], UNNEST),
    (&["lateral"], UNNEST),
    (&["cross", "apply"], UNNEST),
    (&["outer", "apply"], UNNEST),
    (&["emit", "final"], "write EMIT ON WINDOW CLOSE, at the end of a CREATE MATERIALIZED VIEW"),
    (&["emit", "stream"], "leave it out: a view can always be followed, GET /api/v1/views/…/changes"),
    (
        &["watermark", "for"],
        "the time and the lateness of events stand in their topic's file: time, lateness",
    ),
    (
        &["create", "stream"],
        "a stream is a topic, with a file of its own in events/; what is computed is a CREATE MATERIALIZED VIEW",
    ),
    (
        &["create", "table"],
        "what is computed is a CREATE MATERIALIZED VIEW; rows that you write yourself are a CSV file in tables/",
    ),
    (
        &["create", "or", "replace"],
        "leave OR REPLACE out: a project says what there is, and applying it changes what differs",
    ),
    (&["create", "source"], "a source is a topic, with a file of its own in events/"),
    (&["create", "sink"], "subscribe to the changes of a view: GET /api/v1/views/…/changes"),
    (&["insert", "into"], "declare a CREATE MATERIALIZED VIEW: its rows can be read and followed"),
    (&["match_recognize"], "patterns over events are not supported by this version"),
    (&["within", "interval"], "join by a condition on the two times, over views of the two streams"),
    (&["between", "symmetric"], "write BETWEEN least(a, b) AND greatest(a, b)"),
];

const EXTRACT: &str = "write extract(hour FROM order_date), and so for year, month, day, dow, minute, second";
const FIELD: &str = "fields of JSON are columns here: write address.city";
const SHIFT: &str = "write order_date + INTERVAL '1 day'";

/// Functions of other systems by what they mean.
const FUNCTIONS: &[(&[&str], &str)] = &[
    (&["mod"], "write a % b"),
    (&["pow"], "write power(a, b)"),
    (
        &[
            "year",
            "quarter",
            "month",
            "week",
            "day",
            "dayofmonth",
            "dayofweek",
            "dayofyear",
            "hour",
            "minute",
            "second",
        ],
        EXTRACT,
    ),
    (&["tumble", "tumble_start", "tumble_end", "tumble_rowtime", "window"], TUMBLE),
    (
        &["hop", "hop_start", "hop_end", "session", "session_start", "session_end", "cumulate"],
        "only tumbling windows are supported by this version: FROM TUMBLE(orders, order_date, INTERVAL '1 hour')",
    ),
    (&["split_index", "substring_index"], "write split_part(name, ',', 1), which counts from 1"),
    (
        &[
            "json_value",
            "json_query",
            "json_extract",
            "json_extract_path_text",
            "get_json_object",
            "extractjsonfield",
        ],
        FIELD,
    ),
    (&["explode", "flatten"], UNNEST),
    (&["isnull"], "write a IS NULL, or coalesce(a, 0) for a value in its place"),
    (&["notnull"], "write a IS NOT NULL"),
    (&["ifnull", "zeroifnull"], "write coalesce(a, 0)"),
    (&["if", "iff", "iif", "decode"], "write CASE WHEN a > 0 THEN b ELSE c END"),
    (&["len"], "write length(name)"),
    (&["ucase"], "write upper(name)"),
    (&["lcase"], "write lower(name)"),
    (&["locate", "charindex", "instr"], "write strpos(name, 'a')"),
    (&["mid"], "write substr(name, 2, 3)"),
    (&["dateadd", "date_add", "timestampadd", "date_sub"], SHIFT),
    (&["datediff", "timestampdiff"], "write extract(epoch FROM shipped - order_date)"),
    (&["date_format", "format_date"], "write to_char(order_date, '%Y-%m')"),
    (&["unix_timestamp", "unix_millis", "stringtotimestamp"], "write extract(epoch FROM order_date)"),
    (
        &["getdate", "sysdate", "localtimestamp", "proctime", "clock_timestamp"],
        "write now(): the moment at which a view is read",
    ),
    (&["rowtime", "row_time"], "write the topic's own column of time"),
    (&["listagg", "group_concat"], "write string_agg(name, ', ')"),
    (&["collect_list", "collect"], "write array_agg(name)"),
    (&["collect_set"], "write array_agg(DISTINCT name)"),
    (&["count_distinct"], "write count(DISTINCT name)"),
    (&["approx_count_distinct"], "write approx_distinct(name)"),
    (&["latest_by_offset"], "write last_value(name ORDER BY order_date)"),
    (&["earliest_by_offset"], "write first_value(name ORDER BY order_date)"),
    (&["any_value"], "write min(name)"),
    (&["regexp_extract"], "write regexp_match(name, pattern)[1]"),
    (&["size", "array_size"], "write cardinality(tags)"),
    (&["uuid", "rand", "random"], "a view cannot keep what is different each time"),
];

/// What to write for a function that does not exist.
pub(crate) fn function(name: &str) -> Option<&'static str> {
    let meant = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    FUNCTIONS.iter().find(|(names, _)| meant(names)).map(|(_, help)| *help)
}

/// A problem of the parser, at the phrase that it stumbled over if that is another system's; else with the keyword that was
/// meant, if a word is nearly one.
pub(super) fn explained(source: &SourceText, tokens: &[TokenWithSpan], problem: Problem) -> Problem {
    let found = (0..tokens.len()).rev().find_map(|start| {
        let (words, help) = PHRASES.iter().find(|(words, _)| begins(&tokens[start..], words))?;
        let first = source.range(tokens[start].span)?;
        let last = source.range(tokens[start + words.len() - 1].span)?;
        // Behind the place it was not read yet.
        (first.start <= problem.span.start).then_some((first.start..last.end, *help))
    });
    match found {
        Some((span, help)) => refused(problem, span, help),
        None => keywords::explained(source, tokens, problem),
    }
}

fn refused(problem: Problem, span: Range<usize>, help: &str) -> Problem {
    let phrase = problem.text[span.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
    let message = format!("`{phrase}` is not supported");
    Problem { message, span, help: Some(help.to_owned()), ..problem }
}

fn begins(tokens: &[TokenWithSpan], words: &[&str]) -> bool {
    tokens.len() >= words.len()
        && tokens.iter().zip(words).all(|(token, word)| match &token.token {
            Token::Word(found) => found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word),
            Token::LParen => *word == "(",
            _ => false,
        })
}
