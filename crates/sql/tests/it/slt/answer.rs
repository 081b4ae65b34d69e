//! Answers of the engine as lines of a golden file.

use std::error::Error;

use arrow::datatypes::{DataType, SchemaRef};
use factum_sql::{ApplyError, Problem, QueryError, Rows, ViewState, ViewStatus, render};
use factum_types::Record;
use serde_json::Value;

/// A letter for each column, as DataFusion's own files have them.
pub(super) fn types(schema: &SchemaRef) -> String {
    let letter = |kind: &DataType| match kind {
        DataType::Boolean => 'B',
        DataType::Date32 => 'D',
        DataType::Timestamp(..) => 'P',
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => 'T',
        DataType::Decimal128(..) | DataType::Float32 | DataType::Float64 => 'R',
        kind if kind.is_integer() => 'I',
        _ => '?',
    };
    schema.fields().iter().map(|field| letter(field.data_type())).collect()
}

/// Rows as lines, their values as readers of JSON get them.
pub(super) fn rows(rows: &Rows) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in &*rows.batches {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| match render::value(column, row) {
                Value::Null => "NULL".to_owned(),
                Value::String(text) if text.is_empty() => "(empty)".to_owned(),
                Value::String(text) => text,
                value => value.to_string(),
            });
            lines.push(values.collect::<Vec<_>>().join(" "));
        }
    }
    lines
}

/// What is wrong, each problem with its place.
pub(super) fn refused(error: &ApplyError) -> Vec<String> {
    match error {
        ApplyError::Refused(problems) => problems.iter().flat_map(problem).collect(),
        error => chain(error),
    }
}

pub(super) fn failed(error: &QueryError) -> Vec<String> {
    match error {
        QueryError::Refused(problems) => problems.iter().flat_map(problem).collect(),
        error => chain(error),
    }
}

fn problem(problem: &Problem) -> Vec<String> {
    let mut lines = vec![problem.message.clone()];
    lines.push(format!("at: {}", problem.text[problem.span.clone()].replace('\n', " ")));
    lines.extend(problem.help.iter().map(|help| format!("help: {help}")));
    lines
}

/// An error and what it stems from.
pub(super) fn chain(error: &dyn Error) -> Vec<String> {
    let (mut lines, mut cause) = (Vec::new(), Some(error));
    while let Some(error) = cause {
        lines.extend(error.to_string().lines().map(str::to_owned));
        cause = error.source();
    }
    lines.dedup();
    lines
}

pub(super) fn status(status: &ViewStatus) -> Vec<String> {
    let state = match &status.state {
        ViewState::Live => "live".to_owned(),
        state => format!("{state:?}"),
    };
    let columns = status.columns.as_ref().map(|schema| {
        let fields = schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type()));
        fields.collect::<Vec<_>>().join(", ")
    });
    vec![
        state,
        format!("columns: {}", columns.as_deref().unwrap_or("not known")),
        format!("reads: {}", status.depends_on.join(", ")),
        format!("poisoned {}, late {}", status.poisoned, status.late),
    ]
}

/// Letters by the places that they come from; one that was told twice counts once.
pub(super) fn letters(letters: &[Record]) -> Vec<String> {
    let header = |letter: &Record, name: &str| {
        let header = letter.headers.iter().find(|header| header.key == name);
        let value = header.and_then(|header| header.value.clone()).unwrap_or_default();
        String::from_utf8_lossy(&value).into_owned()
    };
    let line =
        |letter: &Record| format!("{} {}", header(letter, "factum-source"), header(letter, "factum-reason"));
    let mut lines: Vec<_> = letters.iter().map(line).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}
