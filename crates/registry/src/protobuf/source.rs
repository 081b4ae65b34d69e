//! A schema as it is given: the text of a `.proto` file, or a base64 `FileDescriptorProto`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use prost_reflect::prost::Message;
use prost_reflect::prost_types::{FileDescriptorProto, SourceCodeInfo};

use super::link::SourceFile;
use super::{serialized, text};
use crate::{InvalidSchema, MAX_SCHEMA_BYTES};

/// Reads one of both, as the file of this name.
///
/// # Errors
/// If it is neither, or beyond a limit.
pub(super) fn read(name: &str, given: &str) -> Result<SourceFile, InvalidSchema> {
    if given.len() > MAX_SCHEMA_BYTES {
        let reason = format!("too large: {} bytes, and the limit is {MAX_SCHEMA_BYTES}", given.len());
        return Err(InvalidSchema::new(reason));
    }
    if let Some(bytes) = base64(given) {
        return decode(name, &bytes);
    }
    let parsed = text::parse(name, given)?;
    Ok(SourceFile { proto: parsed.proto, body: None, places: parsed.places, parts: parsed.parts })
}

/// The bytes, unless the text has a sign that base64 does not have, as every `.proto` file that says anything has.
fn base64(given: &str) -> Option<Vec<u8>> {
    let given = given.trim();
    if given.is_empty() {
        return None;
    }
    BASE64_STANDARD.decode(given).ok()
}

fn decode(name: &str, bytes: &[u8]) -> Result<SourceFile, InvalidSchema> {
    let (body, parts) = serialized::body(bytes)?;
    let invalid = |error| InvalidSchema::new(format!("invalid base64 FileDescriptorProto: {error}"));
    let mut proto = FileDescriptorProto::decode(bytes).map_err(invalid)?;
    proto.name = Some(name.to_owned());
    proto.source_code_info = None;
    Ok(SourceFile { proto, body: Some(body), places: SourceCodeInfo::default(), parts })
}
