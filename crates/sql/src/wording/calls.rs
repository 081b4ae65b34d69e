//! Calls that no function takes: by how many arguments it takes, or by their types.

use std::collections::BTreeSet;

use super::in_sql;

/// What is wrong with `call`, which is `round(Utf8, Int64)`, and what to do; `rest` of DataFusion's message lists the
/// signatures of the function, each on a line of its own.
pub(crate) fn no_such_call(call: &str, rest: &str) -> (String, Option<String>) {
    let call = in_sql(call);
    let (name, arguments) = call.split_once('(').unwrap_or((&call, ")"));
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    if name == "array_element" {
        let help = "tags[1] is the first item of a list; write substr(name, 1, 1) for a part of a text";
        let kind = arguments.split(',').next().unwrap_or_default();
        return (format!("a value of type {kind} has no items that [ ] could take"), Some(help.to_owned()));
    }
    let given = count(arguments);
    let signatures = rest.lines().filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('('));
    let counts: Option<BTreeSet<usize>> = signatures.map(|rest| taken(rest.strip_suffix(')')?)).collect();
    match counts.filter(|counts| !counts.is_empty() && !counts.contains(&given)) {
        Some(counts) => {
            let last = counts.last().copied().unwrap_or_default();
            let all: Vec<_> = counts.iter().map(ToString::to_string).collect();
            let (all, word) = (all.join(" or "), if last == 1 { "argument" } else { "arguments" });
            let of_order = "write percentile_cont(0.5) WITHIN GROUP (ORDER BY price)".to_owned();
            let help = name.contains("percentile_cont").then_some(of_order);
            (format!("{name} takes {all} {word}, and not {given}"), help)
        }
        None if given > 1 && (name == "max" || name == "min") => {
            let (other, which) = if name == "max" { ("greatest", "largest") } else { ("least", "smallest") };
            let help = format!("{other}(a, b) is the {which} of several values of one row");
            (format!("{name} takes 1 argument, and not {given}"), Some(help))
        }
        None if given == 0 => (format!("{name} takes arguments, and there are none"), None),
        None => (format!("no function takes {call}"), Some("convert the value with CAST(… AS …)".to_owned())),
    }
}

/// How many arguments a signature takes, if it is a certain number.
fn taken(signature: &str) -> Option<usize> {
    if ["..", "UserDefined", "Variadic"].iter().any(|word| signature.contains(word)) {
        return None;
    }
    let counted = ["Numeric(", "String(", "Comparable("].iter().find_map(|kind| signature.strip_prefix(kind));
    match counted.and_then(|rest| rest.strip_suffix(')')?.parse().ok()) {
        Some(count) => Some(count),
        None if signature.starts_with("NullAry") => Some(0),
        None => Some(count(signature)),
    }
}

/// How many arguments a list has; commas within brackets part none.
fn count(arguments: &str) -> usize {
    if arguments.trim().is_empty() {
        return 0;
    }
    let mut depth = 0_i32;
    let mut commas = 0;
    for c in arguments.chars() {
        match c {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth -= 1,
            ',' if depth == 0 => commas += 1,
            _ => {}
        }
    }
    commas + 1
}
