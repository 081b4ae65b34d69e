//! Records of topic `_factum.access`: keys and JSON values.
//!
//! ```text
//!   key  user/<name>/<mechanism>   value  {"iterations":4096,"salt":"…","stored_key":"…","server_key":"…"} (base64)
//!   key  acl/[<type>,<pattern>,<name>,<principal>,<host>,<operation>,<permission>]   value  {}
//!   key  quota/[["user","ann"],["client-id",null]]   value  {"limits":{"producer_byte_rate":1024.0}}
//! ```
//!
//! A record without a value takes away what its key names. Values have the principal that made the change as `by`; when it was
//! is the record's timestamp. Readers pass over fields that they do not know.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use factum_types::Principal;
use serde::{Deserialize, Serialize};

use crate::acl::{Acl, Host, MAX_PRINCIPAL_BYTES, ResourcePattern};
use crate::quota::{QuotaEntity, QuotaKey, QuotaLimits, QuotaPart};
use crate::{MAX_ITERATIONS, MIN_ITERATIONS, ScramCredential, ScramMechanism, check_user_name};

const USER: &str = "user/";
const ACL: &str = "acl/";
const QUOTA: &str = "quota/";

/// A change, as one record has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// What is kept of a password.
    SetCredential(String, ScramCredential),
    /// A user may no longer log in by a mechanism.
    RemoveCredential(String, ScramMechanism),
    /// A rule.
    SetAcl(Acl),
    /// The end of a rule.
    RemoveAcl(Acl),
    /// All limits of an entity; none is the end of its quota.
    SetQuota(QuotaEntity, QuotaLimits),
}

#[derive(Serialize, Deserialize)]
struct CredentialValue {
    iterations: NonZeroU32,
    salt: String,
    stored_key: String,
    server_key: String,
    #[serde(default)]
    by: String,
}

#[derive(Serialize, Deserialize)]
struct QuotaValue {
    limits: BTreeMap<String, f64>,
    #[serde(default)]
    by: String,
}

#[derive(Serialize)]
struct AclValue {
    by: String,
}

/// What is done, for the audit log: nothing of a password.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetCredential(name, credential) => {
                write!(f, "user {name:?} was given a password for {}", credential.mechanism)
            }
            Self::RemoveCredential(name, mechanism) => {
                write!(f, "the password of user {name:?} for {mechanism} was removed")
            }
            Self::SetAcl(acl) => write!(f, "rule {} was created", words_of(acl)),
            Self::RemoveAcl(acl) => write!(f, "rule {} was deleted", words_of(acl)),
            Self::SetQuota(entity, limits) if limits.is_empty() => {
                write!(f, "the quota of {entity} was deleted")
            }
            Self::SetQuota(entity, limits) => {
                let limits: Vec<_> =
                    limits.iter().map(|(key, value)| format!("{} {value}", key.name())).collect();
                write!(f, "the quota of {entity} was set to {}", limits.join(", "))
            }
        }
    }
}

impl Change {
    /// The record's key and value; `by` made the change.
    pub(crate) fn encode(&self, by: &Principal) -> (String, Option<Vec<u8>>) {
        // Names in tokens may be of any length.
        let by = by.as_str();
        let by = by[..by.floor_char_boundary(MAX_PRINCIPAL_BYTES)].to_owned();
        match self {
            Self::SetCredential(name, credential) => {
                let value = CredentialValue {
                    iterations: credential.iterations,
                    salt: BASE64.encode(&credential.salt),
                    stored_key: BASE64.encode(&credential.stored_key),
                    server_key: BASE64.encode(&credential.server_key),
                    by,
                };
                (user_key(name, credential.mechanism), Some(json(&value)))
            }
            Self::RemoveCredential(name, mechanism) => (user_key(name, *mechanism), None),
            Self::SetAcl(acl) => (acl_key(acl), Some(json(&AclValue { by }))),
            Self::RemoveAcl(acl) => (acl_key(acl), None),
            Self::SetQuota(entity, limits) => {
                let named = limits.iter().map(|(key, value)| (key.name().to_owned(), value)).collect();
                let value = (!limits.is_empty()).then(|| json(&QuotaValue { limits: named, by }));
                (quota_key(entity), value)
            }
        }
    }

    /// Reads what [`Change::encode`] writes.
    ///
    /// # Errors
    /// What is wrong, without a word of the value.
    pub(crate) fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Self, String> {
        let key = std::str::from_utf8(key).map_err(|_| "the key is not UTF-8".to_owned())?;
        if let Some(rest) = key.strip_prefix(USER) {
            let (name, mechanism) = rest.rsplit_once('/').ok_or("the key names no mechanism")?;
            let mechanism =
                ScramMechanism::from_name(mechanism).ok_or("this version knows no such mechanism")?;
            check_user_name(name).map_err(|error| error.to_string())?;
            return match value {
                Some(value) => Ok(Self::SetCredential(name.to_owned(), credential(mechanism, value)?)),
                None => Ok(Self::RemoveCredential(name.to_owned(), mechanism)),
            };
        }
        if let Some(rest) = key.strip_prefix(QUOTA) {
            let entity = quota_entity(rest)?;
            let limits = value.map_or(Ok(QuotaLimits::default()), |value| quota_limits(&entity, value))?;
            return Ok(Self::SetQuota(entity, limits));
        }
        let Some(rest) = key.strip_prefix(ACL) else {
            return Err("this version knows no such record".to_owned());
        };
        let acl = acl(rest)?;
        Ok(if value.is_some() { Self::SetAcl(acl) } else { Self::RemoveAcl(acl) })
    }
}

fn user_key(name: &str, mechanism: ScramMechanism) -> String {
    format!("{USER}{name}/{mechanism}")
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("text and numbers serialise")
}

fn quota_key(entity: &QuotaEntity) -> String {
    let parts: Vec<_> = entity.parts().into_iter().map(|(part, name)| (part.name(), name)).collect();
    format!("{QUOTA}{}", serde_json::to_string(&parts).expect("text serialises"))
}

fn quota_entity(text: &str) -> Result<QuotaEntity, String> {
    let parts: Vec<(String, Option<String>)> =
        serde_json::from_str(text).map_err(|_| "the key is no entity of this version".to_owned())?;
    if parts.len() > QuotaPart::ALL.len() {
        return Err("the key is no entity of this version".to_owned());
    }
    let parts = parts.iter().map(|(kind, name)| (kind.as_str(), name.as_deref()));
    QuotaEntity::from_parts(parts).map_err(|error| error.to_string())
}

fn quota_limits(entity: &QuotaEntity, value: &[u8]) -> Result<QuotaLimits, String> {
    let value: QuotaValue =
        serde_json::from_slice(value).map_err(|_| "the value has no limits".to_owned())?;
    let mut limits = QuotaLimits::default();
    for (name, value) in value.limits {
        let key = QuotaKey::from_name(&name).ok_or("this version knows no such quota")?;
        key.check(entity, value).map_err(|error| error.to_string())?;
        limits.set(key, Some(value));
    }
    Ok(limits)
}

fn acl_key(acl: &Acl) -> String {
    format!("{ACL}{}", words_of(acl))
}

/// The rule as a list.
fn words_of(acl: &Acl) -> String {
    let ResourcePattern { resource_type, pattern_type, name } = &acl.resource;
    let host = acl.host.to_string();
    let words = [
        resource_type.name(),
        pattern_type.name(),
        name,
        &acl.principal,
        &host,
        acl.operation.name(),
        acl.permission.name(),
    ];
    serde_json::to_string(&words).expect("text serialises")
}

fn acl(text: &str) -> Result<Acl, String> {
    let words: [String; 7] =
        serde_json::from_str(text).map_err(|_| "the key is no rule of this version".to_owned())?;
    let [resource_type, pattern_type, name, principal, host, operation, permission] = words;
    let resource = ResourcePattern {
        resource_type: word(&resource_type)?,
        pattern_type: word(&pattern_type)?,
        name: name.into(),
    };
    let host: Host = word(&host)?;
    let (operation, permission) = (word(&operation)?, word(&permission)?);
    let acl = Acl { resource, principal: principal.into(), host, operation, permission };
    acl.check().map_err(|error| error.to_string())?;
    Ok(acl)
}

fn word<T: std::str::FromStr<Err = crate::AclError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: crate::AclError| error.to_string())
}

fn credential(mechanism: ScramMechanism, value: &[u8]) -> Result<ScramCredential, String> {
    // Serde's error could show a part of the value.
    let refused = || "the value is no credential".to_owned();
    let value: CredentialValue = serde_json::from_slice(value).map_err(|_| refused())?;
    let bytes = |text: &str| BASE64.decode(text).map_err(|_| refused());
    let credential = ScramCredential {
        mechanism,
        salt: bytes(&value.salt)?,
        iterations: value.iterations,
        stored_key: bytes(&value.stored_key)?,
        server_key: bytes(&value.server_key)?,
    };
    let sizes = [credential.stored_key.len(), credential.server_key.len()];
    let is_whole = sizes == [mechanism.key_bytes(); 2] && !credential.salt.is_empty();
    match is_whole && (MIN_ITERATIONS..=MAX_ITERATIONS).contains(&credential.iterations) {
        true => Ok(credential),
        false => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Operation, PatternType, Permission, ResourceType};

    proptest! {
        #[test]
        fn rules_are_read_as_they_were_written(
            name in "[^\u{0}]{1,40}", principal in "[^\u{0}]{1,20}", kinds in any::<[u8; 4]>(), host in any::<Option<std::net::IpAddr>>(),
        ) {
            let pick = |n: usize, from: u8| usize::from(from) % n;
            let mut acl = Acl {
                resource: ResourcePattern {
                    resource_type: ResourceType::ALL[pick(6, kinds[0])],
                    pattern_type: PatternType::ALL[pick(2, kinds[1])],
                    name: name.into(),
                },
                principal: format!("User:{principal}").into(),
                host: host.map_or(Host::Any, Host::from),
                operation: Operation::ALL[pick(14, kinds[2])],
                permission: Permission::ALL[pick(2, kinds[3])],
            };
            if acl.resource.resource_type == ResourceType::Cluster {
                acl.resource.name = crate::CLUSTER.into();
            }
            for change in [Change::SetAcl(acl.clone()), Change::RemoveAcl(acl)] {
                let (key, value) = change.encode(&Principal::system());
                prop_assert_eq!(Change::decode(key.as_bytes(), value.as_deref()), Ok(change));
            }
        }

        #[test]
        fn noise_is_a_change_or_an_error(key in any::<Vec<u8>>(), value in any::<Option<Vec<u8>>>()) {
            let _either = Change::decode(&key, value.as_deref());
            for start in ["user/", "acl/[\"topic\",", "user/a/SCRAM-SHA-256", "quota/", "quota/[[\"user\","] {
                let key = [start.as_bytes(), &key].concat();
                let _either = Change::decode(&key, value.as_deref());
            }
        }
    }

    proptest! {
        #[test]
        fn quotas_are_read_as_they_were_written(
            user in any::<Option<String>>(), client_id in any::<Option<String>>(), rate in 1..u32::MAX, share in 0.01..1e6,
        ) {
            let parts = [("user", user.as_deref()), ("client-id", client_id.as_deref())];
            let Ok(entity) = QuotaEntity::from_parts(parts) else { return Ok(()) };
            let mut limits = QuotaLimits::default();
            limits.set(QuotaKey::ProducerByteRate, Some(rate.into()));
            limits.set(QuotaKey::RequestPercentage, Some(share));
            for limits in [limits, QuotaLimits::default()] {
                let change = Change::SetQuota(entity.clone(), limits);
                let (key, value) = change.encode(&Principal::new("User:ann"));
                prop_assert_eq!(value.is_none(), limits.is_empty());
                prop_assert_eq!(Change::decode(key.as_bytes(), value.as_deref()), Ok(change));
            }
        }
    }

    #[test]
    fn records_of_earlier_versions_are_read() {
        let acl = br#"acl/["topic","literal","orders","User:ann","*","read","allow"]"#;
        assert!(matches!(Change::decode(acl, Some(b"{}")), Ok(Change::SetAcl(_))));
        let credential =
            ScramCredential::from_password(ScramMechanism::Sha256, "pw", vec![7; 16], MIN_ITERATIONS);
        let change = Change::SetCredential("ann".to_owned(), credential);
        let (key, value) = change.encode(&Principal::new("User:admin"));
        let mut value: serde_json::Value = serde_json::from_slice(&value.expect("a value")).expect("JSON");
        assert_eq!(value.as_object_mut().expect("an object").remove("by"), Some("User:admin".into()));
        assert_eq!(Change::decode(key.as_bytes(), Some(value.to_string().as_bytes())), Ok(change));
    }

    #[test]
    fn credentials_are_read_as_they_were_written_and_errors_keep_them_secret() {
        let name = "a/b=,c".to_owned();
        let credential =
            ScramCredential::from_password(ScramMechanism::Sha512, "pw", vec![7; 16], MIN_ITERATIONS);
        let change = Change::SetCredential(name, credential);
        let (key, value) = change.encode(&Principal::system());
        let value = value.expect("a value");
        assert!(!String::from_utf8_lossy(&value).contains("pw"));
        assert_eq!(Change::decode(key.as_bytes(), Some(&value)), Ok(change));
        let cut = &value[..value.len() - 9];
        let error = Change::decode(key.as_bytes(), Some(cut)).expect_err("cut");
        assert_eq!(error, "the value is no credential");
    }
}
