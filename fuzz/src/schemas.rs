//! Schemas as strangers register them, and values that are said to be of one.

use factum_registry::avro::Schema;

/// Two Avro schemas, one a line: each as text, compared, and with its example.
pub(crate) fn avro_schema(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, text));
    drop(Schema::references(first));
    let (Ok(first), Ok(second)) = (Schema::parse(first, &[]), Schema::parse(second, &[])) else { return };
    for schema in [&first, &second] {
        let (canonical, normalized) = (schema.canonical(), schema.normalized());
        let again = Schema::parse(&canonical, &[]).expect("its own text");
        assert_eq!(again.canonical(), canonical);
        assert_eq!(again.fingerprint(), schema.fingerprint());
        Schema::parse(&normalized, &[]).expect("its own text");
        let example = schema.example();
        if !example.is_null() {
            schema.encode(example.to_string().as_bytes()).expect("its own example");
        }
    }
    drop(Schema::incompatibilities(&first, &second));
}

const ORDER: &str = r#"{"type": "record", "name": "shop.Order", "fields": [
    {"name": "id", "type": "long"}, {"name": "weight", "type": ["null", "double", "string"], "default": null},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}, "default": "\u0000"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-nanos"}, "default": 0},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}, "default": 0},
    {"name": "for", "type": {"type": "fixed", "name": "For", "size": 12, "logicalType": "duration"}, "default": "000000000000"},
    {"name": "kind", "type": ["null", {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}, "int", "long"], "default": null},
    {"name": "tags", "type": {"type": "map", "values": "bytes"}, "default": {}},
    {"name": "parts", "type": {"type": "array", "items": "Order"}, "default": []}]}"#;

/// A value of a schema with a field of each kind, in bytes and as JSON.
pub(crate) fn avro_value(bytes: &[u8]) {
    let schema = Schema::parse(ORDER, &[]).expect("a schema");
    let mut json = Vec::new();
    if schema.decode(bytes, &mut json).is_ok() {
        schema.encode(&json).expect("its own text");
    }
    if let Ok(encoded) = schema.encode(bytes) {
        json.clear();
        schema.decode(&encoded, &mut json).expect("its own bytes");
    }
}
