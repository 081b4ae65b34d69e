//! Values to and from JSON, and message indexes.

use expect_test::expect;
use proptest::prelude::*;

use super::{ORDER, schema};
use crate::ValueError;
use crate::protobuf::{MessageIndexes, Schema};

fn to_json(schema: &Schema, bytes: &[u8]) -> String {
    let mut json = b"before ".to_vec();
    match schema.decode(bytes, &mut json) {
        Ok(()) => String::from_utf8_lossy(json.strip_prefix(b"before ").expect("appended")).into_owned(),
        Err(error) => {
            assert_eq!(json, b"before ");
            error.to_string()
        }
    }
}

#[test]
fn values_have_protobufs_json_mapping() {
    let order = schema(ORDER);
    let json = r#"{"id": "o1", "total_cents": 9007199254740993, "placedAt": "2024-01-31T12:00:00.5Z",
        "lines": [{"product": 7, "title": "Alien"}, {}], "counts": {"b": 2, "a": "1"}, "status": "OPEN",
        "signature": "_-8", "weight": 0, "cash": "18446744073709551615"}"#;
    let bytes = order.encode(json.as_bytes()).expect("an order");
    expect![[r#"{"id":"o1","totalCents":"9007199254740993","placedAt":"2024-01-31T12:00:00.500Z","lines":[{"product":7,"title":"Alien"},{"product":0,"title":""}],"counts":{"a":1,"b":2},"status":"OPEN","signature":"/+8=","weight":0.0,"cash":"18446744073709551615"}"#]].assert_eq(&to_json(&order, &bytes));
    expect![[r#"{"id":"","totalCents":"0","lines":[],"counts":{},"status":"UNKNOWN","signature":""}"#]]
        .assert_eq(&to_json(&order, b""));
    let refund = MessageIndexes::new(&[1]);
    let bytes = order.encode_message(&refund, br#"{"order": "o1"}"#).expect("a refund");
    assert_eq!(bytes, b"\x0a\x02o1");
    let mut json = Vec::new();
    order.decode_message(&refund, &bytes, &mut json).expect("a refund");
    assert_eq!(json, br#"{"order":"o1"}"#);
}

#[test]
fn unknown_fields_are_skipped_and_unknown_enum_values_are_numbers() {
    let order = schema(ORDER);
    // Field 100 as text, field 6 with the value 9.
    expect![[r#"{"id":"","totalCents":"0","lines":[],"counts":{},"status":9,"signature":""}"#]]
        .assert_eq(&to_json(&order, b"\xa2\x06\x02hi\x30\x09"));
}

#[test]
fn errors_name_the_field() {
    let order = schema(ORDER);
    let values = [
        "",
        "[]",
        "{\"id\": 1}",
        "{\"none\": 1}",
        "{\"totalCents\": \"x\"}",
        "{\"total_cents\": 1.5}",
        "{\"totalCents\": 9223372036854775808}",
        "{\"lines\": {}}",
        "{\"lines\": [{\"product\": 1}, {\"product\": 4294967296}]}",
        "{\"lines\": [null]}",
        "{\"counts\": {\"a\": \"x\"}}",
        "{\"counts\": {\"a\": null}}",
        "{\"status\": \"CLOSED\"}",
        "{\"signature\": \"*\"}",
        "{\"weight\": \"x\"}",
        "{\"card\": \"c\", \"cash\": 1}",
        "{\"id\": \"a\", \"placedAt\": 5}",
        "{\"total_cents\": 1, \"totalCents\": 1}",
        "{\"id\": null, \"lines\": null, \"card\": null}",
        "{} x",
    ];
    let errors: Vec<String> = values
        .iter()
        .map(|json| match order.encode(json.as_bytes()) {
            Ok(bytes) => format!("{json}: {bytes:?}"),
            Err(error) => error.to_string(),
        })
        .collect();
    expect![[r#"
        invalid JSON: EOF while parsing a value at line 1 column 0
        store.Order is an object, and not a list
        id: 1 is no string
        none: store.Order has no such field
        totalCents: "x" is no int64
        total_cents: 1.5 is no int64
        totalCents: 9223372036854775808 is no int64
        lines: a list of store.Order.Line, and not an object
        lines[1].product: 4294967296 is no int32
        lines[0]: null within a list
        counts["a"]: "x" is no int32
        counts["a"]: null within a map
        status: "CLOSED" is no value of store.Order.Status: UNKNOWN, OPEN
        signature: "*" is no bytes in base64
        weight: "x" is no double
        cash: card is set already, of the same oneof payment
        placedAt: no google.protobuf.Timestamp: invalid type: integer `5`, expected a rfc3339 timestamp string
        totalCents: set twice, by its name and in lowerCamelCase
        {"id": null, "lines": null, "card": null}: []
        invalid JSON: trailing characters at line 1 column 4"#]]
    .assert_eq(&errors.join("\n"));
}

#[test]
fn required_fields_have_to_be_there() {
    let schema = schema(
        "message M { required string a = 1; repeated N n = 2; } message N { required int32 b = 1 [default = 4]; }",
    );
    let encode = |json: &str| {
        schema
            .encode(json.as_bytes())
            .map_or_else(|error: ValueError| error.to_string(), |bytes| format!("{bytes:?}"))
    };
    expect!["a: required, and missing"].assert_eq(&encode("{}"));
    expect!["n[1].b: required, and missing"].assert_eq(&encode(r#"{"a": "", "n": [{"b": 0}, {}]}"#));
    expect!["[10, 0]"].assert_eq(&encode(r#"{"a": ""}"#));
}

#[test]
fn bytes_that_are_no_value_are_refused() {
    let order = schema(ORDER);
    let values: [&[u8]; 9] = [
        b"\x0a",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a\x02\xff\xfe",
        b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x08\x01",
        b"\x00",
        b"\x22\x03\x08\x01",
        b"\x07",
        b"\x0b\x0b\x0b",
    ];
    let errors: Vec<String> = values.iter().map(|bytes| to_json(&order, bytes)).collect();
    expect![[r#"
        no value of store.Order: failed to decode Protobuf message: invalid varint
        no value of store.Order: failed to decode Protobuf message: buffer underflow
        no value of store.Order: failed to decode Protobuf message: invalid string value: data is not UTF-8 encoded
        no value of store.Order: failed to decode Protobuf message: invalid varint
        no value of store.Order: failed to decode Protobuf message: invalid wire type: Varint (expected LengthDelimited)
        no value of store.Order: failed to decode Protobuf message: invalid tag value: 0
        no value of store.Order: failed to decode Protobuf message: buffer underflow
        no value of store.Order: failed to decode Protobuf message: invalid wire type value: 7
        no value of store.Order: failed to decode Protobuf message: invalid wire type: StartGroup (expected LengthDelimited)"#]].assert_eq(&errors.join("\n"));
}

#[test]
fn types_with_a_json_form_of_their_own() {
    let schema = schema(
        r#"syntax = "proto3"; package w; import "google/protobuf/any.proto"; import "google/protobuf/duration.proto";
        import "google/protobuf/field_mask.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/wrappers.proto";
        message M { google.protobuf.Any any = 1; google.protobuf.Duration for = 2; google.protobuf.FieldMask mask = 3;
        google.protobuf.Struct data = 4; google.protobuf.Value value = 5; google.protobuf.Int64Value long = 6;
        google.protobuf.NullValue none = 7; repeated google.protobuf.Value values = 8; } message N { string x = 1; }"#,
    );
    let json = r#"{"any": {"@type": "type.googleapis.com/w.N", "x": "y"}, "for": "1.5s", "mask": "a,bC", "data": {"a": [1, null]},
        "value": null, "long": "7", "none": null, "values": [null, true]}"#;
    let bytes = schema.encode(json.as_bytes()).expect("a value");
    expect![[r#"{"any":{"@type":"type.googleapis.com/w.N","x":"y"},"for":"1.500s","mask":"a,bC","data":{"a":[1.0,null]},"value":null,"long":"7","none":null,"values":[null,true]}"#]].assert_eq(&to_json(&schema, &bytes));
    let error = schema.encode(br#"{"any": {"@type": "type.googleapis.com/w.O"}}"#).expect_err("no such type");
    expect!["any: no google.protobuf.Any: message 'w.O' not found"].assert_eq(&error.to_string());
}

#[test]
fn examples_are_values() {
    let order = schema(ORDER);
    expect![[r#"{"id":"a1","totalCents":"1","placedAt":"2024-01-31T12:00:00Z","lines":[{"product":1,"title":"title"}],"counts":{"key":1},"status":"OPEN","signature":"AQID","weight":9.5,"card":"card"}"#]].assert_eq(&order.example().to_string());
    for message in order.messages() {
        let example = order.example_of(&message.indexes).expect("a message");
        order
            .encode_message(&message.indexes, example.to_string().as_bytes())
            .expect("an example is a value");
    }
    let tree = schema(
        "message T { required string id = 1 [default = \"root\"]; repeated T children = 2; map<bool, T> more = 3; optional E e = 4; enum E { A = 0; B = 1; } }",
    );
    expect![[r#"{"id":"root","children":[{"id":"root","children":[{"id":"root","e":"B"}],"more":{"true":{"id":"root","e":"B"}},"e":"B"}],"more":{"true":{"id":"root","children":[{"id":"root","e":"B"}],"more":{"true":{"id":"root","e":"B"}},"e":"B"}},"e":"B"}"#]].assert_eq(&tree.example().to_string());
    tree.encode(tree.example().to_string().as_bytes()).expect("an example is a value");
    assert_eq!(schema("enum E { A = 0; }").example(), serde_json::Value::Null);
}

#[test]
fn message_indexes_are_confluents() {
    let cases: [(&[u8], &str); 8] = [
        (b"\x00x", "[0] \"x\""),
        (b"\x02\x00x", "[0] \"x\""),
        (b"\x04\x02\x06", "[1, 3] \"\""),
        (b"", "message indexes end too early"),
        (b"\x04\x02", "message indexes end too early"),
        (b"\x01", "message indexes are numbers from 0 to 2147483647"),
        (b"\xfe\xff\xff\xff\x0f", "2147483647 message indexes: at most 64"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "invalid varint in the message indexes"),
    ];
    for (bytes, expected) in cases {
        let found = match MessageIndexes::read(bytes) {
            Ok((indexes, rest)) => format!("{:?} {:?}", indexes.positions(), String::from_utf8_lossy(rest)),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }
}

proptest! {
    #[test]
    fn message_indexes_read_what_they_write(
        positions in prop::collection::vec(0..=i32::MAX.cast_unsigned(), 1..=64),
        rest in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let indexes = MessageIndexes::new(&positions);
        let mut bytes = Vec::new();
        indexes.write(&mut bytes);
        bytes.extend(&rest);
        prop_assert_eq!(MessageIndexes::read(&bytes), Ok((indexes, rest.as_slice())));
    }

    #[test]
    fn values_read_as_they_were_written(
        id in ".{0,12}",
        total in any::<i64>(),
        cash in any::<u64>(),
        weight in prop::option::of(any::<f64>().prop_filter("finite", |number| number.is_finite())),
        products in prop::collection::vec(any::<i32>(), 0..4),
        counts in prop::collection::btree_map("[a-z]{0,4}", any::<i32>(), 0..4),
        signature in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        use base64::Engine as _;
        let order = schema(ORDER);
        let lines: Vec<_> = products.iter().map(|product| serde_json::json!({"product": product, "title": ""})).collect();
        let mut value = serde_json::json!({
            "id": id, "totalCents": total.to_string(), "lines": lines, "counts": counts, "status": "UNKNOWN",
            "signature": base64::prelude::BASE64_STANDARD.encode(&signature),
        });
        if let Some(weight) = weight {
            value["weight"] = weight.into();
        }
        value["cash"] = cash.to_string().into();
        let bytes = order.encode(value.to_string().as_bytes()).expect("an order");
        let read: serde_json::Value = serde_json::from_str(&to_json(&order, &bytes)).expect("JSON");
        prop_assert_eq!(read, value);
    }

    #[test]
    fn bytes_from_anywhere_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let order = schema(ORDER);
        let mut json = Vec::new();
        if order.decode(&bytes, &mut json).is_ok() {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
        }
    }
}
