//! Protobuf schemas as strangers register them, and values of those schemas.

use std::sync::OnceLock;

use factum_registry::protobuf::{MessageIndexes, Schema};

/// A schema that others are compared with.
const BASE: &str = "syntax = \"proto3\"; package store; message Order { string id = 1; int64 total = 2; \
    oneof payment { string card = 3; uint64 cash = 4; } repeated Line lines = 5; map<string, int32> counts = 6; \
    message Line { int32 product = 1; } }";

/// The text of a schema, a zero, and a value with its message indexes, which is also tried as JSON.
pub(crate) fn schema(bytes: &[u8]) {
    static KNOWN: OnceLock<Schema> = OnceLock::new();
    let known = KNOWN.get_or_init(|| Schema::parse(BASE, &[]).expect("a schema"));
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, value) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let Ok(schema) = Schema::parse(&String::from_utf8_lossy(text), &[]) else { return };
    drop((Schema::incompatibilities(&schema, known), Schema::incompatibilities(known, &schema)));
    for form in [schema.canonical(), schema.normalized(), schema.serialized()] {
        Schema::parse(&form, &[]).expect("what is given back is a schema");
    }
    let example = schema.example().to_string();
    drop(schema.encode(example.as_bytes()));
    if let Ok((indexes, value)) = MessageIndexes::read(value) {
        let mut json = Vec::new();
        if schema.decode_message(&indexes, value, &mut json).is_ok() {
            drop(schema.encode_message(&indexes, &json));
        }
    }
    drop(schema.encode(value));
}
