//! A serialized `FileDescriptorProto`, counted before it is decoded.
//!
//! Two bytes can declare a message, whose decoded form has hundreds. So the parts are counted in the bytes, with the
//! numbers of descriptor.proto, before anything is made of them.

use prost_reflect::bytes::Buf;
use prost_reflect::prost::encoding::{WireType, decode_key, decode_varint};

use super::text::{MAX_PARTS, too_many_parts};
use crate::{InvalidSchema, MAX_DEPTH};

/// A message of descriptor.proto that has messages inside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    File,
    Message,
    Field,
    Oneof,
    Enum,
    EnumValue,
    Service,
    Method,
    ExtensionRange,
    Options,
    Leaf,
}

impl Part {
    /// What a field of this part is.
    fn inner(self, number: u32) -> Option<Self> {
        Some(match (self, number) {
            (Self::File, 4) | (Self::Message, 3) => Self::Message,
            (Self::File, 5) | (Self::Message, 4) => Self::Enum,
            (Self::File, 6) => Self::Service,
            (Self::File, 7) | (Self::Message, 2 | 6) => Self::Field,
            (Self::Message, 8) => Self::Oneof,
            (Self::Message, 5) => Self::ExtensionRange,
            (Self::Enum, 2) => Self::EnumValue,
            (Self::Service, 2) => Self::Method,
            (Self::File | Self::Field, 8)
            | (Self::Message, 7)
            | (Self::Enum | Self::EnumValue | Self::Service | Self::ExtensionRange, 3)
            | (Self::Oneof, 2)
            | (Self::Method, 4) => Self::Options,
            // Lists of names, ranges and whatever options have.
            (Self::File, 3 | 10 | 11)
            | (Self::Message, 9 | 10)
            | (Self::Enum, 4 | 5)
            | (Self::Options, _) => Self::Leaf,
            _ => return None,
        })
    }
}

/// Fields of a file that say what it is called, what it imports, and where its parts are in a text.
const OWN: [u32; 5] = [1, 3, 9, 10, 11];

/// The bytes of a file without its name, its imports and its places, and how many parts there are.
///
/// # Errors
/// If they are no message of Protobuf, or have too many parts, or too deep.
pub(super) fn body(bytes: &[u8]) -> Result<(Vec<u8>, usize), InvalidSchema> {
    let mut parts = 0;
    count(bytes, Part::File, 0, &mut parts)?;
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = rest;
        let (number, _) = next(&mut rest)?;
        if !OWN.contains(&number) {
            kept.extend_from_slice(before.get(..before.len() - rest.len()).unwrap_or_default());
        }
    }
    Ok((kept, parts))
}

fn count(bytes: &[u8], part: Part, depth: usize, parts: &mut usize) -> Result<(), InvalidSchema> {
    if depth > MAX_DEPTH {
        return Err(InvalidSchema::new(format!(
            "nested too deeply: at most {MAX_DEPTH} messages in one another"
        )));
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        let (number, inner) = next(&mut rest)?;
        let Some(kind) = part.inner(number) else { continue };
        *parts += 1;
        if *parts > MAX_PARTS {
            return Err(InvalidSchema::new(too_many_parts()));
        }
        if let Some(inner) = inner.filter(|_| kind != Part::Leaf) {
            count(inner, kind, depth + 1, parts)?;
        }
    }
    Ok(())
}

/// The number of the next field, and its bytes where it has a length.
fn next<'a>(rest: &mut &'a [u8]) -> Result<(u32, Option<&'a [u8]>), InvalidSchema> {
    let invalid = |_| InvalidSchema::new("neither a .proto file nor a base64 FileDescriptorProto");
    let short = || InvalidSchema::new("a base64 FileDescriptorProto that ends too early");
    let (number, wire) = decode_key(rest).map_err(invalid)?;
    let length = match wire {
        WireType::Varint => {
            decode_varint(rest).map_err(invalid)?;
            return Ok((number, None));
        }
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => {
            usize::try_from(decode_varint(rest).map_err(invalid)?).map_err(|_| short())?
        }
        WireType::StartGroup | WireType::EndGroup => {
            return Err(InvalidSchema::new("a base64 FileDescriptorProto with a group"));
        }
    };
    let value = rest.get(..length).ok_or_else(short)?;
    rest.advance(length);
    Ok((number, Some(value)))
}
