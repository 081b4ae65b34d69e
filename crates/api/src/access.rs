//! Users and access rules.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RequestBody;

/// A user that may log in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    /// Its name; its principal is `User:<name>`.
    #[schema(example = "alice")]
    pub name: String,
    /// The mechanisms that it may log in by.
    pub mechanisms: Vec<UserMechanism>,
}

/// A mechanism that a user may log in by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserMechanism {
    /// Its name as a SASL mechanism.
    #[schema(example = "SCRAM-SHA-512")]
    pub mechanism: String,
    /// How often the password was hashed.
    #[schema(example = 4096)]
    pub iterations: u32,
}

/// Every user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserList {
    /// Every user, by name.
    pub users: Vec<UserView>,
}

/// A password on its way: neither shown nor compared.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Of text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// A user to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Its name: 1 to 255 bytes.
    pub name: String,
    /// Its password: 8 to 1024 bytes.
    #[schema(value_type = String)]
    pub password: Password,
}

impl RequestBody for NewUser {
    const EXAMPLE: &'static str = r#"{"name": "alice", "password": "…"}"#;
}

/// A user's new password.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password: 8 to 1024 bytes.
    #[schema(value_type = String)]
    pub password: Password,
}

impl RequestBody for NewPassword {
    const EXAMPLE: &'static str = r#"{"password": "…"}"#;
}

/// An access rule, as Kafka's ACLs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AclView {
    /// `topic` (also views, tables and dashboards), `group`, `cluster`, `transactional_id`, `delegation_token` or `user`.
    #[schema(example = "topic")]
    pub resource_type: String,
    /// The resource's name, or what it begins with; `*` is every one, `kafka-cluster` the cluster.
    #[schema(example = "store.")]
    pub name: String,
    /// `literal` or `prefixed`.
    #[serde(default = "literal")]
    #[schema(example = "prefixed")]
    pub pattern_type: String,
    /// Whom it is about; `User:*` is everyone.
    #[schema(example = "User:alice")]
    pub principal: String,
    /// An IP address, or `*` for every one.
    #[serde(default = "any_host")]
    #[schema(example = "*")]
    pub host: String,
    /// `all`, `read`, `write`, `create`, `delete`, `alter`, `describe`, `cluster_action`, `describe_configs`,
    /// `alter_configs`, `idempotent_write` …
    #[schema(example = "read")]
    pub operation: String,
    /// `allow` or `deny`.
    #[serde(default = "allow")]
    #[schema(example = "allow")]
    pub permission: String,
}

fn literal() -> String {
    "literal".to_owned()
}

fn any_host() -> String {
    "*".to_owned()
}

fn allow() -> String {
    "allow".to_owned()
}

/// Access rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AclList {
    /// The rules, by what they are about.
    pub acls: Vec<AclView>,
}

impl RequestBody for AclList {
    const EXAMPLE: &'static str = r#"{"acls": [{"resource_type": "topic", "name": "store.orders", "principal": "User:alice", "operation": "read"}]}"#;
}

/// Which access rules are meant; what is left out is any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AclQuery {
    /// The type of resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The resource's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `literal`, `prefixed`, `any`, or `match` for the rules that apply to the resource of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern_type: Option<String>,
    /// The principal, as the rule has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The host, as the rule has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// `allow` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}
