//! AlterClientQuotas (KIP-546).

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Changes quotas.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterClientQuotasRequest {
    /// One for each entity.
    pub entries: Vec<QuotaAlteration>,
    /// Only says what would become of it.
    pub validate_only: bool,
}

/// What is to become of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaAlteration {
    /// Its parts.
    pub entity: Vec<QuotaEntityFields>,
    /// Its new limits.
    pub ops: Vec<QuotaOperation>,
}

/// A part of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaEntityFields {
    /// `user`, `client-id` or `ip`.
    pub entity_type: String,
    /// The name; null for the default.
    pub entity_name: Option<String>,
}

/// A limit that comes or goes.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaOperation {
    /// What is limited.
    pub key: String,
    /// The limit.
    pub value: f64,
    /// It goes.
    pub remove: bool,
}

/// Says what changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterClientQuotasResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each entity.
    pub entries: Vec<AlteredQuota>,
}

/// What became of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlteredQuota {
    /// Why nothing of it changed.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// Its parts.
    pub entity: Vec<QuotaEntityFields>,
}

impl QuotaEntityFields {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let part =
            Self { entity_type: r.string("entity_type")?, entity_name: r.nullable_string("entity_name")? };
        r.skip_tagged_fields()?;
        Ok(part)
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.string(&self.entity_type);
        w.nullable_string(self.entity_name.as_deref());
        w.no_tagged_fields();
    }
}

impl Request for AlterClientQuotasRequest {
    const API: ApiKey = ApiKey::AlterClientQuotas;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let entries = r.array("entries", |r| {
            let entity = r.array("entity", QuotaEntityFields::decode)?;
            let ops = r.array("ops", |r| {
                let operation = QuotaOperation {
                    key: r.string("key")?,
                    value: r.f64("value")?,
                    remove: r.bool("remove")?,
                };
                r.skip_tagged_fields()?;
                Ok(operation)
            })?;
            r.skip_tagged_fields()?;
            Ok(QuotaAlteration { entity, ops })
        })?;
        let validate_only = r.bool("validate_only")?;
        r.skip_tagged_fields()?;
        Ok(Self { entries, validate_only })
    }
}

impl Response for AlterClientQuotasResponse {
    const API: ApiKey = ApiKey::AlterClientQuotas;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.entries, |w, entry| {
            w.error_code(entry.error_code);
            w.nullable_string(entry.error_message.as_deref());
            w.array(&entry.entity, |w, part| part.encode(w));
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
