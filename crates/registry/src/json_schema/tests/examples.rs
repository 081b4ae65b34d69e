//! Examples that are made from schemas.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Schema;
use super::schema;

#[test]
fn examples_are_plausible() {
    let check = |text: &str, expected: Expect| {
        let schema = schema(text);
        let example = schema.example().to_string();
        schema.validate(example.as_bytes()).unwrap_or_else(|error| panic!("{text}: {example}: {error}"));
        expected.assert_eq(&example);
    };
    check(
        r#"{"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string", "format": "uuid"}, "at": {"type": "string", "format": "date-time"},
            "count": {"type": "integer", "minimum": 3}, "price": {"type": "number"}, "status": {"enum": ["new", "paid"]},
            "version": {"const": 2}, "note": {"type": ["null", "string"]}, "code": {"type": "string", "pattern": "^[A-Z]{2}-\\d+(x|y)?$"},
            "lines": {"type": "array", "minItems": 2, "uniqueItems": true, "items": {"type": "integer"}}, "gift": {"type": "boolean"},
            "city": {"type": "string", "examples": ["Leipzig", "Graz"]}, "rate": {"type": "number", "default": 0.2}}}"#,
        expect![[
            r#"{"id":"123e4567-e89b-42d3-a456-426614174000","at":"2026-01-31T12:00:00Z","count":3,"price":1.5,"status":"new","version":2,"note":"text","code":"AA-1x","lines":[1,2],"gift":true,"city":"Leipzig","rate":0.2}"#
        ]],
    );
    check(r#"{"type": "number", "exclusiveMinimum": 2, "multipleOf": 0.1}"#, expect!["2.1"]);
    check(r#"{"type": "integer", "minimum": 10, "maximum": 20, "multipleOf": 7}"#, expect!["14"]);
    check(r#"{"type": "string", "minLength": 8, "maxLength": 9}"#, expect![[r#""textxxxx""#]]);
    check(r#"{"type": "string", "maxLength": 2}"#, expect![[r#""te""#]]);
    check(
        r#"{"oneOf": [{"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}, {"type": "null"}]}"#,
        expect![[r#"{"a":"text"}"#]],
    );
    check(
        r#"{"allOf": [{"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"minimum": 5}}, "required": ["a"]}]}"#,
        expect![[r#"{"a":5}"#]],
    );
    check(r#"{"required": ["x", "y"]}"#, expect![[r#"{"x":"any value","y":"any value"}"#]]);
    check(
        r#"{"minProperties": 2, "additionalProperties": {"type": "boolean"}}"#,
        expect![[r#"{"field1":true,"field2":true}"#]],
    );
    check(
        r#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": false}"#,
        expect![[r#"["text",null]"#]],
    );
    check("{}", expect![[r#""any value""#]]);
}

#[test]
fn recursion_ends() {
    let tree = schema(
        r##"{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#"}}, "parent": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}"##,
    );
    assert_eq!(tree.example(), json!({"name": "text", "children": [], "parent": null}));
    // There is no finite value of it.
    let endless = schema(r##"{"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}"##);
    assert_eq!(endless.example(), Value::Null);
}

/// Schemas of few keywords that contradict each other rarely.
fn simple_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string"})),
        (0..5_u64, 5..9_u64)
            .prop_map(|(least, most)| json!({"type": "string", "minLength": least, "maxLength": most})),
        (-9..9_i64, 9..30_i64).prop_map(
            |(least, most)| json!({"type": "integer", "minimum": least, "exclusiveMaximum": most + 1})
        ),
        (1..9_u64).prop_map(|step| json!({"type": "number", "multipleOf": step})),
        Just(json!({"enum": [1, "a", null]})),
        Just(json!({"type": ["null", "boolean"]})),
        Just(json!(true)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (prop::collection::btree_map("[a-c]", inner.clone(), 0..4), any::<bool>()).prop_map(|(properties, is_open)| {
                let required: Vec<&String> = properties.keys().step_by(2).collect();
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": is_open})
            }),
            (inner.clone(), 0..3_u64).prop_map(|(items, least)| json!({"type": "array", "items": items, "minItems": least})),
            prop::collection::vec(inner, 1..3).prop_map(|alternatives| json!({"anyOf": alternatives})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn examples_are_valid(schema in simple_schema()) {
        let parsed = Schema::parse(&schema.to_string(), &[]).expect("it is a schema");
        let example = parsed.example();
        prop_assert!(parsed.validate(example.to_string().as_bytes()).is_ok(), "{schema}: {example}");
    }

    #[test]
    fn schemas_are_compatible_with_themselves(schema in simple_schema()) {
        let parsed = Schema::parse(&schema.to_string(), &[]).expect("it is a schema");
        prop_assert_eq!(Schema::incompatibilities(&parsed, &parsed), vec![]);
    }

    /// Without `anyOf`, which Confluent compares by alternatives: where the reader is said to be compatible, it takes what
    /// the writer's schema gives as an example.
    #[test]
    fn compatible_readers_take_examples(writer in simple_schema(), reader in simple_schema()) {
        let parse = |schema: &Value| Schema::parse(&schema.to_string(), &[]).expect("it is a schema");
        let (writer, reader) = (parse(&writer), parse(&reader));
        if Schema::incompatibilities(&reader, &writer).is_empty() {
            let example = writer.example();
            prop_assert!(reader.validate(example.to_string().as_bytes()).is_ok(), "{example}");
        }
    }
}
