//! Errors as `application/problem+json` (RFC 9457).
//!
//! Invariants: `detail` says what is wrong and where (line and column, attribute or field, index in a batch),
//! and the same place stands in members of its own for programs; nothing internal is shown.

use std::borrow::Cow;
use std::error::Error as _;
use std::fmt;

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use factum_access::{ChangeError, TooManyChecks};
use factum_eventlog::{AbortError, AdminError, ProduceError, ReadError};
use factum_sql as sql;
use factum_types::{AccessDeniedError, NameError, event};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::http::json;

/// The media type of RFC 9457.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// An error, ready to be sent. One pointer wide: it is the rare arm of every handler's result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem(Box<Content>);

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:factum:problem:malformed",
    "title": "Malformed request",
    "status": 400,
    "detail": "expected `,` or `}` at line 1 column 9",
    "line": 1,
    "column": 9,
}))]
struct Content {
    /// Which kind of problem, as a URN that stays the same: `urn:factum:problem:…`.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time, and where.
    detail: String,
    /// Where exactly, for programs: `line`, `column`, `attribute`, `field`, `index`, `limit`, `near` …
    #[serde(flatten)]
    #[schema(value_type = Object)]
    members: Map<String, Value>,
    /// Headers that go with it.
    #[serde(skip)]
    headers: HeaderMap,
    /// What the log is to say of it, if anything.
    #[serde(skip)]
    report: Option<Report>,
    /// Whether it is that a text is not JSON.
    #[serde(skip)]
    is_not_json: bool,
}

/// A failure of the server's own that came up in a request: its operator is to know of it. The middleware that
/// measures requests writes it to the log, a line for each client and minute, because a client can ask as often as it likes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// What failed.
    pub(crate) what: &'static str,
    /// What it failed with.
    pub(crate) subject: String,
    /// Why.
    pub(crate) reason: String,
}

impl Problem {
    fn new(status: StatusCode, slug: &str, title: &'static str, detail: impl fmt::Display) -> Self {
        Self(Box::new(Content {
            kind: format!("urn:factum:problem:{slug}"),
            title,
            status: status.as_u16(),
            detail: detail.to_string(),
            members: Map::new(),
            headers: HeaderMap::new(),
            report: None,
            is_not_json: false,
        }))
    }

    /// 400: it cannot be understood.
    pub(crate) fn malformed(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "Malformed request", detail)
    }

    /// 401: it may be answered to someone else; browsers ask for a name and a password.
    pub(crate) fn unauthenticated(detail: impl fmt::Display) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not logged in", detail);
        let scheme = HeaderValue::from_static("Basic realm=\"Factum\", charset=\"UTF-8\"");
        problem.0.headers.insert(header::WWW_AUTHENTICATE, scheme);
        problem
    }

    /// 404, naming what is not there.
    pub(crate) fn not_found(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// 404 for a path that no route has.
    pub(crate) fn no_page(uri: &Uri) -> Self {
        Self::not_found(format_args!("nothing is at {}; /docs lists what there is", uri.path()))
    }

    /// 405: the path exists, but not for this.
    pub(crate) fn wrong_method(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Method not allowed", detail)
    }

    /// 406: no form that the client takes is given here.
    pub(crate) fn not_acceptable(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", "Not acceptable", detail)
    }

    /// 408: the client stopped sending.
    pub(crate) fn too_slow(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "Request timeout", detail)
    }

    /// 409: it contradicts the state of things.
    pub(crate) fn conflict(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "Conflict", detail)
    }

    /// 413, naming the limit.
    pub(crate) fn too_large(detail: impl fmt::Display, limit: usize) -> Self {
        let title = "Request too large";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title, detail).with("limit", limit)
    }

    /// 415, naming what would do.
    pub(crate) fn unsupported(detail: impl fmt::Display) -> Self {
        let title = "Unsupported media type";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", title, detail)
    }

    /// 422: well-formed, but against a rule of the topic or its contract.
    pub(crate) fn refused(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", "Request refused by a rule", detail)
    }

    /// 403 for what no one may do from here.
    pub(crate) fn forbidden(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::FORBIDDEN, "denied", "Forbidden", detail)
    }

    /// 503: the same request may succeed later.
    pub(crate) fn unavailable(slug: &str, detail: impl fmt::Display) -> Self {
        let title = "Temporarily unavailable";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, slug, title, detail);
        problem.0.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        problem
    }

    /// 500: the server made a mistake.
    fn broken(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", "Internal error", detail)
    }

    /// Whether it is that the caller has not logged in, or not rightly.
    pub(crate) fn is_unauthenticated(&self) -> bool {
        self.0.status == StatusCode::UNAUTHORIZED.as_u16()
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        self.0.status == StatusCode::SERVICE_UNAVAILABLE.as_u16()
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A header that goes with it.
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<HeaderValue> {
        self.0.headers.get(name).cloned()
    }

    /// What is wrong, in words.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Has it told to the operator.
    fn reported(mut self, what: &'static str, subject: impl fmt::Display, reason: impl fmt::Display) -> Self {
        let (subject, reason) = (subject.to_string(), reason.to_string());
        self.0.report = Some(Report { what, subject, reason });
        self
    }

    /// Adds a member for programs.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Says which content encodings are taken (RFC 9110 §12.5.3).
    pub(crate) fn accepting(mut self, encodings: HeaderValue) -> Self {
        self.0.headers.insert(header::ACCEPT_ENCODING, encodings);
        self
    }

    /// Whether it is that a text is not JSON.
    pub(crate) fn is_not_json(&self) -> bool {
        self.0.is_not_json
    }

    /// Puts words before the detail.
    pub(crate) fn behind(mut self, words: &str) -> Self {
        self.0.detail = format!("{words} {}", self.0.detail);
        self
    }

    /// Adds a sentence to the detail.
    pub(crate) fn also(mut self, sentence: impl fmt::Display) -> Self {
        self.0.detail = format!("{}; {sentence}", self.0.detail);
        self
    }

    /// The same for a document on a line of its own: `line` counts in the body, from 1.
    pub(crate) fn on_line(mut self, line: usize) -> Self {
        if let Some(at_line_1) = self.0.detail.find(" at line 1 ") {
            self.0.detail.replace_range(at_line_1 + 1.."at line 1 ".len() + at_line_1 + 1, "at ");
        }
        self.0.detail = format!("line {line}: {}", self.0.detail);
        self.with("line", line)
    }

    /// Puts the place of the rule before everything else that the detail says.
    pub(crate) fn in_rule(mut self, index: usize) -> Self {
        self.0.detail = format!("rule {index}: {}", self.0.detail);
        self.with("index", index)
    }

    /// Puts the place of the event before everything else that the detail says.
    pub(crate) fn in_event(mut self, index: usize) -> Self {
        self.0.detail = format!("event {index}: {}", self.0.detail);
        self.with("index", index)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Content::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Problem")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).expect("a problem's status is one of HTTP's");
        let body = json::line(&self);
        let mut response = (status, body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response.headers_mut().extend(self.0.headers);
        if let Some(report) = self.0.report {
            response.extensions_mut().insert(report);
        }
        response
    }
}

impl From<AccessDeniedError> for Problem {
    fn from(denied: AccessDeniedError) -> Self {
        Self::forbidden(denied)
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::malformed(error)
    }
}

impl From<event::Error> for Problem {
    fn from(error: event::Error) -> Self {
        match error {
            event::Error::InBatch { index, source } => Self::from(*source).in_event(index),
            event::Error::Json { line, column, .. } => {
                let detail = format_args!("not JSON: {error}");
                let mut problem = Self::malformed(detail).with("line", line).with("column", column);
                problem.0.is_not_json = true;
                problem
            }
            event::Error::Shape { line, column, .. } => {
                Self::malformed(&error).with("line", line).with("column", column)
            }
            event::Error::TooMany { limit } => Self::too_large(&error, limit),
            event::Error::Missing { name } => Self::malformed(&error).with("attribute", name),
            event::Error::SpecVersion { .. } => Self::malformed(&error).with("attribute", "specversion"),
            event::Error::Attribute { ref name, .. } => {
                Self::malformed(&error).with("attribute", name.as_str())
            }
        }
    }
}

impl From<ProduceError> for Problem {
    fn from(error: ProduceError) -> Self {
        match &error {
            ProduceError::UnknownTopic { .. } | ProduceError::UnknownPartition { .. } => {
                Self::not_found(&error)
            }
            ProduceError::ReservedTopic { .. } => Self::forbidden(&error),
            ProduceError::TooLarge { limit, .. } => Self::too_large(&error, *limit),
            ProduceError::Refused { index, reason } => Self::refused(reason).in_event(*index),
            ProduceError::Unavailable { topic, reason } | ProduceError::NotDurable { topic, reason } => {
                let problem = Self::unavailable("not-durable", &error);
                problem.reported("events could not be made durable", topic, reason)
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::UnknownPartition { .. } => Self::not_found(&error),
            ReadError::OutOfRange { log_start, high_watermark, .. } => Self::not_found(&error)
                .with("log_start", log_start.to_string())
                .with("high_watermark", high_watermark.to_string()),
            ReadError::Unavailable { .. } => Self::unavailable("unavailable", &error),
        }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match &error {
            AdminError::UnknownTopic { .. } | AdminError::UnknownGroup { .. } => Self::not_found(&error),
            AdminError::ReservedTopic { .. } | AdminError::ReservedGroup { .. } => Self::forbidden(&error),
            AdminError::TopicExists { .. } | AdminError::NameTaken { .. } => Self::conflict(&error),
            AdminError::GroupInUse { members, .. } => Self::conflict(&error).with("members", *members),
            AdminError::Invalid { .. } => Self::refused(&error),
            AdminError::Unavailable { .. } | AdminError::UnusableTopic { .. } => {
                Self::unavailable("unavailable", &error)
            }
        }
    }
}

impl From<AbortError> for Problem {
    fn from(error: AbortError) -> Self {
        match &error {
            AbortError::UnknownId { .. } | AbortError::NotHeld { .. } => Self::not_found(&error),
            AbortError::Reserved { .. } => Self::forbidden(&error),
            AbortError::NotOpen { .. } | AbortError::Known { .. } => Self::conflict(&error),
            AbortError::Unavailable { .. } => Self::unavailable("unavailable", &error),
        }
    }
}

impl From<TooManyChecks> for Problem {
    fn from(error: TooManyChecks) -> Self {
        Self::unavailable("busy", error)
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match &error {
            ChangeError::UserExists { .. } => Self::conflict(&error),
            ChangeError::UnknownUser { .. } | ChangeError::UnknownCredential { .. } => {
                Self::not_found(&error)
            }
            error if error.is_transient() => {
                let problem = Self::unavailable("not-durable", error);
                let reason = error.source().map_or_else(String::new, ToString::to_string);
                problem.reported(
                    "users, access rules or quotas could not be changed",
                    "_factum.access",
                    reason,
                )
            }
            error => Self::refused(error),
        }
    }
}

impl From<sql::ReadError> for Problem {
    fn from(error: sql::ReadError) -> Self {
        match &error {
            sql::ReadError::UnknownView { .. } | sql::ReadError::Dropped { .. } => Self::not_found(&error),
            sql::ReadError::Waiting { .. } => Self::unavailable("waiting", &error),
            sql::ReadError::Invalid { help, .. } => Self::malformed(&error).helped(help.as_deref()),
            sql::ReadError::TooLarge { .. } => Self::refused(&error),
            sql::ReadError::Busy { .. } => Self::unavailable("busy", &error),
            sql::ReadError::Broken { .. } => Self::broken(&error),
            sql::ReadError::Compute { source, .. } => Self::refused(&error).also(source),
            sql::ReadError::State { view, source } => {
                let problem = Self::unavailable("unavailable", &error);
                problem.reported("a view could not be read", view, source)
            }
        }
    }
}

impl From<sql::QueryError> for Problem {
    fn from(error: sql::QueryError) -> Self {
        match error {
            sql::QueryError::Refused(problems) => {
                problems.first().map_or_else(|| Self::malformed("the query cannot be planned"), Self::in_sql)
            }
            sql::QueryError::Denied(denied) => denied.into(),
            sql::QueryError::TooLarge { .. } => Self::refused(&error),
            sql::QueryError::Busy { .. } => Self::unavailable("busy", &error),
            sql::QueryError::Broken => Self::broken(&error),
            sql::QueryError::View(error) => error.into(),
            sql::QueryError::UnknownTopic { .. } => Self::not_found(&error),
            sql::QueryError::LogUnavailable { .. } => Self::unavailable("unavailable", &error),
            sql::QueryError::Compute(ref source) => {
                let problem = Self::refused(&error).also(source);
                match source.place {
                    Some((line, column)) => problem.with("line", line).with("column", column),
                    None => problem,
                }
            }
        }
    }
}

impl Problem {
    /// What is wrong with a query, and where in its text.
    fn in_sql(problem: &sql::Problem) -> Self {
        let before = problem.text.get(..problem.span.start).unwrap_or(&problem.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::malformed(format_args!("{} at line {line} column {column}", problem.message))
            .with("line", line)
            .with("column", column)
            .helped(problem.help.as_deref())
    }

    /// Adds what to do, where that is known, to the detail and for programs.
    pub(crate) fn helped(self, help: Option<&str>) -> Self {
        match help {
            Some(help) => self.also(help).with("help", help),
            None => self,
        }
    }
}
