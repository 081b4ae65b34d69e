//! Hostile input: deep, long, self-referential and multiplying schemas and values cost little.

use std::fmt::Write as _;

use super::{parse, refusal};
use crate::avro::Schema;
use crate::{MAX_SCHEMA_BYTES, ReferencedSchema};

/// `R0` has two fields of type `R1`, and so on, defined from the last one on; `end` is the last one's type.
fn doubling(levels: usize, end: &str, default: &str) -> String {
    let record = |level: usize| {
        let next = if level + 1 < levels { format!("R{}", level + 1) } else { end.to_owned() };
        let field = |name| format!(r#"{{"name":"{name}","type":"{next}"{default}}}"#);
        format!(r#"{{"type":"record","name":"R{level}","fields":[{},{}]}}"#, field("a"), field("b"))
    };
    let records: Vec<String> = (0..levels).rev().map(record).collect();
    format!("[{}]", records.join(","))
}

#[test]
fn brackets_of_any_depth_are_refused() {
    for text in ["[".repeat(10_000), "{\"type\":".repeat(10_000), "{\"a\":[".repeat(MAX_SCHEMA_BYTES / 6)] {
        let refusal = refusal(&text);
        assert!(refusal.contains("nested too deeply") || refusal.contains("union"), "{refusal:.200}");
    }
    let arrays = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(100), "}".repeat(100));
    assert!(refusal(&arrays).contains("nested too deeply: the limit is 64"));
    let value = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let error = parse("\"int\"").encode(value.as_bytes()).expect_err("too deep").to_string();
    assert!(error.contains("nested too deeply"), "{error}");
}

#[test]
fn large_texts_are_refused_or_read() {
    assert!(refusal(&" ".repeat(MAX_SCHEMA_BYTES + 1)).contains("too large"));
    let half: std::sync::Arc<str> = " ".repeat(MAX_SCHEMA_BYTES / 2).into();
    let references = [(); 2].map(|()| ReferencedSchema { name: "x".to_owned(), text: half.clone() });
    assert!(Schema::parse("\"int\"", &references).expect_err("too large").to_string().contains("too large"));
    let fields: Vec<String> = (0..30_000).map(|at| format!(r#"{{"name":"f{at}","type":"int"}}"#)).collect();
    let text = format!(r#"{{"type":"record","name":"R","fields":[{}]}}"#, fields.join(","));
    let schema = parse(&text);
    assert_eq!(schema.canonical().len(), text.len());
    assert!(Schema::incompatibilities(&schema, &schema).is_empty());
}

#[test]
fn names_do_not_multiply() {
    let long = "n".repeat(2_000);
    assert!(
        refusal(&format!(r#"{{"type":"fixed","name":"F","namespace":"{long}","size":1}}"#))
            .contains("too long")
    );
    let names: Vec<String> = (0..20_000).map(|at| format!("\"N{at}\"")).collect();
    assert!(refusal(&format!("[{}]", names.join(","))).contains("too many names"));
}

#[test]
fn a_schema_that_doubles_at_each_level_is_read_compared_and_shown() {
    let schema = parse(&doubling(1_000, "int", ""));
    assert!(Schema::incompatibilities(&schema, &schema).is_empty());
    let other = parse(&doubling(1_000, "string", ""));
    assert!(Schema::incompatibilities(&schema, &other).len() <= 100);
    assert_eq!(parse(&schema.canonical()).canonical(), schema.canonical());
    let head = format!(
        r#"{{"type":"record","name":"H","fields":[{{"name":"defs","type":{}}},{{"name":"n","type":"R0"}}]}}"#,
        doubling(60, "int", "")
    );
    assert!(parse(&head).example().is_null());
}

#[test]
fn defaults_that_multiply_are_refused_when_they_are_written() {
    let defaults = doubling(50, "null", r#","default":{}"#)
        .replace(r#""null","default":{}"#, r#""null","default":null"#);
    let schema = parse(&defaults);
    let error = schema.encode(br#"{"R0":{}}"#).expect_err("too large").to_string();
    assert!(error.contains("value too large"), "{error}");
    let itself = r#"{"type":"record","name":"R","fields":[{"name":"r","type":"R","default":{}}]}"#;
    let error = parse(itself).encode(b"{}").expect_err("has no end").to_string();
    assert!(error.contains("nested too deeply"), "{error}");
    assert_eq!(parse(itself).example(), serde_json::Value::Null);
}

/// A record whose field `defs` has the types of a chain, and whose field `n` is its beginning.
fn chain(defs: &str) -> Schema {
    let mut chain: Vec<String> = (0..8_000)
        .rev()
        .map(|at| {
            format!(r#"{{"type":"record","name":"C{at}","fields":[{{"name":"n","type":"C{}"}}]}}"#, at + 1)
        })
        .collect();
    chain.insert(0, r#"{"type":"record","name":"C8000","fields":[]}"#.to_owned());
    parse(&format!(
        r#"{{"type":"record","name":"H","fields":[{{"name":"{defs}","type":["null",{}],"default":null}},{{"name":"n","type":"C0"}}]}}"#,
        chain.join(",")
    ))
}

#[test]
fn a_long_chain_of_types_needs_no_deep_stack() {
    // The chain is compared from its beginning, for the fields that define it have different names.
    let (first, second) = (chain("defs"), chain("others"));
    assert!(Schema::incompatibilities(&first, &second).is_empty());
    assert_eq!(parse(&first.normalized()).normalized(), first.normalized());
    assert!(first.example().is_null());
    let mut out = Vec::new();
    assert!(first.decode(&[0], &mut out).expect_err("too deep").to_string().contains("nested too deeply"));
}

#[test]
fn types_before_their_definitions_do_not_nest_without_end() {
    let types: Vec<String> = (0..100)
        .map(|at| {
            format!(
                r#"{{"type":"record","name":"C{at}","fields":[{{"name":"n","type":"C{}"}}]}}"#,
                (at + 1) % 100
            )
        })
        .collect();
    assert!(refusal(&format!("[{}]", types.join(","))).contains("define types before their use"));
}

#[test]
fn unions_of_many_records_are_compared_in_bounded_time() {
    let union = |letter: char, count: usize| {
        let records: Vec<String> = (0..count)
            .map(|at| {
                format!(r#"{{"type":"record","name":"{letter}{at}","fields":[{{"name":"f","type":"int"}}]}}"#)
            })
            .collect();
        parse(&format!("[{}]", records.join(",")))
    };
    let (first, second) = (union('A', 9_000), union('B', 9_000));
    assert!(Schema::incompatibilities(&first, &first).is_empty());
    assert_eq!(Schema::incompatibilities(&first, &second).len(), 100);
}

#[test]
fn values_of_large_unions_are_searched_in_bounded_time() {
    let records: Vec<String> =
        (0..20_000).map(|at| format!(r#"{{"type":"record","name":"A{at}","fields":[]}}"#)).collect();
    let schema = parse(&format!(r#"{{"type":"array","items":[{}]}}"#, records.join(",")));
    let values = vec![r#"{"A19999":{}}"#; 100].join(",");
    let bytes = schema.encode(format!("[{values}]").as_bytes()).expect("few enough");
    assert_eq!(bytes.len(), 2 + 100 * 3 + 1);
    let values = vec![r#"{"A0":{}}"#; 50_000].join(",");
    let error = schema.encode(format!("[{values}]").as_bytes()).expect_err("too many").to_string();
    assert!(error.contains("value too large"), "{error}");
}

#[test]
fn many_aliases_are_read_in_bounded_time() {
    let aliases: Vec<String> = (0..100_000).map(|at| format!("\"a{at}\"")).collect();
    let text = format!(r#"{{"type":"fixed","name":"F","size":1,"aliases":[{}]}}"#, aliases.join(","));
    assert_eq!(parse(&text).canonical().len(), text.len());
}

#[test]
fn counts_without_bytes_allocate_nothing() {
    let nulls = parse(r#"{"type":"array","items":"null"}"#);
    let mut out = Vec::new();
    let mut many = vec![0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let error = nulls.decode(&many, &mut out).expect_err("too large").to_string();
    assert!(error.contains("value too large"), "{error}");
    assert!(out.is_empty());
    many.push(2);
    let strings = parse(r#"{"type":"map","values":"string"}"#);
    assert!(strings.decode(&many, &mut out).is_err());
    let fixed = parse(r#"{"type":"fixed","name":"F","size":2147483639}"#);
    assert!(fixed.decode(&[0; 64], &mut out).is_err());
    assert!(fixed.encode(b"\"AAAA\"").is_err());
    assert!(fixed.example().is_null());
}

#[test]
fn defaults_of_unions_of_records_are_checked_in_bounded_time() {
    let mut fields = String::new();
    for level in (0..30).rev() {
        let branches: Vec<String> = (0..10)
            .map(|at| {
                let end = if level == 29 { "\"int\"".to_owned() } else { format!("\"U{}\"", level + 1) };
                format!(
                    r#"{{"type":"record","name":"R{level}x{at}","fields":[{{"name":"f","type":{end}}}]}}"#
                )
            })
            .collect();
        write!(
            fields,
            r#"{{"type":"record","name":"U{level}","fields":[{{"name":"f","type":[{}]}}]}},"#,
            branches.join(",")
        )
        .expect("a string");
    }
    let default = format!("{}\"x\"{}", r#"{"f":"#.repeat(60), "}".repeat(60));
    let text = format!(
        r#"[{fields}{{"type":"record","name":"Top","fields":[{{"name":"f","type":"U0","default":{default}}}]}}]"#
    );
    let refusal = refusal(&text);
    assert!(refusal.contains("a value of none of the union's types"), "{refusal}");
}
