//! Values: their JSON, and the errors with the path of what is wrong.

use expect_test::expect;
use proptest::prelude::*;

use super::parse;
use crate::avro::{Schema, single_object};

fn json(schema: &Schema, bytes: &[u8]) -> Result<String, String> {
    let mut out = b"before".to_vec();
    let decoded = schema.decode(bytes, &mut out).map_err(|error| error.to_string());
    assert!(out.starts_with(b"before"));
    assert!(decoded.is_ok() || out.len() == 6, "nothing is left of a value that failed");
    decoded.map(|()| String::from_utf8(out.split_off(6)).expect("UTF-8"))
}

/// Each value comes back as it was, or as the second text.
#[test]
fn values_have_the_forms_that_a_person_expects() {
    let of = |of: &str, logical: &str| format!(r#"{{"type":"{of}","logicalType":"{logical}"}}"#);
    let decimal = r#"{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}"#.to_owned();
    let fixed = |size: u8, logical: &str| {
        format!(r#"{{"type":"fixed","name":"F","size":{size},"logicalType":"{logical}","precision":4}}"#)
    };
    let cases = [
        ("\"long\"".to_owned(), "9223372036854775807", None),
        ("\"double\"".to_owned(), "1", Some("1.0")),
        ("\"double\"".to_owned(), "1e300", None),
        ("\"float\"".to_owned(), "0.1", None),
        ("\"float\"".to_owned(), "\"-Infinity\"", None),
        ("\"bytes\"".to_owned(), "\"AP8=\"", None),
        (decimal.clone(), "\"-0.05\"", None),
        (decimal.clone(), "\"0012.5\"", Some("\"12.50\"")),
        (decimal.clone(), "12.5", Some("\"12.50\"")),
        (decimal, "-9999", Some("\"-9999.00\"")),
        (fixed(16, "uuid"), "\"0192f1e4-7c1a-7d3e-9b7e-3a2f6c5d4e1b\"", None),
        (fixed(12, "duration"), "\"P1M2DT3.004S\"", None),
        (fixed(12, "duration"), "\"P1Y1WT1H1M\"", Some("\"P12M7DT3660.000S\"")),
        (fixed(3, "decimal"), "\"-7\"", None),
        (of("int", "date"), "\"2024-02-29\"", None),
        (of("int", "date"), "\"0000-01-01\"", None),
        (of("int", "date"), "-719529", None),
        (of("int", "time-millis"), "\"23:59:59.999\"", None),
        (
            of("long", "timestamp-millis"),
            "\"2026-12-01T12:30:00+01:30\"",
            Some("\"2026-12-01T11:00:00.000Z\""),
        ),
        (of("long", "timestamp-micros"), "\"1969-12-31T23:59:59.999999Z\"", None),
        (of("long", "timestamp-nanos"), "\"2262-04-11T23:47:16.854775807Z\"", None),
        (of("long", "timestamp-millis"), "9223372036854775807", None),
        (of("long", "local-timestamp-millis"), "\"2026-12-01T12:30:00.250\"", None),
        (r#"["null","string"]"#.to_owned(), "\"text\"", None),
        (r#"["null","string"]"#.to_owned(), r#"{"string":"text"}"#, Some("\"text\"")),
        (r#"["null","int","string"]"#.to_owned(), "null", None),
        (r#"["int","long"]"#.to_owned(), r#"{"long":7}"#, None),
        (r#"["int","long","string"]"#.to_owned(), "\"text\"", Some(r#"{"string":"text"}"#)),
        (r#"["double","string"]"#.to_owned(), r#"{"double":"NaN"}"#, None),
        (r#"["double","string"]"#.to_owned(), "\"NaN\"", None),
        (r#"["double","null"]"#.to_owned(), "\"NaN\"", None),
        (r#"{"type":"map","values":"int"}"#.to_owned(), r#"{"a":1,"":2}"#, None),
        (r#"{"type":"array","items":["null","int"]}"#.to_owned(), "[1,null,3]", None),
    ];
    for (text, value, back) in cases {
        let schema = parse(&text);
        let bytes = schema.encode(value.as_bytes()).unwrap_or_else(|error| panic!("{error} in {text}"));
        assert_eq!(json(&schema, &bytes).as_deref(), Ok(back.unwrap_or(value)), "{text}");
    }
}

const ORDER: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"id","type":"int"},
    {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
        {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}},
        {"name":"count","type":"int","default":1},
        {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null}]}}},
    {"name":"tags","type":{"type":"map","values":{"type":"enum","name":"Tag","symbols":["A","B"]}},"default":{"t":"B"}},
    {"name":"raw","type":"bytes","default":"\u00ff"}]}"#;

#[test]
fn absent_fields_have_their_defaults() {
    let schema = parse(ORDER);
    let bytes = schema.encode(br#"{"id":1,"lines":[{"price":"1.5"}]}"#).expect("a value");
    assert_eq!(
        json(&schema, &bytes).as_deref(),
        Ok(r#"{"id":1,"lines":[{"price":"1.50","count":1,"at":null}],"tags":{"t":"B"},"raw":"/w=="}"#)
    );
}

#[test]
fn errors_of_json_have_the_path_of_the_field() {
    let schema = parse(ORDER);
    let errors = [
        "{",
        "[]",
        r#"{"id":1}"#,
        r#"{"id":"1","lines":[]}"#,
        r#"{"id":3000000000,"lines":[]}"#,
        r#"{"id":1.5,"lines":[]}"#,
        r#"{"id":1,"lines":[{"price":"1.50"},{"price":"1.555"}]}"#,
        r#"{"id":1,"lines":[{"price":"100"}]}"#,
        r#"{"id":1,"lines":[{"price":"a"}]}"#,
        r#"{"id":1,"lines":[{"price":"1","at":"yesterday"}]}"#,
        r#"{"id":1,"lines":[{"price":"1","at":"2026-02-29T00:00:00Z"}]}"#,
        r#"{"id":1,"lines":[{"price":"1","at":[]}]}"#,
        r#"{"id":1,"lines":[{"price":"1","cuont":2}]}"#,
        r#"{"id":1,"lines":[],"tags":{"x":"C"}}"#,
        r#"{"id":1,"lines":[],"raw":"?"}"#,
    ];
    let errors: Vec<String> =
        errors.iter().map(|text| schema.encode(text.as_bytes()).expect_err("no value").to_string()).collect();
    expect![[r#"
        invalid JSON: line 1, column 2: expected the name of a property, in quotes
        expected an object, found an array
        lines: the field is missing, and has no default
        id: expected an integer, found a string
        id: 3000000000 has more than 32 bits
        id: expected an integer, found a number with a fraction
        lines[1].price: 1.555 has 3 digits behind the point, and the scale is 2
        lines[0].price: 100 has 5 digits at scale 2, and the precision is 4
        lines[0].price: "a" is no decimal: write it like "12.50"
        lines[0].at: "yesterday" is no timestamp: write it like "2026-12-01T12:30:00.250Z"
        lines[0].at: "2026-02-29T00:00:00Z" is no timestamp: write it like "2026-12-01T12:30:00.250Z"
        lines[0].at: expected a value of null, long, found an array
        lines[0].cuont: record Line has no such field
        tags.x: "C" is no symbol of Tag: A, B
        raw: expected base64: Invalid symbol 63, offset 0."#]]
    .assert_eq(&errors.join("\n"));
}

#[test]
fn errors_of_bytes_have_the_path_of_the_field() {
    let cases: &[(&str, &[u8])] = &[
        ("\"int\"", &[]),
        ("\"int\"", &[0, 0]),
        ("\"int\"", &[0xff, 0xff, 0xff, 0xff, 0x1f]),
        ("\"long\"", &[0xff; 10]),
        ("\"long\"", &[0x80; 11]),
        ("\"boolean\"", &[2]),
        ("\"string\"", &[1]),
        ("\"string\"", &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
        ("\"string\"", &[2, 0xff]),
        ("\"double\"", &[0; 7]),
        (r#"["null","int"]"#, &[4]),
        (r#"["null","int"]"#, &[1]),
        (ORDER, &[2, 2, 2, 0, 2, 7]),
        (ORDER, &[2, 1, 9, 2]),
        (ORDER, &[2, 0, 2, 2, b'k', 8]),
    ];
    let errors: Vec<String> =
        cases.iter().map(|(text, bytes)| json(&parse(text), bytes).expect_err("no value")).collect();
    expect![[r#"
        the value ends early: bytes needed 1, bytes left 0
        more than one value: bytes left 1
        -4294967296 is no int: it has more than 32 bits
        invalid number: it is longer than 64 bits
        invalid number: it is longer than 64 bits
        invalid boolean: byte 2 is neither 0 nor 1
        invalid length -1
        the value ends early: bytes needed 2147483647, bytes left 0
        invalid string: it is not UTF-8
        the value ends early: bytes needed 8, bytes left 7
        2 is no branch of the union, which has 2
        -1 is no branch of the union, which has 2
        lines[0].at: -4 is no branch of the union, which has 2
        lines: invalid size -5 of a block: bytes left 1
        tags.k: 4 is no symbol of the enum, which has 2"#]]
    .assert_eq(&errors.join("\n"));
}

#[test]
fn blocks_with_sizes_are_read() {
    let schema = parse(r#"{"type":"array","items":"int"}"#);
    assert_eq!(json(&schema, &[3, 4, 2, 4, 2, 6, 0]).as_deref(), Ok("[1,2,3]"));
}

#[test]
fn examples_are_plausible_values_of_their_schemas() {
    let show = |text: &str| serde_json::to_string(&parse(text).example()).expect("JSON");
    expect![[r#"{"id":1,"lines":[{"price":"12.50","count":1,"at":"2026-12-01T12:30:00.000Z"}],"tags":{"t":"B"},"raw":"/w=="}"#]].assert_eq(&show(ORDER));
    expect![[r#"{"email":"ada@example.com","born":"2026-12-01","friends":[],"best":null,"level":"GOLD"}"#]].assert_eq(&show(
        r#"{"type":"record","name":"C","fields":[{"name":"email","type":"string"},{"name":"born","type":["null",{"type":"int","logicalType":"date"}]},{"name":"friends","type":{"type":"array","items":"C"}},{"name":"best","type":["null","C"]},{"name":"level","type":"string","default":"GOLD"}]}"#,
    ));
    // Has itself as a part.
    assert_eq!(show(r#"{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}"#), "null");
}

#[test]
fn single_object_encoding_is_recognized() {
    let schema = parse("\"int\"");
    let mut bytes = vec![0xc3, 0x01];
    bytes.extend_from_slice(&schema.fingerprint().to_le_bytes());
    bytes.push(14);
    assert_eq!(single_object(&bytes), Some((schema.fingerprint(), &[14][..])));
    assert_eq!(single_object(&bytes[..9]), None);
    assert_eq!(single_object(&[14]), None);
}

proptest! {
    #[test]
    fn whole_numbers_come_back(number: i64) {
        for of in ["\"long\"", r#"{"type":"long","logicalType":"timestamp-micros"}"#, r#"{"type":"long","logicalType":"time-micros"}"#] {
            let schema = parse(of);
            let bytes = schema.encode(number.to_string().as_bytes()).expect("a number");
            let text = json(&schema, &bytes).expect("a value");
            prop_assert_eq!(schema.encode(text.as_bytes()).expect("its own text"), bytes);
        }
    }

    #[test]
    fn doubles_come_back(number: f64) {
        let schema = parse("\"double\"");
        let text = json(&schema, &number.to_le_bytes()).expect("a value");
        let bytes = schema.encode(text.as_bytes()).expect("its own text");
        prop_assert!(number.is_nan() || bytes == number.to_le_bytes(), "{}", text);
    }

    #[test]
    fn decimals_come_back(bytes in proptest::collection::vec(any::<u8>(), 1..40), scale in 0_u32..60) {
        let schema = parse(&format!(r#"{{"type":"bytes","logicalType":"decimal","precision":200,"scale":{scale}}}"#));
        let mut encoded = vec![bytes.len() as u8 * 2];
        encoded.extend_from_slice(&bytes);
        let text = json(&schema, &encoded).expect("a value");
        let again = schema.encode(text.as_bytes()).expect("its own text");
        prop_assert_eq!(json(&schema, &again).expect("a value"), text);
        prop_assert!(again.len() <= encoded.len());
    }

    #[test]
    fn dates_come_back(days in -719_528_i64..2_932_897) {
        let text = crate::avro::civil::date(days).expect("a year of four digits");
        prop_assert_eq!(crate::avro::civil::parse_date(&text), Some(days));
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let schema = parse(ORDER);
        if let Ok(text) = json(&schema, &bytes) {
            let again = schema.encode(text.as_bytes()).expect("its own text");
            prop_assert_eq!(json(&schema, &again).expect("a value"), text);
        }
    }

    #[test]
    fn any_text_is_a_schema_or_an_error(text in r#"[\[\]{}",:a-z0-9 ]{0,40}"#) {
        if let Ok(schema) = Schema::parse(&text, &[]) {
            prop_assert_eq!(parse(&schema.canonical()).canonical(), schema.canonical());
        }
    }
}
