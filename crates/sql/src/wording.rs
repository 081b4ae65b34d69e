//! Errors of DataFusion and Arrow in the words of SQL: without their prefixes, names of types and typed literals.
//!
//! Not here: which part of the query they mean, and what they say of values that the user wrote.

mod calls;
mod phrases;

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::DataFusionError;

use crate::statement::{lower_first, shortened};
pub(crate) use calls::no_such_call;

/// What their errors begin with, before what is wrong.
const PREFIXES: [&str; 17] = [
    "DataFusion error: ",
    "Arrow error: ",
    "External error: ",
    "Execution error: ",
    "Error during planning: ",
    "Schema error: ",
    "Invalid or Unsupported Configuration: ",
    "This feature is not implemented: ",
    "Internal error: ",
    "Resources exhausted: ",
    "SQL error: ",
    "Cast error: ",
    "Compute error: ",
    "Parser error: ",
    "Invalid argument error: ",
    "Arithmetic overflow: ",
    "Not yet implemented: ",
];

/// Why something cannot be computed.
pub(crate) fn reason(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => of_arrow(error),
        DataFusionError::External(error) => match error.downcast_ref::<ArrowError>() {
            Some(error) => of_arrow(error),
            None => plain(&error.to_string()),
        },
        root => plain(&root.message()),
    }
}

/// What the innermost error says, without the name of its kind.
pub(crate) fn root_message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => of_arrow(error),
        root => root.message().into_owned(),
    }
}

fn of_arrow(error: &ArrowError) -> String {
    match error {
        ArrowError::DivideByZero => "division by zero".to_owned(),
        ArrowError::ArithmeticOverflow(text) => {
            let what = text.strip_prefix("Overflow happened on: ").map(plain);
            what.map_or_else(|| plain(text), |what| format!("{what} is too large for its type"))
        }
        ArrowError::CastError(text) => of_cast(text),
        ArrowError::ExternalError(error) => plain(&error.to_string()),
        other => {
            let text = other.to_string();
            plain(text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest))
        }
    }
}

/// `Cannot cast string 'abc' to value of Int64 type` as `'abc' is no bigint`, and its like of numbers.
fn of_cast(text: &str) -> String {
    let value = text.strip_prefix("Cannot cast string '").and_then(|rest| rest.rsplit_once("' to value of "));
    let number = text.strip_prefix("Can't cast value ").and_then(|rest| rest.rsplit_once(" to type "));
    match (value, number) {
        (Some((value, kind)), _) => format!("'{value}' is no {}", in_sql(kind.trim_end_matches(" type"))),
        (None, Some((value, kind))) => format!("{value} does not fit in {}", in_sql(kind)),
        (None, None) => plain(text),
    }
}

/// A text without prefixes, in the words of SQL.
pub(crate) fn plain(text: &str) -> String {
    plain_with_help(text).0
}

/// The same, and what to do about it where that is known.
pub(crate) fn plain_with_help(text: &str) -> (String, Option<String>) {
    let mut text = text.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest.trim_start();
    }
    let text = in_sql(without_syntax_tree(text));
    phrases::better(&text).unwrap_or_else(|| (lower_first(&text), None))
}

/// The text before a piece of a parsed statement, which the planner shows as Rust does.
fn without_syntax_tree(text: &str) -> &str {
    match text.find("Span(Location(") {
        Some(_) => text.split(" {").next().unwrap_or(text).trim_end(),
        None => text,
    }
}

/// The same text with types and literals as SQL has them.
pub(crate) fn in_sql(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let (before, word_on) = rest.split_at(start);
        written.push_str(before);
        let end = word_on.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word_on.len());
        let (word, after) = word_on.split_at(end);
        // Names may hold what looks like a type: `"Int64"`, `x.Utf8`, `'Date32'`.
        let is_quoted =
            before.ends_with(['"', '`', '.', '_']) || before.ends_with(|c: char| c.is_alphanumeric());
        // Messages begin sentences with it as well.
        let is_word = word == "Map" && !after.starts_with('(');
        rest = match known(word).filter(|_| !is_quoted && !is_word) {
            None => {
                written.push_str(word);
                after
            }
            Some(name) => match within_brackets(after) {
                Some((inner, after)) => {
                    written.push_str(&typed(word, name, inner));
                    after
                }
                None => {
                    written.push_str(name);
                    after
                }
            },
        };
    }
    written.push_str(rest);
    // A count of rows is planned as the count of a constant.
    written.replace("count(1)", "count(*)")
}

/// Most characters of a type that is shown whole.
const LONGEST_TYPE: usize = 1_000;

/// A type as SQL calls it, with what it is made of: `list(struct(product_id bigint, price decimal(38, 2)))`.
pub(crate) fn type_name(kind: &DataType) -> String {
    let mut written = String::new();
    write_type(kind, &mut written);
    shortened(&written, LONGEST_TYPE)
}

fn write_type(kind: &DataType, written: &mut String) {
    // What is not shown need not be written.
    if written.len() > LONGEST_TYPE * 4 {
        return;
    }
    match kind {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            written.push_str("list(");
            write_type(item.data_type(), written);
            written.push(')');
        }
        DataType::Struct(fields) => {
            for (place, field) in fields.iter().enumerate() {
                written.push_str(if place == 0 { "struct(" } else { ", " });
                written.push_str(field.name());
                written.push(' ');
                write_type(field.data_type(), written);
            }
            written.push_str(if fields.is_empty() { "struct()" } else { ")" });
        }
        other => written.push_str(&in_sql(&other.to_string())),
    }
}

/// What SQL calls a type of Arrow.
fn known(word: &str) -> Option<&'static str> {
    Some(match word {
        "Int64" | "UInt64" | "UInt32" => "bigint",
        "Int8" | "Int16" | "Int32" | "UInt8" | "UInt16" => "integer",
        "Float16" | "Float32" | "Float64" => "double",
        "Decimal32" | "Decimal64" | "Decimal128" | "Decimal256" => "decimal",
        "Utf8" | "LargeUtf8" | "Utf8View" => "text",
        "Boolean" => "boolean",
        "Date32" | "Date64" => "date",
        "Time32" | "Time64" => "time",
        "Timestamp"
        | "TimestampMicrosecond"
        | "TimestampNanosecond"
        | "TimestampSecond"
        | "TimestampMillisecond" => "timestamp",
        "Interval" | "IntervalMonthDayNano" | "IntervalDayTime" | "IntervalYearMonth" => "interval",
        "Duration" => "interval",
        "List" | "LargeList" | "FixedSizeList" => "list",
        "Struct" => "struct",
        "Map" => "map",
        "Binary" | "LargeBinary" | "BinaryView" => "bytes",
        _ => return None,
    })
}

/// A type with parameters, or a literal with its type.
fn typed(word: &str, name: &'static str, inner: &str) -> String {
    let first = inner.split(',').next().unwrap_or_default().trim();
    match word {
        "Decimal128" | "Decimal256" if inner.matches(',').count() == 2 => {
            first.trim_start_matches("Some(").trim_end_matches(')').to_owned()
        }
        "Decimal128" | "Decimal256" => format!("{name}({inner})"),
        "Utf8" | "LargeUtf8" | "Utf8View" => format!("'{}'", inner.trim_matches('"')),
        "IntervalMonthDayNano" | "Interval" if inner.contains('{') => interval(inner),
        "Int64" | "Int32" | "Int16" | "Int8" | "UInt64" | "UInt32" | "UInt16" | "UInt8" | "Float64"
        | "Float32" | "Boolean" => inner.to_owned(),
        "Date32" | "TimestampMicrosecond" | "TimestampNanosecond" => format!("{name} {first}"),
        _ => name.to_owned(),
    }
}

/// `IntervalMonthDayNano { months: 0, days: 1, nanoseconds: 0 }` as SQL has it.
fn interval(text: &str) -> String {
    let number = |name: &str| -> i64 {
        let rest = text.split_once(name).map_or("", |(_, rest)| rest);
        let digits = rest.trim_start_matches([':', ' ']);
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(digits.len());
        digits[..end].parse().unwrap_or(0)
    };
    interval_of(number("months"), number("days"), number("nanoseconds"))
}

/// An interval as SQL has it.
pub(crate) fn interval_of(months: i64, days: i64, nanoseconds: i64) -> String {
    format!("INTERVAL '{}'", parts(months, days, nanoseconds))
}

/// A span of microseconds in words: `1 hour 30 minutes`.
pub(crate) fn span(microseconds: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    parts(0, microseconds / DAY, microseconds % DAY * 1_000)
}

fn parts(months: i64, days: i64, nanoseconds: i64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let parts = [
        (months, "month"),
        (days, "day"),
        (seconds / 3_600, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
        (nanoseconds % 1_000_000_000 / 1_000_000, "millisecond"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count != 0);
    let parts = parts.map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

/// What stands in the brackets that a text begins with, and what follows them.
fn within_brackets(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with('(') {
        return None;
    }
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&text[1..at], &text[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_literals_are_those_of_sql() {
        for (engine, sql) in [
            ("sum(Utf8)", "sum(text)"),
            ("count(Int64(1)) > Int64(2)", "count(*) > 2"),
            (r#"name = Utf8("a (b")"#, "name = 'a (b'"),
            ("total > Decimal128(3.00,38,2)", "total > 3.00"),
            ("Decimal128(38, 2) and Float64", "decimal(38, 2) and double"),
            (r#"Timestamp(µs, "UTC")"#, "timestamp"),
            (
                r#"IntervalMonthDayNano("IntervalMonthDayNano { months: 0, days: 1, nanoseconds: 3600000000000 }")"#,
                "INTERVAL '1 day 1 hour'",
            ),
            ("List(Field { name: \"item\" })", "list"),
            (r#"abs(Map("entries": non-null Struct("key": Utf8), unsorted))"#, "abs(map)"),
            ("Map keys", "Map keys"),
            ("o.Utf8 and MyInt64", "o.Utf8 and MyInt64"),
        ] {
            assert_eq!(in_sql(engine), sql);
        }
    }

    #[test]
    fn errors_have_no_prefixes() {
        let error = DataFusionError::from(ArrowError::DivideByZero).context("Optimizer rule 'x' failed");
        assert_eq!(reason(&error), "division by zero");
        let text = "Cannot cast string 'it's' to value of Int64 type".to_owned();
        assert_eq!(reason(&ArrowError::CastError(text).into()), "'it's' is no bigint");
        let nested = DataFusionError::Execution("Arrow error: Cast error: Bad value".to_owned());
        assert_eq!(reason(&nested), "bad value");
    }
}
