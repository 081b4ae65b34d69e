//! Quotas: how much clients may use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RequestBody;

/// A part of the entity that a quota is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaPartView {
    /// `user`, `client-id` or `ip`.
    #[serde(rename = "type")]
    #[schema(example = "user")]
    pub kind: String,
    /// Its name; `null` is the default: each that no quota names.
    #[serde(default)]
    #[schema(example = "alice")]
    pub name: Option<String>,
}

/// Whom a quota is about, and its limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaView {
    /// A user, a client id, both, or an ip.
    pub entity: Vec<QuotaPartView>,
    /// By `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`, `controller_mutation_rate`, or for an ip
    /// `connection_creation_rate`. In a request, what is not named stays, and `null` takes a limit away.
    #[schema(example = json!({"producer_byte_rate": 1_048_576.0}))]
    pub limits: BTreeMap<String, Option<f64>>,
}

/// Quotas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaList {
    /// The quotas, by whom they are about.
    pub quotas: Vec<QuotaView>,
}

impl RequestBody for QuotaList {
    const EXAMPLE: &'static str = r#"{"quotas": [{"entity": [{"type": "user", "name": "alice"}], "limits": {"producer_byte_rate": 1048576}}]}"#;
}

/// Whose quotas are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaQuery {
    /// Of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Of this client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Of this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Of the default of these types, with commas between them: `user,client-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}
