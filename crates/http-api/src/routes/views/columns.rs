//! A view's columns: as they are shown, and as parameters that select and order its rows.
//!
//! Invariants: a parameter's text becomes a literal of its column's type, never a part of the condition.

use factum_api::views::ColumnView;
use factum_sql::{Query, ViewStatus};
use factum_types::suggest;

use crate::http::parameter::Whole;
use crate::http::problem::Problem;

/// The columns, with words for their types.
pub(crate) fn shown(view: &ViewStatus) -> Vec<ColumnView> {
    let fields = view.columns.iter().flat_map(|columns| columns.fields().iter());
    let column = |name: &String, kind: String, nullable| ColumnView {
        name: name.clone(),
        r#type: word(&kind).to_owned(),
        nullable,
    };
    fields.map(|field| column(field.name(), field.data_type().to_string(), field.is_nullable())).collect()
}

/// SQL's word for a type, where it has a plain one.
fn word(kind: &str) -> &str {
    match kind.split('(').next().unwrap_or(kind) {
        "Utf8" | "LargeUtf8" | "Utf8View" => "text",
        "Int8" | "Int16" | "Int32" | "UInt8" | "UInt16" => "integer",
        "Int64" | "UInt32" | "UInt64" => "bigint",
        "Float16" | "Float32" | "Float64" => "double",
        "Decimal128" | "Decimal256" => "decimal",
        "Boolean" => "boolean",
        "Timestamp" => "timestamp",
        "Date32" | "Date64" => "date",
        "List" | "LargeList" => "list",
        "Struct" => "struct",
        _ => kind,
    }
}

/// What the parameters ask for.
pub(super) fn query(view: &ViewStatus, params: Vec<(String, String)>) -> Result<Query, Problem> {
    let mut query = Query::default();
    let mut equal: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in params {
        if matches!(name.as_str(), "limit" | "order" | "filter") && value.trim().is_empty() {
            return Err(empty(&name));
        }
        match name.as_str() {
            "limit" => query.limit = Some(limit(&value)?),
            "order" => query.order = Some(order(view, &value)?),
            "filter" => query.filter = Some(value),
            name => {
                let (column, literal) = condition(view, name, &value)?;
                match equal.iter_mut().find(|(known, _)| *known == column) {
                    Some((_, literals)) => literals.push(literal),
                    None => equal.push((column, vec![literal])),
                }
            }
        }
    }
    let equal = equal.into_iter().map(|(column, literals)| format!("{column} IN ({})", literals.join(", ")));
    let filter = query.filter.take().map(|filter| format!("({filter})"));
    let conditions: Vec<String> = equal.chain(filter).collect();
    query.filter = (!conditions.is_empty()).then(|| conditions.join(" AND "));
    Ok(query)
}

fn empty(name: &str) -> Problem {
    let such_as = match name {
        "filter" => "a condition in SQL, such as sold > 10",
        "order" => "columns to order by, such as -sold,title",
        _ => "a number of rows",
    };
    let detail = format!("{name} is empty: leave it out, or give {such_as}");
    Problem::malformed(detail).with("in", "query").with("field", name)
}

fn limit(text: &str) -> Result<usize, Problem> {
    let read = Whole::<0, { i64::MAX }, 10>::parse(text);
    let wrong = |error| Problem::malformed(format_args!("limit: {error}")).with("in", "query");
    read.map(|limit| usize::try_from(limit.get()).unwrap_or(usize::MAX)).map_err(wrong)
}

/// `-sold,title` as SQL.
fn order(view: &ViewStatus, text: &str) -> Result<String, Problem> {
    let one = |part: &str| {
        let (name, direction) = match part.trim().strip_prefix('-') {
            Some(name) => (name, " DESC"),
            None => (part.trim(), ""),
        };
        Ok(format!("{}{direction}", quoted(column(view, name)?.0)))
    };
    let parts: Result<Vec<String>, Problem> = text.split(',').map(one).collect();
    Ok(parts?.join(", "))
}

/// A column and a literal of its type.
fn condition(view: &ViewStatus, name: &str, value: &str) -> Result<(String, String), Problem> {
    let (name, kind) = column(view, name)?;
    let wrong = |what: &str| {
        let detail = format!("column {name} holds {what}, and {value:?} is none");
        Problem::malformed(detail).with("in", "query").with("field", name)
    };
    let literal = match word(&kind) {
        "integer" | "bigint" | "decimal" | "double" if is_number(value) => value.to_owned(),
        "integer" | "bigint" | "decimal" | "double" => return Err(wrong("numbers")),
        "boolean" if matches!(value, "true" | "false") => value.to_owned(),
        "boolean" => return Err(wrong("true or false")),
        "text" => text(value),
        _ => format!(
            "CAST({} AS {})",
            text(value),
            cast(&kind).ok_or_else(|| wrong("nothing to compare with"))?
        ),
    };
    Ok((quoted(name), literal))
}

fn cast(kind: &str) -> Option<&'static str> {
    match word(kind) {
        "timestamp" => Some("TIMESTAMP"),
        "date" => Some("DATE"),
        _ => None,
    }
}

/// A column's own name and type; case and underscores do not matter where no two columns differ by them alone.
fn column<'a>(view: &'a ViewStatus, asked: &str) -> Result<(&'a str, String), Problem> {
    let fields: Vec<_> = view.columns.iter().flat_map(|columns| columns.fields().iter()).collect();
    let squashed = |name: &str| name.to_lowercase().replace('_', "");
    let exact = fields.iter().find(|field| field.name() == asked);
    let mut similar = fields.iter().filter(|field| squashed(field.name()) == squashed(asked));
    let found = exact.or_else(|| similar.next().filter(|_| similar.next().is_none()));
    if let Some(field) = found {
        return Ok((field.name().as_str(), field.data_type().to_string()));
    }
    let names = fields.iter().map(|field| field.name().as_str());
    let known: Vec<_> = names.clone().collect();
    let problem = Problem::malformed(format_args!("view {} has no column {asked}", view.name));
    let problem = problem.with("in", "query").with("field", asked);
    Err(match suggest::nearest(asked, names) {
        Some(near) => problem.also(format_args!("did you mean {near}?")).with("near", near),
        None => problem.also(format_args!("it has {}", known.join(", "))),
    })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A literal of text.
pub(crate) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all =
        |part: &str| !part.is_empty() && part.len() <= 38 && part.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && all(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_cannot_be_left() {
        assert_eq!(text("O'Hara' OR 1=1 --"), "'O''Hara'' OR 1=1 --'");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        for number in ["0", "-1", "12.50", "007"] {
            assert!(is_number(number), "{number}");
        }
        for other in ["", "-", "1e5", ".5", "5.", "1 OR 1=1", "0x10", "NaN", "١"] {
            assert!(!is_number(other), "{other}");
        }
    }
}
