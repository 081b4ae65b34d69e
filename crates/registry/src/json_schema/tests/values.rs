//! Validation of values, and what is said of those that are wrong.

use expect_test::{Expect, expect};

use super::{schema, validated};

const ORDER: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "orderId": {"type": "string", "minLength": 3, "pattern": "^[A-Z]+-\\d+$"},
    "status": {"enum": ["new", "paid"]},
    "details": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/line"}},
    "payment": {"oneOf": [
      {"properties": {"kind": {"const": "card"}, "number": {"type": "string"}}, "required": ["kind", "number"]},
      {"properties": {"kind": {"const": "cash"}, "given": {"type": "number"}}, "required": ["kind"]}
    ]},
    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "first name": {"type": "string"}
  },
  "required": ["orderId"],
  "additionalProperties": false,
  "$defs": {"line": {
    "type": "object",
    "properties": {"price": {"type": "number", "exclusiveMinimum": 0}, "count": {"type": "integer", "maximum": 99}},
    "required": ["price"]
  }}
}"##;

#[test]
fn errors_name_the_field_as_it_is_written() {
    let order = schema(ORDER);
    let check = |value: &str, expected: Expect| expected.assert_eq(&validated(&order, value));
    check(
        r#"{"orderId": "A-1", "details": [{"price": 0.5, "count": 2}], "note": null, "status": "paid"}"#,
        expect!["ok"],
    );
    check(
        r#"{"orderId": "A-1", "details": [{"price": 1}, {"price": 1}, {"price": "9"}]}"#,
        expect!["details[2].price: expected number, found string"],
    );
    check(
        r#"{"orderId": "A-1", "details": [{"count": 1}]}"#,
        expect!["details[0].price: missing, and the schema requires it"],
    );
    check(
        r#"{"orderId": "A-1", "details": [{"price": 1, "count": 100}]}"#,
        expect!["details[0].count: 100 is more than the maximum of 99"],
    );
    check(
        r#"{"orderId": "A-1", "details": [{"price": 0}]}"#,
        expect!["details[0].price: 0 is not more than 0"],
    );
    check(r#"{"orderId": "A-1", "details": []}"#, expect!["details: fewer than 1 items"]);
    check(r#"{}"#, expect!["orderId: missing, and the schema requires it"]);
    check(
        r#"{"orderId": "A-1", "extra": 1}"#,
        expect!["extra: the schema has no such field and allows no others"],
    );
    check(r#"{"orderId": "a-1"}"#, expect![[r#"orderId: "a-1" does not match the pattern ^[A-Z]+-\d+$"#]]);
    check(
        r#"{"orderId": "A-1", "status": "sent"}"#,
        expect![[r#"status: expected one of "new", "paid", found "sent""#]],
    );
    check(
        r#"{"orderId": "A-1", "first name": 1}"#,
        expect![[r#"["first name"]: expected string, found integer"#]],
    );
    check(
        r#"{"orderId": "A-1", "note": 1}"#,
        expect![
            "note: matches none of the alternatives: expected string, found integer; or expected null, found integer"
        ],
    );
    check(
        r#"{"orderId": "A-1", "payment": {"kind": "card", "number": 5}}"#,
        expect!["payment.number: expected string, found integer"],
    );
    check(
        r#"{"orderId": "A-1", "payment": {"kind": "cash", "given": "5"}}"#,
        expect!["payment.given: expected number, found string"],
    );
    check(r#"[]"#, expect!["expected object, found array"]);
    check(r#"{"orderId": "#, expect!["EOF while parsing a value at line 1 column 12"]);
    check(r#"{"orderId": "A-1"} {}"#, expect!["trailing characters at line 1 column 20"]);
    check(
        r#"{"orderId": "A-1", "orderId": "A-2"}"#,
        expect![[r#"the member "orderId" is given twice at line 1 column 20"#]],
    );
}

#[test]
fn long_values_are_cut_in_errors() {
    let error = validated(&schema(r#"{"maxLength": 3}"#), &format!("{:?}", "x".repeat(100_000)));
    assert!(error.len() < 200, "{error}");
    let error = validated(
        &schema(r#"{"properties": {"a": {"type": "null"}}, "additionalProperties": false}"#),
        &format!(r#"{{"{}": 1}}"#, "x".repeat(100_000)),
    );
    assert!(error.len() < 600, "{error}");
}

#[test]
fn fields_are_found_in_every_draft() {
    let drafts = [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ];
    for draft in drafts {
        let text = format!(
            r##"{{"$schema": "{draft}", "type": "object", "properties": {{"a": {{"items": {{"$ref": "#/definitions/b"}}}}}},
                "definitions": {{"b": {{"allOf": [{{"required": ["c"]}}, {{"properties": {{"c": {{"type": "integer"}}}}}}]}}}}}}"##
        );
        let schema = schema(&text);
        assert_eq!(
            validated(&schema, r#"{"a": [{"c": 1}, {"c": "1"}]}"#),
            "a[1].c: expected integer, found string",
            "{draft}"
        );
        assert_eq!(
            validated(&schema, r#"{"a": [{}]}"#),
            "a[0].c: missing, and the schema requires it",
            "{draft}"
        );
        assert_eq!(
            validated(&schema, r#"{"a": [{"c": 1.0}]}"#),
            if draft.contains("04") { "a[0].c: expected integer, found number" } else { "ok" },
            "{draft}"
        );
    }
}

#[test]
fn integers_of_64_bits_are_exact() {
    let schema = schema(r#"{"type": "integer", "maximum": 9007199254740993}"#);
    assert_eq!(validated(&schema, "9007199254740993"), "ok");
    assert_eq!(
        validated(&schema, "9007199254740994"),
        "9007199254740994 is more than the maximum of 9007199254740993"
    );
}
