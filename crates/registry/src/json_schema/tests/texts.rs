//! Reading, writing and references of schemas.

use expect_test::{Expect, expect};

use super::super::Schema;
use super::{parsed, reference, schema, validated};

#[test]
fn errors_have_their_place() {
    let check = |text: &str, expected: Expect| expected.assert_eq(&parsed(text, &[]));
    check("", expect!["line 1, column 0: the text ends where a value is expected"]);
    check("{\n \"type\": \"object\",\n}", expect!["line 3, column 1: expected a name in double quotes"]);
    check(r#"{"a": 1, "a": 2}"#, expect![[r#"line 1, column 10: the member "a" is given twice"#]]);
    check(r#"[1]"#, expect!["a JSON Schema is an object or a boolean"]);
    check(r#""string""#, expect!["a JSON Schema is an object or a boolean"]);
    check(
        r#"{"type": "strnig"}"#,
        expect![[
            r#"/type: matches none of the alternatives: expected one of "array", "boolean", "integer", "null", "number", "object", "stri…"#
        ]],
    );
    check(
        r#"{"properties": {"a/b": {"minLength": -1}}}"#,
        expect!["/properties/a~1b/minLength: -1 is less than the minimum of 0"],
    );
    check(r#"{"required": "name"}"#, expect!["/required: expected array, found string"]);
    check(r#"{"properties": {"a": 5}}"#, expect!["/properties/a: expected boolean or object, found integer"]);
    check(
        r#"{"pattern": "(a"}"#,
        expect![[
            r#"/pattern: "(a" is no regular expression, or has look-around or back-references, which are not supported"#
        ]],
    );
    check(
        r#"{"properties": {"a": {"pattern": "(?!b)a(?=c)"}}}"#,
        expect![[
            r#"/properties/a/pattern: "(?!b)a(?=c)" is no regular expression, or has look-around or back-references, which are not supported"#
        ]],
    );
    check(
        r#"{"properties": {"a": {"$ref": "http://example.com/other.json"}}}"#,
        expect![[
            r#"/properties/a/$ref: "http://example.com/other.json" is not among the schema's references, and schemas are not fetched"#
        ]],
    );
    check(
        r##"{"properties": {"a": {"$ref": "#/definitions/b"}}}"##,
        expect![[r##"/properties/a/$ref: "#/definitions/b" refers to nothing"##]],
    );
    check(r##"{"$ref": "#/title", "title": "text"}"##, expect![[r##"/$ref: "#/title" is no schema"##]]);
    check(
        r#"{"$ref": "file:///etc/passwd"}"#,
        expect![[
            r#"/$ref: "file:///etc/passwd" is not among the schema's references, and schemas are not fetched"#
        ]],
    );
    check(
        r#"{"properties": {"a": {"$ref": "a b"}}}"#,
        expect!["/properties/a/$ref: Invalid URI reference 'a b': unexpected character at index 1"],
    );
}

#[test]
fn references_are_found_under_their_names() {
    let product = reference(
        "product.json",
        r#"{"type": "object", "properties": {"price": {"$ref": "money.json#/$defs/amount"}}}"#,
    );
    let money = reference(
        "money.json",
        r#"{"$id": "http://example.com/money.json", "definitions": {"amount": {"type": "number"}}}"#,
    );
    let order = r#"{"properties": {"lines": {"type": "array", "items": {"$ref": "./product.json"}}}}"#;
    let read = Schema::parse(order, &[money.clone(), product.clone()]).expect("all of it is there");
    assert_eq!(validated(&read, r#"{"lines": [{"price": 1}]}"#), "ok");
    assert_eq!(
        validated(&read, r#"{"lines": [{"price": 1}, {"price": "2"}]}"#),
        "lines[1].price: expected number, found string"
    );

    // With a name of its own, by which the names of references are resolved.
    let named = r#"{"$id": "http://example.com/order.json", "items": {"$ref": "product.json"}}"#;
    assert_eq!(parsed(named, &[money.clone(), product.clone()]), "ok");
    let absolute = r#"{"items": {"$ref": "http://example.com/money.json#/definitions/amount"}}"#;
    assert_eq!(parsed(absolute, std::slice::from_ref(&money)), "ok");

    let check = |text: &str, references: &[crate::ReferencedSchema], expected: Expect| {
        expected.assert_eq(&parsed(text, references));
    };
    check(
        order,
        std::slice::from_ref(&product),
        expect![[
            r#"product.json#/properties/price/$ref: "money.json#/$defs/amount" is not among the schema's references, and schemas are not fetched"#
        ]],
    );
    check(
        order,
        &[money, product, reference("bad.json", "{\n,}")],
        expect!["bad.json: line 2, column 1: expected a name in double quotes"],
    );
    check(
        r#"{"items": {"$ref": "a.json"}}"#,
        &[reference("a.json", r#"{"type": 1}"#)],
        expect![[
            r#"a.json#/type: matches none of the alternatives: expected one of "array", "boolean", "integer", "null", "number", "object", "stri…"#
        ]],
    );
}

#[test]
fn missing_references_are_listed() {
    let text = r##"{"items": [{"$ref": "b.json#/definitions/x"}, {"$ref": "a.json"}, {"$ref": "#/definitions/own"}, {"$ref": "b.json"}],
        "definitions": {"own": {"$ref": "http://json-schema.org/draft-07/schema#"}}, "default": {"$ref": "not-a-reference"}}"##;
    assert_eq!(Schema::references(text).expect("it is a schema"), ["a.json", "b.json"]);
    assert_eq!(Schema::references("{}").expect("it is a schema"), Vec::<String>::new());
}

#[test]
fn drafts_are_those_that_the_text_names() {
    // What a text says in one draft only.
    let exclusive = |uri: &str| format!(r#"{{"$schema": "{uri}", "minimum": 1, "exclusiveMinimum": true}}"#);
    assert_eq!(
        validated(&schema(&exclusive("http://json-schema.org/draft-04/schema#")), "1"),
        "1 is not more than 1"
    );
    assert_eq!(
        parsed(&exclusive("http://json-schema.org/draft-06/schema#"), &[]),
        "/exclusiveMinimum: expected number, found boolean"
    );
    let with = |uri: &str, rest: &str| schema(&format!(r#"{{"$schema": "{uri}", {rest}}}"#));
    let conditional = r#""if": {"type": "string"}, "then": false"#;
    assert_eq!(validated(&with("http://json-schema.org/draft-06/schema", conditional), r#""a""#), "ok");
    assert_eq!(
        validated(&with("https://json-schema.org/draft-07/schema#", conditional), r#""a""#),
        "the schema allows no value here"
    );
    let tuple = r#""prefixItems": [{"type": "string"}]"#;
    assert_eq!(validated(&with("https://json-schema.org/draft/2019-09/schema", tuple), "[1]"), "ok");
    assert_eq!(
        validated(&with("http://json-schema.org/draft/2020-12/schema#", tuple), "[1]"),
        "[0]: expected string, found integer"
    );
    // Without a name, and with one that no one knows: draft 7.
    for text in [
        r#"{"prefixItems": [{"type": "string"}]}"#,
        r#"{"$schema": "http://example.com/dialect", "prefixItems": [false]}"#,
    ] {
        assert_eq!(validated(&schema(text), "[1]"), "ok", "{text}");
    }
    assert_eq!(validated(&schema("true"), "[1]"), "ok");
    assert_eq!(validated(&schema("false"), "[1]"), "the schema allows no value here");
}

#[test]
fn texts_are_kept_as_confluent_keeps_them() {
    let text = "{ \"type\" : \"object\",\n \"\u{e9}\\u00e9\\/\\u001f\\b\": [1.0, 1e2, -0, 10.50, 1E-9, true, null, {}, []],\n \"b\":{\"z\":1,\"a\":\"\\\"\\\\\"}, \"B\": 12345678901234567890123 }";
    expect![[r#"{"type":"object","éé/\u001F\b":[1.0,1E+2,0,10.50,1E-9,true,null,{},[]],"b":{"z":1,"a":"\"\\"},"B":12345678901234567890123}"#]].assert_eq(&schema(text).canonical());
    expect![[r#"{"B":12345678901234567890123,"b":{"a":"\"\\","z":1},"type":"object","éé/\u001F\b":[1.0,1E+2,0,10.50,1E-9,true,null,{},[]]}"#]].assert_eq(&schema(text).normalized());
    assert_eq!(schema(" true ").canonical(), "true");
    // By UTF-16 code units, as Java sorts: a surrogate comes before U+FF01.
    assert_eq!(
        schema("{\"\u{ff01}\": 1, \"\u{1f600}\": 2}").normalized(),
        "{\"\u{1f600}\":2,\"\u{ff01}\":1}"
    );
    // What is kept reads as the same again.
    let kept = schema(text).canonical();
    assert_eq!(schema(&kept).canonical(), kept);
}
