//! Errors as Azure's clients read them: `{"error":{"code","message"}}`, and the code in a header too.
//!
//! Invariants: each error of the domain has its code here and nowhere else.

use std::fmt::Display;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use factum_api::registry::{AzureError, AzureErrorBody};
use factum_registry::{LookUpError, ReferenceError, RegisterError, StoreError, WorkError};

use super::super::error::reasons;
use crate::http::json::Json;
use crate::http::problem::Problem;

/// An error, ready to be sent.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// Asks browsers for a name and a password.
    challenge: Option<HeaderValue>,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Display) -> Self {
        Self { status, code, message: message.to_string(), challenge: None }
    }

    /// 400.
    pub(super) fn invalid(message: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
    }

    /// 415.
    pub(super) fn invalid_type(message: impl Display) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "InvalidSchemaType", message)
    }

    /// 404.
    pub(super) fn not_found(message: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ItemNotFound", message)
    }

    /// 503: the same request may succeed later.
    pub(super) fn busy(message: impl Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServerBusy", message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = AzureErrorBody { code: self.code.to_owned(), message: self.message };
        let code = [("x-ms-error-code", HeaderValue::from_static(self.code))];
        let mut response = (self.status, code, Json(AzureError { error })).into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let code = match problem.status() {
            StatusCode::UNAUTHORIZED => "Unauthorized",
            StatusCode::FORBIDDEN => "Forbidden",
            StatusCode::PAYLOAD_TOO_LARGE => "RequestTooLarge",
            StatusCode::SERVICE_UNAVAILABLE => "ServerBusy",
            status if status.is_server_error() => "InternalServerError",
            _ => "InvalidRequest",
        };
        let challenge = problem.header(header::WWW_AUTHENTICATE);
        Self { challenge, ..Self::new(problem.status(), code, problem.detail()) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "schemas could not be changed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", error)
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        Self::invalid(error)
    }
}

impl From<WorkError> for Failure {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::TooComplex => Self::invalid(error),
            WorkError::Stopped => Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", error),
        }
    }
}

impl From<LookUpError> for Failure {
    fn from(error: LookUpError) -> Self {
        match error {
            LookUpError::Work(error) => error.into(),
            LookUpError::Schema(_) | LookUpError::Reference(_) => {
                Self::invalid(format_args!("invalid schema: {error}"))
            }
            LookUpError::UnknownSubject { .. }
            | LookUpError::UnknownVersion { .. }
            | LookUpError::UnknownSchema { .. }
            | LookUpError::NotRegistered => Self::not_found(error),
        }
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Store(error) => error.into(),
            RegisterError::Work(error) => error.into(),
            RegisterError::Mode { .. } | RegisterError::IdTaken { .. } | RegisterError::TooHigh { .. } => {
                Self::new(StatusCode::FORBIDDEN, "Forbidden", error)
            }
            RegisterError::NoIdLeft { .. } | RegisterError::NoVersionLeft { .. } => {
                Self::new(StatusCode::FORBIDDEN, "QuotaExceeded", error)
            }
            RegisterError::Format { .. } => Self::invalid_type(error),
            RegisterError::TooMany { .. } => Self::new(StatusCode::FORBIDDEN, "QuotaExceeded", error),
            RegisterError::Incompatible { config, verdicts, .. } => {
                let message = format!(
                    "the schema is not {} compatible with earlier versions: {}",
                    config.level(),
                    reasons(&verdicts).join("; ")
                );
                Self::new(StatusCode::CONFLICT, "Conflict", message)
            }
            RegisterError::Empty
            | RegisterError::Schema(_)
            | RegisterError::Reference(_)
            | RegisterError::NotNext { .. }
            | RegisterError::TooLarge { .. } => Self::invalid(format_args!("invalid schema: {error}")),
        }
    }
}
