//! Verdicts on pairs of schemas, by the names that Confluent's registry gives differences.

use expect_test::{Expect, expect};

use super::super::{Policy, Schema, comparison};
use super::schema;

/// The differences that matter, with their paths; `~` before those that lenient readers can live with.
fn verdict(writer: &str, reader: &str) -> String {
    let (writer, reader) = (schema(writer), schema(reader));
    let lenient = Schema::incompatibilities_with(&reader, &writer, Policy::Lenient);
    let strict = Schema::incompatibilities(&reader, &writer);
    let lines = strict.iter().map(|found| {
        let mark = if lenient.contains(found) { "" } else { "~" };
        format!("{mark}{} {}", found.kind, found.path)
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { "ok".to_owned() } else { lines.join("\n") }
}

#[expect(clippy::needless_pass_by_value, reason = "a table reads better without references")]
fn check(writer: &str, reader: &str, expected: Expect) {
    expected.assert_eq(&verdict(writer, reader));
}

const MODERN: &str = r#""$schema": "https://json-schema.org/draft/2020-12/schema""#;

/// A schema of 2020-12.
fn modern(rest: &str) -> String {
    format!("{{{MODERN}, {rest}}}")
}

#[test]
fn properties_are_judged_by_content_model() {
    let open =
        |rest: &str| format!(r#"{{"type": "object", "properties": {{"a": {{"type": "string"}}{rest}}}}}"#);
    let closed = |rest: &str, required: &str| {
        format!(
            r#"{{"type": "object", "properties": {{"a": {{"type": "string"}}{rest}}}, "required": [{required}], "additionalProperties": false}}"#
        )
    };
    let b = r#", "b": {"type": "integer"}"#;
    let default = r#", "b": {"type": "integer", "default": 1}"#;
    check(&open(""), &open(b), expect!["~OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b"]);
    check(&open(b), &open(""), expect!["ok"]);
    check(&open(""), &open(r#", "b": {}"#), expect!["ok"]);
    check(&closed("", ""), &closed(b, ""), expect!["ok"]);
    check(
        &closed(b, ""),
        &closed("", ""),
        expect!["~PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/b"],
    );
    check(
        &closed("", ""),
        &closed(b, r#""b""#),
        expect!["REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b"],
    );
    check(&closed("", ""), &closed(default, r#""b""#), expect!["ok"]);
    check(&closed(r#", "b": false"#, ""), &closed("", ""), expect!["ok"]);
    check(&open(""), &closed("", ""), expect!["~ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties"]);
    check(&closed("", ""), &open(""), expect!["ok"]);
    check(&closed("", ""), &closed("", r#""a""#), expect!["REQUIRED_ATTRIBUTE_ADDED #/required/a"]);
    check(&closed("", r#""a""#), &closed("", ""), expect!["ok"]);
    let partial = |rest: &str| {
        format!(
            r#"{{"type": "object", "properties": {{{rest}}}, "additionalProperties": {{"type": "integer"}}}}"#
        )
    };
    check(&partial(""), &partial(r#""b": {"type": "number"}"#), expect!["ok"]);
    check(
        &partial(""),
        &partial(r#""b": {"type": "string"}"#),
        expect![[r#"
        TYPE_CHANGED #/properties/b
        ~PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b"#]],
    );
    check(
        &partial(r#""b": {"type": "number"}"#),
        &partial(""),
        expect![[r#"
        TYPE_NARROWED #/properties/b
        ~PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b"#]],
    );
    let patterned = r#"{"type": "object", "patternProperties": {"^b": {"type": "integer"}}, "additionalProperties": false}"#;
    check(patterned, &closed(b, ""), expect!["ok"]);
    check(
        patterned,
        &closed(r#", "b": {"type": "string"}"#, ""),
        expect![[r#"
        TYPE_CHANGED #/properties/b
        ~PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b"#]],
    );
}

#[test]
fn bounds_and_types_may_widen() {
    check(r#"{"type": "string"}"#, r#"{"type": "integer"}"#, expect!["TYPE_CHANGED #/"]);
    check(r#"{"type": "integer"}"#, r#"{"type": "number"}"#, expect!["ok"]);
    check(r#"{"type": "number"}"#, r#"{"type": "integer"}"#, expect!["TYPE_NARROWED #/"]);
    check(r#"{"type": "string"}"#, r#"{"type": ["string", "null"]}"#, expect!["ok"]);
    check(r#"{"type": ["string", "null"]}"#, r#"{"type": "string"}"#, expect!["TYPE_CHANGED #/"]);
    check(
        r#"{"type": "string", "maxLength": 5}"#,
        r#"{"type": "string", "maxLength": 4, "minLength": 1, "pattern": "a"}"#,
        expect![[r#"
            MAX_LENGTH_DECREASED #/maxLength
            MIN_LENGTH_ADDED #/minLength
            PATTERN_ADDED #/pattern"#]],
    );
    check(r#"{"type": "number", "maximum": 5}"#, r#"{"type": "number", "maximum": 5.0}"#, expect!["ok"]);
    check(
        r#"{"type": "number", "maximum": 5}"#,
        r#"{"type": "number", "maximum": 4.9, "minimum": 0, "exclusiveMaximum": 6}"#,
        expect![[r#"
            MAXIMUM_DECREASED #/maximum
            MINIMUM_ADDED #/minimum
            EXCLUSIVE_MAXIMUM_ADDED #/exclusiveMaximum"#]],
    );
    check(
        r#"{"type": "number", "multipleOf": 0.5}"#,
        r#"{"type": "number", "multipleOf": 10}"#,
        expect!["MULTIPLE_OF_EXPANDED #/multipleOf"],
    );
    check(
        r#"{"type": "number", "multipleOf": 10}"#,
        r#"{"type": "number", "multipleOf": 2.5}"#,
        expect!["ok"],
    );
    check(
        r#"{"type": "number", "multipleOf": 3}"#,
        r#"{"type": "number", "multipleOf": 2}"#,
        expect!["MULTIPLE_OF_CHANGED #/multipleOf"],
    );
    check(r#"{"enum": ["a", 1]}"#, r#"{"enum": ["a", 1.0, {"x": 1, "y": 2}]}"#, expect!["ok"]);
    check(r#"{"enum": ["a", "b"]}"#, r#"{"enum": ["a"]}"#, expect!["ENUM_ARRAY_NARROWED #/enum"]);
    check(r#"{"enum": ["a", "b"]}"#, r#"{"enum": ["a", "c"]}"#, expect!["ENUM_ARRAY_CHANGED #/enum"]);
    check(r#"{"const": 1}"#, r#"{"const": 2}"#, expect!["ENUM_ARRAY_CHANGED #/const"]);
    check(r#"{"type": "string"}"#, "{}", expect!["ok"]);
    check("{}", r#"{"type": "string"}"#, expect!["TYPE_CHANGED #/"]);
    check("false", r#"{"type": "string"}"#, expect!["ok"]);
    check(r#"{"type": "string"}"#, "true", expect!["ok"]);
    check(
        r#"{"not": {"type": "integer"}}"#,
        r#"{"not": {"type": "number"}}"#,
        expect!["NOT_TYPE_EXTENDED #/not"],
    );
    check(r#"{"not": {"type": "number"}}"#, r#"{"not": {"type": "integer"}}"#, expect!["ok"]);
    check(
        r#"{"type": "string", "connect.type": "bytes"}"#,
        r#"{"type": "number", "connect.type": "bytes"}"#,
        expect!["ok"],
    );
}

#[test]
fn items_are_judged_like_properties() {
    let tuple = |items: &str, further: &str| {
        format!(r#"{{"type": "array", "items": [{items}], "additionalItems": {further}}}"#)
    };
    let (one, two) = (r#"{"type": "string"}"#, r#"{"type": "string"}, {"type": "integer"}"#);
    check(&tuple(one, "true"), &tuple(two, "true"), expect!["ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1"]);
    check(&tuple(two, "true"), &tuple(one, "true"), expect!["ok"]);
    check(&tuple(one, "false"), &tuple(two, "false"), expect!["ok"]);
    check(
        &tuple(two, "false"),
        &tuple(one, "false"),
        expect!["ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/items/1"],
    );
    check(
        &tuple(one, r#"{"type": "string"}"#),
        &tuple(two, r#"{"type": "string"}"#),
        expect![[r#"
        TYPE_CHANGED #/items/1
        ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/items/1"#]],
    );
    check(
        r#"{"type": "array", "items": {"type": "string"}}"#,
        r#"{"type": "array", "items": {"type": "integer"}, "minItems": 1, "uniqueItems": true}"#,
        expect![[r#"
            TYPE_CHANGED #/items
            MIN_ITEMS_ADDED #/minItems
            UNIQUE_ITEMS_ADDED #/uniqueItems"#]],
    );
    check(
        r#"{"type": "array"}"#,
        r#"{"type": "array", "items": {"type": "integer"}}"#,
        expect!["SCHEMA_ADDED #/items"],
    );
    let prefix =
        |items: &str, rest: &str| modern(&format!(r#""type": "array", "prefixItems": [{items}], {rest}"#));
    check(&prefix(one, r#""items": false"#), &prefix(two, r#""items": false"#), expect!["ok"]);
    check(
        &prefix(two, r#""items": false"#),
        &prefix(one, r#""items": false"#),
        expect!["ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/items/1"],
    );
    check(
        &modern(r#""contains": {"type": "string"}"#),
        &modern(r#""contains": {"type": "string"}, "minContains": 2"#),
        expect!["MIN_CONTAINS_INCREASED #/minContains"],
    );
}

#[test]
fn alternatives_are_matched() {
    let union = |keyword: &str, types: &[&str]| {
        let types: Vec<String> = types.iter().map(|name| format!(r#"{{"type": "{name}"}}"#)).collect();
        format!(r#"{{"{keyword}": [{}]}}"#, types.join(","))
    };
    check(&union("oneOf", &["string", "null"]), &union("oneOf", &["null", "string"]), expect!["ok"]);
    check(
        &union("oneOf", &["string", "null"]),
        &union("oneOf", &["string", "null", "boolean"]),
        expect!["ok"],
    );
    check(
        &union("oneOf", &["string", "null"]),
        &union("oneOf", &["string"]),
        expect!["SUM_TYPE_NARROWED #/"],
    );
    check(
        &union("oneOf", &["string", "null"]),
        &union("oneOf", &["string", "boolean"]),
        expect!["COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"],
    );
    check(&union("oneOf", &["string", "null"]), &union("anyOf", &["string", "null"]), expect!["ok"]);
    check(
        &union("anyOf", &["string", "null"]),
        &union("oneOf", &["string", "null"]),
        expect!["COMBINED_TYPE_CHANGED #/"],
    );
    check(&union("allOf", &["string", "null"]), &union("allOf", &["string"]), expect!["ok"]);
    check(
        &union("allOf", &["string"]),
        &union("allOf", &["string", "null"]),
        expect!["PRODUCT_TYPE_EXTENDED #/"],
    );
    check(r#"{"type": "string"}"#, &union("oneOf", &["string", "null"]), expect!["ok"]);
    check(&union("oneOf", &["string", "null"]), r#"{"type": "string"}"#, expect!["TYPE_CHANGED #/"]);
    check(&union("allOf", &["string", "null"]), r#"{"type": "string"}"#, expect!["ok"]);
    // "integer" goes with "number" only; so the other one must go with "string".
    check(&union("anyOf", &["integer", "string"]), &union("anyOf", &["string", "number"]), expect!["ok"]);
    let nested = |name: &str| {
        format!(
            r#"{{"oneOf": [{{"properties": {{"a": {{"type": "{name}"}}}}, "type": "object"}}, {{"type": "null"}}]}}"#
        )
    };
    check(&nested("integer"), &nested("number"), expect!["ok"]);
    check(&nested("number"), &nested("integer"), expect!["COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"]);
}

#[test]
fn references_are_followed() {
    let with = |name: &str| {
        format!(
            r##"{{"type": "object", "properties": {{"a": {{"$ref": "#/definitions/a"}}, "b": {{"$ref": "#/definitions/a"}}}}, "definitions": {{"a": {{"type": "{name}"}}}}}}"##
        )
    };
    check(&with("string"), &with("string"), expect!["ok"]);
    check(
        &with("string"),
        &with("integer"),
        expect![[r#"
        TYPE_CHANGED #/properties/a
        TYPE_CHANGED #/properties/b"#]],
    );
    // Two drafts say the same in two ways.
    let old = r##"{"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "properties": {"a": {"$ref": "#/definitions/b"}}, "additionalProperties": false, "definitions": {"b": {"type": ["string", "null"], "maxLength": 3}}}"##;
    let new = modern(
        r##""type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "additionalProperties": false, "$defs": {"b": {"maxLength": 4, "type": ["null", "string"]}}"##,
    );
    check(old, &new, expect!["ok"]);
    check(&new, old, expect!["COMBINED_TYPE_SUBSCHEMAS_CHANGED #/properties/a"]);
}

#[test]
fn recursive_schemas_are_compared() {
    let tree = |name: &str| {
        format!(
            r##"{{"type": "object", "properties": {{"value": {{"type": "{name}"}}, "left": {{"$ref": "#"}}, "right": {{"oneOf": [{{"$ref": "#"}}, {{"type": "null"}}]}}}}}}"##
        )
    };
    check(&tree("string"), &tree("string"), expect!["ok"]);
    check(&tree("integer"), &tree("number"), expect!["ok"]);
    check(
        &tree("number"),
        &tree("integer"),
        expect![[r#"
        COMBINED_TYPE_SUBSCHEMAS_CHANGED #/properties/right
        TYPE_NARROWED #/properties/value"#]],
    );
    // What is wrong lies behind a cycle that is entered from another branch first.
    let masked = |first: &str, second: &str| {
        let object = |id: &str, target: &str| {
            format!(
                r##"{{"type": "object", "properties": {{"id": {{"type": "{id}"}}, "ref": {{"oneOf": [{{"$ref": "#/definitions/{target}"}}]}}}}}}"##
            )
        };
        format!(
            r##"{{"type": "object", "definitions": {{"T0": {}, "T1": {}, "T2": {}}},
                "properties": {{"root": {{"oneOf": [{{"$ref": "#/definitions/T0"}}, {{"$ref": "#/definitions/T1"}}]}}}}}}"##,
            object(first, "T2"),
            object(second, "T2"),
            object("integer", "T0"),
        )
    };
    check(
        &masked("integer", "boolean"),
        &masked("boolean", "number"),
        expect!["COMBINED_TYPE_SUBSCHEMAS_CHANGED #/properties/root"],
    );
}

#[test]
fn compatible_differences_have_names_too() {
    let check = |writer: &str, reader: &str, expected: Expect| {
        let (writer, reader) = (schema(writer), schema(reader));
        let found = comparison::differences(&writer.model, &reader.model, Policy::Strict);
        let lines: Vec<String> = found.into_iter().map(|(kind, path, _)| format!("{kind} {path}")).collect();
        expected.assert_eq(&lines.join("\n"));
    };
    check(
        r#"{"title": "a", "type": "object", "properties": {"a": {"type": "string", "maxLength": 3, "default": ""}}, "required": ["a"]}"#,
        r#"{"title": "b", "type": "object", "properties": {"a": {"type": "string", "maxLength": 4}}}"#,
        expect![[r#"
            TITLE_CHANGED #/
            REQUIRED_ATTRIBUTE_REMOVED #/required/a
            DEFAULT_CHANGED #/properties/a
            MAX_LENGTH_INCREASED #/properties/a/maxLength"#]],
    );
    check(
        r#"{"type": "integer"}"#,
        r#"{"anyOf": [{"type": "string"}, {"type": "number"}]}"#,
        expect![[r#"
            TYPE_EXTENDED #/
            SUM_TYPE_EXTENDED #/"#]],
    );
    check(
        r#"{"oneOf": [{"type": "integer"}, {"type": "null"}]}"#,
        r#"{"oneOf": [{"type": "null"}, {"type": "boolean"}, {"type": "number"}]}"#,
        expect![[r#"
            SUM_TYPE_EXTENDED #/
            TYPE_EXTENDED #/oneOf/0"#]],
    );
}

#[test]
fn messages_are_for_persons() {
    let reader = schema(r#"{"properties": {"a": {"type": "integer"}}, "required": ["a"]}"#);
    let writer = schema(r#"{"properties": {"a": {"type": "string"}}}"#);
    let lines: Vec<String> =
        Schema::incompatibilities(&reader, &writer).iter().map(ToString::to_string).collect();
    expect![[r#"
        #/required/a: the reader's schema requires a field that is optional in the writer's
        #/properties/a: the reader's schema has another type here than the writer's (writer: string, reader: integer)"#]].assert_eq(&lines.join("\n"));
}
