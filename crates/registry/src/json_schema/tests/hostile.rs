//! Schemas and values that are made to take long.

use serde_json::{Map, Value, json};

use super::super::Schema;
use super::{parsed, schema, validated};
use crate::{MAX_DEPTH, MAX_SCHEMA_BYTES};

/// Definitions `0` to `levels`, each made of the next one's reference; the last is `last`.
pub(super) fn levels(levels: usize, last: Value, each: impl Fn(Value) -> Value) -> Value {
    let mut definitions = Map::new();
    for level in 0..levels {
        definitions
            .insert(level.to_string(), each(json!({ "$ref": format!("#/definitions/{}", level + 1) })));
    }
    definitions.insert(levels.to_string(), last);
    json!({"$ref": "#/definitions/0", "definitions": definitions})
}

#[test]
fn deep_and_large_texts_are_refused() {
    let deep = |depth: usize| format!("{}true{}", r#"{"not":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(parsed(&deep(MAX_DEPTH - 1), &[]), "ok");
    assert_eq!(parsed(&deep(MAX_DEPTH + 1), &[]), "line 1, column 449: nested deeper than 64 levels");
    assert_eq!(parsed(&deep(10_000), &[]), "line 1, column 890: nested deeper than 127 levels");
    assert_eq!(
        parsed(&format!("{{\"title\":{:?}}}", "x".repeat(MAX_SCHEMA_BYTES)), &[]),
        "schema too large: at most 1048576 bytes with its references"
    );
    assert_eq!(parsed(&"[".repeat(500_000), &[]), "line 1, column 500000: the text ends inside an array");
    let patterns: Vec<Value> = (0..501).map(|index| json!({ "pattern": format!("a{index}") })).collect();
    assert_eq!(
        parsed(&json!({ "anyOf": patterns }).to_string(), &[]),
        "/anyOf/500: too many patterns: the limit is 500"
    );
    assert!(parsed(r#"{"pattern": "(((a{100}){100}){100}){100}"}"#, &[]).starts_with("/pattern: "));
}

#[test]
fn large_schemas_are_read_and_compared() {
    let properties = |kind: &str| -> Map<String, Value> {
        (0..30_000).map(|index| (format!("f{index}"), json!({ "type": kind }))).collect()
    };
    let text =
        |kind: &str| json!({"properties": properties(kind), "additionalProperties": false}).to_string();
    let (writer, reader) = (schema(&text("string")), schema(&text("number")));
    assert_eq!(Schema::incompatibilities(&writer, &writer), vec![]);
    assert_eq!(Schema::incompatibilities(&reader, &writer).len(), 100);
    assert_eq!(validated(&writer, r#"{"f29999": "a"}"#), "ok");
}

#[test]
fn endless_references_are_refused() {
    for text in [
        r##"{"$ref": "#"}"##,
        r##"{"allOf": [{"$ref": "#"}]}"##,
        r##"{"$ref": "#/definitions/a", "definitions": {"a": {"anyOf": [{"$ref": "#/definitions/b"}]}, "b": {"not": {"$ref": "#/definitions/a"}}}}"##,
    ] {
        assert!(
            parsed(text, &[]).ends_with("the schema refers to itself without saying anything about a value"),
            "{}",
            parsed(text, &[])
        );
    }
    let chain = levels(5_000, json!({"type": "string"}), |next| json!({ "allOf": [next] }));
    assert!(
        parsed(&chain.to_string(), &[])
            .ends_with("more than 64 schemas follow one another for the same value")
    );
    // Through properties it is a value that goes down with them.
    let list = levels(5_000, json!({"type": "string"}), |next| json!({"properties": {"next": next}}));
    let list = schema(&list.to_string());
    assert_eq!(validated(&list, r#"{"next": {"next": {"next": 1}}}"#), "ok");
    assert_eq!(Schema::incompatibilities(&list, &list), vec![]);
    list.example();
}

#[test]
fn doubling_references_are_bounded() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let doubling = |times: usize, kind: &str| {
            levels(times, json!({ "type": kind }), |next| json!({ keyword: [next.clone(), next] }))
                .to_string()
        };
        let (strings, integers) = (schema(&doubling(8, "string")), schema(&doubling(8, "integer")));
        assert_eq!(validated(&strings, r#""a""#) == "ok", keyword != "oneOf");
        assert_ne!(validated(&strings, "1"), "ok");
        assert_eq!(Schema::incompatibilities(&strings, &strings), vec![]);
        assert_ne!(Schema::incompatibilities(&integers, &strings), vec![]);
        strings.example();
        assert!(
            parsed(&doubling(25, "string"), &[]).ends_with("more than 50000 schemas apply to the same value")
        );
    }
}

#[test]
fn doubling_properties_are_bounded() {
    let nested = |value: &str| format!("{}{value}{}", r#"{"x":"#.repeat(60), "}".repeat(60));
    // Not recursive: each level twice as often as the one above it.
    let twice = |next: Value| json!({"allOf": [{"properties": {"x": next}}, {"properties": {"x": next}}]});
    let doubling = |kind: &str| schema(&levels(60, json!({ "type": kind }), twice).to_string());
    let (strings, integers) = (doubling("string"), doubling("integer"));
    assert_eq!(validated(&strings, r#"{"x": {"x": {}}}"#), "ok");
    assert_eq!(validated(&strings, &nested("1")), "too many schemas apply to the value and its parts");
    assert_eq!(Schema::incompatibilities(&strings, &strings), vec![]);
    assert!(!Schema::incompatibilities(&integers, &strings).is_empty());
    strings.example();
    // Wide instead of deep: the value is as large as what it asks for, and an example would be larger.
    let both = |next: Value| json!({"type": "object", "properties": {"a": next, "b": next}});
    let wide = schema(&levels(60, json!({"type": "string"}), both).to_string());
    assert_eq!(validated(&wide, r#"{"a": {"b": {}}}"#), "ok");
    assert_eq!(validated(&wide, r#"{"a": {"b": {"a": 1}}}"#), "a.b.a: expected object, found integer");
    wide.example();
}

#[test]
fn doubling_recursion_is_validated() {
    let text = r##"{"anyOf": [{"type": "string"}, {"properties": {"x": {"$ref": "#"}}, "required": ["x"], "type": "object"},
        {"properties": {"x": {"$ref": "#"}}, "required": ["x"], "type": "object", "minProperties": 1}]}"##;
    let schema = schema(text);
    let nested = |value: &str| format!("{}{value}{}", r#"{"x":"#.repeat(60), "}".repeat(60));
    assert_eq!(validated(&schema, &nested(r#""a""#)), "ok");
    let error = validated(&schema, &nested("1"));
    assert_eq!(error, "the value does not match its schema, which has too many alternatives to say where");
}

#[test]
fn unions_of_many_are_compared_within_limits() {
    let union = |count: usize, shift: usize| {
        let alternatives: Vec<Value> = (0..count).map(|index| json!({ "const": index + shift })).collect();
        schema(&json!({ "oneOf": alternatives }).to_string())
    };
    assert_eq!(Schema::incompatibilities(&union(300, 0), &union(300, 0)), vec![]);
    let kinds =
        |found: Vec<crate::Incompatibility>| found.into_iter().map(|found| found.kind).collect::<Vec<_>>();
    assert_eq!(
        kinds(Schema::incompatibilities(&union(300, 1), &union(300, 0))),
        ["COMBINED_TYPE_SUBSCHEMAS_CHANGED"]
    );
    assert_eq!(kinds(Schema::incompatibilities(&union(3_000, 1), &union(3_000, 0))), ["SCHEMA_TOO_COMPLEX"]);
}

#[test]
fn patterns_match_in_linear_time() {
    let schema = schema(r#"{"pattern": "^(a+)+$"}"#);
    assert_ne!(validated(&schema, &format!("{:?}", format!("{}b", "a".repeat(100_000)))), "ok");
}

#[test]
fn deep_values_are_refused() {
    let schema = schema("{}");
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(validated(&schema, &deep(MAX_DEPTH)), "ok");
    assert_eq!(validated(&schema, &deep(MAX_DEPTH + 1)), "nested deeper than 64 levels");
    assert_ne!(validated(&schema, &deep(100_000)), "ok");
}

#[test]
fn long_chains_fit_on_the_stack() {
    let last = json!({"properties": {"x": {"$ref": "#"}}, "not": {"type": "object", "required": ["y"]}});
    let chain = schema(&levels(30, last, |next| json!({ "allOf": [next] })).to_string());
    let nested = |value: &str| format!("{}{value}{}", r#"{"x":"#.repeat(63), "}".repeat(63));
    assert_eq!(validated(&chain, &nested(r#"{"x": 1}"#)), "ok");
    assert!(validated(&chain, &nested(r#"{"y": 1}"#)).ends_with("x.x: matches what the schema excludes"));
    assert_eq!(Schema::incompatibilities(&chain, &chain), vec![]);
    chain.example();
}
