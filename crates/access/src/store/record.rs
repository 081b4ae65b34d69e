//! Records of topic `_factum.access`: keys and JSON values.
//!
//! ```text
//!   key  user/<name>/<mechanism>   value  {"iterations":4096,"salt":"…","stored_key":"…","server_key":"…"} (base64)
//!   key  acl/[<type>,<pattern>,<name>,<principal>,<host>,<operation>,<permission>]   value  {}
//! ```
//!
//! A record without a value takes away what its key names.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::acl::{Acl, Host, ResourcePattern};
use crate::{MAX_ITERATIONS, MIN_ITERATIONS, ScramCredential, ScramMechanism, check_user_name};

const USER: &str = "user/";
const ACL: &str = "acl/";

/// A change, as one record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// What is kept of a password.
    SetCredential(String, ScramCredential),
    /// A user may no longer log in by a mechanism.
    RemoveCredential(String, ScramMechanism),
    /// A rule.
    SetAcl(Acl),
    /// The end of a rule.
    RemoveAcl(Acl),
}

#[derive(Serialize, Deserialize)]
struct CredentialValue {
    iterations: NonZeroU32,
    salt: String,
    stored_key: String,
    server_key: String,
}

impl Change {
    /// The record's key and value.
    pub(crate) fn encode(&self) -> (String, Option<Vec<u8>>) {
        match self {
            Self::SetCredential(name, credential) => {
                let value = CredentialValue {
                    iterations: credential.iterations,
                    salt: BASE64.encode(&credential.salt),
                    stored_key: BASE64.encode(&credential.stored_key),
                    server_key: BASE64.encode(&credential.server_key),
                };
                let value = serde_json::to_vec(&value).expect("text and numbers serialise");
                (user_key(name, credential.mechanism), Some(value))
            }
            Self::RemoveCredential(name, mechanism) => (user_key(name, *mechanism), None),
            Self::SetAcl(acl) => (acl_key(acl), Some(b"{}".to_vec())),
            Self::RemoveAcl(acl) => (acl_key(acl), None),
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

fn acl_key(acl: &Acl) -> String {
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
    format!("{ACL}{}", serde_json::to_string(&words).expect("text serialises"))
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
                let (key, value) = change.encode();
                prop_assert_eq!(Change::decode(key.as_bytes(), value.as_deref()), Ok(change));
            }
        }

        #[test]
        fn noise_is_a_change_or_an_error(key in any::<Vec<u8>>(), value in any::<Option<Vec<u8>>>()) {
            let _either = Change::decode(&key, value.as_deref());
            for start in ["user/", "acl/[\"topic\",", "user/a/SCRAM-SHA-256"] {
                let key = [start.as_bytes(), &key].concat();
                let _either = Change::decode(&key, value.as_deref());
            }
        }
    }

    #[test]
    fn credentials_are_read_as_they_were_written_and_errors_keep_them_secret() {
        let name = "a/b=,c".to_owned();
        let credential =
            ScramCredential::from_password(ScramMechanism::Sha512, "pw", vec![7; 16], MIN_ITERATIONS);
        let change = Change::SetCredential(name, credential);
        let (key, value) = change.encode();
        let value = value.expect("a value");
        assert!(!String::from_utf8_lossy(&value).contains("pw"));
        assert_eq!(Change::decode(key.as_bytes(), Some(&value)), Ok(change));
        let cut = &value[..value.len() - 9];
        let error = Change::decode(key.as_bytes(), Some(cut)).expect_err("cut");
        assert_eq!(error, "the value is no credential");
    }
}
