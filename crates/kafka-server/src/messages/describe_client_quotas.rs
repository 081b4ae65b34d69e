//! DescribeClientQuotas (KIP-546).

use super::alter_client_quotas::QuotaEntityFields;
use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks which quotas there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeClientQuotasRequest {
    /// What the entities have to have.
    pub components: Vec<QuotaComponent>,
    /// They may have nothing else.
    pub strict: bool,
}

/// What an entity has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaComponent {
    /// `user`, `client-id` or `ip`.
    pub entity_type: String,
    /// 0 for the one of the name, 1 for the default, 2 for any.
    pub match_type: i8,
    /// The name, if one is asked for.
    pub match_name: Option<String>,
}

/// Lists them.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeClientQuotasResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why none are listed.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// One for each entity; null after an error.
    pub entries: Option<Vec<QuotaEntry>>,
}

/// An entity and its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaEntry {
    /// Its parts.
    pub entity: Vec<QuotaEntityFields>,
    /// Its limits.
    pub values: Vec<QuotaValue>,
}

/// A limit.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaValue {
    /// What is limited.
    pub key: String,
    /// How much of it there is.
    pub value: f64,
}

impl Request for DescribeClientQuotasRequest {
    const API: ApiKey = ApiKey::DescribeClientQuotas;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let components = r.array("components", |r| {
            let component = QuotaComponent {
                entity_type: r.string("entity_type")?,
                match_type: r.i8("match_type")?,
                match_name: r.nullable_string("match")?,
            };
            r.skip_tagged_fields()?;
            Ok(component)
        })?;
        let strict = r.bool("strict")?;
        r.skip_tagged_fields()?;
        Ok(Self { components, strict })
    }
}

impl Response for DescribeClientQuotasResponse {
    const API: ApiKey = ApiKey::DescribeClientQuotas;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        w.nullable_array(self.entries.as_deref(), |w, entry| {
            w.array(&entry.entity, |w, part| part.encode(w));
            w.array(&entry.values, |w, value| {
                w.string(&value.key);
                w.f64(value.value);
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
