//! Ids of versions, as Azure's clients know them.
//!
//! Not here: ids of schemas, which are numbers, and the same in all subjects of a context that have the schema.

use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};

use crate::Subject;

/// The id of one version of one subject: 32 hexadecimal digits. It follows from the subject, the version and the text, so that it is the
/// same after a restart and in a copy of the registry, and never that of another text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId([u8; 16]);

/// Text that is no id of a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the id of a schema has 32 hexadecimal digits")]
pub struct InvalidVersionId;

impl VersionId {
    pub(crate) fn of(subject: &Subject, version: i32, definition: &str) -> Self {
        let mut hash = Md5::new();
        // No part of a subject has a control character.
        hash.update(subject.context().as_bytes());
        hash.update([0]);
        hash.update(subject.name().as_bytes());
        hash.update([0]);
        hash.update(version.to_be_bytes());
        hash.update(definition.as_bytes());
        Self(hash.finalize().into())
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionId({self})")
    }
}

impl FromStr for VersionId {
    type Err = InvalidVersionId;

    fn from_str(text: &str) -> Result<Self, InvalidVersionId> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidVersionId);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| InvalidVersionId)?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_that_of_one_version_with_one_text() {
        let subject = |text: &str| Subject::parse(text).expect("valid");
        let id = VersionId::of(&subject(":.a:b"), 1, "{}");
        assert_eq!(id.to_string().parse(), Ok(id));
        for (of, version, text) in
            [(":.a:b", 2, "{}"), (":.a:b", 1, "{} "), (":.b:a", 1, "{}"), ("b", 1, "{}")]
        {
            assert_ne!(VersionId::of(&subject(of), version, text), id, "{of} {version} {text}");
        }
        for wrong in ["", "fakeschemaid", &format!("{id}0"), "+1234567890123456789012345678901"] {
            assert_eq!(wrong.parse::<VersionId>(), Err(InvalidVersionId), "{wrong}");
        }
    }
}
