//! Schemas: what is read, what is refused and where, and the texts that come back.

use expect_test::expect;

use super::{parse, refusal};
use crate::ReferencedSchema;
use crate::avro::Schema;

#[test]
fn refusals_say_what_is_wrong_and_where() {
    let record = |field: &str| format!(r#"{{"type":"record","name":"R","fields":[{field}]}}"#);
    let texts = [
        String::new(),
        "{\n \"type\": \"int\",\n}".to_owned(),
        "\"int\" \"int\"".to_owned(),
        "7".to_owned(),
        r#""Missing""#.to_owned(),
        r#"{"name":"R"}"#.to_owned(),
        r#"{"type":{"type":"int"}}"#.to_owned(),
        r#"{"type":"record","name":"R"}"#.to_owned(),
        r#"{"type":"record","name":"9","fields":[]}"#.to_owned(),
        r#"{"type":"record","name":"a..R","fields":[]}"#.to_owned(),
        r#"{"type":"enum","name":"string","symbols":[]}"#.to_owned(),
        r#"{"type":"enum","name":"E","symbols":["A","B","A"]}"#.to_owned(),
        r#"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#.to_owned(),
        r#"{"type":"fixed","name":"F","size":-1}"#.to_owned(),
        r#"{"type":"array"}"#.to_owned(),
        r#"["int","null","int"]"#.to_owned(),
        r#"["int",["null"]]"#.to_owned(),
        record(r#"{"name":"f"}"#),
        record(r#"{"name":"a b","type":"int"}"#),
        record(r#"{"name":"f","type":"int"},{"name":"f","type":"int"}"#),
        record(r#"{"name":"f","type":"a.Unknown"}"#),
        record(r#"{"name":"f","type":"int","order":"up"}"#),
        record(r#"{"name":"f","type":"int","aliases":"g"}"#),
        record(r#"{"name":"f","type":"int","default":"1"}"#),
        record(r#"{"name":"f","type":"int","default":3000000000}"#),
        record(r#"{"name":"f","type":["null","string"],"default":1}"#),
        record(
            r#"{"name":"f","type":{"type":"record","name":"S","fields":[{"name":"g","type":"int"}]},"default":{}}"#,
        ),
        record(r#"{"name":"f","type":{"type":"fixed","name":"R","size":1}}"#),
    ];
    let refusals: Vec<String> = texts.iter().map(|text| refusal(text)).collect();
    expect![[r#"
        line 1, column 1: the text ends where a value is expected
        line 3, column 1: expected the name of a property, in quotes
        line 1, column 7: something follows the value
        /: a type is a name, an object or an array of types, not an integer
        /: no type is named "Missing", neither here nor in a reference
        /: a type needs its "type"
        /type: "type" is the name of a type here, not an object: write the type itself
        /: a record needs its "fields", an array
        /name: invalid name "9": it begins with '9', and not with a letter or _
        /: invalid namespace: invalid name "": it is empty
        /name: a type may not be named "string" like a primitive one
        /symbols/2: the enum has the symbol "A" twice
        /default: the default "B" is none of the symbols
        /size: invalid size: it is a whole number of bytes from 0 to 2147483639
        /: array needs its "items"
        /2: the union has int twice
        /1: a union may not contain a union
        /fields/0: field "f" needs its "type"
        /fields/0/name: invalid name "a b": ' ' is no letter, digit or _
        /fields/1/name: the record has two fields "f"
        /fields/0/type: no type is named "a.Unknown", neither here nor in a reference
        /fields/0/order: invalid order: it is ascending, descending or ignore
        /fields/0/aliases: aliases are an array of strings, not a string
        /fields/0/default: invalid default of "f": "1" is no int
        /fields/0/default: invalid default of "f": 3000000000 is no int
        /fields/0/default: invalid default of "f": 1 is a value of none of the union's types
        /fields/0/default: invalid default of "f": g is missing in it, and has no default of its own
        /fields/0/type: "R" is defined twice, differently"#]]
    .assert_eq(&refusals.join("\n"));
}

#[test]
fn texts_come_back_as_the_registry_of_confluent_keeps_them() {
    let text = r#"{
        // Comments are as in Java.
        "doc": "an order", "name": "org.shop.Order", "type": "record", "owner": {"team": "b", "a": 1.50},
        "aliases": ["OldOrder", "x.Order"],
        "fields": [
            {"default": null, "name": "note", "type": ["null", {"type": "string"}], "order": "ignore", "z": 1, "b": 2},
            {"name": "price", "type": {"scale": 2, "type": "bytes", "precision": 9, "logicalType": "decimal"}, "doc": ""},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"], "default": "A", "doc": ""}},
            {"name": "again", "type": ["Kind", "null"], "default": "A", "aliases": ["y", "x"]},
            {"name": "rate", "type": "double", "default": 1},
            {"name": "key", "type": {"type": "fixed", "name": "other.Key", "size": 16}},
            {"name": "parent", "type": ["null", "Order"]}
        ]
    }"#;
    let schema = parse(text);
    expect![[r#"{"type":"record","name":"Order","namespace":"org.shop","doc":"an order","fields":[{"name":"note","type":["null","string"],"default":null,"order":"ignore","z":1,"b":2},{"name":"price","type":{"type":"bytes","scale":2,"precision":9,"logicalType":"decimal"},"doc":""},{"name":"kind","type":{"type":"enum","name":"Kind","doc":"","symbols":["A","B"],"default":"A"}},{"name":"again","type":["Kind","null"],"default":"A","aliases":["y","x"]},{"name":"rate","type":"double","default":1},{"name":"key","type":{"type":"fixed","name":"Key","namespace":"other","size":16}},{"name":"parent","type":["null","Order"]}],"owner":{"team":"b","a":1.5},"aliases":["OldOrder","x.Order"]}"#]].assert_eq(&schema.canonical());
    expect![[r#"{"type":"record","name":"Order","namespace":"org.shop","doc":"an order","fields":[{"name":"note","type":["null","string"],"default":null,"order":"ignore","b":2,"z":1},{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2},"doc":""},{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"],"default":"A"}},{"name":"again","type":["Kind","null"],"default":"A","aliases":["x","y"]},{"name":"rate","type":"double","default":1.0},{"name":"key","type":{"type":"fixed","name":"Key","namespace":"other","size":16}},{"name":"parent","type":["null","Order"]}],"owner":{"a":1.5,"team":"b"},"aliases":["OldOrder","x.Order"]}"#]].assert_eq(&schema.normalized());
    expect![[r#"{"name":"org.shop.Order","type":"record","fields":[{"name":"note","type":["null","string"]},{"name":"price","type":"bytes"},{"name":"kind","type":{"name":"org.shop.Kind","type":"enum","symbols":["A","B"]}},{"name":"again","type":["org.shop.Kind","null"]},{"name":"rate","type":"double"},{"name":"key","type":{"name":"other.Key","type":"fixed","size":16}},{"name":"parent","type":["null","org.shop.Order"]}]}"#]].assert_eq(&schema.parsing_canonical_form());
    assert_eq!(schema.name(), Some("org.shop.Order"));
    for text in ["\"string\"", "{\"type\":\"string\"}", " \"string\" "] {
        assert_eq!(parse(text).canonical(), "\"string\"");
    }
}

#[test]
fn fingerprints_are_those_of_the_specification() {
    // The first is in the specification's own tests.
    assert_eq!(parse("\"null\"").fingerprint(), 7_195_948_357_588_979_594);
    assert_eq!(parse("\"int\"").fingerprint(), 8_247_732_601_305_521_295);
}

#[test]
fn a_null_namespace_survives_every_text() {
    let text = r#"{"type":"record","name":"a.R","aliases":[".Q"],"fields":[{"name":"f","type":{"type":"fixed","name":"F","namespace":"","size":1}},{"name":"g","type":"F"}]}"#;
    let schema = parse(text);
    for again in [schema.canonical(), schema.normalized()] {
        assert_eq!(parse(&again).parsing_canonical_form(), schema.parsing_canonical_form(), "{again}");
        assert!(again.contains(r#""aliases":[".Q"]"#), "{again}");
    }
}

#[test]
fn a_type_may_be_defined_twice_if_both_are_the_same() {
    let twice = |second: &str| {
        format!(
            r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":{{"type":"fixed","name":"F","size":4}}}},{{"name":"b","type":{second}}}]}}"#
        )
    };
    let schema = parse(&twice(r#"{"type":"fixed","name":"F","doc":"again","size":4}"#));
    assert!(schema.canonical().ends_with(r#"{"name":"b","type":"F"}]}"#), "{}", schema.canonical());
    assert_eq!(
        refusal(&twice(r#"{"type":"fixed","name":"F","size":5}"#)),
        "/fields/1/type: \"F\" is defined twice, differently"
    );
}

#[test]
fn references_define_what_a_schema_names() {
    let text = r#"{"type":"record","name":"a.Out","fields":[{"name":"x","type":"In"},{"name":"y","type":["b.Two","Out"]}]}"#;
    assert_eq!(Schema::references(text).expect("a schema"), ["a.In", "b.Two"]);
    let references = [
        ("two", r#"{"type":"enum","name":"b.Two","symbols":["A"]}"#),
        ("one", r#"{"type":"record","name":"a.In","fields":[{"name":"two","type":"b.Two"}]}"#),
    ];
    let references =
        references.map(|(name, text)| ReferencedSchema { name: name.to_owned(), text: text.into() });
    let schema = Schema::parse(text, &references).expect("a schema");
    expect![[r#"{"type":"record","name":"Out","namespace":"a","fields":[{"name":"x","type":"In"},{"name":"y","type":["b.Two","Out"]}]}"#]].assert_eq(&schema.canonical());
    expect![[r#"{"type":"record","name":"Out","namespace":"a","fields":[{"name":"x","type":{"type":"record","name":"In","fields":[{"name":"two","type":{"type":"enum","name":"Two","namespace":"b","symbols":["A"]}}]}},{"name":"y","type":["b.Two","Out"]}]}"#]].assert_eq(&schema.resolved());
    let broken = [ReferencedSchema { name: "two".to_owned(), text: "{}".into() }];
    let error = Schema::parse(text, &broken).expect_err("a reference without a type").to_string();
    assert_eq!(error, "reference \"two\": /: a type needs its \"type\"");
}

#[test]
fn invalid_logical_types_mean_nothing() {
    for (text, json) in [
        (r#"{"type":"int","logicalType":"timestamp-millis"}"#, "7"),
        (r#"{"type":"long","logicalType":"of-ours"}"#, "7"),
        (r#"{"type":"bytes","logicalType":"decimal"}"#, r#""Bw==""#),
        (r#"{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}"#, r#""Bw==""#),
        (r#"{"type":"fixed","name":"F","size":1,"logicalType":"decimal","precision":3}"#, r#""Bw==""#),
        (r#"{"type":"fixed","name":"F","size":1,"logicalType":"uuid"}"#, r#""Bw==""#),
    ] {
        let schema = parse(text);
        let mut out = Vec::new();
        let bytes = schema.encode(json.as_bytes()).expect("a value");
        schema.decode(&bytes, &mut out).expect("a value");
        assert_eq!(String::from_utf8_lossy(&out), json, "{text}");
        assert_eq!(parse(&schema.canonical()).canonical(), schema.canonical());
    }
}
