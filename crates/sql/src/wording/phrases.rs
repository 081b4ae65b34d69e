//! Sentences of DataFusion's planner and of Arrow, each as a user of SQL would have it, with what to do.

use super::in_sql;

const CAST: &str = "convert one of them with CAST(… AS …)";

/// Of a time that is converted to nanoseconds in 64 bits.
const OUT_OF_RANGE: &str = "out of range: this is computed of times from 1677-09-22 to 2262-04-11";

/// What `message` says, in better words; `None` where it has none. Its types are those of SQL already.
pub(super) fn better(message: &str) -> Option<(String, Option<String>)> {
    let help = |text: &str| Some(text.to_owned());
    let between = |start: &str, end: &str| {
        let (_, rest) = message.split_once(start)?;
        rest.split_once(end)
    };
    if let Some((operation, _)) = message.split_once(" queries have different number of columns") {
        let text = format!("both sides of {operation} need the same number of columns");
        return Some((text, None));
    }
    if let Some((one, rest)) = between("nputs were of type ", ", but got incompatible type ") {
        let (other, column) = rest.split_once(" on column ")?;
        let text =
            format!("column {column} of a UNION is {} in one query and {} in another", a(one), a(other));
        return Some((text, help(CAST)));
    }
    if let Some((expression, _)) = between("annot coerce arithmetic expression ", " to valid types") {
        let (left, operator, right) = operation(expression)?;
        return Some((
            format!("`{operator}` cannot be computed of {} and {}", a(left), a(right)),
            help(CAST),
        ));
    }
    if let Some((_, expression)) = message.split_once("nfer common argument type for comparison operation ") {
        let (left, operator, right) = operation(expression)?;
        return Some((
            format!("{} and {} cannot be compared by `{operator}`", a(left), a(right)),
            help(CAST),
        ));
    }
    if let Some((types, _)) = between("isn't a common type to coerce ", " in LIKE expression") {
        let (left, right) = types.split_once(" and ")?;
        return Some((format!("LIKE takes two texts, and not {} and {}", a(left), a(right)), help(CAST)));
    }
    if let Some((one, rest)) = between("ailed to coerce then (", ") and else (") {
        let (other, _) = rest.split_once(") to common types")?;
        let text = format!("CASE gives {} in one branch and {} in another", a(one), a(other));
        return Some((text, help(CAST)));
    }
    if let Some((expression, rest)) = between("ilter with non-boolean predicate '", "' returning ") {
        return Some((format!("a condition is true or false, and {expression} is {}", a(rest)), None));
    }
    if let Some((_, kind)) = message.split_once("'NOT' requires a boolean expression, got ") {
        return Some((format!("NOT takes a boolean, and not {}", a(kind)), None));
    }
    if message.contains("nary operator '-' only supports signed numeric") {
        return Some(("`-` takes a number or an interval".to_owned(), None));
    }
    unsupported(message).or_else(|| grouping(message)).or_else(|| shape(message)).or_else(|| value(message))
}

/// Of what the planner does not take.
fn unsupported(message: &str) -> Option<(String, Option<String>)> {
    let help = |text: &str| Some(text.to_owned());
    let rest = |start: &str| message.split_once(start).map(|(_, rest)| rest.trim());
    for clause in ["LIMIT", "OFFSET"] {
        if let Some(kind) = rest(&format!("xpected {clause} to be an integer or null, but got ")) {
            return Some((format!("{clause} takes a whole number, and not {}", a(kind)), None));
        }
    }
    for clause in ["LIMIT", "OFFSET"] {
        let given =
            rest(&format!("{clause} must be >= 0, '")).or_else(|| rest(&format!("{clause} must be >=0, '")));
        if let Some((value, _)) = given.and_then(|rest| rest.split_once('\'')) {
            return Some((format!("{clause} takes a whole number from 0 on, and not {value}"), None));
        }
    }
    if message.contains("to grouping function is not in grouping columns") {
        return Some(("grouping takes keys of GROUP BY".to_owned(), None));
    }
    if let Some(name) = rest("chema contains duplicate unqualified field name ") {
        let name = name.trim_matches('"');
        let text = format!("two columns are called `{name}`: give one of them another name with AS");
        return Some((text, None));
    }
    if let Some(kind) = rest("nsupported SQL type ") {
        let text = format!("there is no type {kind}");
        return Some((text, help("write text, bigint, double, decimal(12, 2), boolean, date or timestamp")));
    }
    if let Some((name, _)) = rest("laceholder '").and_then(|rest| rest.split_once('\'')) {
        return Some((format!("there are no parameters: write a value in place of '{name}'"), None));
    }
    if let Some(node) = rest("nsupported ast node in sqltorel: ") {
        let node = node.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        return Some((format!("{} is not supported in an expression", node.to_uppercase()), None));
    }
    if let Some(literal) = rest("nsupported Value '").or_else(|| rest("nsupported value '")) {
        let literal = literal.split('"').nth(1)?;
        return Some((format!("a literal of this kind is not supported: '{literal}'"), None));
    }
    if let Some(window) = rest("he window ").and_then(|rest| rest.strip_suffix(" is not defined!")) {
        let text = format!("there is no window `{window}`");
        return Some((text, help("write OVER (ORDER BY …), or WINDOW w AS (…) at the end")));
    }
    if let Some((field, _)) = rest("ield ").and_then(|rest| rest.split_once(" not found in struct")) {
        return Some((format!("there is no field `{field}`"), None));
    }
    let (function, rest) = rest("o satisfy a call to '")?.split_once('\'')?;
    let (kind, _) = rest.split_once("coercion from ")?.1.split_once(" to the signature")?;
    Some((format!("no function takes {function}({})", in_sql(kind)), help(CAST)))
}

/// Of aggregates and groups.
fn grouping(message: &str) -> Option<(String, Option<String>)> {
    let help = |text: &str| Some(text.to_owned());
    if let Some((column, _)) = message.split_once("\" must appear in the GROUP BY clause") {
        let column = column.rsplit('"').next()?;
        let text = format!("`{column}` is neither in GROUP BY nor within an aggregate");
        return Some((
            text,
            Some(format!("add it to GROUP BY, or write max({column}) or another aggregate")),
        ));
    }
    if message.contains("ggregate functions are not allowed in the WHERE clause") {
        return Some((
            "aggregates are not allowed in WHERE".to_owned(),
            help("write the condition in HAVING"),
        ));
    }
    if message.contains("ggregate function calls cannot be nested") {
        let text = "an aggregate cannot be computed of another".to_owned();
        return Some((text, help("compute the inner one in a subquery: FROM (SELECT … GROUP BY …)")));
    }
    if let Some((_, rest)) = message.split_once("rder by column out of bounds, specified: ") {
        let (place, most) = rest.split_once(", max: ")?;
        return Some((format!("ORDER BY {place} names no column: SELECT has {most}"), None));
    }
    let (_, rest) = message.split_once("annot find column with position ")?;
    let (place, rest) = rest.split_once(" in SELECT clause. Valid columns: 1 to ")?;
    Some((format!("GROUP BY {place} names no column: SELECT has {rest}"), None))
}

/// Of the columns that parts of a query give.
fn shape(message: &str) -> Option<(String, Option<String>)> {
    let help = |text: &str| Some(text.to_owned());
    if let Some((_, columns)) = message.split_once("subquery should only return one column: ") {
        return Some((format!("a query within an expression gives one column, and not {columns}"), None));
    }
    if let Some((_, column)) = message.split_once("mbiguous reference to unqualified field ") {
        let text = format!("`{column}` is a column of several relations");
        return Some((text, Some(format!("write which one is meant, as in orders.{column}"))));
    }
    if let Some((_, kind)) = message.split_once("annot access field at argument 1: type ") {
        let kind = kind.split_once(" is not ").map_or(kind, |(kind, _)| kind);
        let text = format!("{} has no fields", a(kind));
        return Some((
            text,
            help("write address.city for a field of an object, and tags[1] for the first item of a list"),
        ));
    }
    if message.contains("ubstring without for/from") {
        return Some((
            "substr takes a start as well".to_owned(),
            help("write substr(name, 2), or substr(name, 2, 3)"),
        ));
    }
    let (_, rest) = message.split_once("nconsistent data length across values list: got ")?;
    let (found, rest) = rest.split_once(" values in row ")?;
    let (row, expected) = rest.split_once(" but expected ")?;
    Some((
        format!("rows of VALUES need the same number of values: row {row} has {found}, and not {expected}"),
        None,
    ))
}

/// Of single values.
fn value(message: &str) -> Option<(String, Option<String>)> {
    if let Some((_, rest)) = message.split_once("rror parsing timestamp from '") {
        let (value, _) = rest.rsplit_once("': ")?;
        return Some((format!("'{value}' is no timestamp"), Some("write 2026-01-31T12:00:00Z".to_owned())));
    }
    if let Some((from, to)) =
        message.split_once("nsupported CAST from ").and_then(|(_, rest)| rest.split_once(" to "))
    {
        return Some((format!("{} cannot be cast to {to}", a(from)), None));
    }
    let time =
        message.split_once("verflow converting ").and_then(|(_, rest)| rest.split_once(" to Nanosecond"));
    if let Some((time, _)) = time {
        return Some((format!("{time} is {OUT_OF_RANGE}"), None));
    }
    if message.contains("annot cast timestamp value ")
        && message.contains("exceeds the representable i64 range")
    {
        return Some((format!("a time is {OUT_OF_RANGE}"), None));
    }
    pattern(message)
}

/// Of a regular expression: the words of the crate that reads it, without the pattern over several lines.
fn pattern(message: &str) -> Option<(String, Option<String>)> {
    let starts = ["egular expression did not compile: ", "regex parse error:", "egexp pattern is invalid: "];
    let (_, rest) = starts.iter().find_map(|start| message.split_once(start))?;
    let reason = rest.rsplit_once("error: ").map_or(rest, |(_, reason)| reason);
    let reason = reason.split(['\n', '~']).next().unwrap_or_default().trim();
    Some((format!("the pattern is no regular expression: {reason}"), None))
}

/// `text + decimal(38, 2)` taken apart.
fn operation(expression: &str) -> Option<(&str, &str, &str)> {
    let mut depth = 0_usize;
    let operator = expression.char_indices().find_map(|(at, c)| {
        depth = if c == '(' {
            depth + 1
        } else if c == ')' {
            depth.saturating_sub(1)
        } else {
            depth
        };
        (depth == 0 && c == ' ').then_some(at)
    })?;
    let (left, rest) = expression.split_at(operator);
    // IS NOT DISTINCT FROM has spaces of its own: the right side begins behind the last word that is no type.
    let rest = rest.trim_start();
    let end = rest.find(|c: char| c.is_ascii_lowercase())?;
    let (operator, right) = rest.split_at(end);
    Some((left, operator.trim_end(), right))
}

/// A type with its article.
fn a(kind: &str) -> String {
    let kind = in_sql(kind.trim());
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}
