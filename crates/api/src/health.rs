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

/// A listener, and what it asks of its clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListenerView {
    /// Its name: `http`, `kafka`, or that of a further listener of Kafka's.
    #[schema(example = "kafka")]
    pub name: String,
    /// Where it listens.
    #[schema(example = "127.0.0.1:9092")]
    pub address: String,
    /// How it is spoken to: `HTTP`, `HTTPS`, or one of Kafka's security protocols.
    #[schema(example = "SASL_SSL")]
    pub security: String,
    /// Who is let in.
    #[schema(example = "users who log in")]
    pub clients: String,
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
    /// Every role with its reasons; none where the caller may not describe the cluster.
    pub roles: Vec<RoleHealth>,
    /// Every listener with who is let in; none where the caller may not describe the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<ListenerView>,
}
