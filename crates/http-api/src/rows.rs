//! Rows as a client asks for them: JSON, CSV or Arrow, by `Accept`.
//!
//! Always holds: rows are given whole or refused, never cut short without a word.

use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use factum_sql::{RowError, Rows, render};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::json;
use crate::problem::Problem;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const ARROW: &str = "application/vnd.apache.arrow.stream";
const AS_OF: HeaderName = HeaderName::from_static("x-factum-as-of");

/// How many values are null because they cannot be computed, where the form has no place to say which.
const ROW_ERRORS: HeaderName = HeaderName::from_static("x-factum-row-errors");

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Csv,
    Arrow,
}

impl Form {
    /// The first form that `Accept` names; JSON where it says nothing or anything.
    pub(crate) fn asked(headers: &HeaderMap) -> Result<Self, Problem> {
        let accept = headers.get_all(header::ACCEPT).iter();
        let accept: Vec<_> = accept.filter_map(|value| value.to_str().ok()).collect();
        let accept = accept.join(",");
        if accept.trim().is_empty() {
            return Ok(Self::Json);
        }
        let names = accept.split(',').map(|each| each.split(';').next().unwrap_or_default().trim());
        let form = |name: &str| match name {
            "*/*" | "application/*" | JSON => Some(Self::Json),
            "text/*" | CSV => Some(Self::Csv),
            ARROW => Some(Self::Arrow),
            _ => None,
        };
        let mut forms = names.filter_map(form);
        forms.next().ok_or_else(|| {
            Problem::not_acceptable(format_args!("accept is {accept}; rows are {JSON}, {CSV} or {ARROW}"))
        })
    }
}

/// Rows, and the moment that they answer for.
#[derive(Serialize, ToSchema)]
pub(crate) struct RowsView {
    /// Decimals, and whole numbers beyond 2^53, are text.
    #[schema(value_type = Vec<Object>)]
    pub(crate) rows: Vec<Map<String, Value>>,
    /// The moment.
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    pub(crate) as_of: String,
    /// Values that are null because they cannot be computed, a hundred at most; left out where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub(crate) errors: Vec<RowError>,
}

impl RowsView {
    pub(crate) fn of(rows: &Rows) -> Self {
        Self {
            rows: render::json(&rows.batches),
            as_of: rows.as_of.to_string(),
            errors: rows.errors.to_vec(),
        }
    }
}

/// At most `most` rows, in the form asked for.
pub(crate) async fn answer(form: Form, rows: Rows, most: usize) -> Result<Response, Problem> {
    let count = rows.count();
    if count > most {
        return Err(Problem::refused(format_args!(
            "there are more than {most} rows, and no more are given at once; ask for some with a limit or a filter"
        ))
        .with("limit", most));
    }
    tokio::task::spawn_blocking(move || write(form, &rows)).await.expect("rendering rows does not panic")
}

fn write(form: Form, rows: &Rows) -> Result<Response, Problem> {
    let (media_type, body) = match form {
        Form::Json => {
            let view = RowsView::of(rows);
            (JSON, json::line(&view))
        }
        Form::Csv => ("text/csv; charset=utf-8", unwritten(render::csv(&rows.schema, &rows.batches))?),
        Form::Arrow => (ARROW, unwritten(render::arrow_ipc(&rows.schema, &rows.batches))?),
    };
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (AS_OF, rows.as_of.to_string()),
        (ROW_ERRORS, rows.errors.len().to_string()),
    ];
    Ok((headers, body).into_response())
}

fn unwritten<E: std::fmt::Display>(result: Result<Vec<u8>, E>) -> Result<Vec<u8>, Problem> {
    result.map_err(|error| Problem::refused(format_args!("the rows cannot be written in this form: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_form_is_taken() {
        for (accept, form) in [
            ("", Some(Form::Json)),
            ("*/*", Some(Form::Json)),
            ("text/html, text/csv;q=0.5, application/json", Some(Form::Csv)),
            ("application/vnd.apache.arrow.stream", Some(Form::Arrow)),
            ("image/png", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().expect("a value"))]);
            assert_eq!(Form::asked(&headers).ok(), form, "{accept}");
        }
        assert_eq!(Form::asked(&HeaderMap::new()).ok(), Some(Form::Json));
    }
}
