//! Results on standard output, in the format asked for.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use factum_api::transactions::HeldPartitionView;
use miette::Diagnostic;
use serde::Serialize;

use crate::args::Format;
use crate::client::JsonRow;

/// Why nothing more could be printed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum Error {
    /// Standard output is full or broken. A reader that simply went away is no error.
    #[error("write to standard output")]
    Write(#[source] io::Error),
    /// YAML has no way to write this.
    #[error("write as YAML")]
    Yaml(#[from] serde_saphyr::SerializeError),
}

/// What an open transaction holds back of a partition, in one line.
pub(crate) fn held_back(held: &HeldPartitionView) -> String {
    let HeldPartitionView { topic, partition, start_offset, records, .. } = held;
    let by = match &held.transactional_id {
        Some(id) => format!("by transaction {}", printable(id)),
        None if held.is_hanging => {
            "by a transaction that no transactional id knows (`factum transaction list`)".to_owned()
        }
        None => "by another's transaction".to_owned(),
    };
    let since = held.since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
    format!("{topic}/{partition} from offset {start_offset} on ({records} records) {by}{since}")
}

/// One column of a list.
pub(crate) struct Column<T> {
    /// Its name; CSV and the table use the same.
    pub(crate) name: &'static str,
    /// Its text for one row.
    pub(crate) text: fn(&T) -> String,
    /// Whether numbers stand in it.
    pub(crate) is_number: bool,
}

/// A column of words.
pub(crate) const fn words<T>(name: &'static str, text: fn(&T) -> String) -> Column<T> {
    Column { name, text, is_number: false }
}

/// A column of numbers.
pub(crate) const fn numbers<T>(name: &'static str, text: fn(&T) -> String) -> Column<T> {
    Column { name, text, is_number: true }
}

/// What can stand in a list.
pub(crate) trait Row: Serialize + Sized + 'static {
    /// The columns of the table and of CSV.
    const COLUMNS: &'static [Column<Self>];

    /// The name that `-o name` prints and that other commands take.
    fn name(&self) -> String;
}

/// Prints a list.
pub(crate) fn list<T: Row>(format: Format, rows: &[T]) -> Result<(), Error> {
    match format {
        Format::Table if rows.is_empty() => Ok(()),
        Format::Table => print(&table(rows)),
        Format::Name => print(&rows.iter().map(|row| row.name() + "\n").collect::<String>()),
        Format::Csv => print(&csv(rows)),
        Format::Json | Format::Yaml => value(format, &rows),
    }
}

/// Prints one thing, with `people` for people; a form that lists cannot have falls back on it.
pub(crate) fn one<T: Serialize>(
    format: Format,
    thing: &T,
    people: impl FnOnce() -> String,
) -> Result<(), Error> {
    match format {
        Format::Json | Format::Yaml => value(format, thing),
        Format::Table | Format::Csv | Format::Name => print(&people()),
    }
}

/// Prints rows whose columns only the server knows. CSV is the server's own.
pub(crate) fn rows(format: Format, rows: &[JsonRow]) -> Result<(), Error> {
    match format {
        Format::Json | Format::Yaml => value(format, &rows),
        Format::Name => print(&rows.iter().map(|row| first(row) + "\n").collect::<String>()),
        Format::Table | Format::Csv if rows.is_empty() => Ok(()),
        Format::Table | Format::Csv => print(&row_table(rows)),
    }
}

/// Rows as aligned columns, under the names that the query gave them.
pub(crate) fn row_table(rows: &[JsonRow]) -> String {
    let Some(names) = rows.first() else { return String::new() };
    let is_number = |name: &String| {
        let values = rows.iter().filter_map(|row| row.get(name)).filter(|value| !value.is_null());
        values.map(cell).all(|text| text.parse::<f64>().is_ok())
    };
    let kinds: Vec<_> = names.keys().map(|name| (name, is_number(name))).collect();
    let cells = rows.iter().map(|row| {
        let cell = |(name, kind): &(&String, bool)| (row.get(*name).map(cell).unwrap_or_default(), *kind);
        kinds.iter().map(cell).collect()
    });
    grid(names.keys().map(|name| printable(name)).collect(), cells.collect())
}

/// One value on one line: text as it is, nothing for null, else JSON.
pub(crate) fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn first(row: &JsonRow) -> String {
    printable(&row.values().next().map(cell).unwrap_or_default())
}

fn value<T: Serialize>(format: Format, thing: &T) -> Result<(), Error> {
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(thing)?,
        _ => serde_json::to_string_pretty(thing).expect("shapes have text keys and no failing parts") + "\n",
    };
    print(&text)
}

/// Prints text as it is.
///
/// # Errors
/// [`Error::Write`]; a reader that went away (`| head`) ends the process quietly instead.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        result => result.map_err(Error::Write),
    }
}

/// Columns aligned by spaces: nothing that `awk` would trip over.
pub(crate) fn table<T: Row>(rows: &[T]) -> String {
    let header = T::COLUMNS.iter().map(|column| column.name.to_uppercase().replace('_', " "));
    let cells = rows
        .iter()
        .map(|row| T::COLUMNS.iter().map(|column| ((column.text)(row), column.is_number)).collect());
    grid(header.collect(), cells.collect())
}

/// Two columns, for a description.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    pairs.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

fn grid(header: Vec<String>, rows: Vec<Vec<(String, bool)>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let align = |is_number| if is_number { CellAlignment::Right } else { CellAlignment::Left };
    let kinds: Vec<bool> =
        rows.first().map(|row| row.iter().map(|(_, kind)| *kind).collect()).unwrap_or_default();
    let titles = header.into_iter().zip(&kinds);
    table.set_header(titles.map(|(title, kind)| Cell::new(title).set_alignment(align(*kind))));
    for row in rows {
        table.add_row(
            row.into_iter().map(|(text, kind)| Cell::new(printable(&text)).set_alignment(align(kind))),
        );
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn csv<T: Row>(rows: &[T]) -> String {
    let field = |text: &str| {
        if text.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let header: Vec<String> = T::COLUMNS.iter().map(|column| field(column.name)).collect();
    let mut lines = vec![header.join(",")];
    for row in rows {
        let fields: Vec<String> = T::COLUMNS.iter().map(|column| field(&(column.text)(row))).collect();
        lines.push(fields.join(","));
    }
    lines.join("\n") + "\n"
}

/// `1 event`, `2 events`.
pub(crate) fn count(number: impl TryInto<i64>, noun: &str) -> String {
    match number.try_into() {
        Ok(1) => format!("1 {noun}"),
        Ok(number) => format!("{number} {noun}s"),
        Err(_) => format!("countless {noun}s"),
    }
}

/// The text as one word of a command that can be pasted into a shell.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:@%+,=".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// The text without control characters: what was stored by strangers cannot steer the reader's terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[derive(Serialize)]
    struct Movie {
        title: &'static str,
        sold: u32,
    }

    impl Row for Movie {
        const COLUMNS: &'static [Column<Self>] = &[
            words("title", |movie| movie.title.to_owned()),
            numbers("tickets_sold", |movie| movie.sold.to_string()),
        ];

        fn name(&self) -> String {
            self.title.to_owned()
        }
    }

    const MOVIES: [Movie; 2] =
        [Movie { title: "Alien, \"uncut\"", sold: 7 }, Movie { title: "Up\u{1b}[31m", sold: 1200 }];

    #[test]
    fn tables_are_aligned_and_harmless() {
        expect![[r#"
            TITLE           TICKETS SOLD
            Alien, "uncut"             7
            Up�[31m                 1200
        "#]]
        .assert_eq(&table(&MOVIES));
    }

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        expect![[r#"
            title,tickets_sold
            "Alien, ""uncut""",7
            Up[31m,1200
        "#]]
        .assert_eq(&csv(&MOVIES));
    }
}
