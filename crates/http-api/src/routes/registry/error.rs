//! Errors of the registry: a status, and the code of Confluent's registry.
//!
//! Invariants: each error of the domain has its code here and nowhere else. A code of five digits begins with its status.

use std::fmt::Display;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use factum_api::registry::ErrorMessage;
use factum_registry::{
    CheckError, DeleteError, InvalidSubject, InvalidVersion, LookUpError, ReferenceError, RegisterError,
    SettingsError, StoreError, Subject, VersionVerdict, WorkError,
};

use crate::http::json::Json;
use crate::http::problem::Problem;

/// An error, ready to be sent.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    error: ErrorMessage,
    /// Asks browsers for a name and a password.
    challenge: Option<HeaderValue>,
}

/// A schema that is incompatible: Confluent's clients know it by the status alone, and newer ones by 40901.
const INCOMPATIBLE: u32 = 409;
const UNKNOWN_SUBJECT: u32 = 40401;
const UNKNOWN_VERSION: u32 = 40402;
const UNKNOWN_SCHEMA: u32 = 40403;
const SUBJECT_DELETED: u32 = 40404;
const SUBJECT_NOT_DELETED: u32 = 40405;
const VERSION_DELETED: u32 = 40406;
const VERSION_NOT_DELETED: u32 = 40407;
const NO_CONFIG: u32 = 40408;
const NO_MODE: u32 = 40409;
const INVALID_SCHEMA: u32 = 42201;
const INVALID_VERSION: u32 = 42202;
const INVALID_LEVEL: u32 = 42203;
const INVALID_MODE: u32 = 42204;
const NOT_PERMITTED: u32 = 42205;
const REFERENCED: u32 = 42206;
const INVALID_SUBJECT: u32 = 42208;
const INVALID_RULE_SET: u32 = 42210;
const CONTEXT_NOT_EMPTY: u32 = 42211;
const STORE: u32 = 50001;

impl Failure {
    pub(super) fn new(status: StatusCode, error_code: u32, message: impl Display) -> Self {
        let error = ErrorMessage { error_code, message: message.to_string() };
        Self { status, error, challenge: None }
    }

    /// By a code of five digits, which begins with its status.
    fn coded(error_code: u32, message: impl Display) -> Self {
        let status =
            u16::try_from(error_code / 100).ok().and_then(|status| StatusCode::from_u16(status).ok());
        Self::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error_code, message)
    }

    /// What is wrong.
    pub(super) fn message(&self) -> &str {
        &self.error.message
    }

    pub(super) fn invalid_schema(message: impl Display) -> Self {
        Self::coded(INVALID_SCHEMA, message)
    }

    pub(super) fn invalid_level(message: impl Display) -> Self {
        Self::coded(INVALID_LEVEL, message)
    }

    pub(super) fn invalid_mode(message: impl Display) -> Self {
        Self::coded(INVALID_MODE, message)
    }

    pub(super) fn invalid_rule_set(message: impl Display) -> Self {
        Self::coded(INVALID_RULE_SET, message)
    }

    pub(super) fn no_config(subject: &Subject) -> Self {
        Self::coded(
            NO_CONFIG,
            format!("Subject '{subject}' does not have subject-level compatibility configured"),
        )
    }

    pub(super) fn no_mode(subject: &Subject) -> Self {
        Self::coded(NO_MODE, format!("Subject '{subject}' does not have subject-level mode configured"))
    }

    /// 503: the same request may succeed later.
    pub(super) fn busy(message: impl Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, 50301, message)
    }

    pub(super) fn unknown_schema(message: impl Display) -> Self {
        Self::coded(UNKNOWN_SCHEMA, message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.error)).into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<Problem> for Failure {
    /// An error of the tools that all routes share: its status is its code, but for those of access.
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        let code = match status {
            StatusCode::UNAUTHORIZED => 40101,
            StatusCode::FORBIDDEN => 40301,
            other => u32::from(other.as_u16()),
        };
        let challenge = problem.header(header::WWW_AUTHENTICATE);
        Self { challenge, ..Self::new(status, code, problem.detail()) }
    }
}

impl From<InvalidSubject> for Failure {
    fn from(error: InvalidSubject) -> Self {
        Self::coded(INVALID_SUBJECT, error)
    }
}

impl From<InvalidVersion> for Failure {
    fn from(error: InvalidVersion) -> Self {
        Self::coded(INVALID_VERSION, error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "schemas could not be changed");
        Self::coded(STORE, format!("Error in the backend data store: {error}"))
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        Self::invalid_schema(format!("Invalid schema: {error}"))
    }
}

impl From<WorkError> for Failure {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::TooComplex => Self::invalid_schema(format!("Invalid schema: {error}")),
            WorkError::Stopped => Self::busy(error),
        }
    }
}

impl From<LookUpError> for Failure {
    fn from(error: LookUpError) -> Self {
        match &error {
            LookUpError::Work(error) => (*error).into(),
            LookUpError::UnknownSubject { .. } => Self::coded(UNKNOWN_SUBJECT, error),
            LookUpError::UnknownVersion { .. } => Self::coded(UNKNOWN_VERSION, error),
            LookUpError::UnknownSchema { .. } | LookUpError::NotRegistered => Self::unknown_schema(error),
            LookUpError::Schema(_) | LookUpError::Reference(_) => {
                Self::invalid_schema(format!("Invalid schema: {error}"))
            }
        }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match &error {
            CheckError::Work(error) => (*error).into(),
            CheckError::UnknownVersion { version, .. } => {
                Self::coded(UNKNOWN_VERSION, format!("Version {version} not found."))
            }
            CheckError::Empty | CheckError::Schema(_) | CheckError::Reference(_) => {
                Self::invalid_schema(format!("Invalid schema: {error}"))
            }
        }
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Store(error) => error.into(),
            RegisterError::Work(error) => error.into(),
            RegisterError::Mode { .. }
            | RegisterError::IdTaken { .. }
            | RegisterError::TooHigh { .. }
            | RegisterError::NoIdLeft { .. }
            | RegisterError::NoVersionLeft { .. } => Self::coded(NOT_PERMITTED, error),
            RegisterError::Incompatible { subject, config, verdicts } => {
                let level = config.level();
                let details = messages(&verdicts);
                let message = format!(
                    "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", \
                     details: [{}, {{validateFields: 'false', compatibility: '{level}'}}]",
                    details.join(", ")
                );
                Self::new(StatusCode::CONFLICT, INCOMPATIBLE, message)
            }
            RegisterError::Empty
            | RegisterError::Format { .. }
            | RegisterError::Schema(_)
            | RegisterError::Reference(_)
            | RegisterError::NotNext { .. }
            | RegisterError::TooMany { .. }
            | RegisterError::TooLarge { .. } => Self::invalid_schema(format!("Invalid schema: {error}")),
        }
    }
}

impl From<DeleteError> for Failure {
    fn from(error: DeleteError) -> Self {
        let code = match &error {
            DeleteError::UnknownSubject { .. } => UNKNOWN_SUBJECT,
            DeleteError::UnknownVersion { .. } => UNKNOWN_VERSION,
            DeleteError::SubjectDeleted { .. } => SUBJECT_DELETED,
            DeleteError::SubjectNotDeleted { .. } => SUBJECT_NOT_DELETED,
            DeleteError::VersionDeleted { .. } => VERSION_DELETED,
            DeleteError::VersionNotDeleted { .. } => VERSION_NOT_DELETED,
            DeleteError::Referenced { .. } => REFERENCED,
            DeleteError::ContextNotEmpty { .. } => CONTEXT_NOT_EMPTY,
            DeleteError::ReadOnly { .. } => NOT_PERMITTED,
            DeleteError::Store(_) => STORE,
        };
        Self::coded(code, error)
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let code = match &error {
            SettingsError::ReadOnly { .. } | SettingsError::HasSubjects => NOT_PERMITTED,
            SettingsError::NotSet { .. } => UNKNOWN_SUBJECT,
            SettingsError::Invalid { .. } => INVALID_LEVEL,
            SettingsError::TooLarge { .. } | SettingsError::TooMany => INVALID_SCHEMA,
            SettingsError::Referenced { .. } => REFERENCED,
            SettingsError::Store(_) => STORE,
        };
        Self::coded(code, error)
    }
}

/// What keeps a schema apart from versions, in words.
pub(super) fn reasons(verdicts: &[VersionVerdict]) -> Vec<String> {
    let of_version = |verdict: &VersionVerdict| {
        let version = verdict.version.version;
        let words = verdict.incompatibilities.iter();
        let words = words.map(|reason| format!("version {version}, at {}: {}", reason.path, reason.message));
        words.collect::<Vec<_>>()
    };
    verdicts.iter().flat_map(of_version).collect()
}

/// What keeps a schema apart from versions, one message for each reason and each version, as Confluent's registry writes them.
pub(super) fn messages(verdicts: &[VersionVerdict]) -> Vec<String> {
    let of_version = |verdict: &VersionVerdict| {
        let reasons = verdict.incompatibilities.iter().map(|reason| {
            let detail = reason.detail.as_ref().map(|detail| format!(", additionalInfo:'{detail}'"));
            let (kind, message) = (reason.kind, &reason.message);
            let (path, detail) = (&reason.path, detail.unwrap_or_default());
            format!("{{errorType:'{kind}', description:'{message} (at path '{path}')'{detail}}}")
        });
        let version = verdict.version.version;
        let mut all: Vec<_> = reasons.collect();
        all.push(format!("{{oldSchemaVersion: {version}}}"));
        all.push(format!("{{oldSchema: '{}'}}", verdict.version.schema().text));
        all
    };
    verdicts.iter().flat_map(of_version).collect()
}
