//! Confluent's wire format: which schema a key or value was written with.
//!
//! ```text
//!   in the value   0x00 │ id, 4 bytes, big-endian │ payload
//!   in a header    __value_schema_id: 0x01 │ GUID, 16 bytes        the value is the payload
//! ```

use std::fmt;

use crate::Guid;

/// The header that names the schema of a record's value.
pub const VALUE_SCHEMA_HEADER: &str = "__value_schema_id";

const ID: u8 = 0;
const GUID: u8 = 1;
const ID_PREFIX_BYTES: usize = 5;

/// A value, and the schema that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FramedValue<'a> {
    /// The schema.
    pub schema: SchemaId,
    /// What is encoded with it.
    pub payload: &'a [u8],
}

/// The name of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaId {
    /// Its id in the default context.
    Id(i32),
    /// Its fingerprint.
    Guid(Guid),
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Guid(guid) => guid.fmt(f),
        }
    }
}

impl<'a> FramedValue<'a> {
    /// Reads a value and the header beside it; `None` if neither names a schema.
    pub fn read(value: &'a [u8], header: Option<&[u8]>) -> Option<Self> {
        if let Some((&GUID, guid)) = header.and_then(<[u8]>::split_first) {
            let guid = Guid::from_bytes(guid.try_into().ok()?);
            return Some(Self { schema: SchemaId::Guid(guid), payload: value });
        }
        let (&ID, _) = value.split_first()? else { return None };
        let (prefix, payload) = value.split_at_checked(ID_PREFIX_BYTES)?;
        let id = i32::from_be_bytes(prefix[1..].try_into().ok()?);
        (id > 0).then_some(Self { schema: SchemaId::Id(id), payload })
    }

    /// Writes the prefix of a value that is encoded with the schema `id`.
    pub fn write_prefix(id: i32, out: &mut Vec<u8>) {
        out.push(ID);
        out.extend_from_slice(&id.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_names_its_schema_by_prefix_or_header() {
        let mut value = Vec::new();
        FramedValue::write_prefix(7, &mut value);
        value.extend_from_slice(b"abc");
        let framed = FramedValue { schema: SchemaId::Id(7), payload: b"abc" };
        assert_eq!(FramedValue::read(&value, None), Some(framed));
        let header: Vec<u8> = std::iter::once(1).chain([9; 16]).collect();
        let framed = FramedValue { schema: SchemaId::Guid(Guid::from_bytes([9; 16])), payload: b"{}" };
        assert_eq!(FramedValue::read(b"{}", Some(&header)), Some(framed));
        for (value, header) in [
            (&b""[..], None),
            (b"\0", None),
            (b"\0\0\0\0", None),
            (b"\0\0\0\0\0abc", None),
            (b"\0\xff\xff\xff\xffabc", None),
            (b"{}", None),
            (b"{}", Some(&b"\x01short"[..])),
            (b"{}", Some(b"")),
        ] {
            assert_eq!(FramedValue::read(value, header), None, "{value:?} {header:?}");
        }
    }
}
