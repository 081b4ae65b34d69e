//! DescribeClientQuotas and AlterClientQuotas: how much clients may use.

use std::collections::HashMap;

use factum_access::{
    ChangeError, QuotaChange, QuotaEntity, QuotaError, QuotaFilter, QuotaKey, QuotaLimits, QuotaMatch,
    QuotaPart,
};
use factum_types::Action;
use tracing::error;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::alter_client_quotas::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, AlteredQuota, QuotaAlteration, QuotaEntityFields,
    QuotaOperation,
};
use crate::messages::describe_client_quotas::{
    DescribeClientQuotasRequest, DescribeClientQuotasResponse, QuotaComponent, QuotaEntry, QuotaValue,
};

/// Entities in one AlterClientQuotas.
const MAX_ENTITIES: usize = 1_000;
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const ANY: i8 = 2;

/// Why something was not done, with the code that says it.
type Refusal = (ErrorCode, Option<String>);

fn invalid(reason: impl Into<String>) -> Refusal {
    (ErrorCode::InvalidRequest, Some(reason.into()))
}

impl Handle for DescribeClientQuotasRequest {
    type Response = DescribeClientQuotasResponse;

    async fn handle(self, call: &Call) -> DescribeClientQuotasResponse {
        let allowed = call.session.check_cluster(Action::DescribeConfigs).map_err(|code| (code, None));
        let found = allowed
            .and_then(|()| filter(&self))
            .map(|filter| call.session.node.access.quotas().list(&filter));
        let (error_code, error_message, entries) = match found {
            Ok(found) => (ErrorCode::None, None, Some(found.iter().map(entry).collect())),
            Err((code, reason)) => (code, reason, None),
        };
        DescribeClientQuotasResponse { throttle_time_ms: 0, error_code, error_message, entries }
    }
}

fn filter(asked: &DescribeClientQuotasRequest) -> Result<QuotaFilter, Refusal> {
    let mut parts: Vec<(QuotaPart, QuotaMatch)> = Vec::new();
    for QuotaComponent { entity_type, match_type, match_name } in &asked.components {
        let Some(part) = QuotaPart::from_name(entity_type) else {
            return Err(match entity_type.as_str() {
                "" => invalid("an entity type is empty"),
                kind => {
                    let reason = QuotaError::EntityType { kind: kind.chars().take(40).collect() };
                    (ErrorCode::UnsupportedVersion, Some(reason.to_string()))
                }
            });
        };
        if parts.iter().any(|(other, _)| *other == part) {
            return Err(invalid(format!("the filter has {part} twice")));
        }
        let wanted = match (*match_type, match_name) {
            (EXACT, Some(name)) => QuotaMatch::Name(name.clone()),
            (DEFAULT, None) => QuotaMatch::Default,
            (ANY, None) => QuotaMatch::Any,
            (EXACT..=ANY, _) => return Err(invalid("a name goes with match type 0, and with no other")),
            (unknown, _) => return Err(invalid(format!("invalid match type {unknown}"))),
        };
        parts.push((part, wanted));
    }
    if parts.len() > 1 && parts.iter().any(|(part, _)| *part == QuotaPart::Ip) {
        return Err(invalid(QuotaError::Mixed.to_string()));
    }
    Ok(QuotaFilter { parts, is_strict: asked.strict })
}

fn entry((entity, limits): &(QuotaEntity, QuotaLimits)) -> QuotaEntry {
    let fields = |(part, name): (QuotaPart, Option<String>)| QuotaEntityFields {
        entity_type: part.name().to_owned(),
        entity_name: name,
    };
    QuotaEntry {
        entity: entity.parts().into_iter().map(fields).collect(),
        values: limits.iter().map(|(key, value)| QuotaValue { key: key.name().to_owned(), value }).collect(),
    }
}

impl Handle for AlterClientQuotasRequest {
    type Response = AlterClientQuotasResponse;

    async fn handle(self, call: &Call) -> AlterClientQuotasResponse {
        let refusal = match call.session.check_cluster(Action::AlterConfigs) {
            Err(code) => Some((code, None)),
            Ok(()) if self.entries.len() > MAX_ENTITIES => {
                Some(invalid(format!("too many entities: the limit is {MAX_ENTITIES}")))
            }
            Ok(()) => None,
        };
        let outcomes = match refusal {
            Some(refusal) => vec![Err(refusal); self.entries.len()],
            None => alter(call, &self.entries, self.validate_only).await,
        };
        let entries = self.entries.into_iter().zip(outcomes).map(|(asked, outcome)| {
            let (error_code, error_message) = outcome.err().unwrap_or((ErrorCode::None, None));
            AlteredQuota { error_code, error_message, entity: asked.entity }
        });
        AlterClientQuotasResponse { throttle_time_ms: 0, entries: entries.collect() }
    }
}

/// Changes those that can be, together.
async fn alter(call: &Call, asked: &[QuotaAlteration], validate_only: bool) -> Vec<Result<(), Refusal>> {
    let mut times: HashMap<QuotaEntity, u32> = HashMap::new();
    let read: Vec<_> = asked.iter().map(change).collect();
    for change in read.iter().flatten() {
        *times.entry(change.entity.clone()).or_default() += 1;
    }
    let once = |change: QuotaChange| match times[&change.entity] {
        1 => Ok(change),
        _ => Err(invalid("the request names the entity twice")),
    };
    let read: Vec<_> = read.into_iter().map(|change| change.and_then(once)).collect();
    let valid: Vec<_> = read.iter().filter_map(|change| change.as_ref().ok().cloned()).collect();
    let written = match validate_only || valid.is_empty() {
        true => Ok(()),
        false => call.session.node.access.change_quotas(call.session.principal(), valid).await,
    };
    let written = written.map_err(|failure| {
        if failure.is_transient() {
            error!(error = &failure as &dyn std::error::Error, "cannot change quotas");
        }
        (ErrorCode::from(&failure), Some(failure.to_string()))
    });
    read.into_iter().map(|change| change.and_then(|_| written.clone())).collect()
}

fn change(asked: &QuotaAlteration) -> Result<QuotaChange, Refusal> {
    let refused = |error: QuotaError| {
        let error = ChangeError::from(error);
        (ErrorCode::from(&error), Some(error.to_string()))
    };
    let parts = asked.entity.iter().map(|part| (part.entity_type.as_str(), part.entity_name.as_deref()));
    let entity = QuotaEntity::from_parts(parts).map_err(refused)?;
    let limit = |QuotaOperation { key, value, remove }: &QuotaOperation| {
        let known = QuotaKey::from_name(key);
        let known = known.ok_or_else(|| refused(QuotaError::Key { key: key.chars().take(100).collect() }))?;
        Ok((known, (!remove).then_some(*value)))
    };
    let limits = asked.ops.iter().map(limit).collect::<Result<Vec<_>, Refusal>>()?;
    let change = QuotaChange { entity, limits };
    change.check().map_err(refused)?;
    Ok(change)
}
