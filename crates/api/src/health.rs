//! Liveness and readiness.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One role's health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleHealth {
    /// The role, such as `log` or `kafka`.
    #[schema(example = "kafka")]
    pub role: String,
    /// Whether it serves.
    pub ready: bool,
    /// What is wrong, in words; may be filled while it still serves.
    pub problems: Vec<String>,
}

/// The response of a process that lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Live {
    /// Always `live`: that there is an answer is the answer.
    #[schema(example = "live")]
    pub status: String,
}

/// Whether every role serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// `ready` only when every role serves, else `not ready`.
    #[schema(example = "ready")]
    pub status: String,
    /// Every role with its reasons.
    pub roles: Vec<RoleHealth>,
}
