//! A schema as it is registered: its text, what it refers to, and what is said about it; and its identity.
//!
//! **Invariants:** two schemas with the same fingerprint are one schema, with one id in a context. The fingerprint is Confluent's
//! (MD5 over the parts in this order), so that GUIDs are the same in both registries.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use crate::json_size::json_size;
use crate::{Metadata, RuleSet, SchemaType};

/// A schema of one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Its format.
    pub schema_type: SchemaType,
    /// Its text, in the canonical form of its format.
    pub text: Arc<str>,
    /// The schemas that it refers to.
    pub references: Vec<Reference>,
    /// Tags and properties.
    pub metadata: Option<Metadata>,
    /// Rules that clients carry out.
    pub rule_set: Option<RuleSet>,
}

/// A name in a schema, and the version of a subject that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// As the schema's text has it.
    pub name: String,
    /// The subject.
    pub subject: String,
    /// Its version.
    pub version: i32,
}

/// The fingerprint of a schema, shown as a UUID: Confluent's GUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid([u8; 16]);

/// Text that is no GUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a GUID has 32 hexadecimal digits, with or without dashes")]
pub struct InvalidGuid;

impl Schema {
    /// Bytes of its metadata and its rules, as JSON.
    pub(crate) fn detail_bytes(&self) -> usize {
        let metadata = self.metadata.as_ref().map_or(0, json_size);
        metadata.saturating_add(self.rule_set.as_ref().map_or(0, json_size))
    }

    /// Bytes of all that is kept of it.
    pub(crate) fn bytes(&self) -> usize {
        let references =
            self.references.iter().map(|reference| reference.name.len() + reference.subject.len());
        self.text.len().saturating_add(self.detail_bytes()).saturating_add(references.sum())
    }

    /// Its identity.
    pub fn guid(&self) -> Guid {
        let mut hash = Md5::new();
        hash.update(self.text.as_bytes());
        for Reference { name, subject, version } in &self.references {
            hash.update(name.as_bytes());
            hash.update(subject.as_bytes());
            hash.update(version.to_be_bytes());
        }
        // The byte tells an empty one from none.
        if let Some(metadata) = &self.metadata {
            hash.update([1]);
            metadata.hash_into(&mut |part| hash.update(part));
        }
        if let Some(rule_set) = &self.rule_set {
            hash.update([1]);
            rule_set.hash_into(&mut |part| hash.update(part));
        }
        Guid(hash.finalize().into())
    }
}

impl Guid {
    /// Its bytes, as a header of a record has them.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The GUID with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guid({self})")
    }
}

impl FromStr for Guid {
    type Err = InvalidGuid;

    fn from_str(text: &str) -> Result<Self, InvalidGuid> {
        let mut bytes = [0; 16];
        let mut digits = text.chars().filter(|c| *c != '-').map(|c| c.to_digit(16));
        for byte in &mut bytes {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(InvalidGuid);
            };
            *byte = u8::try_from(high << 4 | low).map_err(|_| InvalidGuid)?;
        }
        match digits.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(InvalidGuid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_the_md5_of_the_text() {
        let schema = Schema {
            schema_type: SchemaType::Avro,
            text: r#""string""#.into(),
            references: Vec::new(),
            metadata: None,
            rule_set: None,
        };
        // printf '"string"' | md5sum
        let guid = schema.guid().to_string();
        assert_eq!(guid.parse::<Guid>(), Ok(schema.guid()));
        assert_eq!(guid.replace('-', ""), "095d71cf12556b9d5e330ad575b3df5d");
        for wrong in ["", "12", "zz", &format!("{guid}0")] {
            assert_eq!(wrong.parse::<Guid>(), Err(InvalidGuid));
        }
    }
}
