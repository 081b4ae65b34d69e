//! Rows as a client asks for them: JSON, CSV or Arrow, by `Accept`.
//!
//! Invariants: rows are given whole or refused, never cut short without a word. Their text is never there whole.

mod body;
mod writer;

use axum::Extension;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use factum_api::rows::{FreshnessView, LeftOutView, RowErrorView, RowsView};
use factum_base::clients::ClientAddress;
use factum_sql::{Freshness, LeftOutEvents, RowError, Rows, ViewState};

use crate::http::percent::percent_encoded;
use crate::http::problem::Problem;
use crate::http::responses::{CountedMarker, Responses};

use writer::RowsWriter;
pub(crate) use writer::json_text;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const ARROW: &str = "application/vnd.apache.arrow.stream";
const AS_OF: HeaderName = HeaderName::from_static("x-factum-as-of");
const LAG: HeaderName = HeaderName::from_static("x-factum-lag");
const STATE: HeaderName = HeaderName::from_static("x-factum-state");
const LEFT_OUT: HeaderName = HeaderName::from_static("x-factum-left-out");
/// Why, percent-encoded where a header cannot hold it.
const LEFT_OUT_REASON: HeaderName = HeaderName::from_static("x-factum-left-out-reason");

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
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Csv => "text/csv; charset=utf-8",
            Self::Arrow => ARROW,
        }
    }

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

fn freshness_view(freshness: &Freshness) -> FreshnessView {
    let (state, reason) = view_state(&freshness.state);
    let (as_of, lag) = (freshness.as_of.to_string(), freshness.lag.to_string());
    FreshnessView { as_of, lag, state: state.to_owned(), reason }
}

fn left_out_view(rows: &Rows) -> Option<LeftOutView> {
    let left_out @ LeftOutEvents { undecodable, unreadable } = rows.left_out;
    let view = || LeftOutView {
        undecodable: undecodable.to_string(),
        unreadable: unreadable.to_string(),
        reason: rows.why_left_out.clone(),
    };
    (left_out != LeftOutEvents::default()).then(view)
}

fn row_error_view(error: &RowError) -> RowErrorView {
    let RowError { view, key, column, reason } = error.clone();
    RowErrorView { view, key, column, reason }
}

/// What is said beside the rows, which are left out.
fn without_rows(rows: &Rows) -> RowsView {
    RowsView {
        rows: Vec::new(),
        freshness: freshness_view(&rows.freshness),
        left_out: left_out_view(rows),
        errors: rows.errors.iter().map(row_error_view).collect(),
    }
}

/// At most `most` rows, in the form asked for.
pub(crate) async fn response(
    responses: &Responses,
    client: ClientAddress,
    form: Form,
    rows: Rows,
    most: usize,
) -> Result<Response, Problem> {
    let count = rows.count();
    if count > most {
        return Err(Problem::refused(format_args!(
            "there are more than {most} rows, and no more are given at once (http.max_rows): ask for some with a limit or a filter"
        ))
        .with("limit", most));
    }
    let mut headers = told(&rows);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    let body = body::body(responses, client, RowsWriter::new(form, rows.clone())?, rows).await?;
    Ok((Extension(CountedMarker), headers, body).into_response())
}

/// What JSON says beside the rows, for the forms that hold rows alone.
fn told(rows: &Rows) -> HeaderMap {
    let FreshnessView { as_of, lag, state, .. } = freshness_view(&rows.freshness);
    let errors = rows.errors.len().to_string();
    let mut told = vec![(AS_OF, as_of), (LAG, lag), (STATE, state), (ROW_ERRORS, errors)];
    if let Some(LeftOutView { undecodable, unreadable, reason }) = left_out_view(rows) {
        told.push((LEFT_OUT, format!("undecodable={undecodable}, unreadable={unreadable}")));
        told.extend(reason.map(|reason| (LEFT_OUT_REASON, header_text(&reason))));
    }
    told.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))).collect()
}

/// A text as a header can hold it: percent-encoded but for the characters of ASCII that can be seen, and the space.
fn header_text(text: &str) -> String {
    percent_encoded(text, |byte| byte != b'%' && matches!(byte, b' '..=b'~'))
}

/// A word for what a view is doing, and the reason where there is one.
pub(crate) fn view_state(state: &ViewState) -> (&'static str, Option<String>) {
    match state {
        ViewState::Building { .. } => ("building", None),
        ViewState::Live => ("live", None),
        ViewState::Waiting(reason) => ("waiting", Some(reason.clone())),
        ViewState::Failed(reason) => ("failed", Some(reason.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_headers_are_percent_encoded() {
        assert_eq!(header_text("'1,5' is no decimal"), "'1,5' is no decimal");
        assert_eq!(header_text("100 %\r\nx: é"), "100 %25%0D%0Ax: %C3%A9");
    }

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
