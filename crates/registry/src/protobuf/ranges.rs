//! Reserved numbers and names, and ranges of numbers, as they are printed.

use super::options::write_quoted;
use super::print::Form;

/// The largest number of a field.
pub(super) const MAX_FIELD: i32 = 536_870_911;

/// `5`, `5 to 7`, `5 to max`.
pub(super) fn range(first: i32, last: i32, max: i32) -> String {
    if first == last {
        first.to_string()
    } else if last >= max {
        format!("{first} to max")
    } else {
        format!("{first} to {last}")
    }
}

/// Statements, of all numbers and of all names; of each by itself in the normal form. Both ends of a range are in it.
pub(super) fn reserved(form: Form, mut numbers: Vec<(i32, i32)>, names: &[String], max: i32) -> String {
    let mut names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    if form == Form::Normal {
        numbers.sort_unstable();
        names.sort_unstable();
    }
    let numbers: Vec<String> = numbers.into_iter().map(|(first, last)| range(first, last, max)).collect();
    let statements = match form {
        Form::Canonical => vec![numbers.join(", "), names.join(", ")],
        Form::Normal => [numbers, names].concat(),
    };
    let filled = statements.iter().filter(|statement| !statement.is_empty());
    filled.map(|statement| format!("reserved {statement};\n")).collect()
}

fn quoted(name: &str) -> String {
    let mut text = String::new();
    write_quoted(&mut text, name.as_bytes());
    text
}
