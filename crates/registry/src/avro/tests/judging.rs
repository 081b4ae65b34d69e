//! Judging values: what is judged to be one is read as one, and the work goes with the bytes.

use factum_base::steps::Steps;
use proptest::prelude::*;

use super::parse;
use crate::avro::Schema;

const SCHEMAS: [&str; 6] = [
    r#"{"type":"record","name":"Order","fields":[
        {"name":"id","type":"int"},
        {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
            {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}},
            {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null}]}}},
        {"name":"tags","type":{"type":"map","values":{"type":"enum","name":"Tag","symbols":["A","B"]}}},
        {"name":"raw","type":"bytes"}]}"#,
    r#"{"type":"array","items":["null","string",{"type":"map","values":"boolean"}]}"#,
    r#"{"type":"array","items":"null"}"#,
    r#"{"type":"array","items":{"type":"record","name":"Empty","fields":[{"name":"n","type":"null"}]}}"#,
    r#"{"type":"map","values":{"type":"fixed","name":"F","size":12,"logicalType":"duration"}}"#,
    r#"["float","double",{"type":"enum","name":"E","symbols":["A"]},{"type":"fixed","name":"Z","size":0}]"#,
];

/// Bytes that are often a value, or begin like one.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => 0..10_u8, 1 => any::<u8>()];
    prop::collection::vec(byte, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn values_are_judged_as_they_are_read(schema in prop::sample::select(&SCHEMAS[..]), bytes in bytes()) {
        let schema: Schema = parse(schema);
        let mut steps = Steps::new(1_000_000);
        let judged = schema.judge(&bytes, &mut steps);
        let read = schema.decode(&bytes, &mut Vec::new());
        prop_assert!(!steps.are_spent());
        match (&judged, &read) {
            // What only grows is told by its first part, and what is wrong behind it first.
            (Err(_), Err(read)) if read.reason.contains("too large") => {}
            _ => prop_assert_eq!(judged, read),
        }
    }
}

/// A block that says that it has so many items, and its end.
fn items(count: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    crate::avro::binary::write_long(count, &mut bytes);
    bytes.push(0);
    bytes
}

#[test]
fn items_without_bytes_are_looked_at_once() {
    for schema in &SCHEMAS[2..4] {
        let schema = parse(schema);
        let mut steps = Steps::new(4);
        assert_eq!(schema.judge(&items(5_000), &mut steps), Ok(()));
        let error = schema.judge(&items(i64::MAX), &mut Steps::new(4)).expect_err("too large");
        assert!(error.reason.contains("value too large"), "{error}");
    }
}

#[test]
fn a_value_with_too_many_parts_for_its_steps_spends_them() {
    let schema = parse(r#"{"type":"array","items":"boolean"}"#);
    let bytes = [items(1_000)[..2].to_vec(), vec![1; 1_000], vec![0]].concat();
    let mut steps = Steps::new(1_001);
    assert_eq!(schema.judge(&bytes, &mut steps), Ok(()));
    assert!(!steps.are_spent());
    let mut steps = Steps::new(1_000);
    schema.judge(&bytes, &mut steps).expect_err("too much work");
    assert!(steps.are_spent());
}
